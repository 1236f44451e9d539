package rollout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/episode"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// Task is what the worlds of a Runner do.
type Task struct {
	Spec      obs.Spec
	Refs      []*obs.Reference
	HoldSteps int // periods that an episode goes on after the end of its reference, in its last pose
	Reward    Reward
	Limits    Limits    // end an episode that strays from its reference; the zero value: none
	Fall      fall.Rule // ends an episode whose robot has fallen; the zero value: none
}

// StartNoise is the standard deviation of the difference between the reference and an episode's starting state.
type StartNoise struct {
	JointRad, JointRadPerS, TiltRad, RootMPerS, RootRadPerS float64
}

// liftM keeps kinematic starting poses, which may touch the floor by a little, out of it.
const liftM = 0.002

// Episode is the beginning of one episode: a world, a reference and the step in it where to begin. Everything random
// in the episode follows from Seed.
type Episode struct {
	World, Clip, Step int
	Seed              uint64
	Noise             StartNoise
}

// End says how a step left an episode.
type End uint8

// An episode goes on, has reached its end standing, or has failed.
const (
	Running End = iota
	Finished
	Failed
)

// Outcome is what one step of one world gave.
type Outcome struct {
	Reward      float64
	End         End
	JointErrRad float64 // mean absolute, over joints, against the reference
	RootErrM    float64 // horizontal and vertical distance of the root
	ActionRate  float64 // mean squared change of the applied action
	TorqueNm    float64 // root of the mean square
}

// Runner plays episodes in the worlds of an Env. After NewRunner every world must be begun once.
type Runner struct {
	env     Env
	layout  Layout
	task    Task
	rows    []float64
	views   []Row
	worlds  []world
	targets []float64
	obs     []float32
	critic  []float32
	starts  []Start
}

type world struct {
	clip   int
	player *episode.Player
	before []float64 // applied action of the previous step
	m      obs.Measurement
}

// criticExtra is what the critic sees beyond the observation: root position, rotation and speed against the
// reference (9), load and height of both feet (4), the drawn dynamics, and the time left.
const criticExtra = 9 + 2*Feet + Params + 1

// NewRunner checks that the parts fit.
func NewRunner(env Env, task Task) (*Runner, error) {
	l := env.Layout()
	if err := task.Spec.Validate(); err != nil {
		return nil, err
	}
	if l.Joints != task.Spec.Joints() {
		return nil, fmt.Errorf("rollout: the worlds have %d joints, the observation %d", l.Joints, task.Spec.Joints())
	}
	if math.Abs(l.PeriodS-task.Spec.PeriodS) > 1e-9 {
		return nil, fmt.Errorf("rollout: the worlds step by %g s, the policy by %g s", l.PeriodS, task.Spec.PeriodS)
	}
	if len(task.Refs) == 0 {
		return nil, fmt.Errorf("rollout: no reference motion, need at least 1")
	}
	if err := task.CheckRefs(); err != nil {
		return nil, err
	}
	r := &Runner{env: env, layout: l, task: task, rows: make([]float64, l.Worlds*l.RowLen()),
		targets: make([]float64, l.Worlds*l.Joints), worlds: make([]world, l.Worlds),
		obs: make([]float32, l.Worlds*task.Spec.Dim())}
	r.critic = make([]float32, l.Worlds*r.CriticDim())
	for w := range r.worlds {
		player, err := episode.New(task.Spec)
		if err != nil {
			return nil, err
		}
		player.GoTo(task.Refs[0], 0)
		row := l.Row(r.rows, w)
		r.views = append(r.views, row)
		r.worlds[w] = world{player: player, before: make([]float64, l.Joints),
			m: obs.Measurement{JointPosRad: row.JointPosRad, JointVelRadPerS: row.JointVelRadPerS}}
	}
	return r, nil
}

