package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const (
	maxStretch   = 2 // by which one pass may slow a moment down
	torqueRounds = 3 // of these, passes in which torques count
	stretchRound = 6 // passes of stretching time and planning anew
	maxLeadS     = 3
	maxLonger    = 4    // times the length asked for
	speedGap     = 0.97 // of the speed limit: what the finished motion stays below
	torqueShare  = 0.9  // of the torque that a servo gives: what the motion is slowed down to
	settleRounds = 2    // passes of correcting the plan by the measured pressure
)

// work is one retargeting under way.
type work struct {
	r    *Retargeter
	o    Options
	s    *solver
	pf   *perform
	plan *plan
	pl   *planner
	q    [][]float64 // the robot's positions, frame by frame
	vel  [][]float64
	acc  [][]float64
	// base holds the source times of the motion at the tempo asked for, at which the person was read; at says where among
	// them each frame of the motion proper lies, and times what source time that is.
	base, at, times []float64
	leadS           [2]float64
	leads           [2]lead
	slow            float64 // length of the motion over what was asked for
	margin          []float64
	// armNeed is by how much each step must be slower so that the arms do not miss too much.
	armNeed []float64
	frame   []int     // the planned frame that each finished frame comes from
	stands  [][2]bool // on which feet each finished frame stands
	retimed bool      // the finished motion had to be slowed down once more
}

// lead is what making the lead-in or lead-out longer has brought.
type lead struct {
	worst   float64 // rate before it was made longer last, 0 if it was not
	before  float64 // s
	settled bool
}

func (w *work) run(m *human.Motion) {
	n := max(2, int(math.Floor(m.Seconds()/w.o.Tempo*w.o.FPS+1e-6))+1)
	for k := 0; k < n; k++ {
		w.times = append(w.times, math.Min(float64(k)/w.o.FPS*w.o.Tempo, m.Seconds()))
	}
	w.base = append([]float64(nil), w.times...)
	w.whole()
	soft := 1.0
	done := read(observe(m, w.base, w.o.FPS, soft, w.o.Mirror), w.o.FPS, w.o.Amplify)
	for round := 0; ; round++ {
		w.pf = done.at(w.at, overlapFrames(w.o.FPS))
		w.layout()
		w.solveOnce()
		before := w.at
		if round == stretchRound || !w.stretch(round < torqueRounds && 2*len(w.at) < 5*n) {
			w.at = before
			break
		}
		if len(w.at) <= maxLonger*n {
			continue
		}
		if round >= stretchRound/2 { // what is still too fast is slowed down in the finished motion
			w.at = before
			break
		}
		// That is jitter, not motion: smooth it away instead.
		w.whole()
		soft *= 2
		done = read(observe(m, w.base, w.o.FPS, soft, w.o.Mirror), w.o.FPS, w.o.Amplify)
	}
	w.times = w.times[:0]
	for _, u := range w.at {
		i := min(int(u), n-2)
		w.times = append(w.times, w.base[i]+(w.base[i+1]-w.base[i])*(u-float64(i)))
	}
	w.settle()
	planned := len(w.q)
	w.enforceSpeed()
	w.slow = float64(len(w.at)-1+len(w.q)-planned) / math.Max(float64(n-1), 1)
	w.pressure()
}

// whole asks for the whole motion at the tempo asked for.
func (w *work) whole() {
	w.at, w.leadS, w.leads = make([]float64, len(w.base)), [2]float64{leadS, leadS}, [2]lead{}
	for k := range w.at {
		w.at[k] = float64(k)
	}
}

// layout plans with lead times that are as long as what happens in them, first as if a step were needed at both ends.
func (w *work) layout() {
	steps := [2]bool{true, true}
	for try := 0; try < 2; try++ {
		pl := &planner{r: w.r, fps: w.o.FPS, pf: w.pf}
		for e, t := range [2]int{0, len(w.pf.intents) - 1} {
			pl.calm[e] = w.leadS[e] / leadS
			need := w.leadS[e]
			if on := w.pf.intents[t].on; !on[0] || !on[1] {
				need = math.Max(need, (shiftS+stepS)*pl.calm[e])
			}
			if steps[e] {
				need = math.Max(need, (shiftS+stepS+2*settleS)*pl.calm[e])
			}
			pl.lead[e] = pl.frames(need + holdS)
		}
		w.pl, w.plan = pl, pl.layout()
		if steps == [2]bool{w.plan.stepIn, w.plan.stepOut} {
			return
		}
		steps = [2]bool{w.plan.stepIn, w.plan.stepOut}
	}
}

// solveOnce finds all frames for the plan as drawn, and the arms' paths.
func (w *work) solveOnce() {
	w.pl.balance(nil)
	w.pl.inReach()
	w.s.reset()
	w.solveFrames()
	w.keepHips()
	w.pl.inReach()
	w.s.reset()
	w.solveFrames()
	w.armPaths(true)
	w.s.armsSet = true
}

