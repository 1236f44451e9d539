package idle

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/lsq"
)

// Solving is Levenberg's damped Gauss-Newton: the residuals are the roots of the joints' heats, which are linear in the
// torques, so that their squares are the sum that is to be least.
const (
	mostSteps      = 60
	firstDamp      = 1e-3
	leastDamp      = 1e-9
	mostDamp       = 1e9
	stepRad        = 1e-5 // of the central differences
	settledRad     = 1e-7
	restoringSteps = 3
	hardlyBelow    = 1e-7 // share of the cost
)

// heat is the wish that one joint's torque be none: its residual squared is its share of the standing pose's heat.
type heat struct {
	root  float64 // of that share, with the torque's sign
	slope []float64
	dofs  []int
}

func (h heat) Unit() lsq.Unit                         { return "root of the share of the standing pose's heat" }
func (h heat) Weight() float64                        { return 1 }
func (h heat) Residual(*kin.Data) (spatial.Vec3, int) { return spatial.Vec3{-h.root}, 1 }
func (h heat) Dofs() []int                            { return h.dofs }
func (h heat) Column(_ *kin.Data, dof int) spatial.Vec3 {
	return spatial.Vec3{h.slope[dof]}
}

// centre wants the centre of mass no farther from the middle of the feet than it may be; where side is -1 or 1, forward
// or sideways, at just that end.
type centre struct {
	p    *problem
	dofs []int
	side [2]float64
}

func (c centre) Unit() lsq.Unit  { return lsq.Metres }
func (c centre) Weight() float64 { return centrePerM2 }
func (c centre) Dofs() []int     { return c.dofs }

// Residual is the way back, none inside.
func (c centre) Residual(d *kin.Data) (r spatial.Vec3, rows int) {
	for i, wide := range c.p.wide {
		off := d.ComM[i] - c.p.centre[i]
		if r[i] = min(max(off, -wide), wide) - off; c.side[i] != 0 {
			r[i] = c.side[i]*wide - off
		}
	}
	return r, 2
}

func (c centre) Column(d *kin.Data, dof int) spatial.Vec3 {
	r, _ := c.Residual(d)
	v := c.p.b.Kin.ComColumn(d, dof)
	for i := range c.side {
		if r[i] == 0 && c.side[i] == 0 {
			v[i] = 0
		}
	}
	return v
}

// search is one run of the solver.
type search struct {
	*problem
	active []int // velocity indices, the root's first
	moving []int // described joints
	scale  []float64
	dense  *lsq.Dense
	roots  []float64   // by described joint
	slopes [][]float64 // by described joint and velocity index
	at     []float64   // joint angles by velocity index
}

// solve returns the positions of the stance of least heat.
func (p *problem) solve(legsOnly bool) ([]float64, error) {
	s := p.newSearch(legsOnly)
	q := slices.Clone(p.stand)
	cost, damp := s.cost(q), firstDamp
	s.differentiate(q)
	for range mostSteps {
		next, far, err := s.try(q, damp)
		if err != nil {
			return nil, err
		}
		if c := s.cost(next); c < cost {
			done := far < settledRad || cost-c < hardlyBelow*cost
			q, cost, damp = next, c, max(leastDamp, damp/4)
			if done {
				break
			}
			s.differentiate(q)
			continue
		}
		if damp *= 8; damp > mostDamp || far < settledRad {
			break
		}
	}
	return q, nil
}

// try returns where a damped step leads from q, and how far the joint goes that goes farthest, in rad. A step that
// would take the centre of mass too far out is made again with it at the end of where it may be.
func (s *search) try(q []float64, damp float64) (next []float64, farRad float64, err error) {
	var side [2]float64
	next = make([]float64, len(q))
	for range 1 + len(side) {
		step, err := s.step(q, damp, side)
		if err != nil {
			return nil, 0, err
		}
		s.b.Kin.Integrate(next, q, step)
		farRad = 0
		for _, i := range s.active {
			farRad = max(farRad, math.Abs(step[i]))
		}
		if err := s.restore(next); err != nil {
			return nil, 0, err
		}
		s.b.Kin.Forward(s.d, next)
		out, _ := centre{p: s.problem}.Residual(s.d)
		again := false
		for i := range side {
			if side[i] == 0 && out[i] != 0 {
				side[i], again = math.Copysign(1, -out[i]), true
			}
		}
		if !again {
			break
		}
	}
	return next, farRad, nil
}

