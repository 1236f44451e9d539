package track

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Who else is there. While somebody is followed, the detector looks for others
// every now and then, more often when one of them is near: a tracker that knows how
// the others are dressed and where they go can tell that it has changed over to one
// of them, and says so where it cannot tell. Distances are in sides of the followed
// person's square, which is about 1.5 body heights.
const (
	surveyS     = 0.8  // between two looks for others
	surveyNearS = 0.25 // where one of them is within nearSides
	surveyMeetS = 0.12 // where one of them is within meetSides
	nearSides   = 1.3
	meetSides   = 0.45 // bodies may hide each other: nothing is learnt then
	partSides   = 0.5  // and here they are apart again
	hideSides   = 0.3  // one body hides the other
	sameSides   = 0.2  // two finds this near are one person
	// foldedS is how long one of two may be hidden behind the other.
	foldedS = 1.2
	// companyS is how long somebody is remembered, to be told from the followed one.
	companyS   = 20.0
	companyMax = 4
	// paceS is how far ahead somebody's way is foretold.
	paceS     = 1.0
	seenScore = 0.6 // of the detector, for somebody to be looked at
	// tellApart is the similarity of two persons' clothes from which on they are
	// not told apart by them; hopMargin is by how much somebody must look more like
	// another one, and hopOwn how little like themselves, to be the other one.
	tellApart = 0.85
	hopMargin = 0.12
	hopOwn    = 0.8
)

// sighting is somebody in a picture who is not followed.
type sighting struct {
	roi   ROI
	marks [landmark.Num]landmark.Point
	wear  clothes
}

// other is somebody who is not followed, over time.
type other struct {
	roi   ROI
	pace  point // pixels a second
	wear  clothes
	lastS float64
}

// at is where somebody should be by now.
func (o *other) at(timeS float64) point {
	ahead := math.Min(timeS-o.lastS, paceS)
	return point{o.roi.CentreXPx + ahead*o.pace.x, o.roi.CentreYPx + ahead*o.pace.y}
}

// meeting is the time in which the followed person and another one are so near that
// one may be taken for the other.
type meeting struct {
	fromS, seenS float64 // seenS: when the other one was last seen
	own, other   point   // where both were before, and how they moved
	ownPace      point
	otherPace    point
	wear         clothes // of the other one
	alike        float64 // how alike both are dressed
	nearest      float64
	frames       int // followed since
}

// Doubt is a time in which somebody else may have been followed.
type Doubt struct {
	FromS, ToS float64
	// Alike is how alike both are dressed, 0 to 1.
	Alike float64
}

func (r ROI) centre() point { return point{r.CentreXPx, r.CentreYPx} }

// survey looks for others where it is time to, and judges a meeting. It reports
// false where the one who was followed turns out to be somebody else; the person
// is looked for elsewhere then.
func (t *Tracker) survey(f *video.Frame, out *Frame) (still bool, err error) {
	w := t.who
	near := w.nearest(f.TimeS)
	every := surveyS
	switch {
	case near < meetSides && (w.meet == nil || f.TimeS-w.meet.fromS < 4):
		every = surveyMeetS
	case near < nearSides:
		every = surveyNearS
	}
	looked := !w.surveyed || f.TimeS-w.surveyedS >= every
	if looked {
		w.surveyed, w.surveyedS = true, f.TimeS
		if out.others, err = t.lookAround(f); err != nil {
			return true, err
		}
		w.note(f.TimeS, out.others)
	}
	return w.meets(f.TimeS, looked, t), nil
}

// lookAround lists who else is in the picture.
func (t *Tracker) lookAround(f *video.Frame) (out []sighting, err error) {
	t.Stats.Detections++
	found, err := detect(t.detector, &t.cut, t.grid, f, wholePicture(f))
	if err != nil {
		return nil, err
	}
	looks := 3
	for _, d := range found {
		if d.Score < seenScore || t.who.isAt(d.ROI) || looks == 0 {
			continue
		}
		looks--
		s, err := look(t.landmark, &t.cut, f, d.ROI)
		if err != nil {
			return nil, err
		}
		roi := roiFrom(s.centre, s.scale)
		if s.presence > minPresence && roi.Valid() && roi.SidePx >= minSidePx && s.torso() > torsoVisible && !t.who.isAt(roi) {
			out = withSighting(out, f, &s)
		}
	}
	return out, nil
}

// withSighting adds somebody who is not there yet.
func withSighting(all []sighting, f *video.Frame, s *seen) []sighting {
	roi := roiFrom(s.centre, s.scale)
	for i := range all {
		if all[i].roi.centre().distance(roi.centre()) < sameSides*roi.SidePx {
			return all
		}
	}
	return append(all, sighting{roi: roi, marks: s.marks, wear: describe(f, &s.marks)})
}

// isAt tells whether a square is that of the followed person.
func (w *person) isAt(r ROI) bool {
	return r.centre().distance(w.last.centre()) < sameSides*math.Max(r.SidePx, w.last.SidePx) &&
		r.SidePx < 1.7*w.last.SidePx && w.last.SidePx < 1.7*r.SidePx
}

