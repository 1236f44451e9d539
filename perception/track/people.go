package track

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
)

// Who is meant, where several people are in a video and nobody was named: one who
// moves rather than one who stands. People are pieced together from the moments in
// which somebody looked around.
const (
	// A person is in motion in a moment if the body has changed by this much since
	// the one before: mean distance of the landmarks, of the square's side. The
	// network's own noise is a tenth of it.
	inMotion = 0.02
	// momentS is the longest time between two moments that are compared.
	momentS = 2.5
	// busierTimes and busierS are by how much longer somebody else must be in motion
	// to be meant instead.
	busierTimes, busierS = 2.0, 1.5
	// aloneS is how long somebody else must be there without the followed person
	// for it to be told.
	aloneS = 1.0
)

// walker is a person over the moments in which they were seen.
type walker struct {
	moments []sighting
	times   []float64
	wear    clothes
}

func (w *walker) add(timeS float64, s sighting) {
	w.moments, w.times = append(w.moments, s), append(w.times, timeS)
	w.wear.learn(s.wear)
}

// motionS is how long the person was in motion.
func (w *walker) motionS() (sum float64) {
	for i := 1; i < len(w.moments); i++ {
		if dt := w.times[i] - w.times[i-1]; dt <= momentS {
			sum += dt * math.Min(1, changed(&w.moments[i-1], &w.moments[i])/inMotion)
		}
	}
	return sum
}

// changed is the mean distance of the landmarks of two moments, of the square's
// side.
func changed(a, b *sighting) float64 {
	sum, n := 0.0, 0.0
	for k := landmark.LShoulder; k < landmark.Num; k++ {
		p, q := &a.marks[k], &b.marks[k]
		if w := math.Min(p.Visibility, q.Visibility); w > torsoVisible {
			sum += math.Hypot(q.XPx-p.XPx, q.YPx-p.YPx)
			n++
		}
	}
	return sum / math.Max(1, n) / math.Max(1, math.Max(a.roi.SidePx, b.roi.SidePx))
}

// walkers pieces together who was seen beside the followed person, and the followed
// person at the same moments.
func walkers(frames []Frame) (followed walker, others []walker) {
	lastS := math.Inf(-1)
	for i := range frames {
		f := &frames[i]
		if f.Found && (len(f.others) > 0 || f.TimeS-lastS >= surveyS) {
			followed.add(f.TimeS, sighting{roi: f.ROI, marks: f.Landmarks, wear: f.wear})
			lastS = f.TimeS
		}
		for _, s := range f.others {
			if k := whose(others, f.TimeS, s); k >= 0 {
				others[k].add(f.TimeS, s)
			} else {
				others = append(others, walker{})
				others[len(others)-1].add(f.TimeS, s)
			}
		}
	}
	return followed, others
}

// whose is the walker that a sighting goes on with, -1 if it is a new one.
func whose(all []walker, timeS float64, s sighting) int {
	best, bestAway := -1, 1.0
	for k := range all {
		w := &all[k]
		last, dt := len(w.times)-1, timeS-w.times[len(w.times)-1]
		if dt <= 0 || dt > momentS || w.wear.similarity(s.wear) < unlike {
			continue
		}
		if away := w.moments[last].roi.centre().distance(s.roi.centre()) / s.roi.SidePx; away < bestAway {
			best, bestAway = k, away
		}
	}
	return best
}

// meant is the choice that follows somebody else who moves more than the one who
// was followed; false if there is nobody.
func (v *run) meant(r *Result) (wish, bool) {
	if v.wish.rule != Best || v.wish.timed || !v.info.Seekable {
		return wish{}, false
	}
	followed, others := walkers(r.Frames)
	most := busierTimes*followed.motionS() + busierS
	var busiest *walker
	for k := range others {
		if s := others[k].motionS(); s > most {
			busiest, most = &others[k], s
		}
	}
	if busiest == nil {
		return wish{}, false
	}
	m := len(busiest.moments) / 2
	c := busiest.moments[m].roi
	return wish{rule: byPlace, timed: true, atS: busiest.times[m],
		x: share(c.CentreXPx, v.info.WidthPx), y: share(c.CentreYPx, v.info.HeightPx)}, true
}

func share(px float64, size int) float64 { return math.Max(0, math.Min(1, px/float64(size))) }

// alone says when somebody else is there while the followed person is not.
func alone(frames []Frame) (out []string) {
	from, to := math.NaN(), 0.0
	end := func() {
		if to-from >= aloneS {
			out = append(out, fmt.Sprintf("somebody else is in the picture from %.1f s to %.1f s, and the followed person is not", from, to))
		}
		from = math.NaN()
	}
	for i := range frames {
		f := &frames[i]
		switch {
		case f.Found:
			end()
		case len(f.others) > 0:
			if math.IsNaN(from) {
				from = f.TimeS
			}
			to = f.TimeS
		}
	}
	end()
	return out
}
