package solve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func TestLowPass(t *testing.T) {
	const fps, cutoff, n = 60.0, 6.0, 600
	sine := func(hz float64) (gain, shift float64) {
		x := make([]float64, n)
		for i := range x {
			x[i] = math.Sin(2 * math.Pi * hz * float64(i) / fps)
		}
		lowPass(x, fps, cutoff)
		// Correlate away from the ends.
		var s, c float64
		for i := 120; i < 480; i++ {
			w := 2 * math.Pi * hz * float64(i) / fps
			s, c = s+x[i]*math.Sin(w), c+x[i]*math.Cos(w)
		}
		return math.Hypot(s, c) / 180, math.Atan2(c, s)
	}
	for _, c := range []struct{ hz, gain, tol float64 }{{1, 1, 0.002}, {6, math.Sqrt(0.5), 0.01}, {20, 0, 0.01}} {
		gain, shift := sine(c.hz)
		if math.Abs(gain-c.gain) > c.tol {
			t.Errorf("gain %.4f at %g Hz, want %.4f", gain, c.hz, c.gain)
		}
		if c.gain > 0.1 && math.Abs(shift) > 1e-6 {
			t.Errorf("phase %g rad at %g Hz, want none", shift, c.hz)
		}
	}
	line := make([]float64, 50)
	for i := range line {
		line[i] = 3 + 0.2*float64(i)
	}
	lowPass(line, fps, cutoff)
	for i, v := range line {
		// The extended line is a line; the start transient of the slope decays
		// within the padding of two periods to under a permille.
		if math.Abs(v-3-0.2*float64(i)) > 0.01 {
			t.Fatalf("a straight line bends: sample %d is %g", i, v)
		}
	}
	x := []float64{1, 5, 2}
	lowPass(x, 10, 6)
	if x[1] != 5 {
		t.Error("filtered above the band")
	}
}

func TestHampel(t *testing.T) {
	x, valid, bad := make([]float64, 40), make([]bool, 40), make([]bool, 40)
	for i := range x {
		x[i], valid[i] = 0.1*float64(i), true
	}
	x[10] += 5
	x[25] += 5
	valid[25] = false
	x[39] -= 5
	hampel(nil, bad, x, valid, 3, 0.5)
	for i := range bad {
		if want := i == 10 || i == 39; bad[i] != want {
			t.Errorf("sample %d judged %v", i, bad[i])
		}
	}
}

func TestQuantiles(t *testing.T) {
	if q := quantile([]float64{4, 1, 3, 2}, 0.5); q != 2.5 {
		t.Errorf("median %g", q)
	}
	x := []weighted{{3, 1}, {1, 1}, {2, 2}}
	if q := weightedQuantile(x, 0.5); math.Abs(q-2) > 1e-12 {
		t.Errorf("weighted median %g", q)
	}
	if lo, hi := weightedQuantile(x, 0), weightedQuantile(x, 1); lo != 1 || hi != 3 {
		t.Errorf("ends %g and %g", lo, hi)
	}
}

// testProblem is a fit of noisy landmarks, moved off its first guess.
func testProblem() *problem {
	in, _ := film(stepper(), defaultCamera(), 0.5, 30, typical, 12)
	s, _ := newStream(in.Frames, newGrid(in.Frames, 0))
	p := newProblem(s, newLens(in.WidthPx, in.HeightPx, 648), levelUp)
	_, depth := p.measure(s, 1.68)
	p.place(depth)
	p.restFeet()
	p.useContacts(p.detectContacts())
	r := rand.New(rand.NewPCG(5, 5))
	for i := range p.x {
		p.x[i] += 0.01 * r.NormFloat64()
	}
	return p
}

