package track

import "math"

// Return is a person who is seen again after not having been seen, or somebody
// else in their place.
type Return struct {
	LostS, SeenS float64 // the last picture before and the first after
	// Moved is the distance between the two places, in body sizes (the larger
	// side of the box around the landmarks); Growth is the ratio of the sizes.
	Moved, Growth float64
	// Alike is how similar the clothes are, 0 to 1; 0.6 if that is unknown.
	Alike float64
}

// returnFrames are averaged on each side of a gap to compare clothes.
const returnFrames = 10

// returns lists the gaps between two sightings.
func returns(frames []Frame) (out []Return) {
	last := -1
	for i := range frames {
		if !frames[i].Found {
			continue
		}
		if last >= 0 && i > last+1 {
			before, after := clothesAround(frames[max(0, last+1-returnFrames):last+1]), clothesAround(frames[i:min(len(frames), i+returnFrames)])
			p, q := frames[last].body(), frames[i].body()
			out = append(out, Return{
				LostS: frames[last].TimeS, SeenS: frames[i].TimeS,
				Moved:  math.Hypot(q.CentreXPx-p.CentreXPx, q.CentreYPx-p.CentreYPx) / math.Max(p.SidePx, 1),
				Growth: q.SidePx / math.Max(p.SidePx, 1),
				Alike:  before.similarity(after),
			})
		}
		last = i
	}
	return out
}

// clothesAround averages the clothes seen in some frames.
func clothesAround(frames []Frame) (c clothes) {
	var torso, legs []*colours
	for i := range frames {
		if frames[i].Found {
			torso, legs = append(torso, &frames[i].wear.torso), append(legs, &frames[i].wear.legs)
		}
	}
	return clothes{torso: meanColours(torso), legs: meanColours(legs)}
}

func meanColours(seen []*colours) (c colours) {
	n := 0.0
	for _, s := range seen {
		if !s.learned {
			continue
		}
		for k, v := range s.bins {
			c.bins[k] += v
		}
		n++
	}
	if n == 0 {
		return c
	}
	for k := range c.bins {
		c.bins[k] /= n
	}
	c.learned = true
	return c
}
