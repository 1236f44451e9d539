package multiview

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Which cameras stand where the calibration says is found by what they make of the
// person together. Feet and nose count: a person in the middle of a ring of cameras looks
// much the same from all of them but for where they face.
const (
	// misfitM: a camera that misses what the others see by more, in metres at the person,
	// does not fit the calibration. [four calibrated views of an adult: 0.03 to 0.06; a
	// camera turned by 5 degrees at 3.6 m: 0.3]
	misfitM = 0.10
	// pairM is the most that two cameras miss each other if both are right.
	pairM = 0.07
	// orderGain: another order of the videos must fit better than this share of the miss.
	orderGain = 0.6
	// mostOrdered cameras are tried in all orders, more in pairwise exchanges.
	mostOrdered = 4
	// movedS is half the time over which a camera that was moved is judged.
	movedS = 0.5
	// leastCompared landmarks make an instant worth comparing.
	leastCompared = 6
)

// compared are the landmarks by which cameras are judged.
var compared = append(slices.Clone(moving), landmark.LHeel, landmark.RHeel, landmark.LToe, landmark.RToe)

// instants are what all views show at times spread over the film.
func instants(views []*recording) (rows [][]look) {
	from, to := common(views)
	for i := range probes / 2 {
		t := from + (float64(i)+0.5)/(probes/2)*(to-from)
		row := make([]look, len(views))
		for k, v := range views {
			v.at(t, &row[k])
		}
		if len(present(row)) >= minViews {
			rows = append(rows, row)
		}
	}
	return rows
}

// common is the time in which two views or more may show the person.
func common(views []*recording) (fromS, toS float64) {
	var from, to []float64
	for _, v := range views {
		from, to = append(from, v.fromS()), append(to, v.toS())
	}
	slices.Sort(from)
	slices.Sort(to)
	return from[1], to[len(to)-2]
}

// misses is by how much each view misses, in the median over time, what the views of a set
// make of the person: of the others in the set where they are at least two.
func misses(views []*recording, rows [][]look, set []int) []float64 {
	out := make([]float64, len(views))
	for k := range views {
		from := set
		if i := slices.Index(set, k); i >= 0 && len(set) > minViews {
			from = slices.Delete(slices.Clone(set), i, i+1)
		}
		var all []float64
		for _, row := range rows {
			if m := missAt(views, row, from, k); !math.IsNaN(m) {
				all = append(all, m)
			}
		}
		out[k] = math.Inf(1)
		if len(all) > 0 {
			out[k] = median(all)
		}
	}
	return out
}

// missAt is by how much view k misses, at one instant, what some views see: root mean
// square over the landmarks, with the sides as told or exchanged, whichever is less. NaN
// where they do not tell.
func missAt(views []*recording, row []look, from []int, k int) float64 {
	if !row[k].there {
		return math.NaN()
	}
	same, other, n := 0.0, 0.0, 0.0
	sights := make([]sight, 0, maxViews)
	for _, j := range compared {
		sights = sights[:0]
		for _, v := range from {
			if row[v].there && row[v].seen[j] >= leastSeen {
				sights = append(sights, views[v].sightOf(&row[v], j))
			}
		}
		mirror := landmark.Mirror(j)
		if len(sights) < minViews || row[k].seen[j] < leastSeen || row[k].seen[mirror] < leastSeen {
			continue
		}
		if p, ok := triangulate(sights); ok {
			a, b := sight{cam: &views[k].cam, px: row[k].px[j]}, sight{cam: &views[k].cam, px: row[k].px[mirror]}
			same, other, n = same+math.Pow(a.missM(p), 2), other+math.Pow(b.missM(p), 2), n+1
		}
	}
	if n < leastCompared {
		return math.NaN()
	}
	return math.Sqrt(math.Min(same, other) / n)
}

// agreement is the largest set of views that fit one another.
type agreement struct {
	set   []int
	miss  []float64 // of every view, metres at the person
	clear bool      // no other set is as good
}

// agree finds the views that fit one another, beginning with each pair.
func agree(views []*recording, rows [][]look) agreement {
	var best agreement
	rivals := 0
	for i := range views {
		for j := range i {
			a, ok := grow(views, rows, []int{j, i})
			if !ok {
				continue
			}
			switch {
			case len(a.set) > len(best.set):
				best, rivals = a, 0
			case len(a.set) == len(best.set) && !slices.Equal(a.set, best.set):
				rivals++
				if total(&a) < total(&best) {
					best = a
				}
			}
		}
	}
	best.clear = len(best.set) > 0 && rivals == 0
	return best
}

