package track

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Choice says which person to follow where the picture shows several:
// WHO, WHO@TIME or @TIME.
//
//	best     the largest surely seen one; over a whole video one who moves wins
//	         over one who stands (the default)
//	largest  the largest one
//	left, right, centre
//	         the one farthest to that side, or nearest to the middle
//	X,Y      the one at this place: shares of the picture's width and height,
//	         0,0 is its upper left corner
//	TIME     when that is meant, in the video's time: 3.2s, 800ms, 1m2s, or plain
//	         seconds; without it, when somebody is first seen
type Choice string

// The choices without place or time.
const (
	Best    Choice = "best"
	Largest Choice = "largest"
	Left    Choice = "left"
	Right   Choice = "right"
	Centre  Choice = "centre"
)

// ChoiceText lists what a choice may be, for flags and errors.
const ChoiceText = "best, largest, left, right, centre or X,Y (shares of width and height, as in 0.3,0.5), " +
	"each also at a time of the video, as in left@3.2s"

// byPlace is the rule of X,Y.
const byPlace Choice = "x,y"

// wish is a choice that has been understood.
type wish struct {
	rule Choice
	x, y float64 // of byPlace, shares of the picture
	// atS is when the choice is made, if timed: nobody is followed forwards from
	// before it.
	atS   float64
	timed bool
}

// parse understands a choice.
func (c Choice) parse() (wish, error) {
	who, when, timed := strings.Cut(string(c), "@")
	w := wish{rule: Choice(who), timed: timed}
	if timed {
		s, err := parseSeconds(when)
		if err != nil {
			return w, fmt.Errorf("track: person %q: time %q; legal: a time of the video, as in 3.2s", string(c), when)
		}
		w.atS = s
	}
	switch w.rule {
	case "":
		w.rule = Best
		return w, nil
	case Best, Largest, Left, Right, Centre:
		return w, nil
	}
	x, y, two := strings.Cut(who, ",")
	if !two {
		return w, fmt.Errorf("track: person %q; legal: %s", string(c), ChoiceText)
	}
	w.rule = byPlace
	for _, v := range []struct {
		text string
		into *float64
	}{{x, &w.x}, {y, &w.y}} {
		share, err := strconv.ParseFloat(strings.TrimSpace(v.text), 64)
		if err != nil || !(share >= 0 && share <= 1) {
			return w, fmt.Errorf("track: person %q: place %q; legal: a share of the picture from 0 to 1", string(c), v.text)
		}
		*v.into = share
	}
	return w, nil
}

// parseSeconds reads a duration, or plain seconds.
func parseSeconds(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		d, failed := time.ParseDuration(s)
		if failed != nil {
			return 0, failed
		}
		v = d.Seconds()
	}
	if !(v >= 0) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%v seconds", v)
	}
	return v, nil
}

// nearPlace is how far from a wanted place somebody may be, in the picture's longer
// side: nearer than that to the box around the landmarks.
const nearPlace = 0.1

// better tells whether a is to be taken rather than b, in a picture of a size.
func (w *wish) better(widthPx, heightPx int, a, b candidate) bool {
	middle := float64(widthPx) / 2
	switch w.rule {
	case Left:
		return a.roi.CentreXPx < b.roi.CentreXPx
	case Right:
		return a.roi.CentreXPx > b.roi.CentreXPx
	case Centre:
		return math.Abs(a.roi.CentreXPx-middle) < math.Abs(b.roi.CentreXPx-middle)
	case Largest:
		return a.roi.SidePx > b.roi.SidePx
	case byPlace:
		p, q := w.away(widthPx, heightPx, a), w.away(widthPx, heightPx, b)
		if p == q { // within both
			x, y := w.x*float64(widthPx), w.y*float64(heightPx)
			return math.Hypot(a.roi.CentreXPx-x, a.roi.CentreYPx-y) < math.Hypot(b.roi.CentreXPx-x, b.roi.CentreYPx-y)
		}
		return p < q
	}
	return a.score*a.roi.SidePx > b.score*b.roi.SidePx
}

// away is how far the box around somebody is from the wanted place, pixels.
func (w *wish) away(widthPx, heightPx int, c candidate) float64 {
	x, y := w.x*float64(widthPx), w.y*float64(heightPx)
	b := boxAround(&c.seen.marks)
	return math.Hypot(math.Max(0, math.Max(b.X0-x, x-b.X1)), math.Max(0, math.Max(b.Y0-y, y-b.Y1)))
}

// fits tells whether somebody can be meant at all.
func (w *wish) fits(widthPx, heightPx int, c candidate) bool {
	return w.rule != byPlace || w.away(widthPx, heightPx, c) <= nearPlace*float64(max(widthPx, heightPx))
}
