package robot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/logbook"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/settings"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/metrics"
	"github.com/mitori-robotics/mitori/cmd/internal/operators"
	"github.com/mitori-robotics/mitori/cmd/internal/orders"
	"github.com/mitori-robotics/mitori/cmd/internal/service"
	"github.com/mitori-robotics/mitori/cmd/internal/simproc"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
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
	rec   *logbook.Book
	sim   *simproc.Sim // nil on hardware
	link  *operators.Link
	boss  *service.Manager // nil: nobody's service
	page  *metrics.Server  // nil: none
	stats *record.Stats

	commands flight.Commands
	refs     references
	swapping sync.Mutex // held while the policy is being exchanged
	side     atomic.Pointer[loopSide]
	watch    atomic.Pointer[flight.Watch]
}

// Fly is one run of the daemon, from files to torque-off. The error says why it did
// not end as it should, and carries an exit code (see [ExitCode]).
func Fly(ord *orders.Orders, o Options, tell *console.Console, failed *crash.Net) (err error) {
	r := &run{o: o, ord: ord, tell: tell, failed: failed, commands: flight.Commands{Failed: failed}}
	r.commands.Exchange = r.exchange
	r.refs.leases, r.refs.tell = &r.commands.Leases, tell
	r.commands.Leases.Rule, _ = lease.ParseRule(o.MQTT.Lease) // Check has refused others
	if r.boss, err = service.Open(); err != nil {
		return err
	}
	defer r.boss.Close()
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
	if err := r.measure(); err != nil {
		return err
	}
	defer r.page.Close()
	if err := r.simulate(); err != nil {
		return err
	}
	defer r.stopSim()
	return r.serve(closeRec)
}

// load reads everything that needs no hardware.
func (r *run) load() (err error) {
	if err := r.mayServe(); err != nil {
		return err
	}
	if r.desc, err = describe(&r.o); err != nil {
		return err
	}
	if r.cfg, r.pol, err = prepare(r.desc, &r.o); err != nil {
		return err
	}
	r.stats = &record.Stats{
		Schema: record.StatsSchema, Robot: r.desc.Name, RobotHash: r.desc.Hash, Sim: r.o.Sim,
		EndState: mode.Disarmed.String(), Failsafes: settings.InForce(r.o.tuned(r.desc, &r.cfg)),
	}
	r.tell.Settings(r.stats.Failsafes)
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

// operators says where the operators are.
func (r *run) operators() operators.Config {
	m := r.o.MQTT
	if m.Robot == "" {
		m.Robot = strings.ToLower(r.desc.Name)
	}
	c := operators.Config{
		URL: m.URL, User: m.User, PassFile: m.PassFile, Robot: m.Robot, Port: m.Port,
		TLS: mqttlink.TLSFiles{CA: m.CAFile, Cert: m.CertFile, Key: m.KeyFile},
	}
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

// serve flies, again and again where servos that are gone come back, and concludes.
func (r *run) serve(closeRec func() error) error {
	f, err := r.fly()
	if err != nil {
		return err // there was no flight
	}
	for f.script.Gone() && err == nil {
		f, err = r.again(f)
	}
	r.boss.Ends(farewell)
	r.judge()
	r.recorded()
	recErr := closeRec()
	if f.watch.RecordErr() != nil {
		recErr = f.watch.RecordErr()
	}
	ended := r.conclude(f.script.Refusal())
	if err != nil {
		ended = err // why there is no further flight says more than how the latest ended
	}
	return errors.Join(ended, recErr)
}

// fly starts the loop's process and attends it until the robot carries no torque.
func (r *run) fly() (*flown, error) {
	side, err := r.startLoop()
	if err != nil {
		return nil, err
	}
	defer side.close()
	if err := side.await(r); err != nil {
		return nil, err
	}
	r.boss.Ready()
	if r.o.Latched {
		r.tell.Event("the servos were gone: in a fault until somebody resets it (reset, then arm)")
	}
	words := &explain.Robot{
		Joints: r.desc.Joints, Limits: r.cfg.Limits, Health: r.cfg.Health, Thresholds: r.cfg.Thresholds, RateHz: r.cfg.RateHz,
	}
	count := r.meter(side.region.Ring)
	f := &flown{script: r.mission(), watch: &flight.Watch{
		Ring: side.region.Ring, Desk: side.region.Desk, Rec: r.rec, Link: r.link, Tell: served{r.tell, r.boss},
		Meter: count, Explain: words,
	}}
	f.watch.Mission = f.script
	f.script.Words, r.commands.Checks = words.Checks, f.watch.Checks
	r.commands.Start(side.region.Desk)
	r.side.Store(side)
	r.watch.Store(f.watch)
	deaf, err := r.listen(side.region.Latest)
	if err != nil {
		return nil, err
	}
	defer deaf()
	if !r.o.Arm && r.link == nil {
		r.tell.Event("nobody can arm this robot: give --arm, or a command link (--mqtt, or mqtt: in the configuration)")
	}
	alive := r.boss.Watch(count.ticks.Load)
	flight.Attend(r.ord, f.watch, side, r.o.tolerance(), r.failed, func(end flight.End) { side.over(r, end) })
	alive()
	r.boss.Alive()
	r.account(side, f)
	return f, nil
}

// flown is a flight that has ended.
type flown struct {
	watch  *flight.Watch
	script *mission.Script
}

// account takes what the loop and the watcher counted into the statistics, and tells what
// people must know of the end.
func (r *run) account(side *loopSide, f *flown) {
	w := f.watch
	result := side.result(r, w)
	flight.Fill(r.stats, result)
	if end := side.ended; end == nil {
		w.Lost(loopLost, side.why, result.TorqueOff)
		r.stats.Cause = loopLost
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
	r.stats.Transitions, r.stats.Plays, r.stats.Dropped = w.Changes(), f.script.Plays(), side.region.Ring.Dropped()
	r.stats.Energy = w.Energy()
}

// mission turns the command line into an operator. It stays after a fault where
// others can go on: on hardware, with a command link and no end in sight.
func (r *run) mission() *mission.Script {
	s := &mission.Script{
		For: r.o.For, Hold: r.o.Hold, Again: time.Second,
		Daemon: r.link != nil && !r.o.Sim && r.o.For == 0,
	}
	s.Arm, s.Reopen = r.o.Arm && !r.o.Latched, s.Daemon
	s.Play = s.Arm && (r.pol != nil || r.o.Follow)
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
