package multiview

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// look is one instant of one view.
type look struct {
	there bool
	px    [landmark.Num][2]float64
	seen  [landmark.Num]float64 // visibility, 0..1
}

// recording is a view, ready to be asked for any instant.
type recording struct {
	name   string
	cam    camera.Camera
	times  []float64 // of the frames with a person
	frames []landmark.Frame
	stepS  float64
	offset float64 // seconds; added to own time gives the common one
	place  spatial.Vec3
	// lines are the directions of sight of moving, in the world, one row a frame.
	lines [][]spatial.Vec3
}

const (
	// bridgeSteps frames without the person, at most, are interpolated.
	bridgeSteps = 3.5
	// leastFrames: a view with fewer sightings says nothing.
	leastFrames = 10
)

func newRecording(v *View) (*recording, error) {
	r := &recording{name: v.Name, cam: v.Camera}
	last := math.Inf(-1)
	var steps []float64
	for i := range v.Clip.Frames {
		f := &v.Clip.Frames[i]
		if !(f.TimeS > last) {
			return nil, fmt.Errorf("multiview: %s: frame %d has time stamp %g s after %g s; legal: strictly increasing",
				v.Name, i, f.TimeS, last)
		}
		if i > 0 {
			steps = append(steps, f.TimeS-last)
		}
		last = f.TimeS
		if f.Found {
			r.times, r.frames = append(r.times, f.TimeS), append(r.frames, *f)
		}
	}
	if len(r.frames) < leastFrames {
		return nil, fmt.Errorf("multiview: %s: %w for long enough: in %d frames, at least %d are needed",
			v.Name, landmark.ErrNoPerson, len(r.frames), leastFrames)
	}
	r.stepS = median(steps)
	r.sightLines()
	return r, nil
}

// sightLines works the lines of sight out once: aligning clocks asks for them again and
// again.
func (r *recording) sightLines() {
	r.place = r.cam.Place()
	back := r.cam.Rotation.Inv()
	r.lines = make([][]spatial.Vec3, len(r.frames))
	for i := range r.frames {
		r.lines[i] = make([]spatial.Vec3, len(moving))
		for k, j := range moving {
			ray := r.cam.Ray(r.frames[i].Landmarks[j].Px())
			r.lines[i][k] = back.Rotate(spatial.Vec3{ray[0], ray[1], 1})
		}
	}
	// Between two frames noise averages out, which makes fractions of a frame look better
	// than they are; of smoothed lines hardly.
	for range 2 {
		was := r.lines
		r.lines = make([][]spatial.Vec3, len(was))
		for i := range was {
			a, b := was[max(0, i-1)], was[min(len(was)-1, i+1)]
			r.lines[i] = make([]spatial.Vec3, len(moving))
			for k := range moving {
				r.lines[i][k] = was[i][k].Scale(0.5).Add(a[k].Add(b[k]).Scale(0.25))
			}
		}
	}
}

// fromS and toS are the first and last sight in common time.
func (r *recording) fromS() float64 { return r.times[0] + r.offset }
func (r *recording) toS() float64   { return r.times[len(r.times)-1] + r.offset }

// between finds the two frames around the common time tS, and how far it is from the first
// to the second, 0 to 1; false where the view has nobody.
func (r *recording) between(tS float64) (k int, u float64, ok bool) {
	t := tS - r.offset
	k = sort.SearchFloat64s(r.times, t)
	// A time just outside is that of the first or last frame: clocks are not exact.
	switch slack := 0.5 * r.stepS; {
	case k == 0 && r.times[0]-t <= slack:
		t, k = r.times[0], 1
	case k == len(r.times) && t-r.times[k-1] <= slack:
		t, k = r.times[k-1], k-1
	}
	if k == 0 || k >= len(r.times) || r.times[k]-r.times[k-1] > bridgeSteps*r.stepS {
		return 0, 0, false
	}
	return k - 1, (t - r.times[k-1]) / (r.times[k] - r.times[k-1]), true
}

// at is what the view shows at the common time tS: linear between two frames.
func (r *recording) at(tS float64, out *look) {
	k, u, ok := r.between(tS)
	if out.there = ok; !ok {
		return
	}
	a, b := &r.frames[k], &r.frames[k+1]
	for j := range landmark.Num {
		p, q := &a.Landmarks[j], &b.Landmarks[j]
		out.px[j] = [2]float64{p.XPx + u*(q.XPx-p.XPx), p.YPx + u*(q.YPx-p.YPx)}
		out.seen[j] = math.Max(0, math.Min(1, math.Min(p.Visibility, q.Visibility)))
	}
}

// sightOf is the view's sight of landmark j.
func (r *recording) sightOf(l *look, j landmark.Index) sight {
	return sight{&r.cam, l.px[j], r.cam.Ray(l.px[j]), l.seen[j]}
}

func median(x []float64) float64 { return quantile(x, 0.5) }

// quantile is the value below which a share q of x lies; NaN for an empty x.
func quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Clone(x)
	slices.Sort(x)
	return x[int(q*float64(len(x)-1)+0.5)]
}
