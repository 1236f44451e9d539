package pace

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

// Finished is a motion whose joints are within their speed limits.
type Finished struct {
	Q       [][]float64 // positions by frame
	Frame   []int       // the planned frame that each comes from
	Stands  [][2]bool   // on which feet it stands
	Retimed bool        // it had to be slowed down for that
}

// Enforce slows a finished motion itself down wherever a joint is still too fast, so that the limit holds whatever
// happened before. Feet stay where they are, only later.
func Enforce(r *physique.Robot, q [][]float64, contacts [][2]bool, fps float64) *Finished {
	f := &Finished{Q: q, Frame: make([]int, len(q)), Stands: contacts}
	for t := range f.Frame {
		f.Frame[t] = t
	}
	for {
		rate := Speeds(r, f.Q, fps)
		fast := false
		for _, r := range rate {
			fast = fast || r > 1
		}
		if !fast {
			return f
		}
		f = f.at(r, slower(rate, fps))
	}
}

// at is the motion at other moments, in frames.
func (f *Finished) at(r *physique.Robot, moments []float64) *Finished {
	out := &Finished{Retimed: true}
	for _, u := range moments {
		t := min(int(u), len(f.Q)-2)
		row := make([]float64, len(f.Q[0]))
		between(r, row, f.Q, t, u-float64(t))
		on, next := f.Stands[t], f.Stands[t+1]
		if float64(t) == u {
			next = on
		}
		if both := [2]bool{on[0] && next[0], on[1] && next[1]}; both[0] || both[1] {
			on = both // between swing and stance, the foot still moves
		}
		out.Q, out.Stands = append(out.Q, row), append(out.Stands, on)
		out.Frame = append(out.Frame, f.Frame[int(math.Round(u))])
	}
	return out
}

// between writes the positions a fraction f of the way from frame t to the next, on a cubic that goes through all
// frames with continuous speed (Catmull and Rom), in the tangent space at frame t.
func between(r *physique.Robot, dst []float64, q [][]float64, t int, f float64) {
	n, nv, last := min(t+1, len(q)-1), r.Kin.Tree.NV, len(q)-1
	step, before, after := make([]float64, nv), make([]float64, nv), make([]float64, nv)
	r.Kin.Difference(step, q[t], q[n])
	r.Kin.Difference(before, q[max(t-1, 0)], q[t])
	r.Kin.Difference(after, q[n], q[min(n+1, last)])
	h01, h10, h11 := f*f*(3-2*f), f*(1-f)*(1-f), -f*f*(1-f)
	for i := range step {
		step[i] = h01*step[i] + h10*(before[i]+step[i])/2 + h11*(after[i]+step[i])/2
	}
	r.Kin.Integrate(dst, q[t], step)
	for _, i := range r.Hinges() { // a cubic may swing past a limit
		p := r.DofQ[i]
		dst[p] = curve.Clamp(dst[p], r.LoRad[i], r.HiRad[i])
	}
}
