// Package rollouttest helps to test what uses or implements rollout.Env: a small analytic set of worlds, and the
// conformance suite that every implementation must pass.
package rollouttest

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Toy is a set of inverted pendulums on an ankle: the root's pitch falls over by itself, and the first joint's
// deviation from zero pushes it back, so playing a reference falls and a policy that watches gravity can stand. Each
// joint is a damped position servo. It runs in Go alone and is deterministic.
type Toy struct {
	layout rollout.Layout
	state  []float64 // worlds x (4 + 2 joints + dynamics)
	rng    []*rand.PCG
	dyn    []rollout.Randomization
}

const (
	toyPeriodS = 0.02
	toySub     = 4
	toyHeightM = 0.3
	toyParams  = 4 // pitch, pitch rate, torque scale, gain scale; then joints
)

// NewToy makes worlds with the given number of joints.
func NewToy(worlds, joints int) *Toy {
	t := &Toy{layout: rollout.Layout{Worlds: worlds, Joints: joints, PeriodS: toyPeriodS},
		state: make([]float64, worlds*(toyParams+2*joints)), dyn: make([]rollout.Randomization, worlds)}
	for range worlds {
		t.rng = append(t.rng, rand.NewPCG(0, 0))
	}
	return t
}

// ToyTask is a task for Toy worlds: joints swing around, the root stays upright.
func ToyTask(joints int, seconds float64) (rollout.Task, error) {
	clip := &motion.Clip{FPS: 50, BodyNames: []string{"root"}}
	spec := obs.Spec{Version: obs.Version, PeriodS: toyPeriodS, Frames: 2, AheadS: []float64{0.1}, PhaseHarmonics: 2,
		SpeedScale: 0.1, GyroScale: 0.25, Action: obs.ActionMap{ScaleRad: 0.25}}
	for j := range joints {
		name := fmt.Sprintf("joint%d", j)
		clip.JointNames, spec.JointNames = append(clip.JointNames, name), append(spec.JointNames, name)
		spec.Action.MinRad = append(spec.Action.MinRad, -1)
		spec.Action.MaxRad = append(spec.Action.MaxRad, 1)
		spec.Action.MaxStepRad = append(spec.Action.MaxStepRad, 0.2)
	}
	for k := range int(seconds*50) + 1 {
		f := motion.NewFrame(joints, 1)
		for j := 1; j < joints; j++ {
			s, c := math.Sincos(3 * float64(k) / 50 * float64(j))
			f.JointPosRad[j], f.JointVelRadPerS[j] = 0.3*s, 0.9*float64(j)*c
		}
		f.BodyPosM[0], f.BodyQuat[0] = spatial.Vec3{0, 0, toyHeightM}, spatial.Identity()
		f.Contacts = [2]float64{1, 1}
		clip.Frames = append(clip.Frames, f)
	}
	ref, err := obs.NewReference(clip, &spec)
	if err != nil {
		return rollout.Task{}, err
	}
	return rollout.Task{Spec: spec, Refs: []*obs.Reference{ref}, HoldSteps: 10, Reward: rollout.DefaultReward(),
		Limits: rollout.TrainLimits(), Fall: fall.Of(toyHeightM)}, nil
}

// Layout is part of rollout.Env, as are the methods below.
func (t *Toy) Layout() rollout.Layout { return t.layout }

func (t *Toy) world(w int) []float64 {
	n := toyParams + 2*t.layout.Joints
	return t.state[w*n : (w+1)*n]
}

