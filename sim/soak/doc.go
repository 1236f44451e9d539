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
//
// What is not here: the ends of processes (a fault that stops the loop for good is a
// host fault like the others: see faults_test.go), balance and contact (sim/plant).
package soak
