//go:build mujoco && cgo

package mujoco

import (
	"math"
	"strings"
	"testing"
)

func newBatch(t testing.TB, m *Model, worlds, threads int) *Batch {
	t.Helper()
	b, err := NewBatch(m, BatchConfig{Worlds: worlds, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func newPeriod(t testing.TB, m *Model, b *Batch) *Period {
	t.Helper()
	torso, err := m.ID(Body, "torso")
	must(t, err)
	l, err := m.ID(Geom, "l_sole")
	must(t, err)
	r, err := m.ID(Geom, "r_sole")
	must(t, err)
	p, err := b.NewPeriod(5, []int{torso}, []int{l, r})
	must(t, err)
	return p
}

// spread gives every world its own controls, friction and masses.
func spread(t testing.TB, m *Model, b *Batch, p *Period) {
	must(t, b.Reset(nil, 0, StageNone))
	friction, size, err := b.Expand("geom_friction")
	must(t, err)
	mass, bodies, err := b.Expand("body_mass")
	must(t, err)
	for w := range b.Worlds {
		for g := 0; g < size; g += 3 {
			friction[w*size+g] = 0.4 + 0.1*float64(w)
		}
		mass[w*bodies+1] *= 1 + 0.02*float64(w)
		for u := range m.NU {
			p.CtrlOld[w*m.NU+u] = 0.1 * math.Sin(float64(w+u))
			p.CtrlNew[w*m.NU+u] = 0.2 * math.Sin(float64(w+2*u))
		}
		p.SwitchAt[w] = int32(w % 5)
	}
	must(t, b.SetConst(nil))
}

func TestBatchIsIdenticalAtAnyThreadCount(t *testing.T) {
	m := loadBiped(t)
	var want, wantForce []float64
	for threads := 1; threads <= 3; threads++ {
		b := newBatch(t, m, 7, threads)
		p := newPeriod(t, m, b)
		spread(t, m, b, p)
		for range 20 {
			must(t, p.Run(nil))
		}
		if threads == 1 {
			want, wantForce = append(want, b.State...), append(wantForce, p.FootForceN...)
			continue
		}
		for i := range want {
			if b.State[i] != want[i] {
				t.Fatalf("%d threads: state[%d] = %v; one thread gave %v", threads, i, b.State[i], want[i])
			}
		}
		for i := range wantForce {
			if p.FootForceN[i] != wantForce[i] {
				t.Fatalf("%d threads: foot force %d differs", threads, i)
			}
		}
	}
}

// A world of a batch does what a single simulation does, to the bit.
func TestBatchEqualsSingle(t *testing.T) {
	m := loadBiped(t)
	b := newBatch(t, m, 3, 2)
	p := newPeriod(t, m, b)
	must(t, b.Reset(nil, 0, StageNone))
	d := newData(t, m)
	must(t, d.Reset(0))
	off, n, err := b.Component(StateQPos)
	must(t, err)
	for k := range 30 {
		for u := range m.NU {
			d.Ctrl[u] = 0.2 * math.Sin(float64(k+u))
			for w := range b.Worlds {
				p.CtrlNew[w*m.NU+u] = d.Ctrl[u]
			}
		}
		must(t, p.Run(nil))
		must(t, d.Step(5))
		for i := range n {
			if got := b.State[2*b.NState+off+i]; got != d.QPos[i] {
				t.Fatalf("period %d: qpos[%d] = %v in the batch, %v alone", k, i, got, d.QPos[i])
			}
		}
	}
	must(t, d.Kinematics())
	for i := range 3 {
		if p.Poses[2*7+i] != d.XPos[3+i] {
			t.Errorf("pose %v; want %v", p.Poses[14:17], d.XPos[3:6])
		}
	}
}

func TestBatchRestoreIsBitIdentical(t *testing.T) {
	m := loadBiped(t)
	b := newBatch(t, m, 4, 2)
	p := newPeriod(t, m, b)
	spread(t, m, b, p)
	for range 10 {
		must(t, p.Run(nil))
	}
	save := append([]float64(nil), b.State...)
	for range 10 {
		must(t, p.Run(nil))
	}
	want := append([]float64(nil), b.State...)
	copy(b.State, save)
	for range 10 {
		must(t, p.Run(nil))
	}
	for i := range want {
		if b.State[i] != want[i] {
			t.Fatalf("state[%d] = %v after restore; want %v", i, b.State[i], want[i])
		}
	}
}

// Values given to one world take effect in that world and in no other.
func TestExpandedFieldsTakeEffect(t *testing.T) {
	m := loadBiped(t)
	trunk, err := m.ID(Body, "torso")
	must(t, err)
	edits := map[string]func(v []float64, size int){
		"body_mass":           func(v []float64, size int) { v[size+trunk] *= 1.5 },
		"geom_friction":       func(v []float64, size int) { v[size], v[2*size-3], v[2*size-12] = 0.05, 0.05, 0.05 },
		"actuator_gainprm":    func(v []float64, size int) { v[size] *= 0.5 },
		"actuator_forcerange": func(v []float64, size int) { v[size+2], v[size+3] = -0.2, 0.2 },
		"dof_damping":         func(v []float64, size int) { v[size+6] *= 2 },
		"dof_armature":        func(v []float64, size int) { v[size+6] *= 2 },
		"dof_frictionloss":    func(v []float64, size int) { v[size+6] = 1 },
		"geom_quat":           func(v []float64, size int) { v[size], v[size+1] = math.Cos(0.05), math.Sin(0.05) },
		"body_ipos":           func(v []float64, size int) { v[size+3*trunk] += 0.02 },
		"body_inertia":        func(v []float64, size int) { v[size+3*trunk] *= 3 },
	}
	run := func(field string) (a, b []float64) {
		bt := newBatch(t, m, 2, 1)
		defer bt.Close()
		p := newPeriod(t, m, bt)
		must(t, bt.Reset(nil, 0, StageNone))
		if field != "" {
			v, size, err := bt.Expand(field)
			must(t, err)
			edits[field](v, size)
			must(t, bt.SetConst([]int{1}))
		}
		off, _, err := bt.Component(StateQVel)
		must(t, err)
		for w := range 2 {
			bt.State[w*bt.NState+off], bt.State[w*bt.NState+off+1] = 0.3, 0.2
		}
		for i := range p.CtrlNew {
			p.CtrlNew[i] = 0.2
		}
		for range 20 {
			must(t, p.Run(nil))
		}
		return append([]float64(nil), bt.State[:bt.NState]...), append([]float64(nil), bt.State[bt.NState:2*bt.NState]...)
	}
	plain, _ := run("")
	for field := range edits {
		a, b := run(field)
		same, moved := true, 0.0
		for i := range plain {
			same = same && a[i] == plain[i]
			if i < 1+m.NQ {
				moved = math.Max(moved, math.Abs(b[i]-plain[i]))
			}
		}
		if !same {
			t.Errorf("%s: world 0 changed although only world 1 was edited", field)
		}
		if moved < 1e-6 {
			t.Errorf("%s: world 1 moved by %.2g; the value took no effect", field, moved)
		}
	}
}

// An expanded mass behaves as the same mass written into the model.
func TestExpandedMassEqualsCompiledMass(t *testing.T) {
	heavy := loadBiped(t, `mass="1.2"`, `mass="1.8"`)
	d := newData(t, heavy)
	must(t, d.Reset(0))
	must(t, d.Step(100))

	m := loadBiped(t)
	b := newBatch(t, m, 1, 1)
	must(t, b.Reset(nil, 0, StageNone))
	mass, _, err := b.Expand("body_mass")
	must(t, err)
	inertia, _, err := b.Expand("body_inertia")
	must(t, err)
	mass[1] *= 1.5
	for k := 3; k < 6; k++ {
		inertia[k] *= 1.5
	}
	must(t, b.SetConst(nil))
	must(t, b.Reset(nil, 0, StageNone))
	must(t, b.Step(nil, 100, StageNone))
	off, n, err := b.Component(StateQPos)
	must(t, err)
	for i := range n {
		if diff := math.Abs(b.State[off+i] - d.QPos[i]); diff > 1e-9 {
			t.Errorf("qpos[%d] differs by %.2g from the model compiled with that mass", i, diff)
		}
	}
}

func TestBatchReportsDivergence(t *testing.T) {
	m := loadBiped(t)
	b := newBatch(t, m, 3, 2)
	p := newPeriod(t, m, b)
	off, _, err := b.Component(StateQVel)
	must(t, err)
	b.State[1*b.NState+off] = math.NaN()
	must(t, p.Run(nil))
	for w := range 3 {
		if b.Diverged(w) != (w == 1) {
			t.Errorf("world %d: diverged %v", w, b.Diverged(w))
		}
	}
	b.ClearWarnings(1)
	if b.Diverged(1) {
		t.Error("cleared warnings are still there")
	}
}

func TestBatchErrorIsAStatus(t *testing.T) {
	m := loadBiped(t, `memory="1M"`, `memory="8K"`)
	b := newBatch(t, m, 3, 2)
	for range 3 {
		must(t, b.Reset(nil, 0, StageNone))
		err := b.Step([]int{1}, 1, StageNone)
		if err == nil || !strings.Contains(err.Error(), "world 1 of 3") {
			t.Fatalf("error %v; want one that names world 1", err)
		}
		if !b.Failed(1) || b.Failed(0) {
			t.Error("status does not name the failed world")
		}
	}
}

func TestRolloutEqualsSteps(t *testing.T) {
	m := loadBiped(t)
	const n = 12
	b := newBatch(t, m, 2, 2)
	must(t, b.Reset(nil, 0, StageNone))
	ctrl := make([]float64, 2*n*m.NU)
	for i := range ctrl {
		ctrl[i] = 0.1 * math.Sin(float64(i))
	}
	size := m.StateSize(StateFullPhysics)
	states := make([]float64, 2*n*size)
	must(t, b.Rollout(nil, n, ctrl, states))
	d := newData(t, m)
	got := make([]float64, size)
	for w := range 2 {
		must(t, d.Reset(0))
		for k := range n {
			copy(d.Ctrl, ctrl[(w*n+k)*m.NU:])
			must(t, d.Step(1))
			d.State(got, StateFullPhysics)
			for i := range got {
				if got[i] != states[(w*n+k)*size+i] {
					t.Fatalf("world %d step %d: number %d is %v; want %v", w, k, i, states[(w*n+k)*size+i], got[i])
				}
			}
		}
	}
}

// While the robot stands, the feet carry its weight and do not slide; the torque
// gathered over a period is that of the actuators.
func TestPeriodGathers(t *testing.T) {
	m := loadBiped(t)
	b := newBatch(t, m, 1, 1)
	p := newPeriod(t, m, b)
	must(t, b.Reset(nil, 0, StageNone))
	stand := []float64{-.2, .4, -.2, -.2, .4, -.2}
	copy(p.CtrlNew, stand)
	for range 50 {
		must(t, p.Run(nil))
	}
	if got, want := p.FootForceN[0]+p.FootForceN[1], 2.3*9.81; math.Abs(got-want) > 0.03*want {
		t.Errorf("feet carry %.2f N; want %.2f", got, want)
	}
	if p.FootSlideMPerS[0] > 5e-3 {
		t.Errorf("standing foot slides at %g m/s", p.FootSlideMPerS[0])
	}
	if z := p.FootPosM[2]; math.Abs(z) > 2e-3 {
		t.Errorf("sole of the standing robot at %g m", z)
	}
	if p.OtherContact[0] != 0 {
		t.Errorf("%d contacts besides the feet", p.OtherContact[0])
	}
	for u := range m.NU {
		if p.TorqueSqNm2[u]+1e-12 < p.TorqueNm[u]*p.TorqueNm[u] {
			t.Errorf("servo %d: mean square %g below squared mean %g", u, p.TorqueSqNm2[u], p.TorqueNm[u])
		}
	}
	// A servo driven far beyond its reach is at its limit all the time.
	p.CtrlNew[1] = 10
	must(t, p.Run(nil))
	if p.TorqueSat[1] != 1 {
		t.Errorf("share at the limit %g; want 1", p.TorqueSat[1])
	}
}

// The torque-speed law takes torque away from a servo that moves fast the way it
// pulls, and from no other.
func TestSpeedLimit(t *testing.T) {
	m := loadBiped(t)
	b := newBatch(t, m, 3, 1)
	p := newPeriod(t, m, b)
	off, _, err := b.Component(StateQVel)
	must(t, err)
	posOff, _, err := b.Component(StateQPos)
	must(t, err)
	for w := range 3 {
		b.State[w*b.NState+posOff+2] = 1 // in the air
		p.SpeedRadPerS[2*w], p.SpeedRadPerS[2*w+1] = 2, 5
		b.State[w*b.NState+off+6] = 6
		p.CtrlNew[w*m.NU] = 1
	}
	p.SpeedRadPerS[2], p.SpeedRadPerS[3] = 0, 0 // world 1: no law
	p.CtrlNew[2*m.NU] = -1                      // world 2: pulls against the motion
	must(t, p.Run(nil))
	if p.TorqueNm[0] >= 0.7*p.TorqueNm[m.NU] {
		t.Errorf("servo above its no-load speed gives %.2f N m; without the law %.2f", p.TorqueNm[0], p.TorqueNm[m.NU])
	}
	if p.TorqueNm[2*m.NU] > -3.9 {
		t.Errorf("braking servo gives %.2f N m; want its stall torque", p.TorqueNm[2*m.NU])
	}
}

func BenchmarkPeriod(b *testing.B) {
	m := loadBiped(b)
	bt := newBatch(b, m, 128, 0)
	p := newPeriod(b, m, bt)
	must(b, bt.Reset(nil, 0, StageNone))
	for b.Loop() {
		must(b, p.Run(nil))
	}
	b.ReportMetric(float64(b.N*128)/b.Elapsed().Seconds(), "control-steps/s")
}