func TestJacobiansMatchFiniteDifferences(t *testing.T) {
	p := testProblem()
	const frame, eps = 7, 1e-6
	// Observations that agree with the pose: robust weights are then flat, and
	// what is left are the derivatives themselves.
	for i := range numFree {
		q := p.at(frame, i).Add(p.mark[frame][i])
		for k := range 2 {
			p.px[frame][i][k] = p.focalPx*q[k]/q[2] + p.centrePx[k]
		}
	}
	for i, b := range bones {
		p.direction[frame][i] = p.joint(frame, b.b).Sub(p.joint(frame, b.a)).Scale(1 / p.length[b.kind])
	}
	p.forward[frame] = p.forward[frame].Scale(-1) // knees now bend the wrong way: their residual is active
	rows := func() (out []row) {
		p.visit(frame, func(r *row) { out = append(out, *r) })
		return out
	}
	base := rows()
	checked := 0
	for k := range frameVars {
		o := frame*frameVars + k
		old := p.x[o]
		p.x[o] = old + eps
		plus := rows()
		p.x[o] = old - eps
		minus := rows()
		p.x[o] = old
		if len(plus) != len(base) || len(minus) != len(base) {
			t.Fatal("an inequality switched: choose another seed")
		}
		for i := range base {
			want := (plus[i].r - minus[i].r) / (2 * eps)
			got := 0.0
			for j := range base[i].n {
				if base[i].idx[j] == k {
					got += base[i].val[j]
				}
			}
			if want != 0 || got != 0 {
				checked++
			}
			// Central differences of residuals of order 10 with curvature of order 1e3.
			if math.Abs(want-got) > 1e-3*(1+math.Abs(want)) {
				t.Errorf("residual %d by coordinate %d: %g, finite difference %g", i, k, got, want)
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d derivatives checked", checked)
	}
}

func TestFitStepsDescend(t *testing.T) {
	p := testProblem()
	p.work = &workspace{}
	for k := range fitParts {
		q := newPart(k)
		before := p.cost(q)
		if err := p.minimisePart(q, 6); err != nil {
			t.Fatal(err)
		}
		if after := p.cost(q); after >= before/2 {
			t.Errorf("part %d: cost %g after %g", k, after, before)
		}
	}
	moved := map[human.Joint]bool{}
	for _, part := range fitParts {
		for _, j := range part {
			if moved[j] {
				t.Errorf("%s is solved twice", j)
			}
			moved[j] = true
		}
	}
	if len(moved) != numFree {
		t.Errorf("%d of %d joints are solved", len(moved), numFree)
	}
}

func TestTwoBone(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		v := func(s float64) spatial.Vec3 {
			return spatial.Vec3{s * r.NormFloat64(), s * r.NormFloat64(), s * r.NormFloat64()}
		}
		hip, ankle, hint := v(1), v(1), v(1)
		knee, foot := twoBone(hip, ankle, hint, 0.4, 0.42)
		if a, b := knee.Sub(hip).Norm(), foot.Sub(knee).Norm(); math.Abs(a-0.4) > 1e-9 || math.Abs(b-0.42) > 1e-9 {
			t.Fatalf("bones of %g and %g m", a, b)
		}
		if d := ankle.Sub(hip).Norm(); d > 0.05 && d < 0.8 && foot.Sub(ankle).Norm() > 1e-9 {
			t.Fatalf("an ankle within reach was moved by %g m", foot.Sub(ankle).Norm())
		}
		side := hint.Sub(hip)
		if knee.Sub(hip).Dot(side.Sub(ankle.Sub(hip).Scale(side.Dot(ankle.Sub(hip))/ankle.Sub(hip).Dot(ankle.Sub(hip))))) < -1e-9 {
			t.Fatal("the knee bends away from the hint")
		}
	}
	last := 0.0
	for x := 0.0; x < 2; x += 0.001 {
		y := softLimit(x, 1, 0.1)
		if y < last || y > 1 || x < 0.9 && y != x {
			t.Fatalf("softLimit(%g) = %g after %g", x, y, last)
		}
		last = y
	}
}

func TestRestPoseHasIdentityRotations(t *testing.T) {
	a := squatter()
	a.lean = func(float64) float64 { return 0 }
	a.arm = func(float64, int) (float64, float64) { return 0, 0 }
	a.pelvis = func(float64) spatial.Vec3 {
		return spatial.Vec3{0, 0, ankleHeight + boneRatio[thigh] + boneRatio[shank] + ankleSeenHeight - ankleHeight}
	}
	a.foot = func(_ float64, side int) (spatial.Vec3, float64) {
		return spatial.Vec3{0, a.heightM * boneRatio[hipWidth] * (0.5 - float64(side)), 0}, 0
	}
	for _, yaw := range []float64{0, 1.1, -2.5} {
		a.yaw = yaw
		b := *a
		b.foot = func(t float64, side int) (spatial.Vec3, float64) {
			p, pitch := a.foot(t, side)
			return spatial.FromYaw(yaw).Rotate(p), pitch
		}
		p := b.at(0)
		for j, q := range p.pose.Rotations {
			if e := spatial.FromYaw(yaw).Inv().Mul(q).Log().Norm(); e > 1e-6 {
				t.Errorf("yaw %g: %s is turned by %g rad", yaw, human.Joint(j), e)
			}
		}
	}
}

func TestRotationsFollowTheJoints(t *testing.T) {
	a := stepper()
	for _, at := range []float64{0, 0.9, 1.7, 2.4} {
		p := a.at(at)
		pos, rot := &p.pose.Positions, &p.pose.Rotations
		down := spatial.Vec3{0, 0, -1}
		for _, j := range []human.Joint{human.LShoulder, human.LElbow, human.RShoulder, human.RElbow, human.LHip, human.LKnee, human.RHip, human.RKnee} {
			want := pos[j+1].Sub(pos[j]).Unit(down)
			if e := rot[j].Rotate(down).Sub(want).Norm(); e > 1e-9 {
				t.Errorf("t %g: %s points %g away from its bone", at, j, e)
			}
		}
		for _, j := range []human.Joint{human.LHip, human.RHip} { // one hinge axis per knee
			_, ty, _ := rot[j].Axes()
			_, sy, _ := rot[j+1].Axes()
			if e := ty.Sub(sy).Norm(); e > 0.1 {
				t.Errorf("t %g: knee axes of thigh and shank differ by %g", at, e)
			}
		}
	}
}

func TestDebounceAndRest(t *testing.T) {
	p := []float64{1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0}
	debounce(p, 3)
	want := []bool{true, true, true, true, true, true, true, false, false, false, false, false, false, false, false, false}
	for i := range p {
		if (p[i] >= 0.5) != want[i] {
			t.Fatalf("sample %d: %v", i, p)
		}
	}
}

func TestLevelFloorFindsASlope(t *testing.T) {
	p := testProblem()
	// Pretend the person walked six metres towards the camera over a floor that
	// seems to slope by 0.08.
	c := make(contacts, p.n)
	for t := range p.n {
		for k, j := range footJoints {
			if t%3 != 2 { // steps
				c[t][k] = 1
			}
			z := 3 + 0.4*float64(t)
			copy(p.x[t*frameVars+3*freeIndex[j]:], []float64{0.1 * float64(k), 1 - 0.08*z - p.seenHeight(k), z})
		}
	}
	up := p.levelFloor(c, 0.05)
	if got := up[2] / up[1]; math.Abs(got-0.08) > 0.02 {
		t.Errorf("slope %.3f, want 0.08", got)
	}
	for t := range p.n { // and did not move at all: then nothing is known
		copy(p.x[t*frameVars:(t+1)*frameVars], p.x[:frameVars])
	}
	if up := p.levelFloor(c, 0.05); up.Sub(p.up).Norm() > 0.03 {
		t.Errorf("standing still tilted the camera by %.3f", up.Sub(p.up).Norm())
	}
}

func TestAShakingFootStaysAFootMovedGoes(t *testing.T) {
	p := testProblem()
	i := freeIndex[human.LToe]
	for t := range p.n {
		p.px[t][i] = [2]float64{200, 600}
	}
	prob := func() []float64 {
		x := make([]float64, p.n)
		for t := range x {
			x[t] = 1
		}
		x[5], x[6], x[7] = 0, 0.1, 0
		return x
	}
	shaken := prob()
	p.closeBreaks(shaken, human.LToe)
	if shaken[6] < 0.5 {
		t.Error("a break without movement was kept")
	}
	p.px[6][i][1] -= 40 // a step of 13 cm
	moved := prob()
	p.closeBreaks(moved, human.LToe)
	if moved[6] >= 0.5 {
		t.Error("a step was closed")
	}
}

func TestContactsOfKnownPoses(t *testing.T) {
	in, truth := film(stepper(), defaultCamera(), 4, 30, noise{}, 1)
	s, _ := newStream(in.Frames, newGrid(in.Frames, 0))
	p := newProblem(s, newLens(in.WidthPx, in.HeightPx, 648), levelUp)
	_, depth := p.measure(s, 1.68)
	p.place(depth)
	// The exact pose: what is judged is the rule, not the fit.
	a, cam := stepper(), defaultCamera()
	for t := range p.n {
		perf := a.at(float64(t) / 30)
		for i, j := range freeJoints {
			l, r := landmarks(j)
			v := cam.see(perf.marks[l].Lerp(perf.marks[r], 0.5))
			copy(p.x[t*frameVars+3*i:], v[:])
		}
	}
	c := p.detectContacts()
	p.useContacts(c)
	if h := -p.floor - cam.heightM; math.Abs(h) > 0.01 {
		t.Errorf("the camera is %.3f m high, truly %g", -p.floor, cam.heightM)
	}
	wrong := 0
	for i := range c {
		for k := range c[i] {
			if (c[i][k] >= 0.5) != (truth.Frames[i].Contacts[k] >= 0.5) {
				wrong++
			}
		}
	}
	// A foot leaves and lands slowly: a frame or two around each of the twelve
	// changes of two landmarks are arguable.
	if limit := 12 * 2 * 3; wrong > limit {
		t.Errorf("%d of %d contacts differ, at most %d are arguable", wrong, 4*len(c), limit)
	}
}
