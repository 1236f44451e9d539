// Package arms finds the arms' joint paths over all frames at once, for the trunk's path as it is. Frame by frame, an
// arm that points along a joint axis or is straight has joints that turn wildly for nothing; over the whole path the
// smoothest of all good ways is found, within the speed limits and clear of the body.
//
// Each arm is one banded least-squares problem (policy/retarget/lsq) solved by Gauss-Newton: only frames up to two
// apart are coupled. Angles in rad, lengths in m, one position vector (length NQ) a frame. Functions do not change
// what they are given; they use the feasible.Checker's scratch space, so calls with the same one must not overlap.
// Not here: where the arms shall point (policy/retarget/plan), slowing the motion down (policy/retarget/pace).
package arms

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/lsq"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// How the paths are iterated; tuned on kata20's demonstrations and spoiled ones.
const (
	rounds      = 6
	draftRounds = 3
	longestStep = 0.5  // rad, of one round
	beyondRad   = 0.05 // by which a path may leave the joint limits between rounds
)

// Draft finds the arms' paths for a body motion q. needs says, for each step between frames, by how much it must be
// slower for the arms: see lag. Collisions are left out.
func Draft(r *physique.Robot, p *plan.Plan, q [][]float64) (paths [][]float64, needs []float64, err error) {
	paths, needs = clone(q), make([]float64, len(q)-1)
	for a := range arms(r) {
		x := newPath(r, p, paths, a)
		if len(x.dofs) == 0 {
			continue
		}
		x.rounds = draftRounds
		best, err := x.unlimited()
		if err != nil {
			return nil, nil, err
		}
		if err := x.solve(); err != nil {
			return nil, nil, err
		}
		x.lag(best, needs)
	}
	return paths, needs, nil
}

// Final finds the arms' paths for a body motion q, clear of the body.
func Final(r *physique.Robot, check *feasible.Checker, p *plan.Plan, q [][]float64) ([][]float64, error) {
	paths := clone(q)
	for a := range arms(r) {
		x := newPath(r, p, paths, a)
		if len(x.dofs) == 0 {
			continue
		}
		x.avoid(check)
		if err := x.solve(); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// arms is how many arms there are to find paths for.
func arms(r *physique.Robot) int {
	if !r.An.HasArms {
		return 0
	}
	return len(r.An.Arms)
}

func clone(q [][]float64) [][]float64 {
	out := make([][]float64, len(q))
	for t := range q {
		out[t] = append([]float64(nil), q[t]...)
	}
	return out
}

// path is one arm's problem. Unknowns are numbered frame by frame.
type path struct {
	r      *physique.Robot
	plan   *plan.Plan
	q      [][]float64 // of the whole robot; the arm's joints are changed
	d      *kin.Data
	arm    *anatomy.Arm
	side   int
	dofs   []int // velocity indices of the arm's described joints
	rounds int
	free   bool // without speed limits
	band   *lsq.Band
	near   *near // what it keeps clear of; nil for nothing
}

func newPath(r *physique.Robot, p *plan.Plan, q [][]float64, side int) *path {
	x := &path{r: r, plan: p, q: q, d: r.Kin.NewData(), arm: &r.An.Arms[side], side: side, rounds: rounds}
	for _, i := range x.arm.Dofs {
		if r.DofQ[i] > 0 { // described by robot.yaml
			x.dofs = append(x.dofs, i)
		}
	}
	return x
}

// unknown is the number of joint k at frame t.
func (x *path) unknown(t, k int) int { return t*len(x.dofs) + k }

// angle is that of joint k at frame t.
func (x *path) angle(t, k int) *float64 { return &x.q[t][x.r.DofQ[x.dofs[k]]] }

// solve improves the path, round by round, and leaves it within the joint limits.
func (x *path) solve() error {
	n := len(x.dofs)
	x.band = lsq.NewBand(len(x.q)*n, 3*n-1)
	if x.near != nil {
		x.near.forget(len(x.q))
	}
	hard := float64(speedGain)
	for range x.rounds {
		x.band.Clear()
		for t := range x.q {
			x.frame(t)
		}
		for k := range x.dofs {
			x.smooth(k)
			x.slow(k, hard)
		}
		step, err := x.band.Solve()
		if err != nil {
			return x.named(err)
		}
		x.move(step)
		hard *= 10
	}
	for t := range x.q {
		for k, i := range x.dofs {
			q := x.angle(t, k)
			*q = curve.Clamp(*q, x.r.LoRad[i], x.r.HiRad[i])
		}
	}
	return nil
}

func (x *path) move(step []float64) {
	for t := range x.q {
		for k, i := range x.dofs {
			q := x.angle(t, k)
			way := curve.Clamp(step[x.unknown(t, k)], -longestStep, longestStep)
			*q = curve.Clamp(*q+way, x.r.LoRad[i]-beyondRad, x.r.HiRad[i]+beyondRad)
		}
	}
}

// named says at which frame and joint the equations could not be solved.
func (x *path) named(err error) error {
	var p *lsq.PivotError
	if !errors.As(err, &p) {
		return err
	}
	t, dof := p.Unknown/len(x.dofs), x.dofs[p.Unknown%len(x.dofs)]
	for k, i := range x.r.Joints {
		if i == dof {
			return fmt.Errorf("arms: frame %d, joint %s: %w", t, x.r.Desc.Joints[k].Name, err)
		}
	}
	return fmt.Errorf("arms: frame %d: %w", t, err)
}
