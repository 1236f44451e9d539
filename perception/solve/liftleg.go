package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// legLevels is the number of pairs of levels of thigh and shank.
const legLevels = liftLevels * liftLevels

// liftLeg chooses the depths of a thigh and its shank together.
func (p *problem) liftLeg(side int, depth []float64, mass []spatial.Vec3, quiet []float64) {
	thighBone, shankBone := boneIndex(thigh, side), boneIndex(shank, side)
	g := leg{side: side, cost: p.past.now.legs[side],
		thigh: p.liftLine(thighBone, depth), shank: p.liftLine(shankBone, depth)}
	g.thighStep, g.shankStep = g.thigh.steps(), g.shank.steps()
	_, g.away = horizontal(p.up)
	from := make([][legLevels]int16, p.n)
	for t := range p.n {
		if t > 0 {
			g.advance(&from[t])
		}
		if t == 1 {
			rest(p.past.next.legs[side][:], g.cost[:])
		}
		g.weigh(p, t, mass[t], quiet[t], p.raised(t, side, depth[t]))
	}
	s := 0
	for r := range g.cost {
		if g.cost[r] < g.cost[s] {
			s = r
		}
	}
	for t := p.n - 1; t >= 0; t-- {
		p.direction[t][thighBone], p.direction[t][shankBone] = g.settle(p, t, s/liftLevels, s%liftLevels)
		s = int(from[t][s])
	}
}

// leg is the search for the cheapest depths of one leg; cost is that of every pair
// of levels, thigh by thigh.
type leg struct {
	side                 int
	thigh, shank         *line
	thighStep, shankStep [liftLevels]float64
	away                 spatial.Vec3
	cost                 [legLevels]float64
}

// advance goes to the next frame and writes down where every pair came from. The
// cost of change is a sum over the two bones: one at a time.
func (g *leg) advance(from *[legLevels]int16) {
	const m = liftLevels
	var half [legLevels]float64
	var halfFrom [legLevels]int16
	var at [m]float64
	for j := range m {
		for r := range m {
			at[r] = g.cost[r*m+j]
		}
		for i := range m {
			best, arg := cheapest(i, &g.thighStep, &at)
			half[i*m+j], halfFrom[i*m+j] = best, int16(arg)
		}
	}
	for i := range m {
		at = [m]float64(half[i*m : i*m+m])
		for j := range m {
			best, arg := cheapest(j, &g.shankStep, &at)
			g.cost[i*m+j] = best
			from[i*m+j] = halfFrom[i*m+arg]*m + int16(arg)
		}
	}
}

// weigh adds the cost of the pairs in frame t.
func (g *leg) weigh(p *problem, t int, mass spatial.Vec3, quiet, raised float64) {
	const m = liftLevels
	for i := range m {
		for j := range m {
			upper, lower := g.pair(p, t, i, j)
			g.cost[i*m+j] += g.thigh.costOf(t, upper[2], [2]float64{upper[0], upper[1]}) +
				g.shank.costOf(t, lower[2], [2]float64{lower[0], lower[1]}) + p.legCost(t, g, upper, lower, mass, quiet, raised)
		}
	}
}

// pair is what the picture shows of thigh and shank at levels i and j: joint to joint,
// in the picture as seen, m. Where the marks of hip and knee are depends on the bend.
func (g *leg) pair(p *problem, t, i, j int) (upper, lower spatial.Vec3) {
	za, zb := g.thigh.z(i), g.shank.z(j)
	d, e := g.thigh.across(t, za, 0), g.shank.across(t, zb, za-g.thigh.depth[t])
	upper, lower = spatial.Vec3{d[0], d[1], za}, spatial.Vec3{e[0], e[1], zb}
	a := legAxes(unitOr(upper), unitOr(lower), p.direction[t][boneIndex(hipWidth, 0)])
	left := p.direction[t][boneIndex(hipWidth, 0)]
	knee := a.kneeMark(p.heightM)
	hip := a.hipMark(p.direction[t][boneIndex(trunk, 0)], p.heightM).
		Add(left.Scale(float64(1-2*g.side) * hipMarkOut * p.heightM))
	for k := range 2 {
		upper[k] += hip[k] - knee[k]
		lower[k] += knee[k]
	}
	return upper, lower
}

// settle takes levels i and j for frame t.
func (g *leg) settle(p *problem, t, i, j int) (thighDir, shankDir spatial.Vec3) {
	upper, lower := g.pair(p, t, i, j)
	shift := g.thigh.z(i) - g.thigh.depth[t]
	d, e := g.thigh.across(t, upper[2], 0), g.shank.across(t, lower[2], shift)
	for k := range 2 {
		g.thigh.sight[t][k] += upper[k] - d[k]
		g.shank.sight[t][k] += (lower[k] - e[k]) / (1 + shift/g.shank.from[t])
	}
	thighBone, shankBone := boneIndex(thigh, g.side), boneIndex(shank, g.side)
	return g.thigh.blend(t, p.direction[t][thighBone], i, 0), g.shank.blend(t, p.direction[t][shankBone], j, shift)
}

