package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Weights of the tasks. Lengths count in leg lengths and angles in rad, so the numbers compare directly; feet and
// balance come first, then the trunk, then the arms, and the standing pose decides what is left open.
const (
	wFootPos   = 10000
	wFootRot   = 1000
	wSwing     = 1000 // of a foot in the air
	wCom       = 1000
	wHip       = 30
	wRootRot   = 3
	wChest     = 2
	wHead      = 0.3
	wUpper     = 1
	wArm       = 0.6
	wRest      = 2e-3 // towards the standing pose
	wStay      = 2e-2 // towards the frame before: decides where the pose is singular
	wLead      = 30   // towards the blended joint angles in lead-in and lead-out
	limitGap   = 0.02 // rad kept from every joint limit, room for the policy
	damping    = 1e-5 // of the equations where the targets are met, and by this share of the error where not
	dampError  = 0.1  // (Sugihara, Solvability-unconcerned inverse kinematics, 2011): no jumps where targets are out of reach
	rootFree   = 6
	converged  = 2e-4 // rad or leg lengths: the largest step that ends the iteration
	maxIter    = 12
	activeTurn = 4 // rounds of clamping at limits per step
)

// solver finds joint angles for one target at a time. It belongs to one goroutine.
type solver struct {
	r        *Retargeter
	m        *kin.Model
	d        *kin.Data
	q        []float64 // positions, the solution of the frame before on entry
	nv       int
	h        []float64 // nv x nv, lower triangle used
	g, step  []float64
	prev     []float64
	frozen   []bool
	chol     []float64
	rhs      []float64
	rows     [3][]float64 // scratch for Jacobian rows, dense
	cost     float64      // weighted squared error at the start of the present step, but for the arms
	armCost  float64      // of the arms
	iters    int          // spent so far
	unsolved int          // frames that hit maxIter in the last pass
	warm     bool         // there is an earlier solution of every frame
	armsSet  bool         // the arms' paths are known: rest holds them
}

func newSolver(r *Retargeter) *solver {
	nv := r.kin.Tree.NV
	s := &solver{r: r, m: r.kin, d: r.kin.NewData(), q: append([]float64(nil), r.an.Ref...), nv: nv,
		h: make([]float64, nv*nv), g: make([]float64, nv), step: make([]float64, nv), prev: make([]float64, len(r.an.Ref)),
		frozen: make([]bool, nv), chol: make([]float64, nv*nv), rhs: make([]float64, nv)}
	for k := range s.rows {
		s.rows[k] = make([]float64, nv)
	}
	return s
}

// reset forgets earlier solutions.
func (s *solver) reset() { s.warm, s.armsSet = false, false }

// solve moves s.q to the target. rest is the pose that the joints without a task go to (canonical tree positions);
// in lead-in and lead-out it is followed closely by everything above the legs.
func (s *solver) solve(tg *target, rest []float64) {
	copy(s.prev, s.q)
	iter := 0
	for ; iter < maxIter; iter++ {
		s.m.Forward(s.d, s.q)
		clear(s.h)
		clear(s.g)
		s.cost, s.armCost = 0, 0
		s.tasks(tg)
		s.posture(tg, rest)
		if s.move() < converged {
			break
		}
	}
	s.iters += iter + 1
	if iter == maxIter {
		s.unsolved++
	}
}

// add puts weight |r - J dq|^2 into the normal equations, for the given columns of the scratch rows, and clears them.
func (s *solver) add(cols []int, rows int, weight float64, r spatial.Vec3) {
	for k := 0; k < rows; k++ {
		j := s.rows[k]
		s.cost += weight * r[k] * r[k]
		for a, i := range cols {
			w := weight * j[i]
			if w == 0 {
				continue
			}
			s.g[i] += w * r[k]
			h := s.h[i*s.nv:]
			for _, c := range cols[:a+1] {
				h[c] += w * j[c]
			}
		}
	}
}

