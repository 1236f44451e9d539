package eval

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/sim/mujoco"
	"github.com/mitori-robotics/mitori/sim/scene"
	"github.com/mitori-robotics/mitori/sim/worlds"
)

// maxWorlds bounds the memory of an evaluation; larger sets are played in turns.
const maxWorlds = 64

// subSteps makes engine steps of 4 ms, finer than those that policies train
// with, so that a policy cannot lean on the integration error it grew up in.
const subSteps = 5

// player holds the worlds of an evaluation.
type player struct {
	test    *Test
	stopped func() error      // not nil once the evaluation shall end
	stages  map[engine]*stage // by how the engine runs, made when first needed
	*stage                    // the one in use
	worlds  int               // in each of them
	layout  rollout.Layout
	bodies  []string
	local   [][][]spatial.Vec3 // reference, step, body: position in the root frame
	actions []float32          // worlds x joints
	outcome []rollout.Outcome  // of every world's latest step
}

// stage is a set of worlds, the guard before them, and what plays in them: the
// very Runner that training uses.
type stage struct {
	env    *worlds.Env
	guard  *guarded
	runner *rollout.Runner
}

func newPlayer(ctx context.Context, t *Test) (*player, error) {
	var bodies []string
	for b, link := range t.Robot.Tree().Bodies {
		if b > 0 && link.Name != "" && b != t.Robot.Root.Body {
			bodies = append(bodies, link.Name)
		}
	}
	n := min(maxWorlds, max(t.Episodes, t.CardEpisodes))
	p := &player{test: t, stopped: ctx.Err, stages: map[engine]*stage{}, worlds: n, bodies: bodies}
	if err := p.under(Condition{}); err != nil {
		return nil, err
	}
	p.layout = p.env.Layout()
	p.actions, p.outcome = make([]float32, n*p.layout.Joints), make([]rollout.Outcome, n)
	if err := p.referenceBodies(p.env.Scene()); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *player) close() {
	for _, s := range p.stages {
		s.env.Close()
	}
}

// engine is how the engine runs under a condition.
type engine struct {
	subSteps int
	elliptic bool
}

// under takes the worlds in use whose engine runs as the condition asks. Rows and
// targets have the same layout in all of them.
func (p *player) under(c Condition) error {
	g := engine{c.SubSteps, c.EllipticCone}
	if g.subSteps == 0 {
		g.subSteps = subSteps
	}
	if p.stages[g] == nil {
		env, err := worlds.New(p.test.Robot, worlds.Config{Worlds: p.worlds, Threads: p.test.Threads, SubSteps: g.subSteps,
			EllipticCone: g.elliptic, Track: p.bodies})
		if err != nil {
			return err
		}
		if p.stages[g], err = p.set(env); err != nil {
			env.Close()
			return err
		}
	}
	p.stage = p.stages[g]
	return nil
}

// set puts a player's robots into worlds, each behind its guard. Rewards are
// nobody's here.
func (p *player) set(env *worlds.Env) (*stage, error) {
	g, err := newGuarded(env, p.test.Robot.Desc, flightConfig(p.test.Robot, p.test.Spec.PeriodS))
	if err != nil {
		return nil, err
	}
	r, err := rollout.NewRunner(g, rollout.Task{Spec: p.test.Spec, Refs: p.test.Refs, Fall: fall.Of(env.StandHeightM())})
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	return &stage{env: env, guard: g, runner: r}, nil
}

// referenceBodies computes where the bodies of every reference are in the root
// frame, from its joint angles alone.
func (p *player) referenceBodies(sc *scene.Scene) error {
	d, err := mujoco.NewData(sc.Model)
	if err != nil {
		return err
	}
	defer d.Close()
	ids := make([]int, len(p.bodies))
	for i, name := range p.bodies {
		if ids[i], err = sc.Model.ID(mujoco.Body, name); err != nil {
			return err
		}
	}
	for _, ref := range p.test.Refs {
		steps := make([][]spatial.Vec3, len(ref.Frames))
		for k := range steps {
			clear(d.QPos[sc.RootQPos : sc.RootQPos+7])
			d.QPos[sc.RootQPos+3] = 1
			for j, at := range sc.Joints {
				d.QPos[at.QPos] = ref.Frames[k].JointPosRad[j]
			}
			if err := d.Kinematics(); err != nil {
				return err
			}
			steps[k] = make([]spatial.Vec3, len(ids))
			for i, id := range ids {
				steps[k][i] = spatial.Vec3(d.XPos[3*id : 3*id+3])
			}
		}
		p.local = append(p.local, steps)
	}
	return nil
}

