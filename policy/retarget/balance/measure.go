package balance

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// Error returns, smoothed, how far (m) the pressure point that the motion needs by full inverse dynamics lies from the
// planned pendulum's. What is wildly off is cut.
func Error(p *plan.Plan, m physique.Motion) [][2]float64 {
	n, tg := len(m.Q), p.Targets
	out := make([][2]float64, n)
	at := newPressure(p.Robot)
	fps2 := p.FPS * p.FPS
	h := p.Robot.ComHeightM / gravityMPerS2
	for t := 1; t < n-1; t++ {
		need, ok := at.frame(m, t)
		if !ok {
			continue
		}
		for k := range out[t] {
			c := tg[t].Com[k] - h*fps2*(tg[t-1].Com[k]-2*tg[t].Com[k]+tg[t+1].Com[k])
			out[t][k] = curve.Clamp(need[k]-c, -0.1*p.ScaleM, 0.1*p.ScaleM)
		}
	}
	var smooth curve.Gauss
	for k := range 2 {
		smooth.Each(n, 0.06*p.FPS, func(t int) *float64 { return &out[t][k] })
	}
	return out
}

// Margins returns, for every frame, how far (m) the needed pressure point lies inside the standing feet; negative is
// outside, -Inf where the floor would have to pull.
func Margins(r *physique.Robot, m physique.Motion, stands [][2]bool) []float64 {
	out := make([]float64, len(m.Q))
	at := newPressure(r)
	for t := range out {
		cop, ok := at.frame(m, t)
		if !ok {
			out[t] = math.Inf(-1)
			continue
		}
		out[t] = r.An.Support(at.d, stands[t]).Margin(cop)
	}
	return out
}

// pressure finds pressure points, with scratch space.
type pressure struct {
	r   *physique.Robot
	d   *kin.Data
	tau []float64
}

func newPressure(r *physique.Robot) *pressure {
	return &pressure{r: r, d: r.Kin.NewData(), tau: make([]float64, r.Kin.Tree.NV)}
}

// frame returns the pressure point that the motion needs at frame t; ok is false where the floor would have to pull.
func (x *pressure) frame(m physique.Motion, t int) (cop spatial.Vec3, ok bool) {
	x.r.Kin.Forward(x.d, m.Q[t])
	x.r.Kin.InverseDynamics(x.tau, x.d, m.Vel[t], m.Acc[t], nil)
	cop, _, ok = x.r.Kin.GroundReaction(x.d, x.r.An.Root, x.tau, 0)
	return cop, ok
}