// fill sets the scratch rows to column vectors.
func (s *solver) fill(cols []int, col func(i int) spatial.Vec3) {
	for _, i := range cols {
		v := col(i)
		s.rows[0][i], s.rows[1][i], s.rows[2][i] = v[0], v[1], v[2]
	}
}

func (s *solver) tasks(tg *target) {
	r, d := s.r, s.d
	inv := 1 / r.an.LegLengthM()
	for f := range tg.foot {
		ft, leg := &tg.foot[f], &r.an.Legs[f]
		path := s.m.Path(leg.Foot)
		p := d.Point(leg.Foot, r.footPoint[f])
		s.fill(path, func(i int) spatial.Vec3 { return d.DofLin[i].Add(d.DofAng[i].Cross(p)).Scale(inv) })
		s.add(path, 3, wSwing+(wFootPos-wSwing)*ft.grip, ft.at.Sub(p).Scale(inv))
		s.rotation(leg.Foot, leg.FootFromSole, spatial.FromYaw(ft.yaw), wFootRot*ft.steer*ft.steer*(0.05+0.95*ft.grip))
	}
	s.rotation(r.an.Root, spatial.Identity(), tg.rootRot, wRootRot)
	if r.hasWaist {
		s.rotation(r.an.Chest, r.chestFromBody, tg.chestRot, wChest*(1-tg.lead))
	}
	if len(r.an.Neck) > 0 {
		s.rotation(r.an.Head, r.headFromBody, tg.headRot, wHead*(1-tg.lead))
	}
	// Height of the hips, and the centre of mass.
	root := s.m.Path(r.an.Root)
	p := d.Point(r.an.Root, r.hipMid)
	for _, i := range root {
		s.rows[0][i] = (d.DofLin[i][2] + d.DofAng[i].Cross(p)[2]) * inv
	}
	s.add(root, 1, wHip, spatial.Vec3{(tg.hipM - p[2]) * inv})
	s.fill(r.active, func(i int) spatial.Vec3 { return s.m.ComColumn(d, i).Scale(inv) })
	s.add(r.active, 2, wCom, spatial.Vec3{(tg.com[0] - d.ComM[0]) * inv, (tg.com[1] - d.ComM[1]) * inv})
	if !r.an.HasArms || tg.lead >= 1 || s.armsSet {
		return
	}
	for a := range r.an.Arms {
		arm := &r.an.Arms[a]
		s.direction(arm.Shoulder.At(d), arm.Elbow.At(d), arm.Shoulder.Body, arm.Elbow.Body, tg.upper[a], wUpper*(1-tg.lead))
		if arm.HasElbow {
			s.direction(arm.Elbow.At(d), arm.End.At(d), arm.Elbow.Body, arm.End.Body, tg.arm[a], wArm*(1-tg.lead))
		}
	}
}

// rotation asks for the orientation of a frame fixed to the body.
func (s *solver) rotation(body int, local, want spatial.Quat, weight float64) {
	cur := s.d.BodyRot[body].Mul(local)
	path := s.m.Path(body)
	s.fill(path, func(i int) spatial.Vec3 { return s.d.DofAng[i] })
	s.add(path, 3, weight, want.Mul(cur.Inv()).Normalize().Log())
}

// direction asks that the way from point a (on body ba) to point b (on body bb, farther out) points along want.
func (s *solver) direction(a, b spatial.Vec3, ba, bb int, want spatial.Vec3, weight float64) {
	v := b.Sub(a)
	inv := 1 / math.Max(v.Norm(), 1e-6)
	dir := v.Scale(inv)
	path, inner := s.m.Path(bb), s.m.Path(ba)
	k := 0
	s.fill(path, func(i int) spatial.Vec3 {
		var c spatial.Vec3
		if k < len(inner) && inner[k] == i { // moves both ends: only its turning counts
			k++
			c = s.d.DofAng[i].Cross(v)
		} else {
			c = s.d.DofLin[i].Add(s.d.DofAng[i].Cross(b))
		}
		return c.Sub(dir.Scale(dir.Dot(c))).Scale(inv)
	})
	// Only the arm's own joints help: a trunk that leans to point an arm is no likeness.
	for len(path) > 0 && !s.r.isArm[path[0]] {
		path = path[1:]
	}
	e := want.Sub(dir)
	if dir.Dot(want) < -0.9 { // opposite: any way round is right, take one that has a slope
		e = want.Cross(dir).Cross(dir).Unit(spatial.Vec3{dir[1], dir[2], dir[0]}).Scale(-1)
	}
	body := s.cost
	s.add(path, 3, weight, e)
	s.armCost, s.cost = s.armCost+s.cost-body, body
}

