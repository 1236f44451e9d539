package solve

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Where feet stood lies on the floor, or on a step or a box, which is a floor of its
// own. Gravity and the levels are found together: the most likely of one, two and more
// levels, each new one at a price, and slopes held to zero as far as gravity is known.
// So a person who walks off slants a floor that was taken for level, and one who steps
// onto a block does not.
const (
	placeDoubtM = 0.06 // standard deviation of the height of a place where a foot stood
	levelGapM   = 0.08 // lower steps are the floor
	// levelSpreads is how far apart levels are, in standard deviations of their places.
	levelSpreads = 4.0
	levelPrice   = 4.0 // logarithm of how much rarer one more level is
	mostLevels   = 4
	// slopeDoubts bounds the slopes that places may tell, in standard deviations of gravity.
	slopeDoubts = 3.0
	levelPasses = 12
)

// place is where a foot stood, uninterrupted, from frame from to before frame to:
// right, away and up, m.
type place struct {
	side, from, to int
	a, b, h        float64
}

// places lists where feet stood.
func (p *problem) places(c contacts) (out []place) {
	right, away := horizontal(p.up)
	for side := range 2 {
		for t := 0; t < p.n; {
			q := place{side: side, from: t}
			var m spatial.Vec3
			n := 0.0
			for ; t < p.n; t++ {
				before := n
				for k := 2 * side; k < 2*side+2; k++ {
					if c[t][k] >= 0.5 {
						m, n = m.Add(p.joint(t, footJoints[k])).Sub(p.up.Scale(p.seenHeight(k))), n+1
					}
				}
				if n == before {
					break
				}
			}
			if n == 0 {
				t++
				continue
			}
			m = m.Scale(1 / n)
			q.to, q.a, q.b, q.h = t, right.Dot(m), away.Dot(m), p.up.Dot(m)
			out = append(out, q)
		}
	}
	return out
}

// terrain is how the places lie: slopes to the right and away, and levels.
type terrain struct {
	slopeA, slopeB float64
	level          []float64
	of             []int // the level of each place
	cost           float64
}

// above is how far place q lies above the slopes.
func (g *terrain) above(q *place) float64 { return q.h - g.slopeA*q.a - g.slopeB*q.b }

// settle finds slopes, levels and which place lies on which in turn.
func (g *terrain) settle(places []place, doubtRad float64) {
	ridge := (placeDoubtM / doubtRad) * (placeDoubtM / doubtRad)
	for range levelPasses {
		sum, n := make([]float64, len(g.level)), make([]float64, len(g.level))
		var ma, mb = make([]float64, len(g.level)), make([]float64, len(g.level))
		for i := range places {
			q, k := &places[i], g.of[i]
			sum[k], ma[k], mb[k], n[k] = sum[k]+q.h, ma[k]+q.a, mb[k]+q.b, n[k]+1
		}
		aa, bb, ab, ah, bh := ridge, ridge, 0.0, 0.0, 0.0
		for i := range places {
			q, k := &places[i], g.of[i]
			a, b, h := q.a-ma[k]/n[k], q.b-mb[k]/n[k], q.h-sum[k]/n[k]
			aa, bb, ab, ah, bh = aa+a*a, bb+b*b, ab+a*b, ah+a*h, bh+b*h
		}
		det := aa*bb - ab*ab
		most := slopeDoubts * doubtRad
		g.slopeA = math.Max(-most, math.Min(most, (ah*bb-bh*ab)/det))
		g.slopeB = math.Max(-most, math.Min(most, (bh*aa-ah*ab)/det))
		for k := range g.level {
			if n[k] > 0 {
				g.level[k] = (sum[k] - g.slopeA*ma[k] - g.slopeB*mb[k]) / n[k]
			}
		}
		for i := range places {
			for k := range g.level {
				if abs(g.above(&places[i])-g.level[k]) < abs(g.above(&places[i])-g.level[g.of[i]]) {
					g.of[i] = k
				}
			}
		}
	}
	g.cost = levelPrice * float64(len(g.level)-1)
	g.cost += (g.slopeA*g.slopeA + g.slopeB*g.slopeB) / (2 * doubtRad * doubtRad)
	for i := range places {
		z := (g.above(&places[i]) - g.level[g.of[i]]) / placeDoubtM
		g.cost += z * z / 2
	}
}

