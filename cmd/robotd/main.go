// Command robotd is the daemon on the robot: it drives the servos of one robot
// from one bus, under one guard and one state machine, and records every tick.
// With --sim it starts "mitori bus emulate" as a process of its own and talks to
// it over the same bytes as to hardware.
//
// This package only wires: the loop and its parts are in actuators, policies in
// policy, bytes in firmware-bridge.
package main

import "os"

func main() {
	ord := newOrders()
	ord.listen()
	os.Exit(run(ord, os.Args[1:], os.Stdout, os.Stderr))
}
