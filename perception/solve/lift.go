package solve

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// A bone of known length that looks short in the picture points towards or away
// from the camera; the network knows which, but sees it far too flat. Lifting
// chooses the depth of every bone over the whole clip by dynamic programming:
// the picture's length and the network's depth vote in every frame, and depth
// changes smoothly. Arms rather point forwards than backwards. Thigh and shank are
// chosen together (see liftLeg), since a knee bends one
// way only, and since a leg that stands for long has the centre of mass above
// its foot. The result is where the fit starts: from the network's flat bones it
// would not find the way.
const (
	liftLevels     = 17                 // depths tried, from -length to +length
	liftImageM     = 0.02               // standard deviation of a bone's length in the picture
	liftFull       = 0.97               // of its length: a bone that looks longer is the network's
	liftShort      = 0.85               // one that looks shorter the picture's
	liftSpeed      = 2.0                // m/s, standard deviation of the change of depth
	liftKneeM      = 0.03               // standard deviation of a knee behind the line hip to ankle
	liftArmFreeM   = 0.05               // an arm bone may point backwards this far at no cost
	liftArmM       = 0.08               // and has this standard deviation beyond
	liftBackFree   = 0.05               // share of its length by which a thigh may point backwards at no cost
	liftBack       = 0.30               // and its standard deviation beyond
	handStraight   = 0.7                // how far a hand follows its forearm: the network bends it towards the camera
	carryRiseM     = 0.10               // a foot seen this much higher than the other carries nothing
	trailUpright   = 5 * math.Pi / 180  // trunks that lean less are upright
	trailLean      = 12 * math.Pi / 180 // more, lean
	trailRiseM     = 0.04               // a foot seen this much higher than the other is raised
	liftTrailM     = 0.05               // a raised foot may be this far behind the hip at no cost
	liftTrail      = 0.04               // m, and has this standard deviation beyond
	liftBalanceCap = 9                  // its square counts no more than this
	liftBalanceM   = 0.05               // standard deviation of the centre of mass over the feet in quiet stance
)

// depthShare is the standard deviation of the network's depth of a bone, of its length,
// after turnUpright: measured on rendered clips, and no better on a real man. Of thighs it
// says nothing (0 to 0.1 where 0.55 is true).
var depthShare = [numBoneKinds]float64{trunk: 0.12, hipWidth: 0.35, shoulderWidth: 0.35, neck: 0.12, upperArm: 0.2,
	forearm: 0.25, hand: 0.35, thigh: 0.7, shank: 0.35, ankleHeel: 0.35, heelToe: 0.35, ankleToe: 0.35}

// liftBones replaces the directions of the long bones. depth is the root's.
func (p *problem) liftBones(depth []float64) {
	for i, b := range bones {
		switch b.kind {
		case neck, ankleHeel, heelToe, ankleToe, hand, thigh, shank:
			continue
		}
		l := p.liftLine(i, depth)
		path := l.best(&p.past.now.lines[i], &p.past.next.lines[i])
		for t := range path {
			p.direction[t][i] = l.blend(t, p.direction[t][i], path[t], 0)
		}
	}
	for side := range 2 {
		fore, palm := boneIndex(forearm, side), boneIndex(hand, side)
		for t := range p.n {
			p.direction[t][palm] = unitOr(p.direction[t][palm].Lerp(p.direction[t][fore], handStraight))
		}
	}
	mass := p.upperMass()
	for side := range 2 {
		p.liftLeg(side, depth, mass, p.quietStance(side, depth))
	}
}

// liftPast is what frames before the first say: the cost of every level there.
// A whole clip has no such frames and begins with zeros.
type liftPast struct {
	lines [len(bones)][liftLevels]float64
	legs  [2][legLevels]float64
}

// past holds the past of the first frame, and what will be that of the second when
// the first has left the window.
type past struct{ now, next liftPast }

// rest writes the costs in, less the smallest, to into.
func rest(into, in []float64) {
	least := slices.Min(in)
	for i, v := range in {
		into[i] = v - least
	}
}

