package wholebody

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/lsq"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

func kata(t testing.TB) *physique.Robot {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	r, err := physique.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// as returns the target that a pose meets.
func as(r *physique.Robot, q []float64) plan.Target {
	d := r.Kin.NewData()
	r.Kin.Forward(d, q)
	tg := plan.Target{RootRot: d.BodyRot[r.An.Root], ChestRot: d.BodyRot[r.An.Chest].Mul(r.ChestFromBody),
		HipM: d.Point(r.An.Root, r.HipMid)[2], Com: [2]float64{d.ComM[0], d.ComM[1]}}
	for s := range tg.Foot {
		l, a := &r.An.Legs[s], &r.An.Arms[s]
		sole := d.BodyRot[l.Foot].Mul(l.FootFromSole)
		tg.Foot[s] = plan.FootTarget{At: d.Point(l.Foot, r.FootPoint[s]), Yaw: sole.YawRad(), On: true, Level: 1, Grip: 1}
		tg.Upper[s] = a.Elbow.At(d).Sub(a.Shoulder.At(d)).Unit(spatial.Vec3{})
		tg.Fore[s] = a.End.At(d).Sub(a.Elbow.At(d)).Unit(spatial.Vec3{})
	}
	return tg
}

// squatting returns a pose with level soles under bent knees, the arms anywhere.
func squatting(r *physique.Robot, rng *rand.Rand) []float64 {
	q := append([]float64(nil), r.An.Ref...)
	set := func(name string, v float64) { q[r.DofQ[r.Joints[r.Desc.JointIndex(name)]]] = v }
	knee := 0.7 + 0.8*rng.Float64()
	for k, side := range []string{"l_", "r_"} {
		set(side+"hip_pitch", -knee/2)
		set(side+"knee", knee)
		set(side+"ankle_pitch", -knee/2)
		set(side+"shoulder_pitch", -1.2*rng.Float64())
		set(side+"shoulder_roll", (0.2+0.8*rng.Float64())*float64(1-2*k))
		set(side+"elbow", -0.3-rng.Float64())
	}
	l := r.An.Legs[0]
	q[2] -= (l.ThighM + l.ShankM) * (math.Cos(0.35) - math.Cos(knee/2))
	return q
}

// TestFramesFindReachablePoses: from the standing pose, the pose that made a target is met: feet and centre of mass
// to half a millimetre, the trunk to a degree, the arms to five.
func TestFramesFindReachablePoses(t *testing.T) {
	r := kata(t)
	rng := rand.New(rand.NewPCG(6, 0))
	for try := range 30 {
		s, tg := New(r), as(r, squatting(r, rng))
		for range 3 { // as in the frames of a motion: each starts from the one before
			if _, err := s.frame(&tg, r.An.Ref, false); err != nil {
				t.Fatal(err)
			}
		}
		got := as(r, s.q)
		for k := range tg.Foot {
			if d := got.Foot[k].At.Sub(tg.Foot[k].At).Norm(); d > 5e-4 {
				t.Errorf("try %d: foot %d misses by %.2f mm", try, k, 1e3*d)
			}
			if d := got.Upper[k].Sub(tg.Upper[k]).Norm(); d > 0.09 {
				t.Errorf("try %d: upper arm %d misses by %.2f rad", try, k, d)
			}
			if d := got.Fore[k].Sub(tg.Fore[k]).Norm(); d > 0.09 {
				t.Errorf("try %d: forearm %d misses by %.2f rad", try, k, d)
			}
		}
		com := math.Hypot(got.Com[0]-tg.Com[0], got.Com[1]-tg.Com[1])
		if turn := got.RootRot.Mul(tg.RootRot.Inv()).Log().Norm(); com > 2e-3 || turn > 0.02 || math.Abs(got.HipM-tg.HipM) > 2e-3 {
			t.Errorf("try %d: centre of mass %.2f mm, hips %.2f mm, trunk %.3f rad off", try, 1e3*com, 1e3*(got.HipM-tg.HipM), turn)
		}
	}
}

// TestFeetComeFirst: what cannot all be met is given up from the arms upwards: feet last.
func TestFeetComeFirst(t *testing.T) {
	r := kata(t)
	tg := as(r, r.An.Ref)
	tg.HipM *= 1.5 // beyond the legs
	tg.RootRot = spatial.Exp(spatial.Vec3{0, 0.4, 0})
	s := New(r)
	for range 10 {
		if _, err := s.frame(&tg, r.An.Ref, false); err != nil {
			t.Fatal(err)
		}
	}
	got := as(r, s.q)
	for k := range tg.Foot {
		if d := got.Foot[k].At.Sub(tg.Foot[k].At).Norm(); d > 0.01*r.An.LegLengthM()+2e-3 {
			t.Errorf("foot %d gives way by %.1f mm", k, 1e3*d)
		}
	}
	if got.HipM > 1.2*as(r, r.An.Ref).HipM {
		t.Errorf("hips at %.3f m, above what the legs reach", got.HipM)
	}
	for _, i := range r.Hinges() {
		if v := s.q[r.DofQ[i]]; v < r.LoRad[i]-1e-9 || v > r.HiRad[i]+1e-9 {
			t.Errorf("dof %d at %g, outside %g to %g", i, v, r.LoRad[i], r.HiRad[i])
		}
	}
}

// TestArmsThatPointNowhereLeaveTheTrunkAlone: a direction that an arm cannot take must not turn the trunk.
func TestArmsThatPointNowhereLeaveTheTrunkAlone(t *testing.T) {
	r := kata(t)
	tg := as(r, r.An.Ref)
	for s := range tg.Upper {
		tg.Upper[s] = spatial.Vec3{-0.8, -0.6 * float64(1-2*s), 0} // behind the back and across
		tg.Fore[s] = spatial.Vec3{-0.6, -0.8 * float64(1-2*s), 0}
	}
	s := New(r)
	for range 20 {
		if _, err := s.frame(&tg, r.An.Ref, false); err != nil {
			t.Fatal(err)
		}
	}
	if off := tg.RootRot.Inv().Mul(as(r, s.q).RootRot).Log().Norm(); off > 0.02 {
		t.Errorf("the trunk turns by %.3f rad", off)
	}
}

// TestTermsOfAFrame: what must be met weighs most; in the lead the arms' directions fade, standing they are none; every
// term depends on something.
func TestTermsOfAFrame(t *testing.T) {
	r := kata(t)
	tg := as(r, r.An.Ref)
	heaviest := 0.0
	for _, x := range bodyTerms(r, &tg) {
		if len(x.Dofs()) == 0 {
			t.Errorf("%T depends on nothing", x)
		}
		if x.Weight() > heaviest {
			heaviest = x.Weight()
			if p, ok := x.(lsq.Place); !ok || p.Body != r.An.Legs[0].Foot {
				t.Errorf("%T weighs most", x)
			}
		}
	}
	var weights [3]float64
	for k, lead := range []float64{0, 0.5, 1} {
		tg.Lead = lead
		for _, x := range armTerms(r, &tg) {
			weights[k] += x.Weight()
			for _, i := range x.Dofs() {
				if !r.IsArm[i] {
					t.Errorf("%T turns dof %d, which is no arm's", x, i)
				}
			}
		}
	}
	if weights[0] != 2*(UpperGain+ForeGain) || math.Abs(weights[1]-weights[0]/2) > 1e-12 || weights[2] != 0 {
		t.Errorf("the arms weigh %v", weights)
	}
	swing := tg
	swing.Foot[0].Grip, swing.Foot[0].Level = 0, 0
	if a, b := bodyTerms(r, &tg), bodyTerms(r, &swing); b[0].Weight() != SwingGain || a[0].Weight() != FootGain || b[1].Weight() != 0 {
		t.Errorf("a foot in the air weighs %g, turned %g; standing %g", b[0].Weight(), b[1].Weight(), a[0].Weight())
	}
}

// TestWhatIsNoNumberIsNamed: the error says frame and joint.
func TestWhatIsNoNumberIsNamed(t *testing.T) {
	r := kata(t)
	p := &plan.Plan{Robot: r, Targets: make([]plan.Target, 6), Lead: [2]int{2, 1}}
	for k := range p.Targets {
		p.Targets[k] = as(r, r.An.Ref)
	}
	p.Targets[0].Lead, p.Targets[1].Lead, p.Targets[5].Lead = 1, 0.5, 1
	sol, err := New(r).Draft(p)
	if err != nil || sol.Unsolved != 0 || len(sol.Q) != 6 {
		t.Fatalf("%+v, %v", sol, err)
	}
	for k := range sol.Q {
		for _, i := range r.Hinges() {
			if d := math.Abs(sol.Q[k][r.DofQ[i]] - r.An.Ref[r.DofQ[i]]); d > 1e-3 {
				t.Errorf("frame %d: dof %d is %g off the standing pose that was asked for", k, i, d)
			}
		}
	}
	for k := range p.Targets { // whichever frame it is
		bad := *p
		bad.Targets = append([]plan.Target(nil), p.Targets...)
		bad.Targets[k].Com[0] = math.NaN()
		if _, err := New(r).Draft(&bad); err == nil || !strings.Contains(err.Error(), "wholebody: frame "+string(rune('0'+k))) {
			t.Errorf("frame %d: %v", k, err)
		}
	}
}
