package robot

import (
	"context"
	"io"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/preflight"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/orders"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Looking is what "robotd --check" was asked for, beside the options of every run.
type Looking struct {
	Asked   bool
	Support string // file to make for a maintainer; empty: none
	Serials bool   // with serial numbers of adapters in it
}

// Check looks at the robot and its configuration and changes nothing. It prints what it
// found to out; the error says that the robot could not be armed.
func Check(ord *orders.Orders, o Options, how Looking, out io.Writer, tell *console.Console, failed *crash.Net) error {
	r := &run{o: o, ord: ord, tell: tell, failed: failed}
	var err error
	if r.desc, err = describe(&r.o); err != nil {
		return err
	}
	// A policy that may not fly is one more thing to tell, beside all others.
	cfg, _, unfit := prepare(r.desc, &r.o)
	if unfit != nil {
		bare := r.o
		bare.Policy = ""
		if cfg, _, err = prepare(r.desc, &bare); err != nil {
			return err
		}
	}
	if err := r.simulate(); err != nil {
		return err
	}
	defer r.stopSim()
	report, err := look(ord.Context(), r.desc, &r.o, cfg, tell)
	if err != nil && how.Support == "" {
		return err
	}
	if err != nil { // a port that is gone is what a maintainer wants to read of
		report = &preflight.Report{Robot: r.desc.Name, RobotHash: r.desc.Hash, Faults: []string{err.Error()}}
	}
	if unfit != nil {
		report.Faults, report.Ready = append(report.Faults, unfit.Error()), false
	}
	if o.JSON {
		err = cli.WriteJSON(out, report)
	} else {
		err = report.Print(out)
	}
	if err == nil && how.Support != "" {
		if err = writeSupport(ord.Context(), how.Support, &r.o, report, how.Serials); err == nil {
			tell.Event("wrote %s; look through it before you send it", how.Support)
		}
	}
	if err == nil && !report.Ready {
		err = fault.Refuse("%s: not ready; see above", r.desc.Name)
	}
	return err
}

// look surveys the robot on its ports.
func look(ctx context.Context, desc *robot.Description, o *Options, cfg loop.Config, tell *console.Console) (*preflight.Report, error) {
	drv, err := lookOnly(desc, o, tell)
	if err != nil {
		return nil, err
	}
	defer drv.Halt()
	period := time.Second / time.Duration(cfg.RateHz)
	return preflight.Look(ctx, desc, &cfg, drv, func() { time.Sleep(period) })
}

// unhurried is how long an emulated answer is waited for where no loop runs.
const unhurried = 200 * time.Millisecond

// lookOnly opens the ports with a driver that changes nothing.
func lookOnly(desc *robot.Description, o *Options, tell *console.Console) (*multi.Driver, error) {
	ports, err := buses.ParsePorts(desc, o.Port)
	if err != nil {
		return nil, fault.Usage("%w", err)
	}
	opt := buses.Options{LookOnly: true, Note: func(n string) { tell.Event("note: %s", n) }}
	if o.forgiving() {
		opt.Margin, opt.Deadline = unhurried, emulatedDeadline
	}
	return buses.Open(desc, ports, opt)
}
