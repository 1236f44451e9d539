package multiview

import (
	"math"
	"math/bits"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The network may exchange left and right, of the whole body or of arms or legs alone.
// In one view that cannot be seen; against the others it can: with the right sides their
// lines of sight cross. Which of two ways is right for all together, face and toes tell.
const (
	// plainM: views that miss each other by less are not looked at for exchanged sides.
	plainM = 0.02
	// changeM is how much better, in metres summed over frames, other sides of a view than
	// the frame before had must fit; exchangeM the price of a frame with exchanged sides
	// where the views fit as they are.
	changeM, exchangeM = 0.03, 0.01
	// turnS is half the time over which face and toes are asked.
	turnS = 0.3
)

// group is a part of the body whose sides are exchanged together.
type group struct {
	judged [][2]landmark.Index // by where these are
	all    []landmark.Index
}

var groups = [2]group{armGroup(), legGroup()}

func armGroup() (g group) {
	for j := landmark.LShoulder; j < landmark.LPinky; j += 2 {
		g.judged = append(g.judged, [2]landmark.Index{j, j + 1})
	}
	for j := landmark.Nose; j < landmark.LHip; j++ {
		g.all = append(g.all, j)
	}
	return g
}

func legGroup() (g group) {
	for j := landmark.LHip; j < landmark.Num; j += 2 {
		g.judged = append(g.judged, [2]landmark.Index{j, j + 1})
		g.all = append(g.all, j, j+1)
	}
	return g
}

// sides holds, for each group, a bit for each view whose sides are exchanged.
type sides [len(groups)]uint

// apply exchanges the sides of the views that say so.
func (s sides) apply(looks []look) {
	for g := range groups {
		for k := range looks {
			if s[g]>>k&1 == 0 {
				continue
			}
			was := looks[k]
			for _, j := range groups[g].all {
				m := landmark.Mirror(j)
				looks[k].px[j], looks[k].seen[j] = was.px[m], was.seen[m]
			}
		}
	}
}

// settle finds, over all frames, which views have a group's sides exchanged against the
// first: where their lines of sight miss each other least, and change seldom (Viterbi).
// Each frame is told with as few exchanges as it can be.
func settle(views []*recording, rows [][]look, g *group) []uint {
	states := uint(1) << (len(views) - 1)
	total, next := make([]float64, states), make([]float64, states)
	from := make([][]uint, len(rows))
	for t, row := range rows {
		there := present(row)
		plain := 0.0
		if len(there) >= minViews {
			plain = crossed(views, row, g, there, 0)
		}
		from[t] = make([]uint, states)
		for s := range states {
			next[s] = math.Inf(1)
			for before := range states {
				if v := total[before] + changeM*float64(bits.OnesCount(s^before)); v < next[s] {
					next[s], from[t][s] = v, before
				}
			}
			switch {
			case plain <= plainM:
				next[s] += exchangeM * float64(bits.OnesCount(s))
			default:
				next[s] += crossed(views, row, g, there, s<<1)
			}
		}
		copy(total, next)
	}
	best := uint(0)
	for s := range states {
		if total[s] < total[best] {
			best = s
		}
	}
	out := make([]uint, len(rows))
	for t := len(rows) - 1; t >= 0; t-- {
		out[t] = best << 1
		best = from[t][best]
		there := present(rows[t])
		flipped := 0
		for _, k := range there {
			flipped += int(out[t] >> k & 1)
		}
		if 2*flipped > len(there) {
			out[t] = opposite(out[t], there)
		}
	}
	return out
}

// present lists the views that show the person.
func present(row []look) (there []int) {
	for k := range row {
		if row[k].there {
			there = append(there, k)
		}
	}
	return there
}

func opposite(s uint, there []int) uint {
	for _, k := range there {
		s ^= 1 << k
	}
	return s
}

// crossed is how far the lines of sight of a group miss each other on average, metres.
func crossed(views []*recording, looks []look, g *group, there []int, s uint) float64 {
	sum, n := 0.0, 0
	sights := make([]sight, 0, maxViews)
	for _, pair := range g.judged {
		for side := range 2 {
			sights = sights[:0]
			for _, k := range there {
				j := pair[side^int(s>>k&1)]
				if looks[k].seen[j] >= leastSeen {
					sights = append(sights, views[k].sightOf(&looks[k], j))
				}
			}
			if len(sights) < minViews {
				continue
			}
			if p, ok := triangulate(sights); ok {
				m := 0.0
				for i := range sights {
					m += sights[i].missM(p) / float64(len(sights))
				}
				sum, n = sum+math.Min(cappedM, m), n+1
			}
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// facing says how far, in metres, face and toes lie ahead of the body as its sides say:
// positive where left is left, for arms and for legs.
func facing(p *[landmark.Num]spatial.Vec3) (v [len(groups)]float64) {
	mid := func(a landmark.Index) spatial.Vec3 { return p[a].Lerp(p[a+1], 0.5) }
	spine := mid(landmark.LShoulder).Sub(mid(landmark.LHip))
	shoulders := p[landmark.LShoulder].Sub(p[landmark.RShoulder])
	hips := p[landmark.LHip].Sub(p[landmark.RHip])
	v[0] = shoulders.Cross(spine).Unit(spatial.Vec3{}).Dot(p[landmark.Nose].Sub(mid(landmark.LEar)))
	ahead := hips.Cross(spine).Unit(spatial.Vec3{})
	v[1] = (ahead.Dot(p[landmark.LToe].Sub(p[landmark.LHeel])) + ahead.Dot(p[landmark.RToe].Sub(p[landmark.RHeel]))) / 2
	return v
}
