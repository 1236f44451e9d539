package robot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/operators"
	"github.com/mitori-robotics/mitori/cmd/internal/orders"
	"github.com/mitori-robotics/mitori/cmd/internal/simproc"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// run is what one flight is made of.
type run struct {
	o      Options
	ord    *orders.Orders
	tell   *console.Console
	failed *crash.Net

	desc  *robot.Description
	cfg   loop.Config
	pol   *policy // nil: none
	rec   *recorder.Recorder
	sim   *simproc.Sim // nil on hardware
	link  *operators.Link
	stats *record.Stats

	commands flight.Commands
	refs     references
}

// Fly is one run of the daemon, from files to torque-off. The error says why it did
// not end as it should, and carries an exit code (see [ExitCode]).
func Fly(ord *orders.Orders, o Options, tell *console.Console, failed *crash.Net) (err error) {
	r := &run{o: o, ord: ord, tell: tell, failed: failed, commands: flight.Commands{Failed: failed}}
	r.refs.leases, r.refs.tell = &r.commands.Leases, tell
	r.commands.Leases.Rule, _ = lease.ParseRule(o.MQTT.Lease) // Check has refused others
	if err := r.load(); err != nil {
		return err
	}
	if err := r.record(); err != nil {
		return err
	}
	closeRec := sync.OnceValue(func() error {
		if r.rec == nil {
			return nil
		}
		return r.rec.Close()
	})
	defer func() {
		if e := closeRec(); err == nil {
			err = e
		}
	}()
	if r.link, err = operators.Open(r.operators(), &r.commands, tell, failed); err != nil {
		return err
	}
	defer func() { r.link.Close(ord.Another()) }()
	r.link.Introduce(tell)
	if err := r.simulate(); err != nil {
		return err
	}
	defer r.stopSim()
	return r.fly(closeRec)
}

// load reads everything that needs no hardware.
func (r *run) load() (err error) {
	if r.desc, err = describe(&r.o); err != nil {
		return err
	}
	if r.cfg, r.pol, err = prepare(r.desc, &r.o); err != nil {
		return err
	}
	r.stats = &record.Stats{
		Schema: record.StatsSchema, Robot: r.desc.Name, RobotHash: r.desc.Hash, Sim: r.o.Sim,
		EndState: mode.Disarmed.String(),
	}
	if r.pol == nil {
		return nil
	}
	r.stats.Policy, r.stats.PolicyHash = filepath.Base(r.o.Policy), r.pol.hash
	r.tell.Event("policy %s: %s", r.o.Policy, r.pol)
	if r.pol.poor != nil {
		r.tell.Event("warning: %s: %v; running it anyway", r.o.Policy, r.pol.poor)
		r.stats.Notes = append(r.stats.Notes, fmt.Sprintf("%v; --anyway", r.pol.poor))
	}
	return nil
}

