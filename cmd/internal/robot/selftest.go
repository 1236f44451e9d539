package robot

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/selftest"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/orders"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Trial is what a self-test was asked for, beside the options of every run.
type Trial struct {
	Yes    bool     // the robot is supported
	Ask    bool     // somebody looks on and is asked
	Joints []string // to test; none: all
	In     io.Reader
	Out    io.Writer
}

// Selftest moves one joint after the other a little and prints what is broken. The error
// says that something is, or that the robot may not move.
func Selftest(ord *orders.Orders, o Options, trial Trial, tell *console.Console, failed *crash.Net) error {
	o.Policy = ""
	r := &run{o: o, ord: ord, tell: tell, failed: failed}
	var err error
	if r.desc, err = describe(&r.o); err != nil {
		return err
	}
	only, err := trial.only(r.desc)
	if err != nil {
		return err
	}
	if r.cfg, _, err = prepare(r.desc, &r.o); err != nil {
		return err
	}
	if err := r.simulate(); err != nil {
		return err
	}
	defer r.stopSim()
	before, err := look(ord.Context(), r.desc, &r.o, r.cfg, tell)
	if err != nil {
		return err
	}
	if all := selftest.Before(before); all != nil {
		for i := range before.Checks {
			if c := &before.Checks[i]; c.State == "fails" {
				tell.Event("%s: %s", c.Name, c.Detail)
			}
		}
		return errors.Join(fault.Refuse("%s: the robot may not be armed, nothing was moved", r.desc.Name),
			trial.print(all, o.JSON), trial.printEach(all, o.JSON))
	}
	in := bufio.NewReader(trial.In)
	if err := trial.confirm(in, tell); err != nil {
		return err
	}
	return r.try(&trial, in, only)
}

// only is the indices of the joints to test; nil: all.
func (t *Trial) only(d *robot.Description) (all []int, err error) {
	for _, name := range t.Joints {
		j := d.JointIndex(name)
		if j < 0 {
			return nil, fault.Usage("--joints: %q; legal: %s", name, strings.Join(d.JointNames(), ", "))
		}
		all = append(all, j)
	}
	return all, nil
}

// confirm asks whether the robot may move.
func (t *Trial) confirm(in *bufio.Reader, tell *console.Console) error {
	if t.Yes {
		return nil
	}
	tell.Event("every joint will move by about 6 degrees to each side. The robot must hang, or be held up by its trunk, " +
		"with room around it, and its power switch within reach. Type yes and Enter to begin")
	if line, _ := in.ReadString('\n'); strings.TrimSpace(line) != "yes" {
		return fault.Refuse("not confirmed, nothing was moved; type yes, or give --yes")
	}
	return nil
}

// try runs the test.
func (r *run) try(t *Trial, in *bufio.Reader, only []int) error {
	drv, err := connect(r.ord.Context(), r.desc, &r.o, r.tell)
	if err != nil {
		return err
	}
	defer drv.Halt()
	if err := r.hang(drv); err != nil {
		return err
	}
	mover, err := selftest.NewMover(r.cfg.Limits, time.Second/time.Duration(r.cfg.RateHz))
	if err != nil {
		return err
	}
	ring, desk := trace.NewRing(ringSeconds*r.cfg.RateHz, len(r.desc.Joints)), &shared.Desk{}
	r.cfg.Gateway = desk
	l, err := loop.New(r.cfg, drv, mover, ring)
	if err != nil {
		return err
	}
	words := &explain.Robot{Joints: r.desc.Joints, Limits: r.cfg.Limits, Health: r.cfg.Health,
		Thresholds: r.cfg.Thresholds, RateHz: r.cfg.RateHz}
	session := r.session(t, in, only, mover, words)
	w := &flight.Watch{Ring: ring, Desk: desk, Tell: r.tell, Mission: session, Explain: words}
	result := r.inOneProcess(l, drv, w)
	all := session.Verdicts()
	err = t.print(all, r.o.JSON)
	if !t.Ask {
		r.tell.Event("%s", selftest.Blind)
	}
	switch {
	case !result.TorqueOff:
		err = errors.Join(err, errors.New("not every servo confirmed torque-off: switch the power off"))
	case session.Stopped() != "":
		err = errors.Join(err, fmt.Errorf("the self-test ended before its end: %s", session.Stopped()))
	case session.Noise() != "" && !r.o.forgiving(): // an emulated bus is late when the machine is busy
		err = errors.Join(err, errors.New(session.Noise()))
	case !selftest.Passed(all):
		err = errors.Join(err, errors.New("the self-test found what is told above"))
	}
	return err
}