// CheckRefs refuses references that the rule of falling would take for falls; NewRunner calls it.
func (t *Task) CheckRefs() error {
	for i, ref := range t.Refs {
		for k := range ref.Frames {
			f := &ref.Frames[k]
			if tilt := f.RootQuat.TiltRad(); t.Fall.Fallen(f.RootPosM[2], tilt) {
				return fmt.Errorf("rollout: reference %d is itself a fall at %.2f s: root at %.3f m, tilted by %.0f degrees; "+
					"legal: %.3f m and more, up to %.0f degrees", i, float64(k)*t.Spec.PeriodS, f.RootPosM[2], tilt*180/math.Pi, t.Fall.LowM, t.Fall.TiltRad*180/math.Pi)
			}
		}
	}
	return nil
}

// Worlds is the number of worlds.
func (r *Runner) Worlds() int { return r.layout.Worlds }

// CriticDim is the length of a critic's observation.
func (r *Runner) CriticDim() int { return r.task.Spec.Dim() + criticExtra }

// Obs and Critic are the present observations of all worlds, one row a world. They alias the Runner's own memory,
// which Begin and Step write.
func (r *Runner) Obs() []float32    { return r.obs }
func (r *Runner) Critic() []float32 { return r.critic }

// Where gives the reference and the step that a world is at.
func (r *Runner) Where(w int) (clip, step int) { return r.worlds[w].clip, r.worlds[w].player.Step() }

// Row gives a world's present state; it aliases the Runner's memory.
func (r *Runner) Row(w int) Row { return r.views[w] }

// Target gives the joint targets of world w's latest step, rad; it aliases the Runner's memory.
func (r *Runner) Target(w int) []float64 {
	return r.targets[w*r.layout.Joints : (w+1)*r.layout.Joints]
}

// Begin starts new episodes in the named worlds; all other worlds stay as they are.
func (r *Runner) Begin(episodes []Episode, dynamics Randomization) error {
	r.starts = r.starts[:0]
	for _, e := range episodes {
		if err := r.check(e); err != nil {
			return err
		}
		r.starts = append(r.starts, r.start(e))
	}
	return r.begin(episodes, r.starts, dynamics)
}

// BeginFrom starts one episode in a state of the caller's making; see StartAt. Episode.Noise is not used.
func (r *Runner) BeginFrom(e Episode, from Start, dynamics Randomization) error {
	if err := r.check(e); err != nil {
		return err
	}
	from.World, from.Seed = e.World, e.Seed
	r.starts = append(r.starts[:0], from)
	return r.begin([]Episode{e}, r.starts, dynamics)
}

func (r *Runner) check(e Episode) error {
	if e.World < 0 || e.World >= len(r.worlds) || e.Clip < 0 || e.Clip >= len(r.task.Refs) || e.Step < 0 {
		return fmt.Errorf("rollout: episode in world %d, reference %d, step %d; there are %d worlds and %d references",
			e.World, e.Clip, e.Step, len(r.worlds), len(r.task.Refs))
	}
	return nil
}

func (r *Runner) begin(episodes []Episode, starts []Start, dynamics Randomization) error {
	if len(starts) == 0 {
		return nil
	}
	if err := r.env.Reset(starts, dynamics, r.rows); err != nil {
		return err
	}
	for i, e := range episodes {
		w := &r.worlds[e.World]
		w.clip = e.Clip
		w.player.Begin(r.task.Refs[e.Clip], e.Step, starts[i].TargetRad)
		clear(w.before)
		r.observe(e.World)
	}
	return nil
}

// StartAt is the state of a reference at a step, lifted a little off the floor, with the reference's pose as the
// command in force. Its slices belong to the caller, but for TargetRad, which must not be changed.
func StartAt(ref *obs.Reference, step int) Start {
	f := ref.At(step)
	s := Start{RootPosM: f.RootPosM, RootQuat: f.RootQuat, JointPosRad: slices.Clone(f.JointPosRad),
		JointVelRadPerS: make([]float64, len(f.JointVelRadPerS)), TargetRad: f.JointPosRad}
	s.RootPosM[2] += liftM
	if !ref.Resting(step) {
		s.RootLinVelMPerS, s.RootAngVelRadPerS = f.RootLinVelMPerS, f.RootAngVelRadPerS
		copy(s.JointVelRadPerS, f.JointVelRadPerS)
	}
	return s
}

