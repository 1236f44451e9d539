package limits

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

// made is a robot of one leg joint and one arm joint, changed by edit.
func made(edit func(d *robot.Description)) *robot.Description {
	d := &robot.Description{
		Name: "two", Battery: robot.Battery{WarnV: 10.5, StopV: 9.9},
		ServoTypes: map[string]robot.ServoType{
			"strong": {StallTorqueNm: 8.2, NoLoadSpeedRadPerS: 5, MaxTempC: 80, Entry: servos.Type{StallTorqueNm: 4.1, StallCurrentA: 2.3}},
			"weak":   {StallTorqueNm: 1.025, NoLoadSpeedRadPerS: 6, MaxTempC: 70, Entry: servos.Type{StallTorqueNm: 2.05, StallCurrentA: 2}},
		},
		Joints: []robot.Joint{
			{Name: "knee", MinRad: -0.1, MaxRad: 2, SpeedLimitRadPerS: 4, Servo: "strong"},
			{Name: "elbow", MinRad: -1, MaxRad: 1, SpeedLimitRadPerS: 0.5, Servo: "weak"},
		},
	}
	if edit != nil {
		edit(d)
	}
	return d
}

func stand() Shape { return Shape{StandRad: []float64{0.5, 0.2}, Leg: []bool{true, false}} }

// Every limit of a hand-made robot, by hand.
func TestDeriveTable(t *testing.T) {
	for _, tt := range []struct {
		name        string
		rate, every int
		joint       int
		want        guard.Joint
		health      guard.Health
	}{
		{"a leg, every tick a decision", 100, 1, 0,
			guard.Joint{MinRad: -0.1, MaxRad: 2, GentleRadPerS: 1.5, FullRadPerS: 4.04, Burst: 1, AccelRadPerS2: 808},
			guard.Health{Leg: true, StallCurrentA: 4.6, TempWarnC: 60, TempDerateC: 65, TempStopC: 70}},
		{"a leg, every second tick", 100, 2, 0,
			guard.Joint{MinRad: -0.1, MaxRad: 2, GentleRadPerS: 1.5, FullRadPerS: 4.04, Burst: 2, AccelRadPerS2: 1616},
			guard.Health{Leg: true, StallCurrentA: 4.6, TempWarnC: 60, TempDerateC: 65, TempStopC: 70}},
		{"an arm that is slower than a ramp may be", 50, 1, 1,
			guard.Joint{MinRad: -1, MaxRad: 1, GentleRadPerS: 0.505, FullRadPerS: 0.505, Burst: 1, AccelRadPerS2: 50.5},
			guard.Health{StallCurrentA: 1, TempWarnC: 50, TempDerateC: 55, TempStopC: 60}},
	} {
		cfg := Derive(made(nil), stand(), tt.rate, tt.every)
		if got := cfg.Limits[tt.joint]; !near(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		if got := cfg.Health[tt.joint]; !near(got, tt.health) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.health)
		}
		th := cfg.Thresholds
		if th.PolicyTicks != 3*tt.every || th.WarnV != 10.5 || th.StopV != 9.9 || !(th.CutV < th.StopV) {
			t.Errorf("%s: thresholds %+v", tt.name, th)
		}
	}
}

// No limit of the description makes a command faster than the servo turns without load.
func TestNoCommandIsFasterThanTheServo(t *testing.T) {
	d := made(func(d *robot.Description) { d.Joints[0].SpeedLimitRadPerS, d.Joints[1].SpeedLimitRadPerS = 7, 0.5 })
	for _, every := range []int{1, 2, 4} {
		for i, want := range []float64{5, 0.505} {
			got := Joint(d, i, 100, every)
			if math.Abs(got.FullRadPerS-want) > 1e-12 || math.Abs(got.AccelRadPerS2-200*want*float64(every)) > 1e-9 || got.GentleRadPerS > got.FullRadPerS {
				t.Errorf("joint %d, a decision in %d ticks: %+v, want a full speed of %g rad/s", i, every, got, want)
			}
		}
	}
}

// near compares structs of numbers to twelve digits.
func near(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if x.Field(i).Kind() == reflect.Float64 {
			if p, q := x.Field(i).Float(), y.Field(i).Float(); math.Abs(p-q) > 1e-12*(1+math.Abs(q)) {
				return false
			}
		} else if !x.Field(i).Equal(y.Field(i)) {
			return false
		}
	}
	return true
}

