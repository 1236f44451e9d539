package eval

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

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
	stopped func() error           // not nil once the evaluation shall end
	envs    map[engine]*worlds.Env // by how the engine runs, made when first needed
	env     *worlds.Env            // the one in use
	worlds  int                    // in each of them
	layout  rollout.Layout
	bodies  []string
	local   [][][]spatial.Vec3 // reference, step, body: position in the root frame
	rows    []float64
	targets []float64
}

func newPlayer(ctx context.Context, t *Test) (*player, error) {
	var bodies []string
	for b, link := range t.Robot.Tree().Bodies {
		if b > 0 && link.Name != "" && b != t.Robot.Root.Body {
			bodies = append(bodies, link.Name)
		}
	}
	n := min(maxWorlds, max(t.Episodes, t.CardEpisodes))
	p := &player{test: t, stopped: ctx.Err, envs: map[engine]*worlds.Env{}, worlds: n, bodies: bodies}
	if err := p.under(Condition{}); err != nil {
		return nil, err
	}
	p.layout = p.env.Layout()
	p.rows, p.targets = make([]float64, n*p.layout.RowLen()), make([]float64, n*p.layout.Joints)
	if err := p.referenceBodies(p.env.Scene()); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *player) close() {
	for _, e := range p.envs {
		e.Close()
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
	if p.envs[g] == nil {
		env, err := worlds.New(p.test.Robot, worlds.Config{Worlds: p.worlds, Threads: p.test.Threads, SubSteps: g.subSteps,
			EllipticCone: g.elliptic, Track: p.bodies})
		if err != nil {
			return err
		}
		p.envs[g] = env
	}
	p.env = p.envs[g]
	return nil
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
	result  Episode
	ref     *obs.Reference
	control Controller
	sums    sums
	before  []float64 // last target
	done    bool
}

// play plays n episodes under a condition and returns them in order.
func (p *player) play(c Condition, n int, make Factory) ([]Episode, error) {
	if err := p.under(c); err != nil {
		return nil, err
	}
	var out []Episode
	for first := 0; first < n; first += p.layout.Worlds {
		group, err := p.group(c, first, min(n-first, p.layout.Worlds), make)
		if err != nil {
			return nil, fmt.Errorf("eval: condition %s: %w", c.Name, err)
		}
		out = append(out, group...)
	}
	return out, nil
}

func (p *player) group(c Condition, first, n int, factory Factory) ([]Episode, error) {
	eps := make([]episode, n)
	for w := range p.layout.Worlds {
		if w >= n {
			p.env.Park(w)
			continue
		}
		i := first + w
		clip := i % len(p.test.Refs)
		seed := p.test.Seed + uint64(i)
		dyn := c.Dynamics
		// Whole rounds over the references, so that each gets both delays.
		if c.ExtraDelayEveryOther && (i/len(p.test.Refs))%2 == 1 {
			dyn.DelayS[0] += p.layout.PeriodS
			dyn.DelayS[1] += p.layout.PeriodS
		}
		ref := p.test.Refs[clip]
		start := p.start(ref, w, seed, c)
		if err := p.env.Reset([]rollout.Start{start}, dyn, p.rows); err != nil {
			return nil, err
		}
		control, err := factory(ref)
		if err != nil {
			return nil, err
		}
		control.Reset(start.TargetRad)
		row := p.layout.Row(p.rows, w)
		eps[w] = episode{
			result: Episode{Index: i, Seed: seed, Clip: clip, Dynamics: Dynamics{Friction: row.Params[0], MassScale: row.Params[1],
				GainScale: row.Params[2], TorqueScale: row.Params[3], DelayS: row.Params[4], FirstPushS: start.FirstPushS}},
			ref: ref, control: control, before: append([]float64(nil), start.TargetRad...),
		}
	}
	for step, left := 0, n; left > 0; step++ {
		if err := p.stopped(); err != nil {
			return nil, err
		}
		for w := range eps {
			p.act(w, &eps[w], step)
		}
		if err := p.env.Step(p.targets, p.rows); err != nil {
			return nil, err
		}
		for w := range eps {
			if e := &eps[w]; !e.done && p.judge(w, e, step+1) {
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

// act asks the episode's controller; a finished episode keeps its last target.
func (p *player) act(w int, e *episode, step int) {
	if e.done {
		return
	}
	row := p.layout.Row(p.rows, w)
	m := obs.Measurement{JointPosRad: row.JointPosRad, JointVelRadS: row.JointVelRadS,
		GyroRadS: [3]float64(row.GyroRadS), Gravity: [3]float64(row.Gravity)}
	target := p.targets[w*p.layout.Joints : (w+1)*p.layout.Joints]
	e.control.Act(target, step, &m)
	change := 0.0
	for j, v := range target {
		change += (v - e.before[j]) * (v - e.before[j])
		e.before[j] = v
	}
	e.sums.actionRate += change / float64(len(target))
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

// start is the beginning of the reference with an error in every joint, lifted
// by 2 mm because kinematic poses may touch the floor by as much.
func (p *player) start(ref *obs.Reference, w int, seed uint64, c Condition) rollout.Start {
	rng := rand.New(rand.NewPCG(seed, startStream))
	f := ref.At(0)
	s := rollout.Start{World: w, Seed: seed, RootPosM: f.RootPosM, RootQuat: f.RootQuat, RootLinVelMS: f.RootLinVelMS,
		RootAngVelRadS: f.RootAngVelRadS, JointVelRadS: f.JointVelRadS, TargetRad: f.JointPosRad, FirstPushS: firstPush(seed, &c.Dynamics)}
	s.RootPosM[2] += 0.002
	for j, q := range f.JointPosRad {
		r := &p.test.Robot.Desc.Joints[j]
		s.JointPosRad = append(s.JointPosRad, math.Min(math.Max(q+c.StartJointRad*rng.NormFloat64(), r.MinRad), r.MaxRad))
	}
	return s
}
