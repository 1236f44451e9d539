package track

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/video"
)

// candidate is a person that the landmark network has confirmed.
type candidate struct {
	score float64 // the detector's
	roi   ROI
	seen  seen
}

// settle lets a detection's square converge on a person: each look gives a
// better square, and only a real person holds it still.
func (t *Tracker) settle(f *video.Frame, d Detection) (candidate, bool, error) {
	roi := d.ROI
	for i := range settleLooks {
		s, err := look(t.landmark, &t.cut, f, roi)
		if err != nil {
			return candidate{}, false, err
		}
		next := roiFrom(s.centre, s.scale)
		floor := minPresence
		if i == 0 {
			floor = firstLookFloor
		}
		if s.presence <= floor || !next.Valid() || next.SidePx < minSidePx {
			return candidate{}, false, nil
		}
		slack := 1.0
		if i == settleLooks-1 {
			slack = settleLoose
		}
		growth := math.Abs(math.Log(next.SidePx / roi.SidePx))
		still := math.Hypot(next.CentreXPx-roi.CentreXPx, next.CentreYPx-roi.CentreYPx) < slack*settleShift*roi.SidePx &&
			growth < slack*math.Log(settleGrowth)
		if still && s.presence > minPresence {
			return candidate{d.Score, roi, s}, s.torso() > torsoVisible, nil
		}
		roi = next
	}
	return candidate{}, false, nil
}

// torso is the mean visibility of shoulders and hips.
func (s *seen) torso() float64 {
	return (s.marks[landmark.LShoulder].Visibility + s.marks[landmark.RShoulder].Visibility +
		s.marks[landmark.LHip].Visibility + s.marks[landmark.RHip].Visibility) / 4
}

// candidates settles the best detections of an area.
func (t *Tracker) candidates(f *video.Frame, area ROI, have []candidate) ([]candidate, error) {
	t.Stats.Detections++
	found, err := detect(t.detector, &t.cut, t.grid, f, area)
	if err != nil {
		return have, err
	}
	for _, d := range found[:min(len(found), 4)] {
		c, ok, err := t.settle(f, d)
		if err != nil {
			return have, err
		}
		known := false
		for _, h := range have {
			known = known || math.Hypot(h.roi.CentreXPx-c.roi.CentreXPx, h.roi.CentreYPx-c.roi.CentreYPx) < 0.25*h.roi.SidePx
		}
		if ok && !known {
			have = append(have, c)
		}
	}
	return have, nil
}

// acquire chooses a person to follow.
func (t *Tracker) acquire(f *video.Frame) (seen, ROI, bool, error) {
	var found []candidate
	var err error
	for _, area := range t.places(f) {
		if found, err = t.candidates(f, area, found); err != nil {
			return seen{}, ROI{}, false, err
		}
	}
	if len(found) == 0 && t.searches%tileEvery == 0 {
		for _, level := range tiles(f) {
			for _, area := range level {
				if found, err = t.candidates(f, area, found); err != nil {
					return seen{}, ROI{}, false, err
				}
			}
			if len(found) > 0 {
				break
			}
		}
	}
	t.searches++
	if len(found) == 0 {
		return seen{}, ROI{}, false, nil
	}
	best := -1
	for i, c := range found {
		if t.wish.fits(f.WidthPx, f.HeightPx, c) && (best < 0 || t.wish.better(f.WidthPx, f.HeightPx, c, found[best])) {
			best = i
		}
	}
	if best < 0 {
		return seen{}, ROI{}, false, nil
	}
	t.who = &person{}
	return found[best].seen, found[best].roi, true, nil
}

// places are where to look first for somebody to follow: everywhere, and around a
// wanted place, where somebody small may stand.
func (t *Tracker) places(f *video.Frame) []ROI {
	out := []ROI{wholePicture(f)}
	if t.wish.rule == byPlace {
		for _, share := range [...]float64{1, 0.5} {
			out = append(out, ROI{CentreXPx: t.wish.x * float64(f.WidthPx), CentreYPx: t.wish.y * float64(f.HeightPx),
				SidePx: share * float64(min(f.WidthPx, f.HeightPx))})
		}
	}
	return out
}

// reacquire searches the person who was lost, near the last place first, and
// refuses others.
func (t *Tracker) reacquire(f *video.Frame) (seen, ROI, bool, error) {
	// Who has been away for long is looked for now and then only; the frames before
	// they were found again are filled backwards.
	if t.searches++; f.TimeS-t.who.lastS > longGoneS && t.searches%awayEvery != 0 {
		return seen{}, ROI{}, false, nil
	}
	near := ROI{CentreXPx: t.who.last.CentreXPx, CentreYPx: t.who.last.CentreYPx, SidePx: 1.6 * t.who.last.SidePx}
	for _, area := range [...]ROI{near, wholePicture(f)} {
		found, err := t.candidates(f, area, nil)
		if err != nil {
			return seen{}, ROI{}, false, err
		}
		best, bestRank := -1, 0.0
		for i, c := range found {
			rank, ok := t.who.same(f, c)
			if !ok {
				t.passed = withSighting(t.passed, f, &c.seen)
			} else if best < 0 || rank < bestRank {
				best, bestRank = i, rank
			}
		}
		if best >= 0 {
			return found[best].seen, found[best].roi, true, nil
		}
	}
	t.who.note(f.TimeS, t.passed)
	return seen{}, ROI{}, false, nil
}

// same tells whether a candidate is the person who was lost, and how far away
// it is. Close to the last place it suffices not to look different, for a while;
// later, or farther away, the clothes must be alike, and nobody is taken who looks
// more like another one who was seen.
func (w *person) same(f *video.Frame, c candidate) (distance float64, ok bool) {
	goneS := math.Abs(f.TimeS - w.lastS)
	at := roiFrom(c.seen.centre, c.seen.scale)
	distance = at.centre().distance(w.last.centre()) / w.last.SidePx
	growth := at.SidePx / w.last.SidePx
	worn := describe(f, &c.seen.marks)
	alike := w.clothes.similarity(worn)
	if alike < unlike || w.looksLikeAnother(worn) {
		return distance, false
	}
	gate := math.Min(0.3+gateSidesPerS*goneS, maxGate)
	near := distance <= gate && growth <= maxGrowth && growth >= 1/maxGrowth
	if near && goneS <= longGoneS {
		return distance, true
	}
	return distance, goneS > 1 && alike >= alikeEnough
}

// tiles covers the picture with overlapping squares, level by level finer, for
// persons who are too small for one look at the whole.
func tiles(f *video.Frame) [][]ROI {
	var out [][]ROI
	short := float64(min(f.WidthPx, f.HeightPx))
	for _, side := range [...]float64{short, short / 2} {
		var level []ROI
		for _, y := range spread(float64(f.HeightPx), side) {
			for _, x := range spread(float64(f.WidthPx), side) {
				level = append(level, ROI{CentreXPx: x, CentreYPx: y, SidePx: side})
			}
		}
		out = append(out, level)
	}
	return out
}

// spread places windows of one side along a length, half overlapping.
func spread(length, side float64) []float64 {
	n := int(math.Ceil((length-side)/(side/2)-1e-9)) + 1
	if n <= 1 {
		return []float64{length / 2}
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = side/2 + (length-side)*float64(i)/float64(n-1)
	}
	return out
}