// inOneProcess runs both halves of a flight here: the operator of a self-test has to know
// what its mover does, and somebody stands beside a robot that hangs.
func (r *run) inOneProcess(l *loop.Loop, drv driver.Driver, w *flight.Watch) (result loop.Stats) {
	half := make(goroutine)
	inLoop := &crash.Net{} // its panics are the loop's to end, as those of its process
	go func() {
		defer close(half)
		defer inLoop.Caught("the loop's half")
		result = flight.Operate(l, w.Desk, drv, inLoop)
	}()
	patient := flight.Tolerance{Frozen: time.Hour, Deaf: time.Hour} // nothing could be killed
	flight.Attend(r.ord, w, half, patient, r.failed, func(flight.End) {})
	if err := inLoop.Err(); err != nil {
		r.failed.Adopt(err.Error())
	}
	return result
}

// goroutine is a half that is no process of its own; closed when it has ended.
type goroutine chan struct{}

// Kill implements [flight.Process]: it cannot.
func (goroutine) Kill() {}

// Gone implements [flight.Process].
func (g goroutine) Gone() <-chan struct{} { return g }

// hang arms the robot where it is.
func (r *run) hang(drv *multi.Driver) error {
	found := driver.NewState(len(r.desc.Joints))
	for range r.cfg.RateHz {
		if drv.Read(found) == nil {
			selftest.Hang(&r.cfg, found.PosRad)
			return nil
		}
		time.Sleep(time.Second / time.Duration(r.cfg.RateHz))
	}
	return errors.New("no complete answer of all servos within a second")
}

// session is the operator of this test.
func (r *run) session(t *Trial, in *bufio.Reader, only []int, mover *selftest.Mover, words *explain.Robot) *selftest.Session {
	s := &selftest.Session{
		Names: r.desc.JointNames(), Only: only, Mover: mover, Words: words.Checks, Why: words.Why,
		Plan: func(j int, at float64) selftest.Plan { return selftest.PlanFor(r.cfg.Limits[j], at) },
		Tell: func(v selftest.Verdict) { _ = t.printEach([]selftest.Verdict{v}, r.o.JSON) },
	}
	for j := range r.desc.Joints {
		s.IDs, s.Servos = append(s.IDs, r.desc.Joints[j].ID), append(s.Servos, selftest.ServoOf(r.desc, j))
	}
	if bound, err := body.New(r.desc); err == nil && t.Ask {
		s.Watch = func(j int) <-chan selftest.Answer { return r.witness(in, bound, j) }
	}
	return s
}

// witness asks what was seen, and answers when somebody has.
func (r *run) witness(in *bufio.Reader, b *body.Body, j int) <-chan selftest.Answer {
	answer := make(chan selftest.Answer, 1)
	go func() { // a read of standard input cannot be stopped: it ends with the process
		for {
			r.tell.Event("%s: did it move first so that %s, then back and to the other side, about 6 degrees? "+
				"y: yes, w: the wrong way first, o: another part moved, n: nothing moved, m: much more or less", r.desc.Joints[j].Name, b.Gesture(j))
			line, err := in.ReadString('\n')
			i := slices.Index([]string{"y", "w", "o", "n", "m"}, strings.ToLower(strings.TrimSpace(line)))
			if i >= 0 {
				answer <- []selftest.Answer{selftest.AsTold, selftest.Opposite, selftest.OtherPart, selftest.Nothing,
					selftest.FarOff}[i]
				return
			}
			if err != nil {
				answer <- selftest.NotSeen
				return
			}
		}
	}()
	return answer
}

// printEach prints verdicts for people as they are reached.
func (t *Trial) printEach(all []selftest.Verdict, asJSON bool) error {
	if asJSON {
		return nil
	}
	for i := range all {
		if _, err := fmt.Fprintln(t.Out, all[i].String()); err != nil {
			return err
		}
	}
	return nil
}

// print prints all verdicts for programs; for people those that only the end has shown.
func (t *Trial) print(all []selftest.Verdict, asJSON bool) error {
	if asJSON {
		return cli.WriteJSON(t.Out, append([]selftest.Verdict{}, all...))
	}
	for i := range all {
		if all[i].Finding == selftest.BadCable {
			if _, err := fmt.Fprintln(t.Out, all[i].String()); err != nil {
				return err
			}
		}
	}
	return nil
}