func TestSettlePose(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(d *robot.Description)
		s    Shape
		want []float64
	}{
		{"legs bend deeper, arms stay", nil, stand(), []float64{1.15, 0.2}},
		{"as far as the joint goes", func(d *robot.Description) { d.Joints[0].MaxRad = 0.8 }, stand(), []float64{0.75, 0.2}},
		{"the other way round", func(d *robot.Description) { d.Joints[0].MinRad = -0.8 },
			Shape{StandRad: []float64{-0.5, 0.2}, Leg: []bool{true, false}}, []float64{-0.75, 0.2}},
		{"no room to bend", func(d *robot.Description) { d.Joints[0].MaxRad = 0.52 }, stand(), []float64{0.5, 0.2}},
		{"no legs", nil, Shape{StandRad: []float64{0.5, 0.2}, Leg: make([]bool, 2)}, []float64{0.5, 0.2}},
	} {
		s := tt.s
		before := append([]float64(nil), s.StandRad...)
		got := SettleRad(made(tt.edit), s)
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
				break
			}
		}
		if !reflect.DeepEqual(before, s.StandRad) {
			t.Errorf("%s: the standing pose was changed", tt.name)
		}
	}
}

// The forgiving variant widens the host's punctuality and nothing that a robot
// would feel: field by field, so that a new threshold must be put on one side.
func TestOnEmulatedBusTouchesPunctualityOnly(t *testing.T) {
	strict := Derive(made(nil), stand(), 100, 2)
	soft := OnEmulatedBus(strict)
	widened := map[string]bool{
		"StaleTicks": true, "SilentTicks": true, "IMUTicks": true, "Overruns": true, "Stops": true,
		"FrozenS": true, "NoisyShare": true, "SlowRounds": true, "StuckS": true, "GapS": true, "GatewayS": true,
	}
	a, b := reflect.ValueOf(strict.Thresholds), reflect.ValueOf(soft.Thresholds)
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if changed := !a.Field(i).Equal(b.Field(i)); changed != widened[name] {
			t.Errorf("%s: %v, on the emulated bus %v", name, a.Field(i), b.Field(i))
		}
	}
	strict.Thresholds, soft.Thresholds = guard.Thresholds{}, guard.Thresholds{}
	if !reflect.DeepEqual(strict, soft) {
		t.Errorf("more than thresholds changed: %+v, %+v", strict, soft)
	}
}

// A policy that obeys its own speed limit passes the guard unchanged at any rate:
// its largest step within one tick, and the reversal of that in the next.
func TestAnObedientPolicyPasses(t *testing.T) {
	for _, rate := range []int{50, 100, 200} {
		for _, every := range []int{1, 2, 4} {
			d := made(nil)
			cfg := Derive(d, stand(), rate, every)
			g, err := guard.New(cfg.Limits, 1/float64(rate))
			if err != nil {
				t.Fatal(err)
			}
			at := []float64{0.8, 0}
			g.Seed(at)
			out := make([]float64, 2)
			for n := range 40 {
				if n%every == 0 {
					for j := range at {
						at[j] += float64(1-2*(n/every%2)) * d.Joints[j].SpeedLimitRadPerS * float64(every) / float64(rate)
					}
				}
				if r, _ := g.Apply(out, at, guard.Full); r != (guard.Report{}) {
					t.Fatalf("%d Hz, a decision in %d ticks: tick %d: %+v, limits %+v", rate, every, n, r, cfg.Limits)
				}
			}
		}
	}
}

// The shipped robot's limits make a loop.
func TestLimitsOfTheShippedRobotAreAccepted(t *testing.T) {
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	s := Shape{StandRad: make([]float64, len(d.Joints)), Leg: make([]bool, len(d.Joints))}
	for i, j := range d.Joints {
		s.StandRad[i] = min(max(0, j.MinRad), j.MaxRad)
		s.Leg[i] = strings.Contains(j.Name, "hip") || strings.Contains(j.Name, "knee") || strings.Contains(j.Name, "ankle")
	}
	if _, err := loop.New(Derive(d, s, int(d.LoopRateHz), 2), nil, nil, nil); err != nil {
		t.Error(err)
	}
}
