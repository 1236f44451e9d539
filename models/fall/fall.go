// Package fall says when a humanoid has fallen: one rule with one set of numbers, by which the trainer's test set, the
// evaluation and the emulated flight judge alike.
//
// The rule is about the robot alone, not about what it should be doing: a flight is judged by those who do not know the
// motion. It asks whether the trunk is down, so the standing height is all that it has to be told.
//
// What is not here: the limits at which training gives an episode up (policy/rollout, they are about the motion), and
// the tilt at which robotd lets go of a robot (actuators/guard). That one is smaller on purpose: the servos have to be
// soft before the trunk meets the floor, and a robot that can still be caught may be let go.
//
// A Rule is a value; everything here is pure and safe for concurrent use.
package fall

import "math"

const (
	// HeightShare of the standing height is the least height of the root. No motion goes there: retargeting bends the
	// legs until the hips are at 55 % of their standing height, which leaves the root of a robot whose feet and pelvis
	// have some height of their own above 60 %. A robot that sits or lies is below.
	HeightShare = 0.6
	// TiltRad is the largest angle between the root's z axis and the vertical, 60 degrees. Retargeted trunks lean by up
	// to 43; a servo humanoid does not come back from 60, at which its centre of mass is far outside of any foot.
	TiltRad = math.Pi / 3
	// Text is the rule as a sentence.
	Text = "the root is above 60 % of its standing height and tilted by less than 60 degrees from the vertical"
)

// Rule tells a fallen robot from one on its feet. The zero value finds nobody fallen. Make one with [Of].
type Rule struct {
	LowM    float64 // root heights below it are falls
	TiltRad float64 // tilts above it are falls; 0: none is
}

// Of is the rule for a robot whose root stands standM above the floor.
func Of(standM float64) Rule { return Rule{LowM: HeightShare * standM, TiltRad: TiltRad} }

// Fallen judges a root at heightM above the floor, whose z axis is tiltRad away from the vertical.
func (r Rule) Fallen(heightM, tiltRad float64) bool {
	return heightM < r.LowM || r.TiltRad > 0 && tiltRad > r.TiltRad
}
