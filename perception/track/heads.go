package track

import (
	"errors"
	"math"

	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Disc is a circle in picture pixels.
type Disc struct{ XPx, YPx, RadiusPx float64 }

const (
	// headsEvery is how many frames share one search for heads.
	headsEvery = 4
	// headScore is asked of a person: in a part of the picture a pair of legs may
	// pass for one, and in the whole a small person is found at a wrong place.
	headScore = 0.75
	// The head lies beyond the shoulders, on the line from the hips, and is
	// masked generously; both in lengths of the trunk.
	headBeyond, headRadius = 0.4, 0.45
)

// HeadFinder finds the heads of all persons in a picture, also of those who are
// not tracked. It sees whom the detector sees, most of the time: persons taller
// than about a fifth of the picture, from the front or the side. Masking must not
// rest on it alone.
type HeadFinder struct {
	weights weights
	network posenet.Network
	grid    []point
	cut     cropper
	calls   int
	// found holds the heads of the last search, step how each moved per
	// frame since the search before.
	found []Disc
	step  []point
}

// NewHeadFinder loads the detector.
func NewHeadFinder(r posenet.Runtime) (*HeadFinder, error) {
	w, err := posenet.Load(r, posenet.Detector)
	if err != nil {
		return nil, err
	}
	n, err := w.Network()
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &HeadFinder{weights: w, network: n, grid: anchors()}, nil
}

// Close frees the detector.
func (h *HeadFinder) Close() error { return errors.Join(h.network.Close(), h.weights.Close()) }

// Find returns the heads in the next picture of a video. Only every few
// pictures are searched; in between, heads move on as they did before, and are
// masked where they were found as well.
func (h *HeadFinder) Find(f *video.Frame) ([]Disc, error) {
	since := h.calls % headsEvery
	h.calls++
	if since == 0 {
		if err := h.search(f); err != nil {
			return nil, err
		}
	}
	var out []Disc
	for i, d := range h.found {
		out = append(out, d)
		if h.step[i] != (point{}) && since > 0 {
			d.XPx += float64(since) * h.step[i].x
			d.YPx += float64(since) * h.step[i].y
			out = append(out, d)
		}
	}
	return out, nil
}

// search finds the heads in a picture and pairs them with those found before.
func (h *HeadFinder) search(f *video.Frame) error {
	var heads []Disc
	for _, area := range append([]ROI{wholePicture(f)}, tiles(f)[0]...) {
		found, err := detect(h.network, &h.cut, h.grid, f, area)
		if err != nil {
			return err
		}
		for _, d := range found {
			if d.Score < headScore {
				continue
			}
			heads = append(heads, Disc{
				XPx:      d.shoulders.x + headBeyond*(d.shoulders.x-d.hips.x),
				YPx:      d.shoulders.y + headBeyond*(d.shoulders.y-d.hips.y),
				RadiusPx: headRadius * d.shoulders.distance(d.hips),
			})
		}
	}
	step := make([]point, len(heads))
	for i, d := range heads {
		nearest := 3 * d.RadiusPx
		for _, p := range h.found {
			if away := math.Hypot(d.XPx-p.XPx, d.YPx-p.YPx); away < nearest {
				nearest = away
				step[i] = point{(d.XPx - p.XPx) / headsEvery, (d.YPx - p.YPx) / headsEvery}
			}
		}
	}
	h.found, h.step = heads, step
	return nil
}