// split is g with one more level: above its widest gap between places.
func (g *terrain) split(places []place) *terrain {
	type height struct {
		h float64
		i int
	}
	var sorted []height
	for i := range places {
		sorted = append(sorted, height{g.above(&places[i]), i})
	}
	slices.SortFunc(sorted, func(x, y height) int {
		if x.h < y.h || x.h == y.h && x.i < y.i {
			return -1
		}
		return 1
	})
	widest := 1
	for i := 1; i < len(sorted); i++ {
		same := g.of[sorted[i].i] == g.of[sorted[i-1].i]
		if same && sorted[i].h-sorted[i-1].h > sorted[widest].h-sorted[widest-1].h {
			widest = i
		}
	}
	out := &terrain{slopeA: g.slopeA, slopeB: g.slopeB, level: append(slices.Clone(g.level), 0), of: slices.Clone(g.of)}
	from := g.of[sorted[widest].i]
	for i := widest; i < len(sorted); i++ {
		if k := sorted[i].i; g.of[k] == from {
			out.of[k] = len(g.level)
		}
	}
	return out
}

// apart tells whether the levels are used and lie apart: farther than a step, and
// than the places of one level do, which else are a floor seen badly.
func (g *terrain) apart(places []place) bool {
	n := make([]float64, len(g.level))
	spread := 0.0
	for i, k := range g.of {
		d := g.above(&places[i]) - g.level[k]
		n[k], spread = n[k]+1, spread+d*d/float64(len(places))
	}
	least := math.Max(levelGapM, levelSpreads*math.Sqrt(spread))
	for i := range g.level {
		for k := range i {
			if n[i] == 0 || n[k] == 0 || abs(g.level[i]-g.level[k]) < least {
				return false
			}
		}
	}
	return true
}

// survey is the most likely terrain; nil where nobody stood.
func survey(places []place, doubtRad float64) *terrain {
	if len(places) == 0 {
		return nil
	}
	best := &terrain{level: []float64{0}, of: make([]int, len(places))}
	best.settle(places, doubtRad)
	for last := best; len(last.level) < min(mostLevels, len(places)); {
		// Slopes that had to explain a step hide it: also try without.
		flat := *last
		flat.slopeA, flat.slopeB = 0, 0
		next, other := last.split(places), flat.split(places)
		next.settle(places, doubtRad)
		other.settle(places, doubtRad)
		if other.cost < next.cost {
			next = other
		}
		if last = next; last.cost < best.cost && last.apart(places) {
			best = last
		}
	}
	return best
}

// levelFloor tilts up so that the places where feet stood lie on level floors; doubtRad
// is the standard deviation of what is known of gravity.
func (p *problem) levelFloor(c contacts, doubtRad float64) spatial.Vec3 {
	g := survey(p.places(c), doubtRad)
	if g == nil {
		return p.up
	}
	right, away := horizontal(p.up)
	return p.up.Sub(right.Scale(g.slopeA)).Sub(away.Scale(g.slopeB)).Unit(p.up)
}

// exactDoubtRad is that of a gravity that was given.
const exactDoubtRad = 1e-3

// findLevels finds on which level each foot stands, and returns how high they are above
// the lowest; none where there is one level.
func (p *problem) findLevels(c contacts, doubtRad float64) (heights []float64) {
	places := p.places(c)
	g := survey(places, math.Max(doubtRad, exactDoubtRad))
	if g == nil || len(g.level) == 1 {
		return nil
	}
	lowest := slices.Min(g.level)
	for i, q := range places {
		for t := q.from; t < q.to; t++ {
			p.ground[t][q.side] = g.level[g.of[i]] - lowest
		}
	}
	for _, h := range g.level {
		if h > lowest {
			heights = append(heights, h-lowest)
		}
	}
	slices.Sort(heights)
	return heights
}