// boneIndex returns the place in bones of the left (0) or right (1) one of a kind.
func boneIndex(k boneKind, side int) int {
	for i, b := range bones {
		if b.kind == k {
			return i + side
		}
	}
	panic("solve: no such bone")
}

// line is one bone over time: its length, its vector in the picture in metres
// and the network's depth.
type line struct {
	length, fps float64
	// sight is how far apart the rays to the two ends are at the depth of the first,
	// m; far is the slope of the ray to the second.
	sight, far [][2]float64
	from       []float64 // depth of the first end, m
	depth      []float64
	weight     []float64 // of the picture
	imageM     float64   // standard deviation of the length in the picture
	share      float64   // standard deviation of the network's depth, of the length
	// forward, if set, is where the body faces: arms rarely point backwards.
	forward []spatial.Vec3
}

func (p *problem) liftLine(i int, depth []float64) *line {
	b := bones[i]
	l := &line{length: p.length[b.kind], fps: p.fps, sight: make([][2]float64, p.n), far: make([][2]float64, p.n),
		from: make([]float64, p.n), depth: make([]float64, p.n), weight: make([]float64, p.n)}
	l.imageM, l.share = liftImageM, depthShare[b.kind]
	switch b.kind {
	case shoulderWidth, hipWidth:
		// Shoulders are not one bone: raised arms bring them together.
		l.imageM, l.share = girdleDoubt*liftImageM, depthShare[b.kind]/girdleTrust
	case upperArm, forearm:
		l.forward = p.forward
	}
	for t := range p.n {
		var rel [numFree]spatial.Vec3
		p.chain(t, &rel)
		v := p.look(t, b, &rel, depth[t], b.kind != thigh && b.kind != shank)
		l.from[t] = depth[t] + v.from
		for k := range 2 {
			l.sight[t][k], l.far[t][k] = (v.end[k]-v.start[k])*l.from[t], v.end[k]
		}
		l.depth[t] = p.direction[t][i][2] * l.length
		l.weight[t] = v.weight * v.weight
	}
	return l
}

// across is the bone's vector in the picture's axes, m, if it is z deep and begins
// shift behind where it was thought to.
func (l *line) across(t int, z, shift float64) [2]float64 {
	k := 1 + shift/l.from[t]
	return [2]float64{k*l.sight[t][0] + z*l.far[t][0], k*l.sight[t][1] + z*l.far[t][1]}
}

// sightline is how the picture shows a bone in one frame.
type sightline struct {
	start, end [2]float64 // slopes of the rays to its ends
	from       float64    // depth of its first end behind the root, m
	weight     float64    // of the worse of its ends
}

// look finds how frame t shows bone b of the body rel (see chain), at the given depth
// of the root: between its joints, or between their marks.
func (p *problem) look(t int, b bone, rel *[numFree]spatial.Vec3, depth float64, joints bool) sightline {
	a0, a1 := ends(b.a)
	b0, b1 := ends(b.b)
	slope := func(i, j int) (out [2]float64) {
		var off spatial.Vec3
		if joints {
			off = p.mark[t][i].Lerp(p.mark[t][j], 0.5).Scale(1 / (depth + rel[i][2]))
		}
		for k := range out {
			ray := ((p.px[t][i][k]+p.px[t][j][k])/2 - p.centrePx[k]) / p.focalPx
			out[k] = ray*(1+off[2]) - off[k]
		}
		return out
	}
	w := &p.weight[t]
	return sightline{slope(a0, a1), slope(b0, b1), (rel[a0][2] + rel[a1][2]) / 2, min(w[a0], w[a1], w[b0], w[b1])}
}

// z is the depth of level s.
func (l *line) z(s int) float64 { return l.length * (2*float64(s)/(liftLevels-1) - 1) }

// cost of depth level s in frame t, if the bone begins shift behind where it was
// thought to.
func (l *line) cost(t, s int, shift float64) float64 {
	return l.costOf(t, l.z(s), l.across(t, l.z(s), shift))
}