// episode is one that is being played.
type episode struct {
	result Episode
	ref    *obs.Reference
	sums   sums
	before []float64 // last target
	done   bool
}

// play plays n episodes under a condition and returns them in order.
func (p *player) play(c Condition, n int, factory Factory) ([]Episode, error) {
	if err := p.under(c); err != nil {
		return nil, err
	}
	actor := factory(p.layout.Worlds)
	var out []Episode
	for first := 0; first < n; first += p.layout.Worlds {
		group, err := p.group(c, first, min(n-first, p.layout.Worlds), actor)
		if err != nil {
			return nil, fmt.Errorf("eval: condition %s: %w", c.Name, err)
		}
		out = append(out, group...)
	}
	return out, nil
}

// group plays n episodes at once, one a world. Worlds without one hold the last
// episode's beginning, so that every world is in a legal state, and stand still.
func (p *player) group(c Condition, first, n int, actor Actor) ([]Episode, error) {
	eps := make([]episode, n)
	for w := range p.layout.Worlds {
		e, err := p.begin(w, first+min(w, n-1), c)
		if err != nil {
			return nil, err
		}
		if w >= n {
			p.env.Park(w)
			continue
		}
		eps[w] = *e
	}
	for left := n; left > 0; {
		if err := p.advance(actor); err != nil {
			return nil, err
		}
		for w := range eps {
			if e := &eps[w]; !e.done && p.judge(w, e) {
				e.done = true
				p.env.Park(w)
				left--
			}
		}
	}
	out := make([]Episode, n)
	for i := range eps {
		out[i] = eps[i].result
	}
	return out, nil
}

// begin starts the i-th episode of a condition in world w.
func (p *player) begin(w, i int, c Condition) (*episode, error) {
	clip, seed, dyn := i%len(p.test.Refs), p.test.Seed+uint64(i), c.Dynamics
	// Whole rounds over the references, so that each gets both delays.
	if c.ExtraDelayEveryOther && (i/len(p.test.Refs))%2 == 1 {
		dyn.DelayS[0] += p.layout.PeriodS
		dyn.DelayS[1] += p.layout.PeriodS
	}
	ref := p.test.Refs[clip]
	start := p.start(ref, seed, c)
	if err := p.runner.BeginFrom(rollout.Episode{World: w, Clip: clip, Seed: seed}, start, dyn); err != nil {
		return nil, err
	}
	drawn := p.runner.Row(w).Params
	return &episode{
		result: Episode{Index: i, Seed: seed, Clip: clip, Dynamics: Dynamics{Friction: drawn[0], MassScale: drawn[1],
			GainScale: drawn[2], TorqueScale: drawn[3], DelayS: drawn[4], FirstPushS: start.FirstPushS}},
		ref: ref, before: append([]float64(nil), start.TargetRad...),
	}, nil
}

// advance lets the actor decide for every world and plays one period.
func (p *player) advance(actor Actor) error {
	if err := p.stopped(); err != nil {
		return err
	}
	actor.Forward(p.actions, p.runner.Obs(), p.layout.Worlds)
	return p.runner.Step(p.actions, p.outcome)
}

// Streams separate the starting error and the first push from what the worlds
// draw from the same seed.
const (
	startStream = 0x65766131
	pushStream  = 0x65766132
)

// firstPush is the time of an episode's first push: anywhere in the first span
// between pushes, so that over the episodes pushes come at every moment of the
// motion. 0 where there are none.
func firstPush(seed uint64, r *rollout.Randomization) float64 {
	return r.PushEveryS[1] * (1 - rand.New(rand.NewPCG(seed, pushStream)).Float64())
}

// start is the beginning of the reference with an error in every joint.
func (p *player) start(ref *obs.Reference, seed uint64, c Condition) rollout.Start {
	rng := rand.New(rand.NewPCG(seed, startStream))
	s := rollout.StartAt(ref, 0)
	s.FirstPushS = firstPush(seed, &c.Dynamics)
	for j, q := range s.JointPosRad {
		r := &p.test.Robot.Desc.Joints[j]
		s.JointPosRad[j] = math.Min(math.Max(q+c.StartJointRad*rng.NormFloat64(), r.MinRad), r.MaxRad)
	}
	return s
}
