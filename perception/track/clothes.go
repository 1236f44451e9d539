package track

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/video"
)

const (
	// clothesBins is the number of grey levels per colour in a description. Each
	// sample is shared between neighbouring levels, so that a little more light
	// makes nobody somebody else.
	clothesBins = 4
	// unknownAlike is the similarity of what was not seen: neither alike nor unlike.
	unknownAlike = 0.6
	// clothesRate is how fast a description follows what is seen, per frame: light
	// changes, and people turn round.
	clothesRate = 0.1
)

// colours is a coarse histogram.
type colours struct {
	bins    [clothesBins * clothesBins * clothesBins]float64
	learned bool
}

// clothes are the colours of torso and legs: enough to tell two differently
// dressed persons apart, too little to identify anyone.
type clothes struct {
	torso, legs colours
}

func (c *clothes) known() bool { return c.torso.learned }

// describe samples the quadrilateral between shoulders and hips, and strips along
// the seen legs.
func describe(f *video.Frame, m *[landmark.Num]landmark.Point) (c clothes) {
	ls, rs, lh, rh := &m[landmark.LShoulder], &m[landmark.RShoulder], &m[landmark.LHip], &m[landmark.RHip]
	const n = 16
	torso := sampler{f: f}
	for i := range n {
		for j := range n {
			u, v := (float64(i)+0.5)/n, (float64(j)+0.5)/n
			torso.add((1-v)*((1-u)*ls.XPx+u*rs.XPx)+v*((1-u)*lh.XPx+u*rh.XPx),
				(1-v)*((1-u)*ls.YPx+u*rs.YPx)+v*((1-u)*lh.YPx+u*rh.YPx))
		}
	}
	c.torso = torso.mean(n * n / 4)
	c.legs = legColours(f, m)
	return c
}

// legColours samples a strip from each hip towards the ankle, as wide as a calf.
func legColours(f *video.Frame, m *[landmark.Num]landmark.Point) colours {
	const along, across = 24, 3
	const calf = 0.06 // half a calf's width, of the length of thigh and shin
	s := sampler{f: f}
	for side := range 2 {
		for part := range 2 { // thigh, shin
			a, b := &m[[2]int{landmark.LHip, landmark.LKnee}[part]+side], &m[[2]int{landmark.LKnee, landmark.LAnkle}[part]+side]
			if math.Min(a.Visibility, b.Visibility) < torsoVisible {
				continue
			}
			dx, dy := b.XPx-a.XPx, b.YPx-a.YPx
			for i := range along {
				t := 0.1 + 0.8*(float64(i)+0.5)/along
				for j := range across {
					w := calf * (float64(j) - (across-1)/2)
					s.add(a.XPx+t*dx-w*dy, a.YPx+t*dy+w*dx)
				}
			}
		}
	}
	return s.mean(along * across)
}

// sampler sums up the colours of single pixels.
type sampler struct {
	f     *video.Frame
	c     colours
	count float64
}

// add takes the pixel at a place, if it is one.
func (s *sampler) add(x, y float64) {
	if !(x >= 0 && y >= 0 && x < float64(s.f.WidthPx) && y < float64(s.f.HeightPx)) {
		return
	}
	p := s.f.Pix[3*(int(y)*s.f.WidthPx+int(x)):]
	var low [3]int
	var up [3]float64
	for k := range 3 {
		v := min(max((float64(p[k])+0.5)*clothesBins/256-0.5, 0), clothesBins-1)
		low[k] = min(int(v), clothesBins-2)
		up[k] = v - float64(low[k])
	}
	for corner := range 8 {
		bin, share := 0, 1.0
		for k := range 3 {
			high := corner >> k & 1
			bin = bin*clothesBins + low[k] + high
			share *= (1 - up[k]) + float64(high)*(2*up[k]-1)
		}
		s.c.bins[bin] += share
	}
	s.count++
}

// mean is the histogram, if enough pixels make it up.
func (s *sampler) mean(enough float64) colours {
	if s.count < enough {
		return colours{}
	}
	for i := range s.c.bins {
		s.c.bins[i] /= s.count
	}
	s.c.learned = true
	return s.c
}

// learn moves the description slowly towards a new one.
func (c *clothes) learn(d clothes) {
	c.torso.learn(&d.torso)
	c.legs.learn(&d.legs)
}

func (c *colours) learn(d *colours) {
	switch {
	case !d.learned:
	case !c.learned:
		*c = *d
	default:
		for i := range c.bins {
			c.bins[i] += clothesRate * (d.bins[i] - c.bins[i])
		}
	}
}

// similarity is how alike two descriptions are, 0 to 1: the mean of torso and legs
// where both are known, else the torso's; unknownAlike if that is not known.
func (c *clothes) similarity(d clothes) float64 {
	if !c.torso.learned || !d.torso.learned {
		return unknownAlike
	}
	s := c.torso.similarity(&d.torso)
	if c.legs.learned && d.legs.learned {
		s = (s + c.legs.similarity(&d.legs)) / 2
	}
	return s
}

// similarity is the Bhattacharyya coefficient.
func (c *colours) similarity(d *colours) (s float64) {
	for i := range c.bins {
		s += math.Sqrt(c.bins[i] * d.bins[i])
	}
	return s
}