// legCost punishes a knee behind the line from hip to ankle and, in quiet stance,
// a centre of mass that is not above the foot.
func (p *problem) legCost(t int, g *leg, upper, lower, mass spatial.Vec3, quiet, raised float64) float64 {
	a, b := g.thigh, g.shank
	s := a.length / (a.length + b.length)
	// knee - lerp(hip, ankle, s) = (1-s) thigh - s shank
	v := upper.Scale(1 - s).Sub(lower.Scale(s))
	behind := math.Min(0, p.forward[t].Dot(v)) / liftKneeM
	cost := behind * behind
	back := math.Min(0, p.forward[t].Dot(upper)/a.length+liftBackFree) / liftBack
	cost += back * back
	if raised > 0 {
		trail := math.Max(0, -p.forward[t].Dot(upper.Add(lower))-liftTrailM) / liftTrail
		cost += raised * trail * trail
	}
	if quiet > 0 {
		// Both legs carry alike, in mass (see massCentre) and in load.
		centre := mass.Add(upper.Scale(2 * (0.100*0.433 + 0.061))).Add(lower.Scale(2 * 0.061 * 0.606))
		middle := p.forward[t].Scale(p.heightM * (heelAhead + toeAhead) / 2)
		off := g.away.Dot(centre.Sub(upper).Sub(lower).Sub(middle)) / liftBalanceM
		cost += quiet * math.Min(off*off, liftBalanceCap) // a trunk misread must not decide
	}
	return cost
}

// upperMass is what trunk, head and arms add to the centre of mass, from the
// pelvis, by the bones' directions (see massCentre for the shares).
func (p *problem) upperMass() []spatial.Vec3 {
	out := make([]spatial.Vec3, p.n)
	for t := range out {
		chest := p.direction[t][0].Scale(p.length[trunk])
		m := chest.Scale(0.497 / 2).Add(chest.Add(p.direction[t][boneIndex(neck, 0)].Scale(p.length[neck])).Scale(0.081))
		for side := range 2 {
			arm := p.direction[t][boneIndex(upperArm, side)].Scale(p.length[upperArm])
			fore := p.direction[t][boneIndex(forearm, side)].Scale(p.length[forearm])
			m = m.Add(chest.Add(arm.Scale(0.436)).Scale(0.028)).Add(chest.Add(arm).Add(fore.Scale(0.682)).Scale(0.022))
		}
		out[t] = m
	}
	return out
}

// quietStance is 1 where a foot has rested in the picture for over a second
// around the frame, 0 where for less than 0.7 s, as in walking.
func (p *problem) quietStance(side int, depth []float64) []float64 {
	out := make([]float64, p.n)
	for t := 0; t < p.n; {
		u := t
		for u < p.n && p.footSpeed(u, side, depth[u]) < restSpeed {
			u++
		}
		for i := t; i < u; i++ {
			// A foot that rests higher than the other is held in the air, or far behind.
			out[i] = clamp01((float64(u-t)/p.fps-0.7)/0.3) * falling(p.footRise(i, side, depth[i]), carryRiseM, touchHeightSoft)
		}
		t = max(u, t+1)
	}
	return out
}

// raised is 1 where a foot is seen off the floor below an upright trunk, as in
// marching: then it is not far behind. Who leans has the leg behind for balance.
func (p *problem) raised(t, side int, depth float64) float64 {
	lean := p.direction[t][boneIndex(trunk, 0)].AngleRad(p.up)
	return (1 - falling(p.footRise(t, side, depth), trailRiseM, touchHeightSoft)) *
		smoothStep((trailLean-lean)/(trailLean-trailUpright))
}

// footRise is how much higher than the other a foot is in the picture, m at the given
// depth.
func (p *problem) footRise(t, side int, depth float64) float64 {
	rise := 0.0
	for k := range 2 {
		heel, other := freeIndex[footJoints[2*side]], freeIndex[footJoints[2*(1-side)]]
		rise += p.up[k] * (p.px[t][heel][k] + p.px[t][heel+1][k] - p.px[t][other][k] - p.px[t][other+1][k]) / 2
	}
	return rise * depth / p.focalPx
}

// footSpeed is the speed of a foot in the picture in m/s at the given depth.
func (p *problem) footSpeed(t, side int, depth float64) float64 {
	heel := footJoints[2*side]
	return math.Min(p.screenSpeedAt(t, heel, depth), p.screenSpeedAt(t, heel+1, depth))
}
