package eval

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/robot"
)

// flightConfig is how robotd drives this robot under a policy of the given
// period. The poses of arming and settling, and which servos are a leg's, are left
// out: they lie before and after a motion, or concern servos that fail.
func flightConfig(d *robot.Description, periodS float64) loop.Config {
	n := len(d.Joints)
	none := limits.Shape{StandRad: make([]float64, n), Leg: make([]bool, n)}
	return limits.Derive(d, none, int(d.LoopRateHz), max(1, int(math.Round(d.LoopRateHz*periodS))))
}
