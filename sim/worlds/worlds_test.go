//go:build mujoco && cgo

package worlds

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

var _ rollout.Env = (*Env)(nil)

func open(t testing.TB, worlds, threads int) *Env {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(b, Config{Worlds: worlds, Threads: threads, Track: []string{"torso", "l_foot"}})
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
			JointPosRad: e.scene.StandRad, JointVelRadPerS: make([]float64, e.layout.Joints), TargetRad: e.scene.StandRad,
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

// The engine alone with the same work, to read BenchmarkStep128 against.
func BenchmarkEngine128(b *testing.B) {
	e := open(b, 128, 0)
	must(b, e.Reset(standing(e, 1, all(e)...), rollout.Nominal(), rowsOf(e)))
	for w := range 128 {
		for j, at := range e.scene.Joints {
			e.row(w)[e.at.ctrl+at.Actuator] = e.scene.StandRad[j]
		}
	}
	for b.Loop() {
		must(b, e.batch.Step(nil, e.sub, mujoco.StageNone))
	}
	b.ReportMetric(float64(b.N*128)/b.Elapsed().Seconds(), "control-steps/s")
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
