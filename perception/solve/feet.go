package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Seen from behind, the toes are hidden behind the heels, and the network guesses
// them on the wrong side: feet that point at the camera, half as long as feet are.
// No foot points so far away from where the pelvis faces. One that does is taken for
// its mirror image in depth, and flat.
const (
	footFree   = 50 * math.Pi / 180 // off the pelvis's heading: still believed
	footAstray = 85 * math.Pi / 180 // no longer
	// footAhead is how far a foot that is not believed follows the pelvis instead.
	footAhead = 0.5
)

// turnFeet sets right the directions of feet that point away from where the pelvis
// faces.
func (p *problem) turnFeet(t int) {
	facing := p.forward[t].Sub(p.up.Scale(p.up.Dot(p.forward[t]))).Unit(spatial.Vec3{})
	if facing == (spatial.Vec3{}) {
		return // it lies
	}
	for side := range 2 {
		sole := boneIndex(heelToe, side)
		toe := p.direction[t][sole]
		level := toe.Sub(p.up.Scale(p.up.Dot(toe))).Unit(facing)
		astray := smoothStep((level.AngleRad(facing) - footFree) / (footAstray - footFree))
		if astray == 0 {
			continue
		}
		if back := level.Dot(facing); back < 0 {
			level = level.Sub(facing.Scale(2 * back))
		}
		level = level.Lerp(facing, footAhead).Unit(facing)
		at := func(ahead, height float64) spatial.Vec3 { return level.Scale(ahead).Add(p.up.Scale(height)) }
		for _, flat := range [...]struct {
			kind boneKind
			v    spatial.Vec3
		}{
			{heelToe, at(toeSeenAhead-heelSeenAhead, toeSeenHeight-heelSeenHeight)},
			{ankleHeel, at(heelSeenAhead, heelSeenHeight-ankleSeenHeight)},
			{ankleToe, at(toeSeenAhead, toeSeenHeight-ankleSeenHeight)},
		} {
			i := boneIndex(flat.kind, side)
			p.direction[t][i] = unitOr(p.direction[t][i].Lerp(unitOr(flat.v), astray))
		}
	}
}

// footJoints are the joints behind the contacts, in contact order.
var footJoints = [human.NumContacts]human.Joint{human.LHeel, human.LToe, human.RHeel, human.RToe}
