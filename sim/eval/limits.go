package eval

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/body"
)

// flightConfig is how robotd drives this robot under a policy of the given period, with the limits of hardware: an
// emulated bus is forgiven things, a robot is not.
func flightConfig(b *body.Body, periodS float64) loop.Config {
	every := max(1, int(math.Round(b.Desc.LoopRateHz*periodS)))
	return limits.Derive(b.Desc, limits.ShapeOf(b), int(b.Desc.LoopRateHz), every)
}
