// Command robotd is the daemon on the robot: it drives the servos of one robot
// from one bus, under one guard and one state machine, and records every tick.
// With --sim it starts "mitori bus emulate" as a process of its own and talks to
// it over the same bytes as to hardware.
//
// It is two processes: the one that people start, and itself again for the buses.
//
// This package is its command line: what runs is joined in cmd/internal/robot, the
// loop and its parts are in actuators, policies in policy, bytes in firmware-bridge.
package main

import (
	"os"

	"github.com/mitori-robotics/mitori/cmd/internal/orders"
	"github.com/mitori-robotics/mitori/cmd/internal/robot"
)

func main() {
	if code, ours := robot.OtherHalf(os.Args[1:]); ours {
		os.Exit(code)
	}
	ord := orders.New()
	ord.Listen()
	os.Exit(run(ord, os.Args[1:], os.Stdout, os.Stderr))
}
