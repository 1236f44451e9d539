package robot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/follow"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/loopproc"
)

// The other processes of robotd, by the argument that they are started with. Nobody types
// them.
const (
	loopRole   = "loop-process"
	rescueRole = "rescue-process"
)

// ringSeconds of samples may wait for the recorder before ticks are dropped.
const ringSeconds = 4

// task is what such a process is told at its start.
type task struct {
	Options    Options
	RobotHash  string // of the description that the gateway has read
	PolicyHash string // of its policy; "": none
}

// report is what it says. One of the fields is set.
type report struct {
	Line  string // for people
	Ready bool   // the loop is about to run, or the rescue has succeeded
	Fault *refusal
	Ended *ending
}

// refusal is an error on its way to another process.
type refusal struct {
	Code int
	Text string
}

// err is the error again.
func (f *refusal) err() error {
	switch f.Code {
	case fault.ExitUsage:
		return fault.Usage("%s", f.Text)
	case fault.ExitRefused:
		return fault.Refuse("%s", f.Text)
	}
	return errors.New(f.Text)
}

// ending is how a loop ended that could say so.
type ending struct {
	Stats loop.Stats
	Notes []string // on the ports
	Halt  string   // why the end was not clean
	Panic string
}

// unsure says that servos may have torque although their line is there: the loop stood
// still in its driver, or broke. Behind a line that is gone nothing can be done.
func (e *ending) unsure() bool {
	stuck := e.Stats.FirstCause == mode.Caused(mode.LoopStuck)
	return !e.Stats.TorqueOff && (stuck || e.Panic != "")
}

// OtherHalf runs what robotd starts itself for, if that is what args say.
func OtherHalf(args []string) (code int, ours bool) {
	if len(args) != 1 || args[0] != loopRole && args[0] != rescueRole {
		return 0, false
	}
	if args[0] == loopRole {
		return half(1, (*other).drive), true
	}
	return half(0, (*other).rescue), true
}

// other is one of those processes, seen from inside.
type other struct {
	line   *loopproc.Line
	files  []*os.File // of the loop: the region
	task   task
	ctx    context.Context // of the set-up: done when the gateway hangs up or is gone
	failed *crash.Net
}

// half takes the task in, does the work, and reports what stood in its way.
func half(files int, work func(*other) error) int {
	line, inherited, err := loopproc.Inherit(files)
	if err != nil {
		fmt.Fprintln(os.Stderr, "robotd:", err)
		return fault.ExitUsage
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h := &other{line: line, files: inherited, ctx: ctx, failed: &crash.Net{}}
	if err := line.Receive(&h.task); err != nil {
		return fault.ExitFailed // nobody is there any more
	}
	h.failed.Start("the line", func() {
		defer cancel()
		_ = line.Receive(&struct{}{}) // nothing more comes
	})
	err = func() (err error) {
		defer func() { err = errors.Join(err, h.failed.Err()) }()
		defer h.failed.Caught("the main thread")
		return work(h)
	}()
	if err != nil {
		_ = line.Send(report{Fault: &refusal{fault.Code(err), err.Error()}})
	}
	return fault.Code(err)
}

// Event implements [events]: people are at the other end.
func (h *other) Event(format string, args ...any) {
	_ = h.line.Send(report{Line: fmt.Sprintf(format, args...)})
}

// drive connects and runs the loop until the robot carries no torque.
func (h *other) drive() error {
	o := &h.task.Options
	desc, err := describe(o)
	if err != nil {
		return err
	}
	cfg, pol, err := prepare(desc, o)
	if err != nil {
		return err
	}
	if hash := pol.hashOf(); desc.Hash != h.task.RobotHash || hash != h.task.PolicyHash {
		return fault.Refuse("the files of %s were changed while robotd started; start it again", desc.Name)
	}
	region, err := shared.Attach(h.files[0], len(desc.Joints), ringSeconds*cfg.RateHz)
	if err != nil {
		return err
	}
	drv, err := connect(h.ctx, desc, o, h)
	if err != nil {
		return err
	}
	defer drv.Halt() // the end does so too, and tells; this is for a panic on the way
	cfg.Gateway = region.Desk
	cfg.Began = func(notes []string) {
		for _, n := range notes {
			h.Event("note: %s", n)
		}
	}
	ctl := pol.controller()
	if o.Follow {
		ctl = follow.NewFollower(region.Latest, cfg.StandRad, time.Second/time.Duration(cfg.RateHz))
	}
	l, err := loop.New(cfg, drv, ctl, region.Ring)
	if err != nil {
		return errors.Join(err, drv.Halt())
	}
	free, err := h.watchStop(l)
	if err != nil {
		return errors.Join(err, drv.Halt())
	}
	defer free()
	if err := h.line.Send(report{Ready: true}); err != nil {
		return errors.Join(err, drv.Halt())
	}
	end := ending{Stats: flight.Operate(l, region.Desk, drv, h.failed)}
	if err := drv.Halt(); err != nil {
		end.Halt = err.Error()
	}
	end.Notes = portNotes(drv, o.Port)
	if err := h.failed.Err(); err != nil {
		end.Panic = err.Error()
	}
	return h.line.Send(report{Ended: &end})
}

// rescueTime is how long torque-off is tried for.
const rescueTime = 5 * time.Second

// rescue switches torque off where the loop's process is gone.
func (h *other) rescue() error {
	o := &h.task.Options
	desc, err := describe(o)
	if err != nil {
		return err
	}
	ports, err := buses.ParsePorts(desc, o.Port)
	if err != nil {
		return err
	}
	opt := busOptions(o, func(string) {})
	opt.Release, opt.KeepPower = true, true
	ctx, cancel := context.WithTimeout(context.Background(), rescueTime) // not for the gateway to cancel
	defer cancel()
	err = flight.Rescue(ctx, func() (driver.Driver, error) { return buses.Open(desc, ports, opt) })
	if err != nil {
		return err
	}
	return h.line.Send(report{Ready: true})
}

// firstLine is what a terminal shows of a long text.
func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}
