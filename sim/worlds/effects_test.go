//go:build mujoco && cgo

package worlds

import (
	"math"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Every range really changes the motion or what is sensed of it.
func TestEveryRangeTakesEffect(t *testing.T) {
	e := open(t, 1, 1)
	run := func(edit func(*rollout.Randomization)) []float64 {
		r := rollout.Nominal()
		edit(&r)
		rows := rowsOf(e)
		s := standing(e, 3, 0)
		s[0].RootLinVelMPerS = [3]float64{0.25, 0.15, 0} // so that feet slide and tip
		must(t, e.Reset(s, r, rows))
		for k := range 40 {
			tg := wave(e, k)
			tg[3] += 0.5 // so that servos reach their limits
			must(t, e.Step(tg, rows))
		}
		row := e.layout.Row(rows, 0)
		out := append([]float64(nil), row.RootPosM...)
		for _, part := range [][]float64{row.TrueJointPosRad, row.JointPosRad, row.JointVelRadPerS, row.GyroRadPerS, row.Gravity} {
			out = append(out, part...)
		}
		return out
	}
	base := run(func(*rollout.Randomization) {})
	if again := run(func(*rollout.Randomization) {}); same(base, again) >= 0 {
		t.Fatal("the same episode twice differs")
	}
	p := func(v float64) [2]float64 { return [2]float64{v, v} }
	for name, edit := range map[string]func(*rollout.Randomization){
		"Friction":          func(r *rollout.Randomization) { r.Friction = p(0.1) },
		"MassScale":         func(r *rollout.Randomization) { r.MassScale = p(1.3) },
		"TorsoOffsetM":      func(r *rollout.Randomization) { r.TorsoOffsetM = 0.02 },
		"JointZeroRad":      func(r *rollout.Randomization) { r.JointZeroRad = 0.05 },
		"GainScale":         func(r *rollout.Randomization) { r.GainScale = p(0.7) },
		"TorqueScale":       func(r *rollout.Randomization) { r.TorqueScale = p(0.4) },
		"FrictionScale":     func(r *rollout.Randomization) { r.FrictionScale = p(1.5) },
		"ArmatureScale":     func(r *rollout.Randomization) { r.ArmatureScale = p(1.5) },
		"DelayS":            func(r *rollout.Randomization) { r.DelayS = p(0.025) },
		"SensorDelayS":      func(r *rollout.Randomization) { r.SensorDelayS = p(0.025) },
		"NoiseJointRad":     func(r *rollout.Randomization) { r.NoiseJointRad = 0.01 },
		"NoiseJointRadPerS": func(r *rollout.Randomization) { r.NoiseJointRadPerS = 0.1 },
		"NoiseGravity":      func(r *rollout.Randomization) { r.NoiseGravity = 0.01 },
		"NoiseGyroRadPerS":  func(r *rollout.Randomization) { r.NoiseGyroRadPerS = 0.1 },
		"Push":              func(r *rollout.Randomization) { r.PushSpeedMPerS, r.PushEveryS = p(0.3), p(0.5) },
		"FloorTiltRad":      func(r *rollout.Randomization) { r.FloorTiltRad = 0.1 },
		"TorsoPayloadKg":    func(r *rollout.Randomization) { r.TorsoPayloadKg = 0.5 },
		"ServoSpeedRadPerS": func(r *rollout.Randomization) { r.ServoSpeedRadPerS = p(0.2) },
		"ContactSoftScale":  func(r *rollout.Randomization) { r.ContactSoftScale = p(2) },
	} {
		got, worst := run(edit), 0.0
		for i := range got {
			worst = math.Max(worst, math.Abs(got[i]-base[i]))
		}
		if worst < 1e-4 {
			t.Errorf("%s: the episode changed by %.2g", name, worst)
		}
	}
}

// A slope acts like a floor that is tilted: what the robot feels as gravity
// turns, and its size stays.
func TestTiltTurnsGravity(t *testing.T) {
	e := open(t, 1, 1)
	rows := rowsOf(e)
	r := rollout.Nominal()
	r.FloorTiltRad = 0.2
	must(t, e.Reset(standing(e, 3, 0), r, rows))
	down := e.worlds[0].Down
	if math.Abs(down.Norm()-1) > 1e-12 || down[2] > -0.97 || down[2] == -1 {
		t.Fatalf("down is %v", down)
	}
	row := e.layout.Row(rows, 0)
	if g := spatial.Vec3(row.Gravity).Sub(down); g.Norm() > 1e-9 {
		t.Errorf("gravity felt by the upright root %v; want %v", row.Gravity, down)
	}
	// In the air the robot accelerates along the tilted gravity.
	s := standing(e, 3, 0)
	s[0].RootPosM[2] = 2
	must(t, e.Reset(s, r, rows))
	for range 10 {
		must(t, e.Step(wave(e, 0)[:20], rows))
	}
	v := spatial.Vec3(e.layout.Row(rows, 0).RootLinVelMPerS)
	for i := range 2 {
		if want := 9.81 * 0.2 * down[i]; math.Abs(v[i]-want) > 0.05 {
			t.Errorf("speed along axis %d after 0.2 s of fall %.3f; want %.3f", i, v[i], want)
		}
	}
}

// A delayed target reaches the servo when the delay says so, to a quarter of a period.
func TestDelayIsExact(t *testing.T) {
	e := open(t, 1, 1)
	// first returns the period in which the arm starts and its speed at the end of it.
	first := func(delay float64) (period int, speed float64) {
		r := rollout.Nominal()
		r.DelayS = [2]float64{delay, delay}
		rows := rowsOf(e)
		must(t, e.Reset(standing(e, 1, 0), r, rows))
		if got := e.layout.Row(rows, 0).Params[4]; math.Abs(got-delay) > 1e-9 {
			t.Errorf("delay %g s is reported as %g", delay, got)
		}
		target := append([]float64(nil), e.scene.StandRad...)
		target[12] += 0.5 // an arm: undisturbed by the floor
		for k := range 10 {
			must(t, e.Step(target, rows))
			if v := e.layout.Row(rows, 0).TrueJointVelRadPerS[12]; math.Abs(v) > 0.1 {
				return k, v
			}
		}
		return -1, 0
	}
	_, full := first(0)
	_, late := first(0.005)
	if late > 0.9*full {
		t.Errorf("5 ms after the command the arm moves at %.3f rad/s; without delay at %.3f", late, full)
	}
	for _, c := range []struct {
		delay  float64
		period int
		speed  float64
	}{{0, 0, full}, {0.005, 0, late}, {0.02, 1, full}, {0.025, 1, late}, {0.04, 2, full}, {0.1, 5, full}} {
		period, speed := first(c.delay)
		if period != c.period || math.Abs(speed-c.speed) > 0.05*full {
			t.Errorf("delay %g s: the arm starts in period %d at %.3f rad/s; want %d, %.3f", c.delay, period, speed, c.period, c.speed)
		}
	}
}

// A zero error shows in what is sensed and in where the servo goes.
func TestJointZero(t *testing.T) {
	e := open(t, 1, 1)
	rows := rowsOf(e)
	r := rollout.Nominal()
	r.JointZeroRad = 0.1
	must(t, e.Reset(standing(e, 4, 0), r, rows))
	for range 100 {
		must(t, e.Step(e.scene.StandRad, rows))
	}
	row := e.layout.Row(rows, 0)
	for _, j := range []int{12, 14, 15} { // arm joints, which carry little
		z := e.zero[j]
		if got := row.JointPosRad[j] - row.TrueJointPosRad[j]; math.Abs(got-z) > 1e-9 {
			t.Errorf("joint %d: reported - true = %.4f; want %.4f", j, got, z)
		}
		if got := row.JointPosRad[j]; math.Abs(got-e.scene.StandRad[j]) > 0.03 {
			t.Errorf("joint %d: servo settles at %.4f by its own sensor; commanded %.4f", j, got, e.scene.StandRad[j])
		}
	}
}

// Noise has the size that was asked for and leaves the truth alone.
func TestNoiseSize(t *testing.T) {
	e := open(t, 1, 1)
	rows, quiet := rowsOf(e), rowsOf(e)
	r := rollout.Nominal()
	must(t, e.Reset(standing(e, 4, 0), r, quiet))
	r.NoiseJointRad = 0.02
	sum, n := 0.0, 0
	for seed := range uint64(200) {
		must(t, e.Reset(standing(e, seed, 0), r, rows))
		row := e.layout.Row(rows, 0)
		for j := range row.JointPosRad {
			d := row.JointPosRad[j] - row.TrueJointPosRad[j]
			sum += d * d
			n++
		}
	}
	if s := math.Sqrt(sum / float64(n)); math.Abs(s-0.02) > 0.001 {
		t.Errorf("joint noise has standard deviation %.4f; want 0.02", s)
	}
}

func TestPushesComeOnTime(t *testing.T) {
	e := open(t, 1, 1)
	rows := rowsOf(e)
	r := rollout.Nominal()
	r.PushSpeedMPerS, r.PushEveryS = [2]float64{0.2, 0.2}, [2]float64{0.6, 0.6}
	must(t, e.Reset(standing(e, 4, 0), r, rows))
	var at []int
	for k := range 100 {
		before, due := append([]float64(nil), e.layout.Row(rows, 0).RootLinVelMPerS...), e.worlds[0].NextPushS
		must(t, e.Step(e.scene.StandRad, rows))
		if e.worlds[0].NextPushS == due {
			continue
		}
		at = append(at, k)
		v := e.layout.Row(rows, 0).RootLinVelMPerS
		if d := math.Hypot(v[0]-before[0], v[1]-before[1]); d < 0.06 || d > 0.3 {
			t.Errorf("a push of 0.2 m/s in period %d changed the speed by %.3f m/s", k, d)
		}
	}
	if want := []int{30, 60, 90}; !slices.Equal(at, want) {
		t.Errorf("pushes in periods %v; want %v (every 0.6 s)", at, want)
	}
}
