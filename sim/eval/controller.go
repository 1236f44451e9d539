package eval

import (
	"fmt"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// Policy runs exported weights as the robot's daemon does: the one observation
// builder, one forward pass, the network's own output.
func Policy(spec obs.Spec, net *infer.Net) (Factory, error) {
	if net.In() != spec.Dim() || net.Out() != spec.Joints() {
		return nil, fmt.Errorf("eval: the network maps %d numbers to %d, the observation has %d and the robot %d joints",
			net.In(), net.Out(), spec.Dim(), spec.Joints())
	}
	return func(ref *obs.Reference) (Controller, error) {
		b, err := obs.NewBuilder(spec)
		if err != nil {
			return nil, err
		}
		return &policy{builder: b, ref: ref, run: net.NewRunner(1), obs: make([]float32, spec.Dim()), out: make([]float32, spec.Joints())}, nil
	}, nil
}

type policy struct {
	builder  *obs.Builder
	ref      *obs.Reference
	run      *infer.Runner
	obs, out []float32
}

func (p *policy) Reset(last []float64) { p.builder.Reset(last) }

func (p *policy) Act(dst []float64, step int, m *obs.Measurement) {
	p.builder.Observe(p.obs, p.ref, step, m)
	p.run.Forward(p.out, p.obs, 1)
	p.builder.Target(dst, p.ref, step, p.out)
}

// Playback commands the reference and looks at nothing: the baseline that a
// policy has to beat. Limits of position and speed hold for it as well.
func Playback(spec obs.Spec) Factory {
	return func(ref *obs.Reference) (Controller, error) {
		b, err := obs.NewBuilder(spec)
		if err != nil {
			return nil, err
		}
		return &playback{builder: b, ref: ref, zero: make([]float32, spec.Joints())}, nil
	}
}

type playback struct {
	builder *obs.Builder
	ref     *obs.Reference
	zero    []float32
}

func (p *playback) Reset(last []float64) { p.builder.Reset(last) }

func (p *playback) Act(dst []float64, step int, _ *obs.Measurement) {
	p.builder.Target(dst, p.ref, step, p.zero)
}
