package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/models/robot"
)

const (
	// priority lies below the kernel's interrupt threads (50 on PREEMPT_RT are
	// raised by most robots' set-up to 80 and more).
	priority = 70
	// ringSeconds of samples may wait for the recorder before ticks are dropped.
	ringSeconds = 4
	// simMargin waits for an emulated answer a little longer than a tick: better a
	// missed tick than one without news, when the machine is busy. See forgive.
	simMargin = 12 * time.Millisecond
	// simDeadline is for emulated buses that share a busy machine: none of them hangs.
	simDeadline = 500 * time.Millisecond
)

// fly is one run of the daemon, from files to torque-off.
func fly(ord *orders, o options, tell *teller, failed *crash) (err error) {
	desc, err := loadRobot(&o)
	if err != nil {
		return err
	}
	cfg, pol, err := prepare(desc, &o)
	if err != nil {
		return err
	}
	st := &stats{Schema: 1, Robot: desc.Name, RobotHash: desc.Hash, Sim: o.sim, EndState: mode.Disarmed.String()}
	if pol != nil {
		st.Policy, st.PolicyHash = filepath.Base(o.Policy), pol.hash
		tell.event("policy %s: %s", o.Policy, pol.describe())
		if pol.poor != nil {
			tell.event("warning: %s: %v; running it anyway", o.Policy, pol.poor)
			st.Notes = append(st.Notes, fmt.Sprintf("%v; --anyway", pol.poor))
		}
	}
	rec, err := startRecording(&o, desc, pol, cfg, st, tell)
	if err != nil {
		return err
	}
	closeRec := sync.OnceValue(func() error {
		if rec == nil {
			return nil
		}
		return rec.Close()
	})
	defer func() {
		if e := closeRec(); err == nil {
			err = e
		}
	}()
	link, err := newLink(o.MQTT, desc, failed)
	if err != nil {
		return err
	}
	defer link.close(ord)
	link.introduce(tell)
	var sim *simulator
	if o.sim {
		if sim, err = startSim(ord.ctx, o.Robot, o.simArgs, failed); err != nil {
			return err
		}
		defer sim.stop()
		o.Port = sim.port
		tell.event("simulator: process %d, bus on %s", sim.cmd.Process.Pid, sim.port)
	}
	drv, err := connect(ord.ctx, desc, &o, tell)
	if err != nil {
		return err
	}
	defer drv.Halt() // the end does so too, and tells; this is for a panic on the way
	var ctl loop.Controller
	if pol != nil {
		ctl = pol
	}
	ring := trace.NewRing(ringSeconds*cfg.RateHz, len(desc.Joints))
	l, err := loop.New(cfg, drv, ctl, ring)
	if err != nil {
		return errors.Join(err, drv.Halt())
	}
	w := &watch{ring: ring, loop: l, rec: rec, link: link, tell: tell, script: newScript(&o, pol, link != nil && !o.sim && o.forTime == 0)}
	link.start(l, pol != nil, w.snapshot)

	result := operate(ord, l, drv, w, failed)
	if e := drv.Halt(); e != nil && result.TorqueOff {
		tell.event("note: %v", e)
	}
	st.fill(&result)
	for _, f := range drv.Faults() {
		if f.Port != nil {
			st.Notes = append(st.Notes, fmt.Sprintf("%s: %v", o.Port, f.Port))
		}
		if f.Late > 0 {
			st.Notes = append(st.Notes, fmt.Sprintf("bus %s was not done in time %d times", f.Bus, f.Late))
		}
	}
	st.Transitions, st.Plays, st.Dropped = w.changes, w.script.played, ring.Dropped()
	st.judge(sim)
	if e := closeRec(); w.recErr == nil {
		w.recErr = e
	}
	return conclude(st, w, &o, failed)
}

// loadRobot reads the description and puts the command line's baud rate in.
func loadRobot(o *options) (*robot.Description, error) {
	desc, err := robot.Load(o.Robot)
	if err != nil || o.Baud == 0 {
		return desc, err
	}
	copied := *desc
	copied.Buses = append([]robot.Bus(nil), desc.Buses...)
	for i := range copied.Buses {
		copied.Buses[i].Baud = o.Baud
	}
	return &copied, nil
}

