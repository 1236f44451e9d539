package loop

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// wild is a controller that has lost its mind and does not know it.
type wild struct {
	act  func(rng *rand.Rand) float64
	rng  *rand.Rand
	acts int
}

func (c *wild) Enter([]float64) {}
func (c *wild) Phase() float64  { return 0.5 }
func (c *wild) Act(dst []float64, _ *sensed.Robot, _ bool) (bool, error) {
	c.acts++
	for j := range dst {
		dst[j] = c.act(c.rng)
	}
	return false, nil
}

// Whatever a controller asks for passes the guard: rig.step looks at every goal
// that reaches the servos, for range, for jumps, and for the first of them.
func TestNoControllerPassesTheGuard(t *testing.T) {
	for name, act := range map[string]func(rng *rand.Rand) float64{
		"far away": func(*rand.Rand) float64 { return 1e6 },
		"to and fro": func(rng *rand.Rand) float64 {
			return 2 * float64(2*rng.IntN(2)-1)
		},
		"all sizes": func(rng *rand.Rand) float64 { return rng.NormFloat64() * math.Pow(10, 4*rng.Float64()-2) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, true)
			ctl := &wild{act: act, rng: rand.New(rand.NewPCG(3, 4))}
			l, err := New(config(3), r.fake, ctl, r.ring)
			if err != nil {
				t.Fatal(err)
			}
			r.l = l
			r.arm()
			r.l.Request(mode.Activate)
			r.steps(400)
			c := r.l.Result().Guard
			if n := c.NotFinite + c.Range + c.Speed + c.Accel; ctl.acts < 10 || n < 10 {
				t.Errorf("%d acts, %d changed by the guard: nothing was tested", ctl.acts, n)
			}
		})
	}
}