// missOf is the miss of view k, infinite where nothing fits.
func (a *agreement) missOf(k int) float64 {
	if k < len(a.miss) {
		return a.miss[k]
	}
	return math.Inf(1)
}

func total(a *agreement) (sum float64) {
	for _, k := range a.set {
		sum += a.miss[k]
	}
	return sum
}

// grow adds to a pair of views that fit each other all others that fit them.
func grow(views []*recording, rows [][]look, set []int) (agreement, bool) {
	miss := misses(views, rows, set)
	for _, k := range set {
		if !(miss[k] <= pairM) {
			return agreement{}, false
		}
	}
	for k := range views {
		if !slices.Contains(set, k) && miss[k] <= misfitM {
			set = append(set, k)
		}
	}
	slices.Sort(set)
	return agreement{set: set, miss: misses(views, rows, set)}, true
}

// order looks for another order of the cameras in which all views fit, and far better than
// in this one; nil where there is none.
func order(views []*recording, rows [][]look, now *agreement) []string {
	n := len(views)
	everyone, was := make([]int, n), 0.0
	for k := range n {
		everyone[k] = k
		was += math.Min(4*misfitM, now.missOf(k))
	}
	least, found := orderGain*was, []int(nil)
	for _, perm := range orders(n) {
		swapped, ok := permuted(views, perm)
		if !ok {
			continue
		}
		miss := misses(swapped, rows, everyone)
		if sum := total(&agreement{set: everyone, miss: miss}); slices.Max(miss) <= misfitM && sum < least {
			least, found = sum, perm
		}
	}
	var names []string
	for _, k := range found {
		names = append(names, views[k].cam.Name)
	}
	return names
}

// permuted gives view i the camera of view perm[i]; false where a picture's size forbids.
func permuted(views []*recording, perm []int) ([]*recording, bool) {
	out := make([]*recording, len(views))
	for i, k := range perm {
		lens, err := views[k].cam.ForPicture(views[i].cam.WidthPx, views[i].cam.HeightPx)
		if err != nil {
			return nil, false
		}
		r := *views[i]
		r.cam = views[k].cam
		r.cam.Lens = lens
		out[i] = &r
	}
	return out, true
}

// orders lists the orders to try, without the one that is.
func orders(n int) (out [][]int) {
	same := make([]int, n)
	for i := range same {
		same[i] = i
	}
	if n > mostOrdered {
		for i := range n {
			for j := range i {
				p := slices.Clone(same)
				p[i], p[j] = j, i
				out = append(out, p)
			}
		}
		return out
	}
	var all func(p []int)
	all = func(p []int) {
		if len(p) == n {
			if !slices.Equal(p, same) {
				out = append(out, slices.Clone(p))
			}
			return
		}
		for k := range n {
			if !slices.Contains(p, k) {
				all(append(p, k))
			}
		}
	}
	all(nil)
	return out
}

// standing is the direction in which the person stands: from the ankles to the shoulders,
// in the frames in which they are stretched most.
func standing(points [][landmark.Num]spatial.Vec3, sure [][landmark.Num]float64) (spatial.Vec3, bool) {
	var axes []spatial.Vec3
	var lengths []float64
	for t := range points {
		p, s := &points[t], &sure[t]
		ok := true
		for _, j := range [4]landmark.Index{landmark.LShoulder, landmark.RShoulder, landmark.LAnkle, landmark.RAnkle} {
			ok = ok && s[j] >= leastSeen
		}
		if ok {
			a := p[landmark.LShoulder].Lerp(p[landmark.RShoulder], 0.5).Sub(p[landmark.LAnkle].Lerp(p[landmark.RAnkle], 0.5))
			axes, lengths = append(axes, a), append(lengths, a.Norm())
		}
	}
	if len(axes) < leastFrames {
		return spatial.Vec3{}, false
	}
	enough := quantile(lengths, 0.5)
	var sum spatial.Vec3
	for i, a := range axes {
		if lengths[i] >= enough {
			sum = sum.Add(a.Unit(spatial.Vec3{}))
		}
	}
	return sum.Unit(spatial.Vec3{}), true
}