func (p *problem) newSearch(legsOnly bool) *search {
	nv := p.b.Kin.Tree.NV
	s := &search{problem: p, dense: lsq.NewDense(nv), roots: make([]float64, len(p.b.Joints)), at: make([]float64, nv)}
	for i := range 6 {
		s.active = append(s.active, p.b.Root.QVel+i)
	}
	total := 0.0
	for _, l := range p.loads(p.stand) {
		total += l.HeatW
	}
	for k := range p.b.Joints {
		m := p.motors[k]
		s.scale = append(s.scale, math.Sqrt(m.ohm/total)/m.nmPerA)
		s.slopes = append(s.slopes, make([]float64, nv))
		if !legsOnly || p.b.Joints[k].Limb == body.Leg {
			s.moving = append(s.moving, k)
			s.active = append(s.active, p.b.Joints[k].QVel)
		}
	}
	return s
}

// weigh fills in the residuals.
func (s *search) weigh(dst, q []float64) {
	tau := s.check.Torques(q, s.still, s.still, [2]bool{true, true})
	for k := range s.b.Joints {
		dst[k] = s.scale[k] * tau[s.b.Joints[k].QVel]
	}
}

// cost is what is minimised.
func (s *search) cost(q []float64) float64 {
	s.weigh(s.roots, q)
	sum := 0.0
	for _, r := range s.roots {
		sum += r * r
	}
	s.b.Kin.Forward(s.d, q)
	for _, t := range append(slices.Clone(s.soles), lsq.Term(centre{p: s.problem})) {
		r, rows := t.Residual(s.d)
		for _, x := range r[:rows] {
			sum += t.Weight() * x * x
		}
	}
	for _, k := range s.moving {
		d := q[s.b.Joints[k].QPos] - s.stand[s.b.Joints[k].QPos]
		sum += stayPerRad2 * d * d
	}
	return sum
}

// step is one damped step from q, where the slopes are known, by velocity index.
func (s *search) step(q []float64, damp float64, side [2]float64) ([]float64, error) {
	s.weigh(s.roots, q)
	s.b.Kin.Forward(s.d, q)
	s.dense.Clear()
	var ignored float64
	sorted := slices.Clone(s.active)
	slices.Sort(sorted)
	for k := range s.b.Joints {
		s.dense.Add(s.d, heat{s.roots[k], s.slopes[k], sorted}, &ignored)
	}
	for _, t := range s.soles {
		s.dense.Add(s.d, t, &ignored)
	}
	s.dense.Add(s.d, centre{s.problem, sorted, side}, &ignored)
	for _, i := range s.active {
		s.dense.Pull(i, damp, 0)
	}
	for _, k := range s.moving {
		j := &s.b.Joints[k]
		s.at[j.QVel] = q[j.QPos]
		s.dense.Pull(j.QVel, stayPerRad2, stayPerRad2*(s.stand[j.QPos]-q[j.QPos]))
	}
	return s.dense.Exact(s.active, lsq.Box{First: 6, At: s.at, Lo: s.lo, Hi: s.hi})
}

// restore brings the soles back to where they stand: a step goes straight, and their way round is bent.
func (s *search) restore(q []float64) error {
	var ignored float64
	for range restoringSteps {
		s.b.Kin.Forward(s.d, q)
		s.dense.Clear()
		for _, t := range s.soles {
			s.dense.Add(s.d, t, &ignored)
		}
		for _, i := range s.active {
			s.dense.Pull(i, 1, 0)
		}
		for _, k := range s.moving {
			s.at[s.b.Joints[k].QVel] = q[s.b.Joints[k].QPos]
		}
		step, err := s.dense.Exact(s.active, lsq.Box{First: 6, At: s.at, Lo: s.lo, Hi: s.hi})
		if err != nil {
			return err
		}
		s.b.Kin.Integrate(q, q, step)
	}
	return nil
}

// differentiate fills in how the residuals change with each active velocity.
func (s *search) differentiate(q []float64) {
	n := len(s.b.Joints)
	up, down := make([]float64, n), make([]float64, n)
	moved, step := make([]float64, len(q)), make([]float64, s.b.Kin.Tree.NV)
	for _, i := range s.active {
		step[i] = stepRad
		s.b.Kin.Integrate(moved, q, step)
		s.weigh(up, moved)
		step[i] = -stepRad
		s.b.Kin.Integrate(moved, q, step)
		s.weigh(down, moved)
		step[i] = 0
		for k := range up {
			s.slopes[k][i] = (up[k] - down[k]) / (2 * stepRad)
		}
	}
}