// startStream separates the random numbers of starting states from those that an Env draws from the same seed.
const startStream = 0x5deece66d

func (r *Runner) start(e Episode) Start {
	rng := rand.New(rand.NewPCG(e.Seed, startStream))
	s := StartAt(r.task.Refs[e.Clip], e.Step)
	s.World, s.Seed = e.World, e.Seed
	lim := &r.task.Spec.Action
	for j, q := range s.JointPosRad {
		q += e.Noise.JointRad * rng.NormFloat64()
		s.JointPosRad[j] = min(max(q, lim.MinRad[j]), lim.MaxRad[j])
		s.JointVelRadPerS[j] += e.Noise.JointRadPerS * rng.NormFloat64()
	}
	tilt := spatial.Vec3{e.Noise.TiltRad * rng.NormFloat64(), e.Noise.TiltRad * rng.NormFloat64(), 0}
	s.RootQuat = spatial.Exp(tilt).Mul(s.RootQuat)
	for i := range 3 {
		s.RootLinVelMPerS[i] += e.Noise.RootMPerS * rng.NormFloat64()
		s.RootAngVelRadPerS[i] += e.Noise.RootRadPerS * rng.NormFloat64()
	}
	return s
}

// Step applies one action a world (network outputs, worlds x joints), advances all worlds by one period, and writes
// one outcome a world. A world whose episode ended must be begun anew before its outcomes mean anything.
func (r *Runner) Step(actions []float32, out []Outcome) error {
	n := r.layout.Joints
	if len(actions) != len(r.targets) || len(out) != len(r.worlds) {
		panic("rollout: Step: actions must have one entry a joint of each world, out one a world")
	}
	for i := range r.worlds {
		w := &r.worlds[i]
		copy(w.before, w.player.Applied())
		w.player.Act(r.targets[i*n:(i+1)*n], actions[i*n:(i+1)*n])
	}
	if err := r.env.Step(r.targets, r.rows); err != nil {
		return err
	}
	for i := range r.worlds {
		r.worlds[i].player.Next()
		out[i] = r.judge(i)
		r.observe(i)
	}
	return nil
}

func (r *Runner) observe(i int) {
	w, row := &r.worlds[i], &r.views[i]
	copy(w.m.GyroRadPerS[:], row.GyroRadPerS)
	copy(w.m.Gravity[:], row.Gravity)
	dim := r.task.Spec.Dim()
	o := r.obs[i*dim : (i+1)*dim]
	w.player.Observe(o, &w.m)

	c := r.critic[i*(dim+criticExtra) : (i+1)*(dim+criticExtra)]
	copy(c, o)
	c = c[dim:]
	f := w.player.Frame()
	q := quat(row.RootQuat)
	inv := q.Inv()
	pos := inv.Rotate(vec(row.RootPosM).Sub(f.RootPosM))
	rot := f.RootQuat.Inv().Mul(q).Log()
	vel := vec(row.RootLinVelMPerS)
	if w.player.Moving() != 0 {
		vel = vel.Sub(f.RootLinVelMPerS)
	}
	vel = inv.Rotate(vel)
	for k := range 3 {
		c[k], c[3+k], c[6+k] = float32(10*pos[k]), float32(5*rot[k]), float32(2*vel[k])
	}
	for k := range Feet {
		c[9+2*k] = float32(row.FootForceN[k] / 30)
		c[10+2*k] = float32(20 * row.FootPosM[3*k+2])
	}
	k := 9 + 2*Feet
	for _, p := range row.Params {
		c[k] = float32(p)
		k++
	}
	c[k] = float32(float64(len(w.player.Ref().Frames)+r.task.HoldSteps-w.player.Step()) * r.layout.PeriodS)
}

func vec(x []float64) spatial.Vec3  { return spatial.Vec3{x[0], x[1], x[2]} }
func quat(x []float64) spatial.Quat { return spatial.Quat{x[0], x[1], x[2], x[3]} }
