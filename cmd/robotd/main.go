// Command robotd is the daemon on the robot: it drives the servos of one robot
// from one bus, under one guard and one state machine, and records every tick.
// With --sim it starts "mitori bus emulate" as a process of its own and talks to
// it over the same bytes as to hardware.
//
// This package is its command line: what runs is joined in cmd/internal/robot, the
// loop and its parts are in actuators, policies in policy, bytes in firmware-bridge.
package main

import (
	"os"

	"github.com/mitori-robotics/mitori/cmd/internal/orders"
)

func main() {
	ord := orders.New()
	ord.Listen()
	os.Exit(run(ord, os.Args[1:], os.Stdout, os.Stderr))
}