// settle finds the arms' final paths, measures where the pressure really is, corrects the plan by it and solves again, a few times.
func (w *work) settle() {
	w.armPaths(false)
	var correction [][2]float64
	for round := 0; round < settleRounds; round++ {
		err := w.pressureError()
		if correction == nil {
			correction = err
		} else {
			for t := range err {
				for k := range err[t] {
					correction[t][k] += err[t][k]
				}
			}
		}
		w.pl.balance(correction)
		w.keepHips()
		w.pl.inReach()
		w.solveFrames()
	}
}

func (w *work) solveFrames() {
	r, n := w.r, len(w.plan.targets)
	nq := r.kin.Tree.NQ
	if len(w.q) != n {
		flat := make([]float64, n*nq)
		w.q = make([][]float64, n)
		for t := range w.q {
			w.q[t] = flat[t*nq : (t+1)*nq : (t+1)*nq]
		}
	}
	w.s.unsolved = 0
	rest := make([]float64, nq)
	from, to := w.plan.lead[0], n-w.plan.lead[1]
	for t := from; t < to; t++ {
		w.seed(t, t == from)
		copy(rest, r.an.Ref)
		w.keepArms(rest, t)
		w.s.solve(&w.plan.targets[t], rest)
		copy(w.q[t], w.s.q)
	}
	for t := from - 1; t >= 0; t-- {
		w.seed(t, t == from-1)
		blend(rest, w.q[from], r.an.Ref, w.plan.targets[t].lead)
		w.keepArms(rest, t)
		w.s.solve(&w.plan.targets[t], rest)
		copy(w.q[t], w.s.q)
	}
	for t := to; t < n; t++ {
		w.seed(t, t == to)
		blend(rest, w.q[to-1], r.an.Ref, w.plan.targets[t].lead)
		w.keepArms(rest, t)
		w.s.solve(&w.plan.targets[t], rest)
		copy(w.q[t], w.s.q)
	}
	w.s.warm = true
}

// seed starts the solver from the earlier solution of this frame if there is one, else from the frame solved last.
func (w *work) seed(t int, first bool) {
	if w.s.warm {
		copy(w.s.q, w.q[t])
		return
	}
	if first {
		switch {
		case t == w.plan.lead[0]:
			copy(w.s.q, w.r.an.Ref)
		case t < w.plan.lead[0]:
			copy(w.s.q, w.q[t+1])
		default:
			copy(w.s.q, w.q[t-1])
		}
	}
}

// keepArms puts the arms' paths into the rest pose once they are known.
func (w *work) keepArms(rest []float64, t int) {
	if !w.s.armsSet {
		return
	}
	for i, arm := range w.r.isArm {
		if p := w.r.dofQ[i]; arm && p > 0 {
			rest[p] = w.q[t][p]
		}
	}
}

// blend mixes positions; only the joints matter.
func blend(dst, a, b []float64, f float64) {
	for i := range dst {
		dst[i] = a[i]*(1-f) + b[i]*f
	}
}

// derive fills in velocities and accelerations of the present solution.
func (w *work) derive() {
	n, nv := len(w.q), w.r.kin.Tree.NV
	if len(w.vel) != n {
		w.vel, w.acc = make([][]float64, n), make([][]float64, n)
		flat := make([]float64, 2*n*nv)
		for t := range w.vel {
			w.vel[t], w.acc[t] = flat[2*t*nv:(2*t+1)*nv], flat[(2*t+1)*nv:(2*t+2)*nv]
		}
	}
	w.r.kin.Derivatives(w.vel, w.acc, w.q, w.o.FPS)
}

// pressureAt returns the pressure point that the present solution needs at frame t.
func (w *work) pressureAt(d *kin.Data, tau []float64, t int) (spatial.Vec3, bool) {
	w.r.kin.Forward(d, w.q[t])
	w.r.kin.InverseDynamics(tau, d, w.vel[t], w.acc[t], nil)
	cop, _, ok := w.r.kin.GroundReaction(d, w.r.an.Root, tau, 0)
	return cop, ok
}

// pressureError returns, smoothed, how far the pressure point lies from the pendulum's.
func (w *work) pressureError() [][2]float64 {
	w.derive()
	n := len(w.q)
	out := make([][2]float64, n)
	tau := make([]float64, w.r.kin.Tree.NV)
	fps2 := w.o.FPS * w.o.FPS
	h := w.r.comHeightM / 9.81
	for t := 1; t < n-1; t++ {
		p, ok := w.pressureAt(w.s.d, tau, t)
		if !ok {
			continue
		}
		for k := range out[t] {
			tg := w.plan.targets
			c := tg[t].com[k] - h*fps2*(tg[t-1].com[k]-2*tg[t].com[k]+tg[t+1].com[k])
			out[t][k] = clamp(p[k]-c, -0.1*w.plan.scale, 0.1*w.plan.scale)
		}
	}
	buf, buf2 := make([]float64, n), make([]float64, n)
	for k := 0; k < 2; k++ {
		gaussEach(n, 0.06*w.o.FPS, func(t int) *float64 { return &out[t][k] }, buf, buf2)
	}
	return out
}