// nearest is how near somebody else should be by now, in sides.
func (w *person) nearest(timeS float64) float64 {
	near := math.Inf(1)
	for i := range w.company {
		if o := &w.company[i]; timeS-o.lastS < foldedS {
			near = math.Min(near, o.at(timeS).distance(w.last.centre())/w.last.SidePx)
		}
	}
	return near
}

// note brings what is known of others up to date.
func (w *person) note(timeS float64, seen []sighting) {
	for _, s := range seen {
		best, bestAway := -1, 0.8
		for i := range w.company {
			o := &w.company[i]
			if timeS-o.lastS > 2*paceS || o.lastS == timeS || o.wear.similarity(s.wear) < unlike {
				continue
			}
			if away := o.at(timeS).distance(s.roi.centre()) / s.roi.SidePx; away < bestAway {
				best, bestAway = i, away
			}
		}
		if best < 0 {
			w.company = append(w.company, other{roi: s.roi, wear: s.wear, lastS: timeS})
			continue
		}
		o := &w.company[best]
		if dt := timeS - o.lastS; dt > 0 {
			o.pace = point{(s.roi.CentreXPx - o.roi.CentreXPx) / dt, (s.roi.CentreYPx - o.roi.CentreYPx) / dt}
		}
		o.roi, o.lastS = s.roi, timeS
		if w.meet == nil {
			o.wear.learn(s.wear)
		}
	}
	w.company = slices.DeleteFunc(w.company, func(o other) bool { return timeS-o.lastS > companyS })
	if n := len(w.company) - companyMax; n > 0 {
		w.company = slices.Delete(w.company, 0, n)
	}
}

// rival is how much somebody looks like the most similar of the others.
func (w *person) rival(d clothes) float64 {
	most := 0.0
	for i := range w.company {
		if d.known() && w.company[i].wear.known() {
			most = math.Max(most, w.company[i].wear.similarity(d))
		}
	}
	return most
}

// looksLikeAnother tells whether clothes are somebody else's rather than the
// followed person's.
func (w *person) looksLikeAnother(d clothes) bool {
	own := w.clothes.similarity(d)
	return own < hopOwn && w.rival(d) > own+hopMargin
}

// meets begins, continues or ends a meeting; it reports false if it ends with
// somebody else being followed.
func (w *person) meets(timeS float64, looked bool, t *Tracker) bool {
	nearest, near := -1, math.Inf(1)
	for i := range w.company {
		if o := &w.company[i]; timeS-o.lastS < foldedS {
			if d := o.at(timeS).distance(w.last.centre()) / w.last.SidePx; d < near {
				nearest, near = i, d
			}
		}
	}
	if w.meet == nil {
		if near < meetSides {
			o := &w.company[nearest]
			w.meet = &meeting{fromS: timeS, seenS: o.lastS, own: w.last.centre(), other: o.at(timeS), ownPace: w.pace, otherPace: o.pace,
				wear: o.wear, alike: w.clothes.similarity(o.wear), nearest: near}
		}
		return true
	}
	m := w.meet
	m.frames++
	m.nearest = math.Min(m.nearest, near)
	apart, away := -1, math.Inf(1)
	for i := range w.company {
		if o := &w.company[i]; looked && o.lastS == timeS {
			m.seenS = timeS
			if d := o.roi.centre().distance(w.last.centre()) / w.last.SidePx; d < away {
				apart, away = i, d
			}
		}
	}
	if away < partSides || apart < 0 && timeS-m.seenS < foldedS {
		return true
	}
	return w.parts(timeS, apart, t)
}

// parts ends a meeting: who of the two is it? apart is the other one, -1 if gone.
func (w *person) parts(timeS float64, apart int, t *Tracker) bool {
	m := w.meet
	w.meet = nil
	hidden := m.nearest < hideSides
	if hidden && m.alike >= tellApart {
		t.doubts = append(t.doubts, Doubt{FromS: m.fromS, ToS: timeS, Alike: m.alike})
	}
	var there *other
	if apart >= 0 {
		there = &w.company[apart]
	}
	exchanged := m.alike < tellApart && w.looksLikeAnother(w.worn) ||
		m.alike >= tellApart && hidden && m.wentTheOthersWay(timeS, w.last.centre(), there, w.last.SidePx)
	if !exchanged {
		return true
	}
	t.disowned = m.frames
	w.following = false
	w.last.CentreXPx, w.last.CentreYPx, w.lastS = m.own.x, m.own.y, timeS
	if there != nil {
		there.roi, w.roi = w.roi, there.roi
		there.wear = m.wear
		w.last, w.following, w.filter = w.roi, true, newROIFilter()
	}
	return false
}

// wentTheOthersWay tells, of two who are dressed alike, whether the followed one is
// where the other one should be: both are expected to go on as they went before.
func (m *meeting) wentTheOthersWay(timeS float64, here point, there *other, sidePx float64) bool {
	on := math.Min(timeS-m.fromS, 3*paceS)
	own := point{m.own.x + on*m.ownPace.x, m.own.y + on*m.ownPace.y}
	others := point{m.other.x + on*m.otherPace.x, m.other.y + on*m.otherPace.y}
	stayed, changed := here.distance(own), here.distance(others)
	if there != nil {
		stayed += there.roi.centre().distance(others)
		changed += there.roi.centre().distance(own)
	}
	return changed < stayed-hideSides*sidePx
}