// prepare loads everything that needs no hardware.
func prepare(desc *robot.Description, o *options) (loop.Config, *policy, error) {
	b, err := bodyOf(desc)
	if err != nil {
		return loop.Config{}, nil, err
	}
	rate := o.RateHz
	if rate == 0 {
		rate = int(desc.LoopRateHz)
	}
	if o.Policy == "" {
		return tuned(loopConfig(desc, b, rate, 1), o), nil, nil
	}
	pol, err := loadPolicy(o.Policy, desc, o.anyway)
	if err != nil {
		return loop.Config{}, nil, err
	}
	ticks := float64(rate) * pol.periodS
	every := int(ticks + 0.5)
	if every < 1 || ticks-float64(every) > 1e-6 || float64(every)-ticks > 1e-6 {
		return loop.Config{}, nil, refused("%s wants a decision every %g s, which is %g ticks at %d Hz; legal rates: multiples of %g Hz",
			o.Policy, pol.periodS, ticks, rate, 1/pol.periodS)
	}
	copy(b.standRad, pol.startRad())
	return tuned(loopConfig(desc, b, rate, every), o), pol, nil
}

// tuned widens the limits where a simulation asks for it.
func tuned(cfg loop.Config, o *options) loop.Config {
	if o.sim && !o.strict {
		forgive(&cfg)
	}
	return cfg
}

// startRecording opens the flight recording; nil when it is off.
func startRecording(o *options, desc *robot.Description, pol *policy, cfg loop.Config, st *stats, tell *teller) (*recorder.Recorder, error) {
	name := o.Record
	switch name {
	case "none":
		return nil, nil
	case "":
		name = filepath.Join("out", "flights", time.Now().UTC().Format("20060102T150405Z")+".mcap")
	}
	facts := map[string]string{
		"robot": desc.Name, "robot_hash": desc.Hash, "sim": fmt.Sprint(o.sim), "version": version(),
		"limits": fmt.Sprintf("%+v", cfg.Limits), "health": fmt.Sprintf("%+v", cfg.Health), "thresholds": fmt.Sprintf("%+v", cfg.Thresholds),
	}
	if pol != nil {
		facts["policy"], facts["policy_hash"] = filepath.Base(o.Policy), pol.hash
	}
	rec, err := recorder.Create(name, recorder.Header{Joints: desc.JointNames(), RateHz: cfg.RateHz, Facts: facts})
	if err != nil {
		return nil, err
	}
	st.Recording = rec.Name()
	if st.Recording != name {
		tell.event("%s is there already; recording to %s", name, st.Recording)
	}
	return rec, nil
}

// version says what program this is.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
			v += " " + s.Value
		}
	}
	return strings.TrimSpace(v)
}

// connect opens the ports and finds every servo.
func connect(ctx context.Context, desc *robot.Description, o *options, tell *teller) (*multi.Driver, error) {
	ports, err := buses.ParsePorts(desc, o.Port)
	if err != nil {
		return nil, usageError("%w", err)
	}
	opt := buses.Options{
		Note: func(n string) { tell.event("note: %s", n) },
		Prepare: func() func() {
			_, leave := realtime.Enter(priority) // what is not permitted the loop's own thread tells
			return leave
		},
	}
	if o.sim && !o.strict {
		opt.Margin, opt.Deadline = simMargin, simDeadline
	}
	drv, err := buses.Open(desc, ports, opt)
	if err != nil {
		return nil, err
	}
	id, err := drv.Connect(ctx)
	if err != nil {
		_ = drv.Halt()
		return nil, fmt.Errorf("%s: %w", o.Port, err)
	}
	tell.event("%d servos on %s, sensor hub %v, %d settings changed", len(id.Servos), o.Port, id.IMU, len(id.Changed))
	return drv, nil
}

// newScript turns the command line into an operator.
func newScript(o *options, pol *policy, daemon bool) *script {
	s := &script{arm: o.Arm, forTime: o.forTime, hold: o.hold, again: time.Second, daemon: daemon}
	if pol != nil {
		s.play, s.clip = o.Arm, pol.clipTime()
	}
	return s
}

