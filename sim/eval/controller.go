package eval

import (
	"fmt"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// Actor decides what the robots do: from count observations (count x Dim) it
// makes as many outputs (count x joints), in the units of the action map. A
// network's Runner is one.
type Actor interface {
	Forward(dst, observations []float32, count int)
}

// Factory makes an actor for up to count robots at a time.
type Factory func(count int) Actor

// Policy runs exported weights as the robot's daemon does: one forward pass, the
// network's own output.
func Policy(spec obs.Spec, net *infer.Net) (Factory, error) {
	if net.In() != spec.Dim() || net.Out() != spec.Joints() {
		return nil, fmt.Errorf("eval: the network maps %d numbers to %d, the observation has %d and the robot %d joints",
			net.In(), net.Out(), spec.Dim(), spec.Joints())
	}
	return func(count int) Actor { return net.NewRunner(count) }, nil
}

// Playback commands the reference and looks at nothing: the baseline that a
// policy has to beat. Limits of position and speed hold for it as well.
func Playback(int) Actor { return playback{} }

type playback struct{}

func (playback) Forward(dst, _ []float32, _ int) { clear(dst) }
