package multiview

import (
	"cmp"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Clocks are aligned in two steps. The speeds at which landmarks rise and fall in two
// pictures are alike, from whatever side one looks; their correlation over the lag needs
// no calibration and gives a few candidates. The lines of sight of two views cross best
// at the right lag; that decides between candidates (a march repeats itself) and finds
// fractions of a frame.
const (
	mostLagS = 2.0
	// candidateShare of the best correlation makes a lag worth a closer look, leastAlike is
	// the least correlation.
	candidateShare = 0.5
	leastAlike     = 0.15
	candidates     = 6
	// nearLagS to both sides of a candidate are searched, in steps of a fraction of a frame.
	nearLagS, lagStep = 0.12, 0.25
	// leastGain: an offset must fit better than none by this share, or there is none.
	// Cameras that share a clock are the rule, and landmarks are noisy.
	leastGain = 0.08
	// leastOverlapS is the shortest time that two views must share.
	leastOverlapS = 0.7
	// certainGain: the mean miss grows by this share 0.1 s beside an offset that is certain.
	certainGain, besideS = 0.3, 0.1
	// probes is the number of instants at which the fit of views is judged.
	probes = 80
	// cappedM is where the miss of one landmark stops counting, metres.
	cappedM = 0.15
	// quietPxPerS is the speed below which landmarks are noise, as a share of the torso.
	quietShare = 0.15
)

// moving are the landmarks whose speeds are compared.
var moving = []landmark.Index{
	landmark.Nose, landmark.LShoulder, landmark.RShoulder,
	landmark.LElbow, landmark.RElbow, landmark.LWrist, landmark.RWrist,
	landmark.LHip, landmark.RHip, landmark.LKnee, landmark.RKnee, landmark.LAnkle, landmark.RAnkle,
}

// align sets the offsets of all views against the first, along a tree of the pairs that
// correlate best.
func align(views []*recording, up spatial.Vec3) {
	step := views[0].stepS
	for _, v := range views {
		step = math.Min(step, v.stepS)
	}
	step = math.Max(step/2, 1.0/120)
	speeds := make([]speeds, len(views))
	for i, v := range views {
		speeds[i] = v.speeds(step, up)
	}
	done := []int{0}
	for len(done) < len(views) {
		from, to, best := 0, -1, []peak(nil)
		for _, a := range done {
			for b := range views {
				if slices.Contains(done, b) {
					continue
				}
				found := peaks(&speeds[a], &speeds[b], views[a].offset)
				better := len(found) > 0 && (len(best) == 0 || found[0].score > best[0].score)
				if to < 0 || better {
					from, to, best = a, b, found
				}
			}
		}
		views[to].offset = views[from].offset
		closer(views[from], views[to], best)
		done = append(done, to)
	}
}

// settleClocks moves the offset of each view but the first to where its lines of sight
// cross those of all others best, and to that of the first where that is hardly worse.
func settleClocks(views []*recording) {
	for _, rangeS := range [3]float64{nearLagS, nearLagS / 2, nearLagS / 4} {
		for _, v := range views[1:] {
			middle, step := v.offset, lagStep*v.stepS
			best, least := middle, missOthers(views, v, middle)
			for k := -math.Floor(rangeS / step); k*step <= rangeS; k++ {
				if m := missOthers(views, v, middle+k*step); m < least {
					best, least = middle+k*step, m
				}
			}
			l, r := missOthers(views, v, best-step), missOthers(views, v, best+step)
			if d := l - 2*least + r; d > 0 {
				best += step * math.Max(-0.5, math.Min(0.5, (l-r)/(2*d)))
			}
			if missOthers(views, v, views[0].offset) <= least/(1-leastGain) {
				best = views[0].offset
			}
			v.offset = best
		}
	}
}

// missOthers is how far the lines of sight of v miss those of the others, at an offset,
// which v keeps.
func missOthers(views []*recording, v *recording, offset float64) float64 {
	v.offset = offset
	sum, pairs := 0.0, 0.0
	for _, o := range views {
		if o == v {
			continue
		}
		if m, n := crossingMiss(o, v); n > 0 {
			sum, pairs = sum+m, pairs+1
		}
	}
	if pairs == 0 {
		return math.Inf(1)
	}
	return sum / pairs
}

// certainty is 0 where any offset of v fits as well, 1 where surely its own does.
func certainty(views []*recording, v *recording) float64 {
	own := v.offset
	beside := (missOthers(views, v, own-besideS) + missOthers(views, v, own+besideS)) / 2
	at := missOthers(views, v, own)
	if math.IsInf(beside, 1) || at == 0 {
		return 0
	}
	return math.Max(0, math.Min(1, (beside/at-1)/certainGain))
}

// speeds are how fast landmarks rise in a picture, in torsos a second, on a grid.
type speeds struct {
	fromS, stepS float64
	rise         [][]float64 // by landmark and instant; NaN where the person is not seen
}

func (r *recording) speeds(step float64, up spatial.Vec3) speeds {
	down := [2]float64{0, 1}
	if u := r.cam.Rotation.Rotate(up); math.Hypot(u[0], u[1]) > 0.5 {
		h := math.Hypot(u[0], u[1])
		down = [2]float64{-u[0] / h, -u[1] / h}
	}
	first, last := r.times[0], r.times[len(r.times)-1]
	n := int((last-first)/step) + 1
	out := speeds{first, step, make([][]float64, len(moving))}
	height := make([][]float64, len(moving))
	var torso []float64
	var l look
	for k := range moving {
		height[k], out.rise[k] = make([]float64, n), make([]float64, n)
	}
	for t := range n {
		r.at(first+float64(t)*step+r.offset, &l)
		if l.there {
			torso = append(torso, torsoPx(&l))
		}
		for k, j := range moving {
			height[k][t] = math.NaN()
			if l.there && l.seen[j] >= leastSeen {
				height[k][t] = l.px[j][0]*down[0] + l.px[j][1]*down[1]
			}
		}
	}
	scale := math.Max(quantile(torso, 0.8), 1)
	half := max(1, int(math.Round(0.05/step)))
	for k := range moving {
		for t := range n {
			a, b := max(0, t-half), min(n-1, t+half)
			out.rise[k][t] = (height[k][b] - height[k][a]) / (float64(b-a) * step * scale)
		}
	}
	return out
}

func torsoPx(l *look) float64 {
	mid := func(a, b landmark.Index, k int) float64 { return (l.px[a][k] + l.px[b][k]) / 2 }
	var d [2]float64
	for k := range d {
		d[k] = mid(landmark.LShoulder, landmark.RShoulder, k) - mid(landmark.LHip, landmark.RHip, k)
	}
	return math.Hypot(d[0], d[1])
}

// peak is a lag at which two views look alike.
type peak struct{ offsetS, score float64 }

// peaks lists the offsets of b against the common clock of a, the best first.
func peaks(a, b *speeds, offsetA float64) []peak {
	lags := int(mostLagS / a.stepS)
	score := make([]float64, 2*lags+1)
	shift := int(math.Round((b.fromS - a.fromS) / a.stepS))
	for i := range score {
		score[i] = correlation(a, b, i-lags+shift)
	}
	var out []peak
	rest := (b.fromS - a.fromS) - float64(shift)*a.stepS
	for i := range score {
		left, right := score[max(0, i-1)], score[min(len(score)-1, i+1)]
		if score[i] > 0 && score[i] >= left && score[i] >= right {
			out = append(out, peak{offsetA + float64(i-lags)*a.stepS - rest, score[i]})
		}
	}
	slices.SortStableFunc(out, func(p, q peak) int { return cmp.Compare(q.score, p.score) })
	for i := range out {
		if i == candidates || out[i].score < math.Max(leastAlike, candidateShare*out[0].score) {
			return out[:i]
		}
	}
	return out
}

// correlation of what a shows at instant t and b at t - lag.
func correlation(a, b *speeds, lag int) float64 {
	ab, aa, bb, n := 0.0, 0.0, 0.0, 0
	for k := range a.rise {
		for t := max(0, lag); t < min(len(a.rise[k]), len(b.rise[k])+lag); t++ {
			x, y := a.rise[k][t], b.rise[k][t-lag]
			if math.IsNaN(x) || math.IsNaN(y) {
				continue
			}
			ab, aa, bb, n = ab+x*y, aa+x*x, bb+y*y, n+1
		}
	}
	if float64(n)*a.stepS < leastOverlapS*float64(len(a.rise)) {
		return 0
	}
	// Standing still is no likeness: noise is added to both.
	noise := quietShare * quietShare * float64(n)
	return ab / math.Sqrt((aa+noise)*(bb+noise))
}

// closer sets the offset of b to the candidate near which its lines of sight cross those
// of a best; without any that can be judged, to the one that looks most alike.
func closer(a, b *recording, found []peak) {
	step := lagStep * math.Max(a.stepS, b.stepS)
	pair := []*recording{a, b}
	best, least := a.offset, missOthers(pair, b, a.offset)
	if math.IsInf(least, 1) && len(found) > 0 {
		best = found[0].offsetS
	}
	for _, c := range found {
		for k := -math.Floor(nearLagS / step); k*step <= nearLagS; k++ {
			if m := missOthers(pair, b, c.offsetS+k*step); m < least {
				best, least = c.offsetS+k*step, m
			}
		}
	}
	b.offset = best
}

// crossingMiss is how far the lines of sight of two views miss each other on average, in
// metres, at instants that both show; n counts them.
func crossingMiss(a, b *recording) (missM float64, n int) {
	from, to := math.Max(a.fromS(), b.fromS()), math.Min(a.toS(), b.toS())
	if to-from < leastOverlapS {
		return 0, 0
	}
	sum := 0.0
	for i := range probes {
		t := from + (float64(i)+0.5)/probes*(to-from)
		ka, ua, oka := a.between(t)
		kb, ub, okb := b.between(t)
		if !oka || !okb {
			continue
		}
		for m, j := range moving {
			if a.seen(ka, j) < leastSeen || b.seen(kb, j) < leastSeen {
				continue
			}
			da, db := a.lines[ka][m].Lerp(a.lines[ka+1][m], ua), b.lines[kb][m].Lerp(b.lines[kb+1][m], ub)
			across := da.Cross(db)
			length := across.Norm()
			if length < leastSine*da.Norm()*db.Norm() {
				continue
			}
			sum += math.Min(cappedM, math.Abs(across.Dot(b.place.Sub(a.place)))/(2*length))
			n++
		}
	}
	return sum / math.Max(1, float64(n)), n
}

// seen is how sure landmark j is between frame k and the next.
func (r *recording) seen(k int, j landmark.Index) float64 {
	return math.Min(r.frames[k].Landmarks[j].Visibility, r.frames[k+1].Landmarks[j].Visibility)
}
