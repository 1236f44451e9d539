package flight

import (
	"context"
	"errors"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/actuators/supervisor"
)

// Priority is the loop's under SCHED_FIFO, where the system permits it: above the
// kernel's interrupt threads (50 on PREEMPT_RT), below what a robot's set-up raises
// above them (80 and more).
const Priority = 70

// Operate runs the loop and its watcher until the robot carries no torque. The first
// order settles, who insists switches torque off; so does a panic.
func Operate(ord Orders, l *loop.Loop, drv driver.Driver, w *Watch, failed *crash.Net) loop.Stats {
	defer realtime.TuneMemory()()
	failed.Arm(func() { l.Request(mode.EStop); l.Stop() })
	defer failed.Arm(nil)
	over, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		defer failed.Caught("the watcher")
		w.run(over)
	}()
	sup := supervise(l, drv, w.Tell)
	defer sup.Stop()
	failed.Start("the wait for orders", func() { obey(ord, l, sup, w.Tell, over) })
	done := make(chan loop.Stats, 1)
	go func() { // a goroutine of its own: its thread gets real-time priority
		done <- control(ord.Context(), l, drv, w.Tell, failed)
	}()
	var result loop.Stats
	select {
	case result = <-done:
	case <-sup.Lost():
		result = l.Abandoned()
		for _, n := range result.Notes {
			w.Tell.Event("note: %s", n)
		}
	}
	close(over)
	<-watched
	return result
}

// supervise sees to it that torque goes off when the loop stands still.
func supervise(l *loop.Loop, drv driver.Driver, tell Teller) *supervisor.Supervisor {
	return supervisor.Start(supervisor.Config{
		Limit: l.StuckAfter(), Priority: Priority + 1, Cut: drv.Cut,
		Pulse: func() (p supervisor.Pulse) {
			p.Ticks, p.Torque = l.Pulse()
			return p
		},
		Stuck: func(err error) {
			l.External(mode.LoopStuck, true)
			if err != nil {
				tell.Event("the loop stands still, and torque-off did not go out: %v; switch the power off", err)
				return
			}
			tell.Event("the loop stands still: torque-off was sent past it")
		},
	})
}

// obey passes orders on to the loop until over is closed. The loop itself hears
// of the first through its context; telling people is never in the way.
func obey(ord Orders, l *loop.Loop, sup *supervisor.Supervisor, tell Teller, over <-chan struct{}) {
	select {
	case <-ord.Context().Done():
		tell.Event("stopping (%s): settling the robot; once more to switch torque off at once", ord.Cause())
	case <-over:
		return
	}
	select {
	case <-ord.Insisted():
		l.Request(mode.EStop)
		sup.Insist() // also where the loop does not hear
	case <-over:
	}
}

// control is the loop. If it panics there is no loop any more that could cut:
// torque goes off from here, on the driver's own goroutine.
func control(ctx context.Context, l *loop.Loop, drv driver.Driver, tell Teller, failed *crash.Net) (s loop.Stats) {
	defer func() {
		if r := recover(); r != nil {
			s = emergency(l, drv, failed)
			failed.Note("the control loop", r)
		}
	}()
	s, err := l.Run(ctx, Priority)
	if err != nil { // a rate that New has accepted cannot fail
		tell.Event("%v", err)
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
