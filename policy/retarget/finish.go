package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// enforceSpeed slows the finished motion itself down wherever a joint is still too fast, so that the limit holds
// whatever happened before. Feet stay where they are, only later.
func (w *work) enforceSpeed() {
	w.frame = make([]int, len(w.q))
	for t := range w.frame {
		w.frame[t] = t
	}
	w.stands = w.plan.contacts
	for {
		rate := w.rates(false, false)
		fast := false
		for _, r := range rate {
			fast = fast || r > 1
		}
		if !fast {
			return
		}
		w.retimed = true
		var q [][]float64
		var frame []int
		var stands [][2]bool
		for _, u := range slower(rate, w.o.FPS) {
			t := min(int(u), len(w.q)-2)
			row := make([]float64, len(w.q[0]))
			w.between(row, t, u-float64(t))
			q, frame = append(q, row), append(frame, w.frame[int(math.Round(u))])
			on, next := w.stands[t], w.stands[t+1]
			if float64(t) == u {
				next = on
			}
			if both := [2]bool{on[0] && next[0], on[1] && next[1]}; both[0] || both[1] {
				on = both // between swing and stance, the foot still moves
			}
			stands = append(stands, on)
		}
		w.q, w.frame, w.stands = q, frame, stands
	}
}

// on says on which feet the finished frame stands.
func (w *work) on(t int) [2]bool { return w.stands[t] }

// between writes the positions a fraction f of the way from frame t to the next, on a cubic that goes through all
// frames with continuous speed (Catmull and Rom), in the tangent space at frame t.
func (w *work) between(dst []float64, t int, f float64) {
	n, nv, last := min(t+1, len(w.q)-1), w.r.kin.Tree.NV, len(w.q)-1
	step, before, after := make([]float64, nv), make([]float64, nv), make([]float64, nv)
	w.r.kin.Difference(step, w.q[t], w.q[n])
	w.r.kin.Difference(before, w.q[max(t-1, 0)], w.q[t])
	w.r.kin.Difference(after, w.q[n], w.q[min(n+1, last)])
	h01, h10, h11 := f*f*(3-2*f), f*(1-f)*(1-f), -f*f*(1-f)
	for i := range step {
		step[i] = h01*step[i] + h10*(before[i]+step[i])/2 + h11*(after[i]+step[i])/2
	}
	w.r.kin.Integrate(dst, w.q[t], step)
	for _, i := range w.r.active[rootFree:] { // a cubic may swing past a limit
		p := w.r.dofQ[i]
		dst[p] = clamp(dst[p], w.r.lo[i], w.r.hi[i])
	}
}

// pressure measures, for every frame, how far the needed pressure point lies inside the standing feet.
func (w *work) pressure() {
	w.derive()
	w.margin = make([]float64, len(w.q))
	tau := make([]float64, w.r.kin.Tree.NV)
	for t := range w.q {
		cop, ok := w.pressureAt(w.s.d, tau, t)
		if !ok {
			w.margin[t] = math.Inf(-1)
			continue
		}
		w.margin[t] = w.r.an.Support(w.s.d, w.on(t)).Margin(cop)
	}
}

// clip writes the result in file form: joints in the robot's order, all bodies of the model, the root first.
func (w *work) clip(m *human.Motion) *motion.Clip {
	r, tree := w.r, w.r.kin.Tree
	bodies := []int{r.an.Root}
	for b := 1; b < len(tree.Bodies); b++ {
		if b != r.an.Root {
			bodies = append(bodies, b)
		}
	}
	c := &motion.Clip{FPS: w.o.FPS, JointNames: r.desc.JointNames()}
	for _, b := range bodies {
		c.BodyNames = append(c.BodyNames, tree.Bodies[b].Name)
	}
	for t := range w.q {
		f := motion.NewFrame(len(c.JointNames), len(bodies))
		r.kin.Forward(w.s.d, w.q[t])
		r.kin.Velocities(w.s.d, w.vel[t])
		for k, i := range r.joints {
			f.JointPosRad[k], f.JointVelRadS[k] = w.q[t][r.dofQ[i]], w.vel[t][i]
		}
		for k, b := range bodies {
			f.BodyPosM[k], f.BodyQuat[k] = w.s.d.BodyPos[b], positive(w.s.d.BodyRot[b])
			f.BodyVelMS[k], f.BodyAngVel[k] = w.s.d.BodyVel[b], w.s.d.BodyAngVel[b]
		}
		for s, on := range w.on(t) {
			if on {
				f.Contacts[s] = 1
			}
		}
		c.Frames = append(c.Frames, f)
	}
	var lead [2]int
	sourceS := make([]float64, len(w.frame))
	for i, t := range w.frame {
		// Whole milliseconds: enough for pictures, and short in the file.
		k := max(0, min(t-w.plan.lead[0], len(w.times)-1))
		sourceS[i] = math.Round(1000*w.times[k]) / 1000
		if t < w.plan.lead[0] {
			lead[0]++
		} else if t >= len(w.plan.targets)-w.plan.lead[1] {
			lead[1]++
		}
	}
	c.Meta = motion.Meta{Robot: r.desc.Name, RobotHash: r.desc.Hash, Source: m.Meta.Source, SourceSHA256: m.Meta.SourceSHA256,
		LeadInS: float64(lead[0]) / w.o.FPS, LeadOutS: float64(lead[1]) / w.o.FPS, SourceS: sourceS, Tool: "mitori retarget"}
	return c
}

// positive picks, of the two quaternions of a rotation, the one with w >= 0, so that files compare.
func positive(q spatial.Quat) spatial.Quat {
	if q[0] < 0 {
		return spatial.Quat{-q[0], -q[1], -q[2], -q[3]}
	}
	return q
}
