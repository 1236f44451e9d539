//go:build mujoco && cgo

package worlds

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

var _ rollout.Env = (*Env)(nil)

func open(t testing.TB, worlds, threads int) *Env {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(d, Config{Worlds: worlds, Threads: threads, Track: []string{"torso", "l_foot"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// standing returns starts in the standing pose, one for each listed world, with
// seeds that depend on seed and the place in the list alone.
func standing(e *Env, seed uint64, worlds ...int) []rollout.Start {
	var out []rollout.Start
	q := e.scene.StandQPos
	for i, w := range worlds {
		out = append(out, rollout.Start{
			World: w, Seed: seed + uint64(i), RootPosM: [3]float64{0, 0, q[2]}, RootQuat: [4]float64{1, 0, 0, 0},
			JointPosRad: e.scene.StandRad, JointVelRadS: make([]float64, e.layout.Joints), TargetRad: e.scene.StandRad,
		})
	}
	return out
}

// wave is a target that moves every joint a little, differently in every step.
func wave(e *Env, k int) []float64 {
	n := e.layout.Joints
	t := make([]float64, e.layout.Worlds*n)
	for i := range t {
		t[i] = e.scene.StandRad[i%n] + 0.05*math.Sin(0.3*float64(k)+float64(i%n))
	}
	return t
}

func rowsOf(e *Env) []float64 { return make([]float64, e.layout.Worlds*e.layout.RowLen()) }

func all(e *Env) []int {
	var w []int
	for i := range e.layout.Worlds {
		w = append(w, i)
	}
	return w
}

func same(a, b []float64) int {
	for i := range a {
		if a[i] != b[i] && !(math.IsNaN(a[i]) && math.IsNaN(b[i])) {
			return i
		}
	}
	return -1
}

func TestEpisodeIsAFunctionOfItsStart(t *testing.T) {
	// The same episode in world 0 of one world and in world 2 of three, on other
	// threads, after another episode, gives the same rows.
	a, b := open(t, 1, 1), open(t, 3, 2)
	ra, rb := rowsOf(a), rowsOf(b)
	must(t, b.Reset(standing(b, 99, 0, 1, 2), rollout.Hard(), rb))
	for k := range 7 {
		must(t, b.Step(wave(b, k), rb))
	}
	must(t, a.Reset(standing(a, 5, 0), rollout.Hard(), ra))
	must(t, b.Reset(standing(b, 5, 2), rollout.Hard(), rb))
	n := a.layout.RowLen()
	for k := range 120 {
		if i := same(ra, rb[2*n:]); i >= 0 {
			t.Fatalf("step %d: number %d is %v alone, %v in company", k, i, ra[i], rb[2*n+i])
		}
		must(t, a.Step(wave(a, k), ra))
		must(t, b.Step(wave(b, k), rb))
	}
}

func TestSaveLoadContinuesToTheBit(t *testing.T) {
	e := open(t, 4, 2)
	rows := rowsOf(e)
	must(t, e.Reset(standing(e, 1, all(e)...), rollout.Hard(), rows))
	for k := range 40 {
		must(t, e.Step(wave(e, k), rows))
	}
	var saved bytes.Buffer
	must(t, e.SaveState(&saved))
	run := func(e *Env) []float64 {
		rows := rowsOf(e)
		var all []float64
		for k := 40; k < 90; k++ {
			must(t, e.Step(wave(e, k), rows))
			all = append(all, rows...)
			if k == 60 { // a reset in between
				must(t, e.Reset(standing(e, 77, 1), rollout.Hard(), rows))
			}
		}
		return all
	}
	want := run(e)
	other := open(t, 4, 1)
	must(t, other.LoadState(bytes.NewReader(saved.Bytes())))
	if i := same(want, run(other)); i >= 0 {
		t.Fatalf("after load, number %d differs", i)
	}
	// The same worlds again, from a state full of later values.
	must(t, e.LoadState(bytes.NewReader(saved.Bytes())))
	if i := same(want, run(e)); i >= 0 {
		t.Fatalf("after load into used worlds, number %d differs", i)
	}
	for _, cut := range []int{0, 10, 200, saved.Len() - 1} {
		if err := e.LoadState(bytes.NewReader(saved.Bytes()[:cut])); err == nil {
			t.Errorf("a state of %d of %d bytes was loaded", cut, saved.Len())
		}
	}
	if err := open(t, 3, 1).LoadState(bytes.NewReader(saved.Bytes())); err == nil || !strings.Contains(err.Error(), "4 worlds") {
		t.Errorf("state of 4 worlds into 3: %v", err)
	}
}

// A damaged state is refused, or at least does no harm.
func FuzzLoadState(f *testing.F) {
	e := open(f, 1, 1)
	rows := rowsOf(e)
	must(f, e.Reset(standing(e, 1, 0), rollout.Hard(), rows))
	must(f, e.Step(wave(e, 0), rows))
	var saved bytes.Buffer
	must(f, e.SaveState(&saved))
	f.Add(uint(0), byte(1), uint(1<<20))
	// The fields of the world, bit by bit where damage shows: signs and exponents.
	for at := uint(112); at < 112+8*60; at += 8 {
		f.Add(at+7, byte(0xff), uint(1<<20))
	}
	f.Add(uint(5000), byte(0x80), uint(4000))
	f.Fuzz(func(t *testing.T, at uint, flip byte, cut uint) {
		b := bytes.Clone(saved.Bytes())
		b[at%uint(len(b))] ^= flip
		b = b[:min(uint(len(b)), cut)]
		if err := e.LoadState(bytes.NewReader(b)); err != nil {
			return
		}
		for k := range 3 {
			must(t, e.Step(wave(e, k), rows))
		}
	})
}

// Every range really changes the motion or what is sensed of it.
func TestEveryRangeTakesEffect(t *testing.T) {
	e := open(t, 1, 1)
	run := func(edit func(*rollout.Randomization)) []float64 {
		r := rollout.Nominal()
		edit(&r)
		rows := rowsOf(e)
		s := standing(e, 3, 0)
		s[0].RootLinVelMS = [3]float64{0.25, 0.15, 0} // so that feet slide and tip
		must(t, e.Reset(s, r, rows))
		for k := range 40 {
			tg := wave(e, k)
			tg[3] += 0.5 // so that servos reach their limits
			must(t, e.Step(tg, rows))
		}
		row := e.layout.Row(rows, 0)
		out := append([]float64(nil), row.RootPosM...)
		for _, part := range [][]float64{row.TrueJointPosRad, row.JointPosRad, row.JointVelRadS, row.GyroRadS, row.Gravity} {
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
		"Friction":         func(r *rollout.Randomization) { r.Friction = p(0.1) },
		"MassScale":        func(r *rollout.Randomization) { r.MassScale = p(1.3) },
		"TorsoOffsetM":     func(r *rollout.Randomization) { r.TorsoOffsetM = 0.02 },
		"JointZeroRad":     func(r *rollout.Randomization) { r.JointZeroRad = 0.05 },
		"GainScale":        func(r *rollout.Randomization) { r.GainScale = p(0.7) },
		"TorqueScale":      func(r *rollout.Randomization) { r.TorqueScale = p(0.4) },
		"FrictionScale":    func(r *rollout.Randomization) { r.FrictionScale = p(1.5) },
		"ArmatureScale":    func(r *rollout.Randomization) { r.ArmatureScale = p(1.5) },
		"DelayS":           func(r *rollout.Randomization) { r.DelayS = p(0.025) },
		"SensorDelayS":     func(r *rollout.Randomization) { r.SensorDelayS = p(0.025) },
		"NoiseJointRad":    func(r *rollout.Randomization) { r.NoiseJointRad = 0.01 },
		"NoiseJointRadS":   func(r *rollout.Randomization) { r.NoiseJointRadS = 0.1 },
		"NoiseGravity":     func(r *rollout.Randomization) { r.NoiseGravity = 0.01 },
		"NoiseGyroRadS":    func(r *rollout.Randomization) { r.NoiseGyroRadS = 0.1 },
		"Push":             func(r *rollout.Randomization) { r.PushSpeedMS, r.PushEveryS = p(0.3), p(0.5) },
		"FloorTiltRad":     func(r *rollout.Randomization) { r.FloorTiltRad = 0.1 },
		"TorsoPayloadKg":   func(r *rollout.Randomization) { r.TorsoPayloadKg = 0.5 },
		"ServoSpeedRadS":   func(r *rollout.Randomization) { r.ServoSpeedRadS = p(0.2) },
		"ContactSoftScale": func(r *rollout.Randomization) { r.ContactSoftScale = p(2) },
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
	v := spatial.Vec3(e.layout.Row(rows, 0).RootLinVelMS)
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
			if v := e.layout.Row(rows, 0).TrueJointVelRadS[12]; math.Abs(v) > 0.1 {
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
	r.PushSpeedMS, r.PushEveryS = [2]float64{0.2, 0.2}, [2]float64{0.6, 0.6}
	must(t, e.Reset(standing(e, 4, 0), r, rows))
	var at []int
	for k := range 100 {
		before, due := append([]float64(nil), e.layout.Row(rows, 0).RootLinVelMS...), e.worlds[0].NextPushS
		must(t, e.Step(e.scene.StandRad, rows))
		if e.worlds[0].NextPushS == due {
			continue
		}
		at = append(at, k)
		v := e.layout.Row(rows, 0).RootLinVelMS
		if d := math.Hypot(v[0]-before[0], v[1]-before[1]); d < 0.06 || d > 0.3 {
			t.Errorf("a push of 0.2 m/s in period %d changed the speed by %.3f m/s", k, d)
		}
	}
	if want := []int{30, 60, 90}; !slices.Equal(at, want) {
		t.Errorf("pushes in periods %v; want %v (every 0.6 s)", at, want)
	}
}

func TestDivergedWorldIsReportedAndRests(t *testing.T) {
	e := open(t, 3, 2)
	rows, calm := rowsOf(e), rowsOf(e)
	ref := open(t, 3, 2)
	must(t, e.Reset(standing(e, 1, all(e)...), rollout.Hard(), rows))
	must(t, ref.Reset(standing(ref, 1, all(ref)...), rollout.Hard(), calm))
	n := e.layout.RowLen()
	for k := range 20 {
		target := wave(e, k)
		if k == 5 {
			e.QPos(1)[8] = math.NaN()
		}
		must(t, e.Step(target, rows))
		must(t, ref.Step(target, calm))
		for w := range 3 {
			if got := e.layout.Row(rows, w).Diverged[0] != 0; got != (w == 1 && k >= 5) {
				t.Fatalf("period %d, world %d: diverged %v", k, w, got)
			}
		}
		for i, v := range rows {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("period %d: number %d of the rows is %v", k, i, v)
			}
		}
	}
	if i := same(e.layout.Row(rows, 1).TrueJointPosRad, e.scene.StandRad); i >= 0 {
		t.Errorf("the broken world does not rest in the standing pose (joint %d)", i)
	}
	if i := same(rows[:n], calm[:n]); i >= 0 {
		t.Errorf("world 0 was disturbed by its neighbour (number %d)", i)
	}
	must(t, e.Reset(standing(e, 2, 1), rollout.Hard(), rows))
	must(t, e.Step(wave(e, 0), rows))
	if e.layout.Row(rows, 1).Diverged[0] != 0 {
		t.Error("a reset does not revive the world")
	}
}

// A parked world stays where it is and disturbs no other, until its reset.
func TestPark(t *testing.T) {
	e, ref := open(t, 3, 2), open(t, 3, 2)
	rows, want := rowsOf(e), rowsOf(e)
	must(t, e.Reset(standing(e, 1, all(e)...), rollout.Hard(), rows))
	must(t, ref.Reset(standing(ref, 1, all(ref)...), rollout.Hard(), want))
	n := e.layout.RowLen()
	still := append([]float64(nil), rows[n:2*n]...)
	e.Park(1)
	for k := range 20 {
		must(t, e.Step(wave(e, k), rows))
		must(t, ref.Step(wave(ref, k), want))
	}
	if i := same(rows[n:2*n], still); i >= 0 {
		t.Errorf("number %d of the parked world's row changed", i)
	}
	if i, k := same(rows[:n], want[:n]), same(rows[2*n:], want[2*n:]); i >= 0 || k >= 0 {
		t.Error("a parked world disturbs its neighbours")
	}
	must(t, e.Reset(standing(e, 1, 1), rollout.Hard(), rows))
	must(t, e.Step(wave(e, 0), rows))
	if same(rows[n:2*n], still) < 0 {
		t.Error("a reset does not wake the world")
	}
}

func TestRefusesBadInput(t *testing.T) {
	e := open(t, 2, 1)
	rows := rowsOf(e)
	bad := rollout.Nominal()
	bad.MassScale = [2]float64{1.1, 0.9}
	late := rollout.Nominal()
	late.DelayS = [2]float64{0, 3}
	short := standing(e, 1, 0)
	short[0].TargetRad = short[0].TargetRad[:3]
	for name, c := range map[string]struct {
		starts []rollout.Start
		r      rollout.Randomization
		want   string
	}{
		"falling range": {standing(e, 1, 0), bad, "MassScale is 1.1 to 0.9"},
		"long delay":    {standing(e, 1, 0), late, "DelayS"},
		"zero value":    {standing(e, 1, 0), rollout.Randomization{}, "legal"},
		"world":         {standing(e, 1, 2), rollout.Nominal(), "world 2"},
		"joints":        {short, rollout.Nominal(), "20 joints"},
	} {
		if err := e.Reset(c.starts, c.r, rows); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want one with %q", name, err, c.want)
		}
	}
}

// An uneventful step allocates nothing on the Go side.
func TestStepDoesNotAllocate(t *testing.T) {
	e := open(t, 2, 1)
	rows := rowsOf(e)
	must(t, e.Reset(standing(e, 1, all(e)...), rollout.Hard(), rows))
	target := wave(e, 0)
	if n := testing.AllocsPerRun(20, func() { _ = e.Step(target, rows) }); n > 0 {
		t.Errorf("%g allocations a step", n)
	}
}

func BenchmarkStep128(b *testing.B) {
	for name, r := range map[string]rollout.Randomization{"nominal": rollout.Nominal(), "hard": rollout.Hard()} {
		b.Run(name, func(b *testing.B) {
			e := open(b, 128, 0)
			rows := rowsOf(e)
			must(b, e.Reset(standing(e, 1, all(e)...), r, rows))
			target := make([]float64, 128*20)
			for w := range 128 {
				copy(target[w*20:], e.scene.StandRad)
			}
			for b.Loop() {
				must(b, e.Step(target, rows))
			}
			b.ReportMetric(float64(b.N*128)/b.Elapsed().Seconds(), "control-steps/s")
		})
	}
}

func BenchmarkReset(b *testing.B) {
	e := open(b, 128, 0)
	rows := rowsOf(e)
	must(b, e.Reset(standing(e, 1, all(e)...), rollout.Hard(), rows))
	s := standing(e, 5, 1, 2, 3, 4)
	for b.Loop() {
		must(b, e.Reset(s, rollout.Hard(), rows))
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*4), "us/world")
}
