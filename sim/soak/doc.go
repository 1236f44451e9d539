// Package soak flies robotd's runtime into random faults, again and again, and judges
// what became of the robot. It holds nothing but tests.
//
// A run is one flight in lockstep and virtual time: the emulated bus, byte by byte, with
// the real driver, loop, guard, monitor, mode machine and mission around it; no wall
// clock, no sleep, so a seed is a flight. One thing goes wrong at a random instant, in one
// run of eight two.
//
// The judge shares no code with the product: a witness between the servos and their physics sees
// torque, goals and angles of every joint, and a table of its own says, for each fault,
// what may become of the robot and within which time. Every failure names its seed and
// the line that flies it again; what it found once is a named test (found_test.go).
//
//	go test ./sim/soak                        500 flights
//	make soak                                 10,000, and 10^7 first commands;
//	                                          MITORI_SOAK_FIRST=20001 flies other seeds
//	MITORI_SOAK_SEED=7 go test -v ./sim/soak  one of them, told in full
//	MITORI_SOAK_KINDS=loop-,gateway- ...      only faults whose names begin so
//
// robotd's two processes are two sides of one goroutine here, with the real desk and ring
// between them (process_test.go): either can be killed, in the midst of a packet too,
// stopped, slowed or starved, and the real rescue opens the bus of a robot that is left.
//
// What is not here: processes of the system, which cmd/robotd kills and stops for real;
// balance and contact (sim/plant).
package soak
