package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// policy runs the exported weights of a bundle as a loop.Controller. While it
// plays nothing it keeps balance with the reference resting in its last pose,
// which is the standing pose that every clip starts and ends in.
type policy struct {
	name    string
	hash    string // SHA-256 of the bundle file
	periodS float64
	clipS   float64 // longest clip
	poor    error   // why its own evaluation would not let it run; nil: it passed

	refs    []*obs.Reference
	run     *infer.Runner
	builder *obs.Builder
	in, out []float32
	m       obs.Measurement

	clip    int // of refs, playing or played last
	next    int // of refs, to play next
	step    int
	playing bool
}

// errOutput is returned bare: a tick allocates nothing.
var errOutput = errors.New("policy output is not finite")

// loadPolicy reads and verifies a bundle for this robot. Every fault is a
// refusal that names the file. A policy whose own evaluation is absent or below
// bundle.Gate is one too, unless it is to run anyway.
func loadPolicy(name string, desc *robot.Description, anyway bool) (*policy, error) {
	b, err := bundle.Load(name)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		return nil, refused("%w", err)
	}
	if err := b.CheckRobot(desc); err != nil {
		return nil, refused("%s: %w", name, err)
	}
	poor := b.CheckGate()
	if poor != nil && !anyway {
		return nil, refused("%s: %w; train further (mitori learn), or run it all the same with --anyway", name, poor)
	}
	var spec obs.Spec
	dec := json.NewDecoder(bytes.NewReader(b.Manifest.Observation))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&spec); err != nil {
		return nil, refused("%s: observation: %w", name, err)
	}
	builder, err := obs.NewBuilder(spec)
	if err != nil {
		return nil, refused("%s: %w", name, err)
	}
	n := len(desc.Joints)
	if spec.Joints() != n || spec.Dim() != b.Net.In() || b.Net.Out() != n {
		return nil, refused("%s: the network maps %d numbers to %d, the observation gives %d and the robot has %d joints",
			name, b.Net.In(), b.Net.Out(), spec.Dim(), n)
	}
	for i, j := range spec.JointNames {
		if j != desc.Joints[i].Name {
			return nil, refused("%s: joint %d of the observation is %q, of the robot %q", name, i, j, desc.Joints[i].Name)
		}
	}
	p := &policy{
		poor: poor,
		name: b.Manifest.Name, hash: b.SHA256, periodS: spec.PeriodS,
		run: b.Net.NewRunner(1), builder: builder,
		in: make([]float32, b.Net.In()), out: make([]float32, n),
	}
	for _, c := range b.Clips {
		ref, err := obs.NewReference(c, &spec)
		if err != nil {
			return nil, refused("%s: %w", name, err)
		}
		p.refs = append(p.refs, ref)
		p.clipS = max(p.clipS, float64(len(ref.Frames))*spec.PeriodS)
	}
	return p, p.checkEnds(name, desc)
}

// endTolerance is how far apart the ends of all clips may be: the robot waits in
// one of them and starts the next from there.
const endTolerance = 0.15 // rad

// checkEnds refuses clips that do not start and end in one common pose.
func (p *policy) checkEnds(name string, desc *robot.Description) error {
	first := p.refs[0].At(0).JointPosRad
	for k, r := range p.refs {
		for _, at := range []int{0, len(r.Frames) - 1} {
			for j, q := range r.At(at).JointPosRad {
				if math.Abs(q-first[j]) > endTolerance {
					return refused("%s: clip %d, frame %d: joint %s is at %.2f rad, the first clip starts at %.2f; a motion must start and end standing",
						name, k, at, desc.Joints[j].Name, q, first[j])
				}
			}
		}
	}
	return nil
}

// startRad is the pose in which every clip starts.
func (p *policy) startRad() []float64 { return p.refs[0].At(0).JointPosRad }

// clipTime is how long the longest clip takes.
func (p *policy) clipTime() time.Duration { return time.Duration(p.clipS * float64(time.Second)) }

// Enter implements loop.Controller.
func (p *policy) Enter(_ *driver.State, holdRad []float64) {
	p.builder.Reset(holdRad)
	p.playing = false
	p.step = len(p.refs[p.clip].Frames)
}

// Act implements loop.Controller.
func (p *policy) Act(dst []float64, s *driver.State, want loop.Intent) (standing bool, err error) {
	ref := p.refs[p.clip]
	switch {
	case p.playing:
		if p.step++; p.step >= len(ref.Frames) {
			p.playing = false
		}
	case want == loop.Play:
		p.clip, p.next = p.next, (p.next+1)%len(p.refs)
		ref, p.step, p.playing = p.refs[p.clip], 0, true
	}
	p.m.JointPosRad, p.m.JointVelRadS = s.PosRad, s.VelRadS
	p.m.GyroRadS, p.m.Gravity = s.GyroRadS, s.GravityDir
	p.builder.Observe(p.in, ref, p.step, &p.m)
	p.run.Forward(p.out, p.in, 1)
	for _, v := range p.out {
		if v != v || v > math.MaxFloat32 || v < -math.MaxFloat32 {
			return !p.playing, errOutput
		}
	}
	p.builder.Target(dst, ref, p.step, p.out)
	return !p.playing, nil
}

// Phase implements loop.Controller.
func (p *policy) Phase() float64 { return p.refs[p.clip].Phase(p.step) }

var _ loop.Controller = (*policy)(nil)

// describe says in one line what was loaded.
func (p *policy) describe() string {
	return fmt.Sprintf("%d clip(s), longest %.1f s, %.0f Hz, sha256 %.12s", len(p.refs), p.clipS, 1/p.periodS, p.hash)
}
