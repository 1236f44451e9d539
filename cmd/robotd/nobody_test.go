package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// A robot that nobody could arm is told of.
func TestNobodyCanArm(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--arm=false", "--mqtt", "off", "--record", "none")
	d.says("nobody can arm this robot: give --arm, or a command link")
	d.signal(syscall.SIGTERM)
	d.exit(fault.ExitDone, 10*time.Second)
}
