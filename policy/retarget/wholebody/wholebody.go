// Package wholebody finds the robot's joint angles frame by frame: inverse kinematics of legs, trunk and head, and of
// the arms in a first draft.
//
// Each frame is a small least-squares problem (policy/retarget/lsq) solved by Gauss-Newton with analytic Jacobians
// and joint limits by an active set; terms.go lists the wishes and what they weigh. Frames start from the solution
// before theirs. Angles in rad, lengths in m. A Solver owns scratch space and belongs to one goroutine. Not here: the
// arms' final paths (policy/retarget/arms), how fast all that is (policy/retarget/pace).
package wholebody

import (
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/policy/retarget/lsq"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// How a frame is iterated; tuned on kata20.
const (
	converged   = 2e-4 // rad or leg lengths: the largest step that ends the iteration
	maxIter     = 12
	longestStep = 0.5 // far from the solution the equations are not to be trusted at full length
)

// Solution is what was found for all frames of a plan.
type Solution struct {
	Q        [][]float64 // positions (length NQ) by frame
	Unsolved int         // frames in which the targets could only be approached
}

// Solver finds joint angles for one robot.
type Solver struct {
	r    *physique.Robot
	d    *kin.Data
	eq   *lsq.Dense
	q    []float64 // positions, the solution of the frame before on entry
	prev []float64
	at   []float64 // joint angles by velocity index
}

// New returns a solver for the robot.
func New(r *physique.Robot) *Solver {
	nv := r.Kin.Tree.NV
	return &Solver{r: r, d: r.Kin.NewData(), eq: lsq.NewDense(nv), q: append([]float64(nil), r.An.Ref...),
		prev: make([]float64, len(r.An.Ref)), at: make([]float64, nv)}
}

// Draft solves all frames of a plan from nothing: the motion forwards from the standing pose, then lead-in and lead-out
// away from it. The arms point where they shall as well as they can, each frame by itself.
func (s *Solver) Draft(p *plan.Plan) (*Solution, error) { return s.solve(p, nil) }

// Refine solves all frames again from a solution that is known, whose arms stay as they are.
func (s *Solver) Refine(p *plan.Plan, known [][]float64) (*Solution, error) { return s.solve(p, known) }

// solve goes through the frames; known may be nil.
func (s *Solver) solve(p *plan.Plan, known [][]float64) (*Solution, error) {
	n, nq, ref := len(p.Targets), len(s.r.An.Ref), s.r.An.Ref
	out := &Solution{Q: make([][]float64, n)}
	flat := make([]float64, n*nq)
	for t := range out.Q {
		out.Q[t] = flat[t*nq : (t+1)*nq : (t+1)*nq]
	}
	rest := make([]float64, nq)
	frame := func(t int, start, near []float64) error {
		tg := &p.Targets[t]
		blend(rest, near, ref, tg.Lead)
		switch {
		case known != nil:
			copy(s.q, known[t])
			s.keepArms(rest, known[t])
		case start != nil:
			copy(s.q, start)
		}
		solved, err := s.frame(tg, rest, known != nil)
		if err != nil {
			return s.named(err, t)
		}
		if !solved {
			out.Unsolved++
		}
		copy(out.Q[t], s.q)
		return nil
	}
	from, to := p.Lead[0], n-p.Lead[1]
	for t := from; t < to; t++ {
		if err := frame(t, first(t == from, ref), ref); err != nil {
			return nil, err
		}
	}
	for t := from - 1; t >= 0; t-- {
		if err := frame(t, first(t == from-1, out.Q[from]), out.Q[from]); err != nil {
			return nil, err
		}
	}
	for t := to; t < n; t++ {
		if err := frame(t, first(t == to, out.Q[to-1]), out.Q[to-1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// first is where a run of frames starts, nil for its other frames: they go on from the one before.
func first(is bool, start []float64) []float64 {
	if is {
		return start
	}
	return nil
}

// blend mixes positions; only the joints matter.
func blend(dst, a, b []float64, f float64) {
	for i := range dst {
		dst[i] = a[i]*(1-f) + b[i]*f
	}
}

// keepArms puts the arms of a known solution into the pose to rest in.
func (s *Solver) keepArms(rest, known []float64) {
	for i, arm := range s.r.IsArm {
		if p := s.r.DofQ[i]; arm && p > 0 {
			rest[p] = known[p]
		}
	}
}

// frame moves s.q to the target and says whether it got there. rest is the pose that joints without a term go to; in
// lead-in and lead-out it is followed closely by everything above the legs, and by the arms wherever they are known.
func (s *Solver) frame(tg *plan.Target, rest []float64, armsKnown bool) (bool, error) {
	copy(s.prev, s.q)
	terms := bodyTerms(s.r, tg)
	var limbs []lsq.Term
	if !armsKnown {
		limbs = armTerms(s.r, tg)
	}
	for range maxIter {
		s.r.Kin.Forward(s.d, s.q)
		s.eq.Clear()
		var body, arms float64 // weighted squared residuals
		for _, t := range terms {
			s.eq.Add(s.d, t, &body)
		}
		for _, t := range limbs {
			sum := body
			s.eq.Add(s.d, t, &sum)
			arms = arms + sum - body
		}
		s.pulls(tg, rest, armsKnown, body, arms)
		big, err := s.move()
		if err != nil {
			return false, err
		}
		if big < converged {
			return true, nil
		}
	}
	return false, nil
}

// pulls damps all unknowns by the error and pulls joints weakly towards the rest pose and the frame before, and in the
// lead strongly towards the blend.
func (s *Solver) pulls(tg *plan.Target, rest []float64, armsKnown bool, body, arms float64) {
	r := s.r
	for _, i := range r.Active {
		s.eq.Pull(i, damping+dampError*body, 0)
		if r.IsArm[i] {
			s.eq.Pull(i, dampError*arms, 0)
		}
	}
	for _, i := range r.Hinges() {
		p, w := r.DofQ[i], float64(restGain)
		if tg.Lead > 0 && !r.IsLeg[i] || armsKnown && r.IsArm[i] {
			w = leadGain
		}
		s.eq.Pull(i, w+stayGain, w*(rest[p]-s.q[p])+stayGain*(s.prev[p]-s.q[p]))
	}
}

// move solves for the step within the joint limits, takes it and returns its largest entry.
func (s *Solver) move() (float64, error) {
	for _, i := range s.r.Hinges() {
		s.at[i] = s.q[s.r.DofQ[i]]
	}
	free := len(s.r.Active) - len(s.r.Hinges())
	step, err := s.eq.Step(s.r.Active, lsq.Box{First: free, At: s.at, Lo: s.r.LoRad, Hi: s.r.HiRad})
	if err != nil {
		return 0, err
	}
	big := 0.0
	for _, i := range s.r.Active {
		big = math.Max(big, math.Abs(step[i]))
	}
	if big > longestStep {
		for _, i := range s.r.Active {
			step[i] *= longestStep / big
		}
	}
	s.r.Kin.Integrate(s.q, s.q, step)
	return big, nil
}

// named says at which frame and joint the equations could not be solved.
func (s *Solver) named(err error, t int) error {
	var p *lsq.PivotError
	if !errors.As(err, &p) {
		return err
	}
	what := "the root"
	for k, i := range s.r.Joints {
		if i == p.Unknown {
			what = "joint " + s.r.Desc.Joints[k].Name
		}
	}
	return fmt.Errorf("wholebody: frame %d, %s: %w", t, what, err)
}