// record opens the flight recording, unless it is off.
func (r *run) record() (err error) {
	name := r.o.Record
	switch name {
	case "none":
		return nil
	case "":
		name = filepath.Join("out", "flights", time.Now().UTC().Format("20060102T150405Z")+".mcap")
	}
	facts := map[string]string{
		"robot": r.desc.Name, "robot_hash": r.desc.Hash, "sim": fmt.Sprint(r.o.Sim), "version": version(),
	}
	if r.pol != nil {
		facts["policy"], facts["policy_hash"] = filepath.Base(r.o.Policy), r.pol.hash
	}
	if r.rec, err = flight.Record(name, r.desc.JointNames(), r.cfg, facts); err != nil {
		return err
	}
	r.stats.Recording = r.rec.Name()
	if r.stats.Recording != name {
		r.tell.Event("%s is there already; recording to %s", name, r.stats.Recording)
	}
	return nil
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

// operators says where the operators are.
func (r *run) operators() operators.Config {
	m := r.o.MQTT
	if m.Robot == "" {
		m.Robot = strings.ToLower(r.desc.Name)
	}
	c := operators.Config{URL: m.URL, User: m.User, PassFile: m.PassFile, Robot: m.Robot}
	if r.o.Follow {
		c.OnReference = r.refs.message
	}
	return c
}

// simulate starts the emulated robot where one is asked for.
func (r *run) simulate() (err error) {
	if !r.o.Sim {
		return nil
	}
	if r.sim, err = simproc.Start(r.ord.Context(), r.o.Robot, r.o.SimArgs, r.failed); err != nil {
		return err
	}
	r.o.Port = r.sim.Port()
	r.tell.Event("simulator: process %d, bus on %s", r.sim.PID(), r.sim.Port())
	return nil
}

// tethers is what the loop's process holds so that the emulated robot is there for as long
// as one of the two lives.
func (r *run) tethers() []*os.File {
	if r.sim == nil {
		return nil
	}
	return []*os.File{r.sim.Tether()}
}

func (r *run) stopSim() {
	if r.sim != nil {
		r.sim.Stop()
	}
}

// fly starts the loop's process and attends it until the robot carries no torque.
func (r *run) fly(closeRec func() error) error {
	side, err := r.startLoop()
	if err != nil {
		return err
	}
	defer side.close()
	if err := side.await(r); err != nil {
		return err
	}
	words := &explain.Robot{
		Joints: r.desc.Joints, Limits: r.cfg.Limits, Health: r.cfg.Health, Thresholds: r.cfg.Thresholds, RateHz: r.cfg.RateHz,
	}
	script := r.mission()
	w := &flight.Watch{
		Ring: side.region.Ring, Desk: side.region.Desk, Rec: r.rec, Link: r.link, Tell: r.tell, Mission: script, Explain: words,
	}
	script.Words, r.commands.Checks = words.Checks, w.Checks
	r.commands.Start(side.region.Desk)
	deaf, err := r.listen(side.region.Latest)
	if err != nil {
		return err
	}
	defer deaf()
	if !r.o.Arm && r.link == nil {
		r.tell.Event("nobody can arm this robot: give --arm, or a command link (--mqtt, or mqtt: in the configuration)")
	}
	flight.Attend(r.ord, w, side, r.o.tolerance(), r.failed, func(end flight.End) { side.over(r, end) })

	r.account(side, w, script)
	r.judge()
	recErr := closeRec()
	if w.RecordErr() != nil {
		recErr = w.RecordErr()
	}
	return errors.Join(r.conclude(script.Refusal()), recErr)
}

// account takes what the loop and the watcher counted into the statistics, and tells what
// people must know of the end.
func (r *run) account(side *loopSide, w *flight.Watch, script *mission.Script) {
	result := side.result(r)
	flight.Fill(r.stats, result)
	if end := side.ended; end == nil {
		w.Lost(loopLost, side.why, result.TorqueOff)
		r.stats.Cause, r.stats.Ticks, r.stats.MissedTicks = loopLost, w.Taken(), w.Latest().Missed
	} else {
		if end.Halt != "" && result.TorqueOff {
			r.tell.Event("note: %s", end.Halt)
		}
		if end.Panic != "" {
			r.failed.Adopt(end.Panic)
		}
		for _, n := range end.Notes {
			r.tell.Event("%s", n)
			r.stats.Notes = append(r.stats.Notes, n)
		}
	}
	if n := w.Powered(); !result.TorqueOff && n > 0 {
		r.tell.Event("WARNING: %d servos still have torque, as far as is known: switch their power off", n)
	}
	r.stats.Transitions, r.stats.Plays, r.stats.Dropped = w.Changes(), script.Plays(), side.region.Ring.Dropped()
	r.stats.Energy = w.Energy()
}

// mission turns the command line into an operator. It stays after a fault where
// others can go on: on hardware, with a command link and no end in sight.
func (r *run) mission() *mission.Script {
	s := &mission.Script{
		Arm: r.o.Arm, For: r.o.For, Hold: r.o.Hold, Again: time.Second,
		Daemon: r.link != nil && !r.o.Sim && r.o.For == 0,
	}
	s.Play = r.o.Arm && (r.pol != nil || r.o.Follow)
	if r.pol != nil {
		s.Clip = r.pol.ClipTime()
	}
	return s
}

// judge ends the simulator and takes over what really happened.
func (r *run) judge() {
	if r.sim == nil {
		return
	}
	if r.stats.Truth = r.sim.Stop(); r.stats.Truth == nil {
		r.stats.Notes = append(r.stats.Notes, "the simulator died: "+r.sim.Complaint())
		return
	}
	r.stats.Fell = r.stats.Fell || r.stats.Truth.Fell
}

// conclude writes the statistics and decides how the run ended; refusal says that the
// mission could not arm.
func (r *run) conclude(refusal error) error {
	st := r.stats
	if n := r.tell.Lost(); n > 0 {
		st.Notes = append(st.Notes, fmt.Sprintf("%d lines of output were dropped: nobody read them", n))
	}
	if err := r.failed.Err(); err != nil {
		st.Notes = append(st.Notes, firstLine(err.Error()))
	}
	var errs []error
	if r.o.Stats != "" {
		errs = append(errs, st.Save(r.o.Stats))
	}
	late := st.LatenessUs
	r.tell.Event("%s, torque off %v; %d ticks at %d Hz, %d missed, late p50 %d p99 %d max %d us, "+
		"%d bus errors, %d plays, fell %v", st.EndState, st.TorqueOff, st.Ticks, st.RateHz, st.MissedTicks,
		late.P50, late.P99, late.Max, st.BusErrors, st.Plays, st.Fell)
	r.tell.Final(st)
	if refusal != nil {
		return errors.Join(append(errs, fault.Refuse("%w", refusal))...)
	}
	return errors.Join(append(errs, flight.Outcome(st))...)
}