// operate runs the loop and its watcher until the robot carries no torque. The
// first order settles, the second switches torque off; so does a panic.
func operate(ord *orders, l *loop.Loop, drv driver.Driver, w *watch, failed *crash) loop.Stats {
	defer realtime.TuneMemory()()
	failed.arm(func() { l.Request(mode.EStop); l.Stop() })
	defer failed.arm(nil)
	over, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		defer failed.caught("the watcher")
		w.run(over)
	}()
	failed.start("the wait for orders", func() { obey(ord, l, w.tell, over) })
	done := make(chan loop.Stats)
	go func() { // a goroutine of its own: its thread gets real-time priority
		done <- control(ord.ctx, l, drv, w.tell, failed)
	}()
	result := <-done
	close(over)
	<-watched
	for _, n := range result.Notes {
		w.tell.event("note: %s", n)
	}
	return result
}

// obey passes orders on to the loop until over is closed. The loop itself hears
// of the first through its context; telling people is never in the way.
func obey(ord *orders, l *loop.Loop, tell *teller, over <-chan struct{}) {
	select {
	case <-ord.ctx.Done():
		tell.event("stopping (%s): settling the robot; once more to switch torque off at once", ord.cause())
	case <-over:
		return
	}
	select {
	case <-ord.second:
		l.Request(mode.EStop)
	case <-over:
	}
}

// control is the loop. If it panics there is no loop any more that could cut:
// torque goes off from here, on the driver's own goroutine.
func control(ctx context.Context, l *loop.Loop, drv driver.Driver, tell *teller, failed *crash) (s loop.Stats) {
	defer func() {
		if r := recover(); r != nil {
			s = emergency(l, drv, failed)
			failed.note("the control loop", r)
		}
	}()
	s, err := l.Run(ctx, priority)
	if err != nil { // a rate that New has accepted cannot fail
		tell.event("%v", err)
	}
	return s
}

// offTries is how often torque-off is sent where no loop is left to insist.
const offTries = 5

// emergency switches torque off without the loop.
func emergency(l *loop.Loop, drv driver.Driver, failed *crash) (s loop.Stats) {
	defer failed.caught("the emergency stop")
	off := errors.New("not tried")
	for n := 0; n < offTries && off != nil; n++ {
		off = drv.Torque(false)
	}
	s = l.Result()
	s.End, s.TorqueOff = mode.Fault, off == nil
	return s
}

// conclude writes the statistics and decides how the run ended.
func conclude(st *stats, w *watch, o *options, failed *crash) error {
	var errs []error
	if n := w.tell.lost(); n > 0 {
		st.Notes = append(st.Notes, fmt.Sprintf("%d lines of output were dropped: nobody read them", n))
	}
	if failed.err() != nil {
		first, _, _ := strings.Cut(failed.err().Error(), "\n")
		st.Notes = append(st.Notes, first)
	}
	if o.stats != "" {
		if err := st.save(o.stats); err != nil {
			errs = append(errs, err)
		}
	}
	w.tell.event("%s, torque off %v; %d ticks at %d Hz, %d missed, late p50 %d p99 %d max %d us, %d bus errors, %d plays, fell %v",
		st.EndState, st.TorqueOff, st.Ticks, st.RateHz, st.MissedTicks, st.LatenessUs.P50, st.LatenessUs.P99, st.LatenessUs.Max, st.BusErrors, st.Plays, st.Fell)
	w.tell.final(st)
	switch {
	case w.script.gaveUp:
		errs = append(errs, w.script.refusal())
	case st.Cause != "":
		errs = append(errs, fmt.Errorf("ended by a failsafe: %s", st.Cause))
	case st.EndState != mode.Disarmed.String():
		errs = append(errs, fmt.Errorf("ended in state %s", st.EndState))
	case !st.TorqueOff:
		errs = append(errs, errors.New("ended without every servo confirming torque-off"))
	}
	if w.recErr != nil {
		errs = append(errs, w.recErr)
	}
	return errors.Join(errs...)
}
