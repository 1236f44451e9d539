package flight

import (
	"context"
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/supervisor"
)

// Priority is the loop's under SCHED_FIFO, where the system permits it: above the
// kernel's interrupt threads (50 on PREEMPT_RT), below what a robot's set-up raises
// above them (80 and more).
const Priority = 70

// Operate is the loop's half: it runs the loop and its supervisor until the robot
// carries no torque. Orders come over the desk; a panic switches torque off.
func Operate(l *loop.Loop, desk *shared.Desk, drv driver.Driver, failed *crash.Net) loop.Stats {
	defer realtime.TuneMemory()()
	failed.Arm(func() { l.Request(mode.EStop); l.Stop() })
	defer failed.Arm(nil)
	sup := supervise(l, desk, drv)
	defer sup.Stop()
	defer desk.Enter(shared.Over)
	done := make(chan loop.Stats, 1)
	go func() { // a goroutine of its own: its thread gets real-time priority
		done <- control(l, drv, failed)
	}()
	select {
	case result := <-done:
		return result
	case <-sup.Lost():
		return l.Abandoned()
	}
}

// supervise sees to it that torque goes off when the loop stands still, and shows the
// gateway that this process is there.
func supervise(l *loop.Loop, desk *shared.Desk, drv driver.Driver) *supervisor.Supervisor {
	return supervisor.Start(supervisor.Config{
		Limit: l.StuckAfter(), Priority: Priority + 1, Cut: drv.Cut,
		Pulse: func() (p supervisor.Pulse) {
			desk.Enter(shared.Flying) // from the first look on: its thread took its time to be ready
			desk.BeatLoop()
			p.Ticks, p.Torque = l.Pulse()
			return p
		},
		Insisted: func() bool {
			yes := desk.Insisted()
			if yes {
				desk.Hear()
			}
			return yes
		},
		Stuck: func(err error) {
			l.External(mode.LoopStuck, true)
			desk.Cut(err == nil)
		},
	})
}

// control is the loop. If it panics there is no loop any more that could cut:
// torque goes off from here, on the driver's own goroutine.
func control(l *loop.Loop, drv driver.Driver, failed *crash.Net) (s loop.Stats) {
	defer func() {
		if r := recover(); r != nil {
			s = emergency(l, drv, failed)
			failed.Note("the control loop", r)
		}
	}()
	s, err := l.Run(context.Background(), Priority) // orders come over the desk
	if err != nil {
		panic(fmt.Sprintf("a rate that New accepted fails: %v", err))
	}
	return s
}

// offTries is how often torque-off is sent where no loop is left to insist.
const offTries = 5

// emergency switches torque off without the loop.
func emergency(l *loop.Loop, drv driver.Driver, failed *crash.Net) (s loop.Stats) {
	defer failed.Caught("the emergency stop")
	off := errors.New("not tried")
	for n := 0; n < offTries && off != nil; n++ {
		off = drv.Torque(false)
	}
	s = l.Result()
	s.End, s.TorqueOff = mode.Fault, off == nil
	return s
}
