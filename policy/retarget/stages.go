package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/arms"
	"github.com/mitori-robotics/mitori/policy/retarget/balance"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
	"github.com/mitori-robotics/mitori/policy/retarget/pace"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
	"github.com/mitori-robotics/mitori/policy/retarget/wholebody"
)

// How often things are done again; tuned on kata20's demonstrations and clips of real people.
const (
	torqueRounds = 3   // of these, passes in which torques count
	paceRounds   = 6   // passes of stretching time and planning anew
	maxLonger    = 4   // times the length asked for
	slowEnough   = 2.5 // times the length asked for: longer, torques ask for no more
	settleRounds = 2   // passes of correcting the plan by the measured pressure
)

// draft is a motion before it is settled.
type draft struct {
	timing pace.Timing
	plan   *plan.Plan
	body   *wholebody.Solution
	needs  []float64 // by step: how much slower the arms must be
}

// finished is the robot's motion with what it was made from.
type finished struct {
	*pace.Finished
	robot    *physique.Robot
	plan     *plan.Plan
	motion   physique.Motion
	margin   []float64 // m, by frame: how far the pressure point lies inside the standing feet
	times    []float64 // s, by frame of the plan's motion proper: the moment of the person's
	longer   float64   // length over the length asked for
	unsolved int       // frames of the plan whose targets could only be approached
}

// stages makes the robot's motion.
func (r *Retargeter) stages(m *human.Motion, o Options) (*finished, error) {
	times := o.moments(m)
	solver := wholebody.New(r.robot)
	d, err := r.inTime(m, times, o, solver)
	if err != nil {
		return nil, err
	}
	planned, body, err := r.settle(d, solver)
	if err != nil {
		return nil, err
	}
	done := pace.Enforce(r.robot, body.Q, planned.Contacts, o.FPS)
	moved := r.robot.Derive(done.Q, o.FPS)
	frames := len(d.timing.At) - 1 + len(done.Q) - len(body.Q)
	return &finished{Finished: done, robot: r.robot, plan: planned, motion: moved,
		margin: balance.Margins(r.robot, moved, done.Stands), times: d.source(times),
		longer: float64(frames) / math.Max(float64(len(times)-1), 1), unsolved: body.Unsolved}, nil
}

// once goes through the stages for one timing.
func (r *Retargeter) once(person *observe.Performance, timing pace.Timing, fps float64,
	solver *wholebody.Solver) (*draft, error) {
	p := plan.Layout(r.robot, person.At(timing.At, observe.OverlapFrames(fps)), fps, timing.LeadS)
	p = p.WithCom(balance.CentreOfMass(p, nil)).InReach(nil)
	body, err := solver.Draft(p)
	if err != nil {
		return nil, err
	}
	p = p.InReach(plan.Hips(r.robot, body.Q, fps)) // now it is known where the hips go
	if body, err = solver.Draft(p); err != nil {
		return nil, err
	}
	q, needs, err := arms.Draft(r.robot, p, body.Q)
	if err != nil {
		return nil, err
	}
	return &draft{timing: timing, plan: p, body: &wholebody.Solution{Q: q, Unsolved: body.Unsolved}, needs: needs}, nil
}

// inTime goes through the stages again and again, slower where a draft is too fast, until nothing is.
func (r *Retargeter) inTime(m *human.Motion, times []float64, o Options, solver *wholebody.Solver) (*draft, error) {
	n, timing := len(times), pace.Asked(len(times))
	read := observe.Options{FPS: o.FPS, Soft: 1, Amplify: o.Amplify, Mirror: o.Mirror}
	person := observe.Read(m, times, read)
	for round := 0; ; round++ {
		d, err := r.once(person, timing, o.FPS, solver)
		if err != nil || round == paceRounds {
			return d, err
		}
		torques := round < torqueRounds && float64(len(timing.At)) < slowEnough*float64(n)
		next, again := timing.Slower(r.rates(d, torques), d.plan)
		switch {
		case !again:
			return d, nil
		case len(next.At) <= maxLonger*n:
			timing = next
		case round >= paceRounds/2: // what is still too fast is slowed down in the finished motion
			return d, nil
		default: // that is jitter, not motion: smooth it away instead
			timing = pace.Asked(n)
			read.Soft *= 2
			person = observe.Read(m, times, read)
		}
	}
}

// rates says by how much each step of a draft must be slower.
func (r *Retargeter) rates(d *draft, torques bool) []float64 {
	var check *feasible.Checker
	moved := physique.Motion{Q: d.body.Q, FPS: d.plan.FPS}
	if torques {
		check, moved = r.check, r.robot.Derive(d.body.Q, d.plan.FPS)
	}
	return pace.Draft(moved, d.plan, d.needs, check)
}

// settle finds the arms' final paths, measures where the pressure really is, corrects the plan by it and solves
// again, a few times.
func (r *Retargeter) settle(d *draft, solver *wholebody.Solver) (*plan.Plan, *wholebody.Solution, error) {
	p, fps := d.plan, d.plan.FPS
	q, err := arms.Final(r.robot, r.check, p, d.body.Q)
	if err != nil {
		return nil, nil, err
	}
	body := &wholebody.Solution{Q: q}
	correction := make([][2]float64, len(q))
	for range settleRounds {
		off := balance.Error(p, r.robot.Derive(body.Q, fps))
		for t := range off {
			for k := range off[t] {
				correction[t][k] += off[t][k]
			}
		}
		p = p.WithCom(balance.CentreOfMass(p, correction)).InReach(plan.Hips(r.robot, body.Q, fps))
		if body, err = solver.Refine(p, body.Q); err != nil {
			return nil, nil, err
		}
	}
	return p, body, nil
}

// source returns the person's time (s) of each frame of the draft's motion proper.
func (d *draft) source(times []float64) (out []float64) {
	for _, u := range d.timing.At {
		i := min(int(u), len(times)-2)
		out = append(out, times[i]+(times[i+1]-times[i])*(u-float64(i)))
	}
	return out
}