// posture pulls weakly towards the rest pose and the frame before, and in the lead strongly towards the blend.
func (s *solver) posture(tg *target, rest []float64) {
	for k, i := range s.r.active {
		s.h[i*s.nv+i] += damping + dampError*s.cost
		if s.r.isArm[i] {
			s.h[i*s.nv+i] += dampError * s.armCost
		}
		if k < rootFree {
			continue
		}
		p := s.r.dofQ[i]
		w := wRest
		if tg.lead > 0 && !s.r.isLeg[i] || s.armsSet && s.r.isArm[i] {
			w = wLead
		}
		s.h[i*s.nv+i] += w + wStay
		s.g[i] += w*(rest[p]-s.q[p]) + wStay*(s.prev[p]-s.q[p])
	}
}

// move solves for the step within the joint limits, takes it and returns its largest entry.
func (s *solver) move() float64 {
	r := s.r
	for _, i := range r.active {
		s.frozen[i] = false
		s.step[i] = 0
	}
	for round := 0; ; round++ {
		s.solveFree()
		hit := false
		for _, i := range r.active[rootFree:] {
			if s.frozen[i] {
				continue
			}
			p := r.dofQ[i]
			if n := s.q[p] + s.step[i]; n < r.lo[i]-1e-12 || n > r.hi[i]+1e-12 {
				s.step[i] = clamp(n, r.lo[i], r.hi[i]) - s.q[p]
				s.frozen[i] = true
				hit = true
			}
		}
		if !hit || round == activeTurn {
			break
		}
	}
	big := 0.0
	for _, i := range r.active {
		big = math.Max(big, math.Abs(s.step[i]))
	}
	if big > 0.5 { // far from the solution the equations are not to be trusted at full length
		for _, i := range r.active {
			s.step[i] *= 0.5 / big
		}
	}
	s.m.Integrate(s.q, s.q, s.step)
	return big
}

// solveFree solves the normal equations for the free columns by Cholesky, with the frozen steps given.
func (s *solver) solveFree() {
	free := s.r.scratch[:0]
	for _, i := range s.r.active {
		if !s.frozen[i] {
			free = append(free, i)
		}
	}
	n := len(free)
	for a, i := range free {
		b := s.g[i]
		if n < len(s.r.active) {
			for _, j := range s.r.active {
				if s.frozen[j] {
					b -= s.h[max(i, j)*s.nv+min(i, j)] * s.step[j]
				}
			}
		}
		row := s.chol[a*n : a*n+n]
		for c := 0; c <= a; c++ {
			v := s.h[i*s.nv+free[c]]
			rc := s.chol[c*n : c*n+c]
			for k, x := range rc {
				v -= row[k] * x
			}
			if c == a {
				row[a] = math.Sqrt(math.Max(v, 1e-12))
			} else {
				row[c] = v / s.chol[c*n+c]
			}
		}
		for k := 0; k < a; k++ {
			b -= row[k] * s.rhs[k]
		}
		s.rhs[a] = b / row[a]
	}
	for a := n - 1; a >= 0; a-- {
		v := s.rhs[a]
		for k := a + 1; k < n; k++ {
			v -= s.chol[k*n+a] * s.rhs[k]
		}
		s.rhs[a] = v / s.chol[a*n+a]
	}
	for a, i := range free {
		s.step[i] = s.rhs[a]
	}
}
