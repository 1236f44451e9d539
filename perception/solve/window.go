package solve

import (
	"slices"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// recent is the window of the causal form: the last frames with a person, as the
// network saw them.
type recent struct {
	frames []landmark.Frame
	swaps  swapTrellis
	// off holds the proportions of the last frames, also of some that have left
	// the window, see oddness.
	off     []float64
	spared  bool // the frame before the last was an intruder: the last is none
	torsoPx float64
	torsoM  float64

	work   []landmark.Frame // the frames with swaps repaired
	states []swapState
}

// offFrames is how many frames say what proportions are usual.
const offFrames = 300

func (r *recent) clear() {
	r.frames, r.spared = r.frames[:0], false
	r.swaps.cost, r.swaps.from = r.swaps.cost[:0], r.swaps.from[:0]
}

// last is the newest frame, nil if there is none.
func (r *recent) last() *landmark.Frame {
	if len(r.frames) == 0 {
		return nil
	}
	return &r.frames[len(r.frames)-1]
}

// add takes in the next frame. The one before is thrown out if it is an intruder
// between its neighbours. up is the direction against gravity in camera axes.
func (r *recent) add(f *landmark.Frame, up spatial.Vec3) {
	if n := len(r.frames); n >= 2 && !r.spared &&
		intrudes(&r.frames[n-2], &r.frames[n-1], f, r.torsoPx, r.torsoM) {
		r.frames, r.spared = r.frames[:n-1], true
		r.swaps.cost, r.swaps.from = r.swaps.cost[:n-1], r.swaps.from[:n-1]
	} else {
		r.spared = false
	}
	before := r.last()
	if len(r.off) == offFrames {
		r.off = slices.Delete(r.off, 0, 1)
	}
	r.off = append(r.off, proportions(f))
	base := quantile(append([]float64(nil), r.off...), oddnessBase)
	r.frames = append(r.frames, *f)
	r.torsoPx, r.torsoM = torsoSize(r.frames)
	r.swaps.aim(up, r.torsoPx, r.torsoM)
	// r.frames may have moved: take the frames from there.
	n := len(r.frames)
	if before != nil {
		before = &r.frames[n-2]
	}
	r.swaps.push(before, &r.frames[n-1], excess(r.off[len(r.off)-1], base))
}

// drop lets go of the frames before timeS.
func (r *recent) drop(timeS float64) {
	k := 0
	for k < len(r.frames) && r.frames[k].TimeS < timeS {
		k++
	}
	r.frames = slices.Delete(r.frames, 0, k)
	r.swaps.cost, r.swaps.from = slices.Delete(r.swaps.cost, 0, k), slices.Delete(r.swaps.from, 0, k)
}

// stepS is the mean time between two frames, 0 where there is none.
func (r *recent) stepS() float64 {
	n := len(r.frames)
	if n < 2 {
		return 0
	}
	return (r.frames[n-1].TimeS - r.frames[0].TimeS) / float64(n-1)
}

// covers tells whether the person was seen at timeS or around it, not farther off
// than within on either side.
func (r *recent) covers(timeS, within float64) bool {
	const tiny = 1e-6
	before, after := false, false
	for i := range r.frames {
		d := r.frames[i].TimeS - timeS
		before = before || d <= tiny && d >= -within
		after = after || d >= -tiny && d <= within
	}
	return before && after
}

// repaired returns the window with swaps undone, valid until the next call, and
// the state of every frame.
func (r *recent) repaired() ([]landmark.Frame, []swapState) {
	n := len(r.frames)
	r.work = append(r.work[:0], r.frames...)
	r.states = slices.Grow(r.states[:0], n)[:n]
	r.swaps.best(r.states)
	for t, s := range r.states {
		if s != asSeen {
			unswap(&r.work[t], s, r.swaps.depth)
		}
	}
	return r.work, r.states
}
