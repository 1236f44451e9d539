package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The network bends an upright body a little in depth, alike in all frames of a
// clip. Frames that look like standing on two straight legs therefore calibrate
// it: there the trunk is upright, thighs point a little forwards and shanks a
// little backwards, and an upper arm that hangs, hangs straight.
const (
	uprightShare   = 1.0   // of the mean bend that is taken for the network's
	uprightFrames  = 5     // fewer frames of standing calibrate nothing
	uprightLine    = 0.985 // hip to ankle against hip to knee to ankle, in the picture
	uprightLegs    = 0.90  // legs against trunk, of the usual proportion
	uprightStretch = 0.96  // of the clip's longest body
	uprightLevelM  = 0.07  // difference in height of the two ankles in the picture
	hangingArm     = 0.90  // share of an upper arm that must point down
	kneeRest       = 0.07  // rad; how far thigh and shank of a standing leg lean
)

// bend is the network's habit with one subject before one camera: by how much it
// bends each bone away from the camera, where the body faces as it did when it
// stood straight. The zero value takes nothing out.
type bend struct {
	facing spatial.Vec3
	away   [len(bones)]float64
}

// findBend measures the bend in the frames of standing. depth is the root's.
func (p *problem) findBend(depth []float64) (out bend) {
	standing := p.standingFrames(depth)
	if len(standing) < uprightFrames {
		return out
	}
	_, away := horizontal(p.up)
	for _, t := range standing {
		out.facing = out.facing.Add(p.forward[t])
	}
	out.facing = out.facing.Unit(p.forward[standing[0]])
	for i, b := range bones {
		rest, straight := restLean(b.kind)
		if !straight {
			continue
		}
		seen := make([]float64, 0, len(standing))
		for _, t := range standing {
			if b.kind == upperArm && p.hanging(t, i) < hangingArm {
				continue
			}
			seen = append(seen, away.Dot(p.direction[t][i])-rest*away.Dot(p.forward[t]))
		}
		if len(seen) >= uprightFrames {
			out.away[i] = uprightShare * median(seen)
		}
	}
	return out
}

// restLean is how far a bone of a standing body leans ahead; false where standing
// says nothing about it.
func restLean(k boneKind) (rad float64, straight bool) {
	switch k {
	case trunk, upperArm:
		return 0, true
	case thigh:
		return kneeRest, true
	case shank:
		return -kneeRest, true
	}
	return 0, false
}

// unbend takes a bend out of the directions of trunk, thighs, shanks and hanging
// upper arms.
func (p *problem) unbend(k bend) {
	if k.facing == (spatial.Vec3{}) {
		return
	}
	_, away := horizontal(p.up)
	for i, b := range bones {
		if k.away[i] == 0 {
			continue
		}
		for t := range p.n {
			// A person who has turned away from the standing pose's heading shows
			// the camera another bend.
			same := math.Max(0, k.facing.Dot(p.forward[t]))
			if b.kind == upperArm {
				same *= p.hanging(t, i)
			}
			p.direction[t][i] = unitOr(p.direction[t][i].Sub(away.Scale(k.away[i] * same)))
		}
	}
}

// hanging is 1 where bone i points straight down, 0 where it is level or higher.
func (p *problem) hanging(t, i int) float64 {
	return math.Max(0, -p.up.Dot(p.direction[t][i]))
}

// standingFrames lists the frames that look like standing on two straight legs.
func (p *problem) standingFrames(depth []float64) []int {
	px := func(t int, j human.Joint) [2]float64 {
		a, b := ends(j)
		return [2]float64{(p.px[t][a][0] + p.px[t][b][0]) / 2, (p.px[t][a][1] + p.px[t][b][1]) / 2}
	}
	dist := func(t int, a, b human.Joint) float64 {
		q, r := px(t, a), px(t, b)
		return math.Hypot(q[0]-r[0], q[1]-r[1]) * depth[t] / p.focalPx
	}
	body := make([]float64, p.n)
	for t := range body {
		body[t] = math.Max(dist(t, human.Chest, human.LAnkle), dist(t, human.Chest, human.RAnkle))
	}
	longest := quantile(append([]float64(nil), body...), 0.95)
	legs := uprightLegs * (markRatio[thigh] + markRatio[shank]) / markRatio[trunk]
	var out []int
	for t := range p.n {
		l, r := px(t, human.LAnkle), px(t, human.RAnkle)
		drop := (l[0]-r[0])*p.up[0] + (l[1]-r[1])*p.up[1]
		ok := body[t] >= uprightStretch*longest && abs(drop)*depth[t]/p.focalPx < uprightLevelM
		for _, h := range hipJoints {
			parts := dist(t, h, h+1) + dist(t, h+1, h+2)
			ok = ok && dist(t, h, h+2) >= uprightLine*parts && parts >= legs*dist(t, human.Pelvis, human.Chest)
		}
		if ok {
			out = append(out, t)
		}
	}
	return out
}
