package track

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/video"
)

// clothesBins is the number of grey levels per colour in a description.
const clothesBins = 4

// clothes is a coarse colour histogram of the torso: enough to tell two
// differently dressed persons apart, too little to identify anyone.
type clothes struct {
	bins    [clothesBins * clothesBins * clothesBins]float64
	learned bool
}

// describe samples the quadrilateral between shoulders and hips.
func describe(f *video.Frame, m *[landmark.Num]landmark.Point) clothes {
	var c clothes
	const n = 16
	count := 0.0
	for i := range n {
		for j := range n {
			u, v := (float64(i)+0.5)/n, (float64(j)+0.5)/n
			ls, rs, lh, rh := &m[landmark.LShoulder], &m[landmark.RShoulder], &m[landmark.LHip], &m[landmark.RHip]
			x := (1-v)*((1-u)*ls.XPx+u*rs.XPx) + v*((1-u)*lh.XPx+u*rh.XPx)
			y := (1-v)*((1-u)*ls.YPx+u*rs.YPx) + v*((1-u)*lh.YPx+u*rh.YPx)
			if !(x >= 0 && y >= 0 && x < float64(f.WidthPx) && y < float64(f.HeightPx)) {
				continue
			}
			at := 3 * (int(y)*f.WidthPx + int(x))
			bin := 0
			for k := range 3 {
				bin = bin*clothesBins + int(f.Pix[at+k])*clothesBins/256
			}
			c.bins[bin]++
			count++
		}
	}
	if count < n*n/4 {
		return clothes{}
	}
	c.learned = true
	for i := range c.bins {
		c.bins[i] /= count
	}
	return c
}

// learn moves the description slowly towards a new one, since light changes.
func (c *clothes) learn(d clothes) {
	if !d.learned {
		return
	}
	if !c.learned {
		*c = d
		return
	}
	for i := range c.bins {
		c.bins[i] += 0.1 * (d.bins[i] - c.bins[i])
	}
}

// similarity is the Bhattacharyya coefficient, 0 to 1; unknown counts as
// neither alike nor unlike.
func (c *clothes) similarity(d clothes) float64 {
	if !c.learned || !d.learned {
		return 0.6
	}
	var s float64
	for i := range c.bins {
		s += math.Sqrt(c.bins[i] * d.bins[i])
	}
	return s
}
