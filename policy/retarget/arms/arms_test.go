package arms

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

const fps = 50

// still is kata20 standing for so many frames, its arms asked to point down, with a moment of lead at both ends.
func still(t testing.TB, frames int) (*physique.Robot, *feasible.Checker, *plan.Plan, [][]float64) {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	r, err := physique.New(b)
	if err != nil {
		t.Fatal(err)
	}
	check, err := feasible.New(b)
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{Robot: r, FPS: fps, Lead: [2]int{30, 30}, Targets: make([]plan.Target, frames), ScaleM: r.An.LegLengthM()}
	q := make([][]float64, frames)
	for k := range q {
		q[k] = append([]float64(nil), r.An.Ref...)
		tg := &p.Targets[k]
		tg.Lead = math.Max(0, math.Max(1-float64(k)/30, 1-float64(frames-1-k)/30))
		point(p, k, spatial.Vec3{0, 0, -1})
	}
	return r, check, p, q
}

// point asks both arms, mirrored, to point the left arm's way, stretched.
func point(p *plan.Plan, k int, left spatial.Vec3) {
	left = left.Unit(left)
	for s := range 2 {
		v := spatial.Vec3{left[0], left[1] * float64(1-2*s), left[2]}
		p.Targets[k].Upper[s], p.Targets[k].Fore[s] = v, v
	}
}

// off is how far the farthest off segment of an arm points from where it shall, at frame k, rad.
func off(r *physique.Robot, p *plan.Plan, q [][]float64, side, k int) float64 {
	return newPath(r, p, q, side).errors()[k]
}

// fastest is the largest joint speed of the arms over their limit.
func fastest(r *physique.Robot, q [][]float64) (share float64) {
	for k := 1; k < len(q); k++ {
		for _, i := range r.Hinges() {
			if r.IsArm[i] {
				share = math.Max(share, math.Abs(q[k][r.DofQ[i]]-q[k-1][r.DofQ[i]])*fps/r.SpeedRadPerS[i])
			}
		}
	}
	return share
}

// TestArmsPointWhereTheyShall: after a slow rise to the side the arms point there, within their limits, from standing
// to standing, mirrored on both sides, and what was given is not changed.
func TestArmsPointWhereTheyShall(t *testing.T) {
	r, check, p, q := still(t, 200)
	for k := range q {
		u := math.Min(math.Max(float64(k-50)/50, 0), 1)
		point(p, k, spatial.Vec3{0.1, math.Sin(1.2 * u), -math.Cos(1.2 * u)})
	}
	for name, find := range map[string]func() ([][]float64, error){
		"draft": func() ([][]float64, error) { out, _, err := Draft(r, p, q); return out, err },
		"final": func() ([][]float64, error) { return Final(r, check, p, q) },
	} {
		out, err := find()
		if err != nil {
			t.Fatal(err)
		}
		for side := range 2 {
			for k := 110; k < 165; k++ {
				if miss := off(r, p, out, side, k); miss > 0.12 {
					t.Fatalf("%s: arm %d points %.2f rad off at frame %d", name, side, miss, k)
				}
			}
		}
		if v := fastest(r, out); v > 1 {
			t.Errorf("%s: a joint at %.2f of its speed limit", name, v)
		}
		for _, i := range r.Hinges() {
			at := r.DofQ[i]
			for _, k := range []int{0, len(out) - 1} {
				if d := math.Abs(out[k][at] - r.An.Ref[at]); d > 2e-3 {
					t.Errorf("%s: frame %d: dof %d stands %g rad off", name, k, i, d)
				}
			}
			for k := range out {
				if v := out[k][at]; v < r.LoRad[i] || v > r.HiRad[i] || !r.IsArm[i] && v != q[k][at] || q[k][at] != r.An.Ref[at] {
					t.Fatalf("%s: frame %d, dof %d at %g; given %g", name, k, i, v, q[k][at])
				}
			}
		}
		a, b := newPath(r, p, out, 0), newPath(r, p, out, 1)
		for k := range out {
			for j := range a.dofs {
				// Pitch joints and elbows turn alike on both sides, the others the opposite way.
				if x, y := math.Abs(*a.angle(k, j)), math.Abs(*b.angle(k, j)); math.Abs(x-y) > 0.02 {
					t.Fatalf("%s: frame %d, joint %d: %.3f left, %.3f right", name, k, j, x, y)
				}
			}
		}
	}
}

