package selftest_test

import (
	"context"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/selftest"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const tick = 10 * time.Millisecond

// rig is kata20 under test on an emulated bus, byte for byte, in virtual time.
type rig struct {
	t       *testing.T
	world   *busemu.World
	plant   *busemu.Ideal
	physics busemu.Plant // plant, unless a test puts another one in
	loop    *loop.Loop
	ring    *trace.Ring
	session *selftest.Session
	states  []mode.State
}

// newRig hangs the robot up in a pose in which every joint has room, with its limbs' weight
// on each.
func newRig(t *testing.T, change func(r *rig), faults ...string) *rig {
	t.Helper()
	bound, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	d := bound.Desc
	n := len(d.Joints)
	r := &rig{t: t, plant: busemu.NewIdeal(d.Servos(), 2*time.Millisecond)}
	r.physics = r.plant
	r.plant.LoadNm, r.plant.Stops = make([]float64, n), make([][2]float64, n)
	pose := make([]float64, n)
	for j, jt := range d.Joints {
		pose[j] = min(max(0, jt.MinRad+0.15), jt.MaxRad-0.15)
		r.plant.Set(j, pose[j])
		r.plant.LoadNm[j], r.plant.Stops[j] = 0.3, [2]float64{jt.MinRad - 0.05, jt.MaxRad + 0.05}
	}
	if change != nil {
		change(r)
	}
	lines, err := busemu.ForRobot(d)
	if err != nil {
		t.Fatal(err)
	}
	if r.world, err = busemu.NewWorld(r.physics, lines...); err != nil {
		t.Fatal(err)
	}
	r.world.Untimed = true
	now := func() time.Time { return time.Unix(0, int64(r.world.Now())) }
	servos, err := dynamixel.New(d, "body", busemu.NewWire(r.world.Lines[0]), dynamixel.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	drv, err := multi.New(multi.Config{Joints: n, Buses: []multi.Bus{{Name: "body", Driver: servos, Joints: d.JointsOn("body"), IMU: servos.IMU()}}})
	if err == nil {
		_, err = drv.Connect(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range faults {
		f, err := busemu.ParseFault(text)
		if err == nil {
			err = r.world.Inject(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.world.Advance(tick)
	state := driver.NewState(n)
	_ = drv.Read(state)
	cfg := limits.Derive(d, limits.ShapeOf(bound), 100, 1)
	if r.physics != busemu.Plant(r.plant) { // it needs a moment to come to rest
		r.world.Advance(2 * time.Second)
		_ = drv.Read(state)
	}
	selftest.Hang(&cfg, state.PosRad)
	mover, err := selftest.NewMover(cfg.Limits, tick)
	if err != nil {
		t.Fatal(err)
	}
	r.ring = trace.NewRing(8, n)
	if r.loop, err = loop.New(cfg, drv, mover, r.ring); err != nil {
		t.Fatal(err)
	}
	r.session = &selftest.Session{
		Names: d.JointNames(), Mover: mover,
		Plan:  func(j int, at float64) selftest.Plan { return selftest.PlanFor(cfg.Limits[j], at) },
		Words: func(f mode.Checks, _ *trace.Sample) string { return f.String() },
	}
	for j := range d.Joints {
		r.session.IDs, r.session.Servos = append(r.session.IDs, d.Joints[j].ID), append(r.session.Servos, selftest.ServoOf(d, j))
	}
	return r
}

// run lets the test run to its end, or for a while that is much longer.
func (r *rig) run(stopped func(at time.Duration) bool) []selftest.Verdict {
	r.t.Helper()
	over := false
	for n := int64(0); n < 40_000 && !(over && r.loop.Finished()); n++ {
		if stopped != nil && stopped(time.Duration(n)*tick) {
			r.loop.Stop()
		}
		r.loop.Tick(loop.Instant{Tick: n, MonoNs: (n + 1) * int64(tick)})
		r.world.Advance(tick)
		for s := r.ring.Next(); s != nil; s = r.ring.Next() {
			if len(r.states) == 0 || r.states[len(r.states)-1] != s.Mode {
				r.states = append(r.states, s.Mode)
			}
			ask, stop := r.session.Step(s)
			r.ring.Release()
			if ask != mode.NoRequest {
				r.loop.Request(ask)
			}
			if stop && !over {
				over = true
				r.loop.Stop()
			}
		}
	}
	if !over {
		r.t.Fatalf("the test did not end; states %v", r.states)
	}
	if n := r.world.TorqueOn(); n != 0 {
		r.t.Errorf("%d servos have torque after the test", n)
	}
	return r.session.Verdicts()
}