// Reset starts the named worlds.
func (t *Toy) Reset(starts []rollout.Start, r rollout.Randomization, rows []float64) error {
	for _, s := range starts {
		if s.World < 0 || s.World >= t.layout.Worlds {
			return fmt.Errorf("rollouttest: world %d, there are %d", s.World, t.layout.Worlds)
		}
		t.rng[s.World].Seed(s.Seed, 99)
		rng := rand.New(t.rng[s.World])
		pick := func(p [2]float64) float64 { return p[0] + rng.Float64()*(p[1]-p[0]) }
		x := t.world(s.World)
		q := spatial.Quat(s.RootQuat)
		x[0], x[1] = q.Log()[1], s.RootAngVelRadPerS[1]
		x[2], x[3] = pick(r.TorqueScale), pick(r.GainScale)
		t.dyn[s.World] = r
		for j := range t.layout.Joints {
			x[toyParams+2*j], x[toyParams+2*j+1] = s.JointPosRad[j], s.JointVelRadPerS[j]
		}
		t.row(s.World, rows)
	}
	return nil
}

// Step advances all worlds.
func (t *Toy) Step(targets, rows []float64) error {
	n := t.layout.Joints
	const dt = toyPeriodS / toySub
	for w := range t.layout.Worlds {
		x := t.world(w)
		for range toySub {
			x[1] += dt * (12*math.Sin(x[0]) - 30*x[toyParams])
			x[0] = min(max(x[0]+dt*x[1], -1.5), 1.5)
			for j := range n {
				q, v := &x[toyParams+2*j], &x[toyParams+2*j+1]
				*v += dt * (x[3]*400*(targets[w*n+j]-*q) - 40**v)
				*q += dt * *v
			}
		}
		t.row(w, rows)
	}
	return nil
}

func (t *Toy) row(w int, rows []float64) {
	x, r, d := t.world(w), t.layout.Row(rows, w), &t.dyn[w]
	rng := rand.New(t.rng[w])
	q := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, x[0])
	for j := range t.layout.Joints {
		r.TrueJointPosRad[j], r.TrueJointVelRadPerS[j], r.TorqueNm[j] = x[toyParams+2*j], x[toyParams+2*j+1], 0
		r.JointPosRad[j] = r.TrueJointPosRad[j] + d.NoiseJointRad*rng.NormFloat64()
		r.JointVelRadPerS[j] = r.TrueJointVelRadPerS[j] + d.NoiseJointRadPerS*rng.NormFloat64()
	}
	down := spatial.GravityInBase(q)
	copy(r.Gravity, down[:])
	copy(r.GyroRadPerS, []float64{0, x[1], 0})
	copy(r.RootAngVelRadPerS, r.GyroRadPerS)
	copy(r.RootPosM, []float64{toyHeightM * math.Sin(x[0]), 0, toyHeightM * math.Cos(x[0])})
	copy(r.RootQuat, q[:])
	copy(r.RootLinVelMPerS, []float64{toyHeightM * math.Cos(x[0]) * x[1], 0, -toyHeightM * math.Sin(x[0]) * x[1]})
	r.FootForceN[0], r.FootForceN[1] = 15, 15
	copy(r.Params, []float64{0.8, 1, x[3], x[2], 0, 0})
}

// SaveState writes the complete state.
func (t *Toy) SaveState(out io.Writer) error {
	if err := binary.Write(out, binary.LittleEndian, t.state); err != nil {
		return err
	}
	for w, g := range t.rng {
		b, err := g.MarshalBinary()
		if err != nil {
			return err
		}
		if _, err := out.Write(b); err != nil {
			return err
		}
		if err := binary.Write(out, binary.LittleEndian, t.dyn[w]); err != nil {
			return err
		}
	}
	return nil
}

// LoadState restores it.
func (t *Toy) LoadState(in io.Reader) error {
	if err := binary.Read(in, binary.LittleEndian, t.state); err != nil {
		return err
	}
	for w, g := range t.rng {
		b, err := g.MarshalBinary()
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(in, b); err != nil {
			return err
		}
		if err := g.UnmarshalBinary(b); err != nil {
			return err
		}
		if err := binary.Read(in, binary.LittleEndian, &t.dyn[w]); err != nil {
			return err
		}
	}
	return nil
}
