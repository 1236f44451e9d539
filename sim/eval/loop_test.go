package eval

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// still is a driver of a robot that stands as commanded and upright, whatever it
// is told; tilted makes it lie.
type still struct {
	stand  []float64
	tilted bool
	amps   []float64 // nil: none
	torque bool
	sent   []float64
	tick   uint16
}

func (s *still) Connect(context.Context) (driver.Identity, error) { return driver.Identity{}, nil }
func (s *still) Cut() error                                       { return nil }
func (s *still) Halt() error                                      { return nil }
func (s *still) Torque(on bool) error                             { s.torque = on; return nil }
func (s *still) Prepare() error                                   { return nil }
func (s *still) Limit([]float64) error                            { return nil }
func (s *still) TakeUp(applied, goals []float64) error            { return s.Write(applied, goals) }
func (s *still) Write(applied, goals []float64) error {
	copy(applied, goals)
	s.sent = slices.Clone(goals)
	return nil
}

func (s *still) Read(dst *driver.State) error {
	copy(dst.PosRad, s.stand)
	s.tick++
	dst.IMUFresh, dst.IMUSample, dst.GravityDir = true, s.tick, [3]float64{0, 0, -1}
	if s.tilted {
		dst.GravityDir = [3]float64{1, 0, 0}
	}
	for j := range dst.Fresh {
		dst.Fresh[j], dst.TorqueOn[j], dst.TempC[j], dst.BusV[j] = true, s.torque, caseC, 12
		if dst.CurrentA[j] = 0; s.amps != nil {
			dst.CurrentA[j] = s.amps[j]
		}
	}
	return nil
}

// reader is a controller that reads its commands from a list while it plays.
type reader struct {
	stand []float64
	list  [][]float64
	acted bool
}

func (r *reader) Enter([]float64) {}
func (r *reader) Stop()           {}
func (r *reader) Phase() float64  { return 0 }
func (r *reader) Act(dst []float64, _ *sensed.Robot, play bool) (standing bool, err error) {
	copy(dst, r.stand)
	if !play || len(r.list) == 0 {
		return true, nil
	}
	copy(dst, r.list[0])
	r.list, r.acted = r.list[1:], true
	return false, nil
}

// flown lets robotd's loop arm, ramp to the stand and play the commands. It returns
// what the servos were told in the tick of each, and the condition that ended it.
func flown(t *testing.T, cfg loop.Config, list [][]float64, tiltAt int, amps []float64) (goals [][]float64, why mode.Reason) {
	t.Helper()
	drv, ctl := &still{stand: cfg.StandRad}, &reader{stand: cfg.StandRad, list: list}
	ring := trace.NewRing(1, len(cfg.Limits))
	l, err := loop.New(cfg, drv, ctl, ring)
	if err != nil {
		t.Fatal(err)
	}
	state := mode.Disarmed
	for tick := range int64(10 * cfg.RateHz) {
		switch state {
		case mode.Disarmed:
			l.Request(mode.Arm)
		case mode.Hold:
			l.Request(mode.Activate)
		}
		drv.tilted = tiltAt > 0 && len(goals) >= tiltAt
		if len(goals) > 0 {
			drv.amps = amps
		}
		ctl.acted = false
		l.Tick(loop.Instant{Tick: tick})
		s := ring.Next()
		if ctl.acted {
			goals = append(goals, drv.sent)
		}
		if s.From == mode.Active && s.Mode != mode.Active {
			if _, wrong := s.Why.Condition(); wrong {
				why = s.Why
			}
			return goals, why
		}
		state = s.Mode
		ring.Release()
	}
	t.Fatalf("robotd is %v after ten seconds and has played %d commands", state, len(goals))
	return nil, mode.NoReason
}

// What the evaluation's worlds are told is what robotd's loop tells the servos in
// the tick of each decision, to the bit, for commands within the limits and
// beyond; and both end a motion for the same reason.
func TestEvaluationIsTheLoop(t *testing.T) {
	d := load(t)
	n := len(d.Joints)
	cfg := hardware(t, d, 1/d.PolicyRateHz)
	cfg.MinRamp, cfg.StandRad, cfg.SettleRad = loop.MinRamp, make([]float64, n), make([]float64, n)
	rng := rand.New(rand.NewPCG(8, 9))
	for _, c := range []struct {
		name   string
		reach  float64 // rad, around standing
		tiltAt int
		want   mode.Reason
		kPerA2 float64 // of windings that are blocked; 0: no current flows
		near   float64 // rad: the loop knows a temperature in each tick, the evaluation in each decision
	}{
		{"small moves", 0.03, 0, mode.NoReason, 0, 0},
		{"moves as fast as allowed", 0.04, 0, mode.NoReason, 0, 0},
		{"faster than allowed", 0.055, 0, mode.NoReason, 0, 0},
		{"leaps", 2, 0, mode.Caused(mode.ClampedLong), 0, 0},
		{"a fall", 0.03, 20, mode.Caused(mode.Falling), 0, 0},
		{"windings that are slowed", 0.055, 0, mode.NoReason, 350, 2e-3},
		{"windings that are too hot", 0.055, 0, mode.Caused(mode.Overheated), 500, 2e-3},
	} {
		var amps []float64
		cfg := cfg
		if cfg.Thresholds.Winding.KPerA2 = c.kPerA2; c.kPerA2 > 0 {
			for _, h := range cfg.Health {
				amps = append(amps, h.StallCurrentA)
			}
		}
		list := make([][]float64, 100)
		for k := range list {
			for range n {
				list[k] = append(list[k], c.reach*(2*rng.Float64()-1))
			}
		}
		goals, why := flown(t, cfg, list, c.tiltAt, amps)
		s, g := scripted(t, d, func(step int, r rollout.Row) {
			copy(r.JointPosRad, cfg.StandRad)
			if c.tiltAt > 0 && step >= c.tiltAt {
				pose(r, 0.1, 1.5)
			}
			for j := range amps {
				r.TorqueNm[j] = d.ServoOf(j).StallTorqueNm
			}
		})
		g.config.Thresholds = cfg.Thresholds
		rows := make([]float64, s.layout.RowLen())
		if err := g.Reset([]rollout.Start{{TargetRad: cfg.StandRad}}, rollout.Nominal(), rows); err != nil {
			t.Fatal(err)
		}
		for k, want := range list {
			if err := g.Step(want, rows); err != nil {
				t.Fatal(err)
			}
			alike := func(a, b float64) bool { return math.Abs(a-b) <= c.near }
			if k < len(goals) && !slices.EqualFunc(s.goals[k], goals[k], alike) {
				t.Fatalf("%s, decision %d: evaluation commands %v, robotd %v", c.name, k, s.goals[k], goals[k])
			}
			if k < len(goals)-2 && g.keepers[0].kept.stopped != mode.NoReason {
				t.Fatalf("%s: evaluation ends after decision %d, robotd after %d", c.name, k, len(goals))
			}
			if g.keepers[0].kept.stopped != mode.NoReason {
				break
			}
		}
		got := g.keepers[0].kept.stopped
		if got != c.want || why != c.want || c.want == mode.NoReason && len(goals) != len(list) {
			t.Errorf("%s: robotd played %d of %d and ended because of %q, evaluation because of %q; want %q",
				c.name, len(goals), len(list), why, got, c.want)
		}
	}
}
