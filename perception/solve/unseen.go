package solve

import (
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/sight"
)

// What the camera does not see is not invented. A landmark outside the picture is a
// guess, whatever the network says of it. A limb that is hidden for longer than
// sight.BridgeS takes no part in the solution: not in size, depth, gravity, floor or
// contacts. It goes from where it was last seen to its rest, an arm hanging, a trunk
// without hips upright, a leg straight below the hip with the foot on the floor, and is back where it is seen again
// when that happens (human.Stays). Its confidence is 0.
const (
	// upperBodyShare of the frames without legs make a clip that of an upper body.
	upperBodyShare = 0.9
	// restFootM is how high above the floor the foot of a hidden leg still stands.
	restFootM, restFootSoft = 0.05, 0.01
)

// hiddenLimbs are the chains of joints that are hidden as one: by any of the parts, or
// for the hips, which carry the trunk, by both.
var hiddenLimbs = [...]struct {
	part, also sight.Part
	joints     []human.Joint
}{
	{sight.LeftHip, sight.RightHip, []human.Joint{human.Pelvis, human.LHip, human.RHip}},
	{sight.LeftArm, sight.LeftArm, []human.Joint{human.LElbow, human.LWrist, human.LHand}},
	{sight.RightArm, sight.RightArm, []human.Joint{human.RElbow, human.RWrist, human.RHand}},
	{sight.LeftLeg, sight.LeftLeg, []human.Joint{human.LKnee, human.LAnkle, human.LHeel, human.LToe}},
	{sight.RightLeg, sight.RightLeg, []human.Joint{human.RKnee, human.RAnkle, human.RHeel, human.RToe}},
}

// conceal keeps what is hidden out of the solution.
func (p *problem) conceal(v *view, g grid) {
	p.hidden = make([][human.NumJoints]bool, p.n)
	for _, l := range hiddenLimbs {
		if len(v.hidden[l.part]) == 0 {
			continue
		}
		for t := range p.n {
			atS, stepS := g.startS+float64(t)/g.fps, 1/g.fps
			if !v.hides(l.part, atS, stepS) || !v.hides(l.also, atS, stepS) {
				continue
			}
			for _, j := range l.joints {
				p.hidden[t][j] = true
				if i := freeIndex[j]; i >= 0 {
					p.weight[t][i] = 0
				}
			}
		}
	}
}

// hides tells whether joint j is hidden in frame t.
func (p *problem) hides(t int, j human.Joint) bool { return p.hidden != nil && p.hidden[t][j] }

// neverLegs tells whether the clip shows an upper body: both legs are hidden throughout,
// but for what is too short to tell.
func (p *problem) neverLegs() bool {
	n := 0
	for t := range p.hidden {
		if p.hides(t, human.LKnee) && p.hides(t, human.RKnee) {
			n++
		}
	}
	return n > 0 && float64(n) >= upperBodyShare*float64(p.n)
}

// rest points the bones of hidden limbs to where they rest.
func (p *problem) rest() {
	if p.hidden == nil {
		return
	}
	right, away := horizontal(p.up)
	for i, b := range bones {
		far := b.b // the end that is placed by the bone
		if b.kind == trunk {
			far = human.Pelvis
		}
		for t := 0; t < p.n; t++ {
			if !p.hides(t, far) {
				continue
			}
			from := t
			for t < p.n && p.hides(t, far) {
				t++
			}
			p.restBone(i, from, t, func(u int) spatial.Vec3 { return p.restDirection(b.kind, u, right, away) })
		}
	}
}

// restDirection is where a bone points at rest in frame t.
func (p *problem) restDirection(k boneKind, t int, right, away spatial.Vec3) spatial.Vec3 {
	ahead := right.Scale(right.Dot(p.forward[t])).Add(away.Scale(away.Dot(p.forward[t]))).Unit(away.Scale(-1))
	foot := func(x, z float64) spatial.Vec3 { return unitOr(ahead.Scale(x).Add(p.up.Scale(z))) }
	switch k {
	case trunk:
		return p.up
	case hipWidth:
		left := p.direction[t][boneIndex(shoulderWidth, 0)]
		return left.Sub(p.up.Scale(p.up.Dot(left))).Unit(right)
	case ankleHeel:
		return foot(heelSeenAhead, heelSeenHeight-ankleSeenHeight)
	case heelToe:
		return foot(toeSeenAhead-heelSeenAhead, toeSeenHeight-heelSeenHeight)
	case ankleToe:
		return foot(toeSeenAhead, toeSeenHeight-ankleSeenHeight)
	}
	return p.up.Scale(-1)
}

// restBone eases bone i from its direction before frame from to rest, and to its
// direction in frame to.
func (p *problem) restBone(i, from, to int, rest func(t int) spatial.Vec3) {
	gapS := float64(to-from+1) / p.fps // from sight to sight
	for t := from; t < to; t++ {
		d := rest(t)
		if from > 0 {
			d = turned(d, p.direction[from-1][i], human.Stays(float64(t-from+1)/p.fps, gapS))
		}
		if to < p.n {
			d = turned(d, p.direction[to][i], human.Stays(float64(to-t)/p.fps, gapS))
		}
		p.direction[t][i] = d
	}
}

// turned is a turned towards b by a share of the way.
func turned(a, b spatial.Vec3, share float64) spatial.Vec3 {
	return spatial.Exp(spatial.Between(a, b).Log().Scale(share)).Rotate(a)
}

// forget drops what invented feet say of floor and contacts; c may be nil.
func (p *problem) forget(c contacts) {
	for t := range p.hidden {
		for k, j := range footJoints {
			if !p.hides(t, j) {
				continue
			}
			p.still[t][k] = 0
			if t > 0 {
				p.still[t-1][k] = 0
			}
			if c != nil {
				c[t][k] = 0
			}
		}
	}
}

// settleFloor puts the floor below the standing person where no foot was ever seen.
func (p *problem) settleFloor(c contacts) {
	for t := range c {
		if stands(&c[t]) {
			return
		}
	}
	high := make([]float64, p.n)
	for t := range high {
		high[t] = p.up.Dot(p.joint(t, human.Pelvis))
	}
	p.floor = quantile(high, 0.95) - straightLeg*(p.length[thigh]+p.length[shank]) - ankleSeenHeight*p.heightM
}

// stand lets hidden feet stand that are on the floor.
func (p *problem) stand(c contacts) {
	for t := range p.hidden {
		for k, j := range footJoints {
			if p.hides(t, j) {
				h := p.up.Dot(p.joint(t, j)) - p.floor - p.seenHeight(k)
				c[t][k] = falling(h, restFootM, restFootSoft)
			}
		}
	}
}

// stanceShare is the share of frames with a foot on the floor, of those in which a foot
// is seen; 1 where none ever is: nothing speaks against it.
func (p *problem) stanceShare(c contacts) float64 {
	stance, seen := 0.0, 0.0
	for t := range c {
		if p.hides(t, human.LAnkle) && p.hides(t, human.RAnkle) {
			continue
		}
		seen++
		if stands(&c[t]) {
			stance++
		}
	}
	if seen == 0 {
		return 1
	}
	return stance / seen
}
