package flight

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// leaps is a controller that asks for too much, and now and then for nothing usable.
type leaps struct{ n int }

func (c *leaps) Enter([]float64) {}
func (c *leaps) Stop()           {}
func (c *leaps) Phase() float64  { return 0 }
func (c *leaps) Act(dst []float64, _ *sensed.Robot, _ bool) (bool, error) {
	c.n++
	for j := range dst {
		dst[j] = 0.2 + 2*float64(c.n/40%2)
	}
	if c.n%97 == 0 {
		return false, context.Canceled
	}
	return false, nil
}

// What the samples come to is what the loop itself counted, whatever it went through: who
// has them needs no word of the loop.
func TestTheTallyIsWhatTheLoopCounts(t *testing.T) {
	const joints = 3
	th := guard.DefaultThresholds(10.5, 9.9)
	cfg := loop.Config{RateHz: 100, ControlEvery: 2, MinRamp: loop.MinRamp, Thresholds: th,
		StandRad: make([]float64, joints), SettleRad: make([]float64, joints)}
	for j := range joints {
		cfg.Limits = append(cfg.Limits, guard.Joint{MinRad: -1, MaxRad: 1, GentleRadPerS: 1.5, FullRadPerS: 4, AccelRadPerS2: 400})
		cfg.Health = append(cfg.Health, guard.Health{Leg: j == 0, StallCurrentA: 2.3, TempWarnC: 60, TempStopC: 70})
	}
	clock := int64(0)
	cfg.NowNs = func() int64 { clock += 40_000; return clock }
	fake, ring := drivertest.NewFake(joints), trace.NewRing(1, joints)
	l, err := loop.New(cfg, fake, &leaps{}, ring)
	if err != nil {
		t.Fatal(err)
	}
	got := tally{loop.Stats{Joints: joints, RateHz: cfg.RateHz}}
	at := func(n int, do func()) func(int) {
		return func(k int) {
			if k == n {
				do()
			}
		}
	}
	events := []func(int){
		at(50, func() { l.Request(mode.Arm) }), at(400, func() { l.Request(mode.Activate) }),
		at(500, func() { fake.TempC, fake.GravityDir = 61, [3]float64{0.2, 0, -0.98} }), at(600, func() { fake.BusV = 10.2 }),
		at(700, func() { fake.Stopped = true }), at(720, func() { fake.Silent[1] = true }), at(722, func() { fake.Silent[1] = false }),
		at(900, func() { fake.Gone = true }), at(901, func() { fake.Gone = false }),
		at(1500, func() { l.Request(mode.EStop) }), at(1600, func() { l.Request(mode.Reset) }), at(1700, func() { fake.TempC, fake.BusV = 40, 12 }),
		at(2200, func() { l.Request(mode.Arm) }), at(2600, func() { fake.GravityDir = [3]float64{1, 0, 0} }),
	}
	tick := int64(0)
	for k := range 3000 {
		for _, e := range events {
			e(k)
		}
		skipped := int64(0)
		if k%311 == 0 {
			skipped = 2
		}
		tick += 1 + skipped
		l.Tick(loop.Instant{Tick: tick, LateNs: int64(k%90) * 1000, Skipped: skipped, MonoNs: tick * int64(10*time.Millisecond)})
		s := ring.Next()
		got.take(s)
		ring.Release()
	}
	want := l.Result()
	if want.Armed != 2 || !want.Fell || want.PolicyFaults == 0 || want.Guard.Speed == 0 || want.LostReads == 0 || want.PartialReads == 0 {
		t.Fatalf("the flight does not show what it is to show: %+v", want)
	}
	if !reflect.DeepEqual(got.Stats, want) {
		t.Errorf("by the samples\n%+v\nby the loop\n%+v", got.Stats, want)
	}
}