// TestAFastArmCutsTheCorner: a swing that is too fast stays below the speed limit; the needs say that more time is
// needed where it is long, and only there.
func TestAFastArmCutsTheCorner(t *testing.T) {
	for _, c := range []struct {
		frames int // of the swing, up and down
		rad    float64
		need   bool
	}{{40, 2.6, true}, {120, 2.6, false}, {20, 0.5, false}} {
		r, check, p, q := still(t, 240)
		for k := range q {
			u := math.Pow(math.Sin(math.Pi*math.Min(math.Max(float64(k-60)/float64(c.frames), 0), 1)), 2)
			point(p, k, spatial.Vec3{math.Sin(c.rad * u), 0.1, -math.Cos(c.rad * u)})
		}
		_, needs, err := Draft(r, p, q)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Final(r, check, p, q)
		if err != nil {
			t.Fatal(err)
		}
		if v := fastest(r, out); !c.need && v > 1 { // where more time is needed, it is given before the end
			t.Errorf("%d frames: a joint at %.2f of its speed limit", c.frames, v)
		}
		worst, elsewhere := 0.0, 0.0
		for k, v := range needs {
			worst = math.Max(worst, v)
			if k < 40 || k > 80+c.frames {
				elsewhere = math.Max(elsewhere, v)
			}
		}
		if (worst > 1) != c.need || elsewhere > 0 {
			t.Errorf("%d frames: must be %.2f times slower, elsewhere %.2f", c.frames, worst, elsewhere)
		}
	}
}

// TestArmsComeOutOfCorners: whatever the first frame was, the arms end up where the person's are.
func TestArmsComeOutOfCorners(t *testing.T) {
	r, _, p, q := still(t, 150)
	for k := range q {
		point(p, k, spatial.Vec3{0.8, 0.25, -0.6})
	}
	corner := [4]float64{1.1, 2.2, -1.5, 0}
	for side := range 2 {
		x := newPath(r, p, clone(q), side)
		x.rounds = draftRounds
		for k := range x.q {
			for j, i := range x.dofs {
				v := corner[j]
				if j == 1 || j == 2 {
					v *= float64(1 - 2*side)
				}
				*x.angle(k, j) = math.Min(math.Max(v, r.LoRad[i]), r.HiRad[i])
			}
		}
		miss, err := x.unlimited()
		if err != nil {
			t.Fatal(err)
		}
		if m := miss[len(miss)/2]; m > 0.1 {
			t.Errorf("arm %d points %.2f rad off", side, m)
		}
	}
}

// TestArmsKeepClearOfTheBody: asked to point through the trunk, the final path touches nothing that the standing arms
// do not touch, where the draft does.
func TestArmsKeepClearOfTheBody(t *testing.T) {
	r, check, p, q := still(t, 160)
	for k := range q {
		point(p, k, spatial.Vec3{0.1, -0.8, -0.6}) // across
	}
	deepest := func(q [][]float64) (gap float64) {
		d := r.Kin.NewData()
		x := newPath(r, p, q, 0)
		pairs := check.PairsOf(func(a, b int) bool { return x.carries(a) != x.carries(b) })
		for k := range q {
			r.Kin.Forward(d, q[k])
			check.Close(d, pairs, 0.05, func(_, _ int, _, _ spatial.Vec3, g float64) { gap = math.Min(gap, g) })
		}
		return gap
	}
	draft, _, err := Draft(r, p, q)
	if err != nil {
		t.Fatal(err)
	}
	final, err := Final(r, check, p, q)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := deepest(draft), deepest(final); a > -0.01 || b < 0.5*a {
		t.Errorf("%.1f mm inside in the draft, %.1f in the end", -1e3*a, -1e3*b)
	}
}

// TestNoNumberIsRefused: a direction that is none is an error that names frame and joint, not a motion.
func TestNoNumberIsRefused(t *testing.T) {
	r, check, p, q := still(t, 120)
	q[70][r.DofQ[newPath(r, p, q, 1).dofs[0]]] = math.NaN()
	if out, err := Final(r, check, p, q); err == nil {
		t.Errorf("a path of %d frames from a pose that is none", len(out))
	} else if !strings.Contains(err.Error(), "frame 70, joint ") {
		t.Errorf("%v; want frame 70 and a joint", err)
	}
}
