// Package replay decides a recorded flight again: it lets the real loop with its guard,
// monitor and state machine run on what the recording says was read, asked and answered,
// and compares everything that a tick decided, bit for bit. The first difference ends it.
//
// The robot's part is played by a driver that answers as it did then, and by a clock that
// stands still but for what took time then; the controller's by its recorded output, or by
// a controller that is run again. There is no second implementation of any decision.
//
// A replay begins with the first tick of the loop, for a loop remembers; a recording with a
// hole is replayed up to it. The same build gives the same bits on the same kind of
// processor (models/build).
//
// What is not here: the file format (recorder), and what happens outside the loop: the
// supervisor's cuts and the mission, whose orders are inputs. A Player belongs to one
// goroutine.
package replay

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// Player replays one flight, tick by tick. Make one with [New].
type Player struct {
	joints  []string
	bus     *bus
	loop    *loop.Loop
	ring    *trace.Ring
	tickets []shared.Ticket
	begun   bool
	next    int64 // index of the tick that follows if none is skipped
	firstNs int64
}

// New returns a player for a robot with those joints. With controlled, the loop had a
// controller; ctl is the one to run again, nil: its recorded output is taken.
func New(cfg loop.Config, joints []string, controlled bool, ctl loop.Controller) (*Player, error) {
	if len(joints) != len(cfg.Limits) {
		return nil, fmt.Errorf("replay: names of %d joints and limits of %d; legal: the same number of both",
			len(joints), len(cfg.Limits))
	}
	b := &bus{}
	cfg.NowNs, cfg.Began = b.now, nil
	switch {
	case !controlled && ctl != nil:
		return nil, errors.New("replay: no controller was flown that could be run again")
	case controlled && ctl != nil:
		ctl = timed{ctl, b}
	case controlled:
		ctl = recorded{b}
	}
	p := &Player{joints: joints, bus: b, ring: trace.NewRing(1, len(joints))}
	var err error
	p.loop, err = loop.New(cfg, b, ctl, p.ring)
	return p, err
}

// HoleError is a place where ticks are missing that the loop ran.
type HoleError struct{ After, Missing int64 }

// Error implements error.
func (e *HoleError) Error() string {
	return fmt.Sprintf("%d ticks after tick %d are not recorded: what the loop saw in them is not known",
		e.Missing, e.After)
}

// Step lets the loop decide one tick. The error is a *DifferenceError where it decides
// otherwise, a *HoleError where t is not the next tick, and says what is wrong with t
// where a value is missing.
func (p *Player) Step(t *recorder.Tick) error {
	if err := whole(t, len(p.joints)); err != nil {
		return fmt.Errorf("tick %d: %w", t.Index, err)
	}
	if missing := t.Index - t.Skipped - p.next; missing != 0 {
		return &HoleError{After: p.next - 1, Missing: missing}
	}
	if !p.begun {
		p.begun, p.firstNs = true, t.MonoNs
	}
	p.next, p.bus.t = t.Index+1, t
	if err := p.ask(t); err != nil {
		return fmt.Errorf("tick %d: %w", t.Index, err)
	}
	p.loop.Tick(loop.Instant{
		Tick: t.Index, LateNs: nanoseconds(t.LateUs), Skipped: t.Skipped, MonoNs: t.MonoNs, WallNs: t.TimeNs,
	})
	for _, ticket := range p.tickets {
		_, _ = ticket.Withdraw()
	}
	s := p.ring.Next()
	defer p.ring.Release()
	if d := compare(p.joints, t, recorder.TickOf(s)); d != nil {
		d.Tick, d.AtS = t.Index, float64(t.MonoNs-p.firstNs)/1e9
		return d
	}
	return nil
}

// ask repeats what the loop was told from outside.
func (p *Player) ask(t *recorder.Tick) error {
	outside, err := conditions(t.Outside)
	if err != nil {
		return err
	}
	for c := range mode.AllConditions() {
		p.loop.External(c, outside.Has(c))
	}
	p.tickets = p.tickets[:0]
	for _, name := range list(t.AskedLink) {
		r, err := request(name)
		if err != nil {
			return err
		}
		ticket, err := p.loop.Ask(r)
		if err != nil {
			return err
		}
		p.tickets = append(p.tickets, ticket)
	}
	for _, name := range list(t.AskedProgram) {
		r, err := request(name)
		if err != nil {
			return err
		}
		p.loop.Request(r)
	}
	return nil
}

func list(names string) []string {
	if names == "" {
		return nil
	}
	return strings.Split(names, ", ")
}

func request(name string) (mode.Request, error) {
	for r := mode.Reset; r <= mode.EStop; r++ {
		if r.String() == name {
			return r, nil
		}
	}
	return 0, fmt.Errorf("request %q, which this version does not know", name)
}

func conditions(names string) (set mode.Conditions, err error) {
next:
	for _, name := range list(names) {
		for c := range mode.AllConditions() {
			if c.String() == name {
				set.Set(c, true)
				continue next
			}
		}
		return 0, fmt.Errorf("condition %q, which this version does not know", name)
	}
	return set, nil
}

// whole refuses a tick without the values that decided it.
func whole(t *recorder.Tick, n int) error {
	for _, f := range []struct {
		name      string
		got, want int
	}{
		{"pos_rad", len(t.PosRad), n}, {"vel_rad_s", len(t.VelRadS), n}, {"current_a", len(t.CurrentA), n},
		{"fresh", len(t.Fresh), n},
		{"temp_c", len(t.TempC), n}, {"bus_v", len(t.BusV), n}, {"alert", len(t.Alert), n}, {"torque_on", len(t.TorqueOn), n},
		{"stopped", len(t.Stopped), n}, {"want_rad", len(t.WantRad), n}, {"goal_rad", len(t.GoalRad), n},
		{"age_s", len(t.AgeS), n}, {"slow_age_s", len(t.SlowAgeS), n}, {"gyro_rad_s", len(t.GyroRadS), 3},
		{"gravity", len(t.Gravity), 3},
	} {
		if f.got != f.want {
			return fmt.Errorf("%d values of %s; legal: %d", f.got, f.name, f.want)
		}
	}
	return nil
}