// costOf is the cost of depth z where the picture shows the bone as d.
func (l *line) costOf(t int, z float64, d [2]float64) float64 {
	image := (math.Sqrt(math.Max(0, l.length*l.length-z*z)) - math.Sqrt(d[0]*d[0]+d[1]*d[1])) / l.imageM
	net := (z - l.depth[t]) / (l.share * l.length)
	// One wild landmark must not decide.
	c := l.weight[t]*math.Min(image*image, 25) + net*net
	if l.forward != nil {
		ahead := l.forward[t].Dot(spatial.Vec3{d[0], d[1], z})
		behind := math.Min(0, ahead+liftArmFreeM) / liftArmM
		c += behind * behind
	}
	return c
}

// steps lists the cost of changing the depth by 0, 1, ... levels between frames.
func (l *line) steps() (cost [liftLevels]float64) {
	for d := range cost {
		v := float64(d) * 2 * l.length / (liftLevels - 1) * l.fps / liftSpeed
		cost[d] = v * v
	}
	return cost
}

// cheapest finds the level from which level s is reached at least cost, and the
// cost; at gives the cost of being at a level before.
func cheapest(s int, step *[liftLevels]float64, at *[liftLevels]float64) (cost float64, from int) {
	cost = math.Inf(1)
	for r := range at {
		d := s - r
		if d < 0 {
			d = -d
		}
		if c := at[r] + step[d]; c < cost {
			cost, from = c, r
		}
	}
	return cost, from
}

// blend is the direction of the bone at level s where the picture shows it
// clearly shortened, and the network's where it does not: the depth of a bone
// across the line of sight drowns in the noise of its length.
func (l *line) blend(t int, network spatial.Vec3, s int, shift float64) spatial.Vec3 {
	d := l.across(t, l.z(s), shift)
	w := smoothStep((liftFull - math.Hypot(d[0], d[1])/l.length) / (liftFull - liftShort))
	return unitOr(network.Lerp(l.direction(t, s, shift), w))
}

// direction is the unit vector of the bone at level s in frame t, its direction
// in the picture kept.
func (l *line) direction(t, s int, shift float64) spatial.Vec3 {
	z := l.refine(t, s, shift)
	d := l.across(t, z, shift)
	r := math.Hypot(d[0], d[1])
	across := math.Sqrt(math.Max(0, l.length*l.length-z*z))
	if r < 1e-6 {
		return spatial.Vec3{0, 0, math.Copysign(1, z)}
	}
	return unitOr(spatial.Vec3{d[0] * across / r, d[1] * across / r, z})
}

// refine interpolates between levels by a parabola through the neighbours' cost.
func (l *line) refine(t, s int, shift float64) float64 {
	if s == 0 || s == liftLevels-1 {
		return l.z(s)
	}
	a, b, c := l.cost(t, s-1, shift), l.cost(t, s, shift), l.cost(t, s+1, shift)
	den := a - 2*b + c
	if den < 1e-9 {
		return l.z(s)
	}
	part := math.Max(-0.5, math.Min(0.5, (a-c)/(2*den)))
	return l.z(s) + part*2*l.length/(liftLevels-1)
}

// best returns the cheapest sequence of levels; before is the past of the first
// frame, and after becomes that of the second.
func (l *line) best(before, after *[liftLevels]float64) []int {
	n := len(l.depth)
	var cost, next [liftLevels]float64
	from := make([][liftLevels]int8, n)
	step := l.steps()
	for s := range cost {
		cost[s] = l.cost(0, s, 0) + before[s]
	}
	for t := 1; t < n; t++ {
		for s := range liftLevels {
			best, arg := cheapest(s, &step, &cost)
			next[s], from[t][s] = best+l.cost(t, s, 0), int8(arg)
			if t == 1 {
				after[s] = best
			}
		}
		cost = next
	}
	rest(after[:], after[:])
	s := 0
	for r := range cost {
		if cost[r] < cost[s] {
			s = r
		}
	}
	path := make([]int, n)
	for t := n - 1; t >= 0; t-- {
		path[t] = s
		s = int(from[t][s])
	}
	return path
}
