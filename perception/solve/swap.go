package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The pose network sometimes takes the left side for the right, for the whole
// body, the legs or the arms, with unchanged confidence. A body seen from the
// front and the same body seen from the back have nearly the same outline: a
// whole-body swap exchanges the labels AND reverses depth, so the repair must
// undo both. The legs or arms alone are only exchanged.
//
// The repair labels every frame with one of four states and finds the cheapest
// sequence of states (Viterbi). It pays for jumps of the repaired points, for
// hips that face against the shoulders, for every change of state, and a little
// for every repair: so of two contradicting versions of a clip the one the
// network saw more often wins.
type swapState int

const (
	asSeen swapState = iota
	bodySwapped
	legsSwapped
	armsSwapped
	numSwapStates int = iota
)

// Costs in units of the torso length, as an average per landmark group.
const (
	swapSwitchCost = 0.30 // a change of state; a true crossing of fast feet costs less than two of these
	swapBodyCost   = 0.02 // per frame in a repaired state
	swapPartCost   = 0.06
	swapOddCost    = 0.10 // times how odd the body's proportions are, see oddness
	swapTwistCost  = 0.40 // hips turned against shoulders by 180 degrees
	swapJumpCap    = 1.50 // one wild landmark must not decide
	// intruderGain is what leaving a frame out must save, in the same units.
	intruderGain = 0.80
)

var (
	upperGroup = [...]landmark.Index{landmark.LEar, landmark.REar, landmark.LShoulder, landmark.RShoulder,
		landmark.LElbow, landmark.RElbow, landmark.LWrist, landmark.RWrist}
	lowerGroup = [...]landmark.Index{landmark.LHip, landmark.RHip, landmark.LKnee, landmark.RKnee,
		landmark.LAnkle, landmark.RAnkle, landmark.LHeel, landmark.RHeel, landmark.LToe, landmark.RToe}
)

// swapView returns landmark j of f as state s says it should have been named.
func swapView(f *landmark.Frame, s swapState, j int, depth spatial.Vec3) (px [2]float64, world spatial.Vec3) {
	lower := j >= landmark.LHip
	if s == bodySwapped || s == legsSwapped && lower || s == armsSwapped && !lower {
		j = landmark.Mirror(j)
	}
	world = f.WorldM[j]
	if s == bodySwapped {
		world = world.Sub(depth.Scale(2 * depth.Dot(world)))
	}
	return f.Landmarks[j].Px(), world
}

// swapTrellis is the search for the cheapest sequence of states, frame by frame.
type swapTrellis struct {
	// depth is the direction along which a body swap reverses: level, away
	// from the camera.
	depth           spatial.Vec3
	torsoPx, torsoM float64
	cost            [][numSwapStates]float64   // of the cheapest way to every state
	from            [][numSwapStates]swapState // and the state before it
}

// aim sets what distances and depth are measured by; up is the direction against
// gravity in camera axes.
func (v *swapTrellis) aim(up spatial.Vec3, torsoPx, torsoM float64) {
	depth := spatial.Vec3{0, 0, 1}
	v.depth = depth.Sub(up.Scale(depth.Dot(up))).Unit(depth)
	v.torsoPx, v.torsoM = torsoPx, torsoM
}

// push takes in the next frame. before is the frame pushed last (nil at first),
// odd the frame's oddness.
func (v *swapTrellis) push(before, f *landmark.Frame, odd float64) {
	var next [numSwapStates]float64
	var from [numSwapStates]swapState
	if before == nil {
		for s := range next {
			next[s] = swapUnary(f, swapState(s), odd)
		}
	} else {
		cost := v.cost[len(v.cost)-1]
		// The longer the gap, the less the previous frame says.
		fade := 1 / (1 + max(0, f.TimeS-before.TimeS-0.05)/0.1)
		for b := range numSwapStates {
			best, arg := math.Inf(1), asSeen
			for a := range numSwapStates {
				c := cost[a] + fade*swapJump(before, f, swapState(a), swapState(b), v.depth, v.torsoPx, v.torsoM)
				if a != b {
					c += swapSwitchCost
				}
				if c < best {
					best, arg = c, swapState(a)
				}
			}
			next[b] = best + swapUnary(f, swapState(b), odd)
			from[b] = arg
		}
	}
	v.cost, v.from = append(v.cost, next), append(v.from, from)
}

// best writes the cheapest sequence of states, one for each frame pushed.
func (v *swapTrellis) best(states []swapState) {
	last := &v.cost[len(v.cost)-1]
	s := asSeen
	for b := range numSwapStates {
		if last[b] < last[s] {
			s = swapState(b)
		}
	}
	for t := len(states) - 1; t >= 0; t-- {
		states[t] = s
		s = v.from[t][s]
	}
}

// repairSwaps undoes left/right swaps in frames (all Found) in place and
// returns the number of frames changed. up is the direction against gravity in
// camera axes: depth is reversed about the upright plane facing the camera.
func repairSwaps(frames []landmark.Frame, up spatial.Vec3) int {
	n := len(frames)
	if n < 3 {
		return 0
	}
	var v swapTrellis
	torsoPx, torsoM := torsoSize(frames)
	v.aim(up, torsoPx, torsoM)
	odd := oddness(frames)
	for t := range frames {
		var before *landmark.Frame
		if t > 0 {
			before = &frames[t-1]
		}
		v.push(before, &frames[t], odd[t])
	}
	states := make([]swapState, n)
	v.best(states)
	changed := 0
	for t := range frames {
		if states[t] != asSeen {
			changed++
			unswap(&frames[t], states[t], v.depth)
		}
	}
	return changed
}

// unswap undoes a swap in place.
func unswap(f *landmark.Frame, s swapState, depth spatial.Vec3) {
	old := *f
	for j := range landmark.Num {
		px, world := swapView(&old, s, j, depth)
		f.Landmarks[j].SetPx(px)
		f.WorldM[j] = world
		if k := landmark.Mirror(j); old.Landmarks[k].Px() == px {
			f.Landmarks[j].Visibility = old.Landmarks[k].Visibility
		}
	}
}

// dropIntruders leaves out frames that fit neither neighbour while the
// neighbours fit each other, left and right taken either way: between two
// versions of the body the network sometimes shows a blend of both. The result
// shares no memory with frames.
func dropIntruders(frames []landmark.Frame) []landmark.Frame {
	torsoPx, torsoM := torsoSize(frames)
	out := make([]landmark.Frame, 0, len(frames))
	kept := true // whether the frame before was
	for t := range frames {
		if t > 0 && t+1 < len(frames) && kept && intrudes(&frames[t-1], &frames[t], &frames[t+1], torsoPx, torsoM) {
			kept = false
			continue
		}
		kept = true
		out = append(out, frames[t])
	}
	return out
}

// intrudes tells whether frame f fits neither its neighbours, while those fit
// each other.
func intrudes(before, f, after *landmark.Frame, torsoPx, torsoM float64) bool {
	depth := spatial.Vec3{0, 0, 1}
	jump := func(a, b *landmark.Frame) float64 {
		return min(swapJump(a, b, asSeen, asSeen, depth, torsoPx, torsoM),
			swapJump(a, b, asSeen, bodySwapped, depth, torsoPx, torsoM))
	}
	return jump(before, f)+jump(f, after)-jump(before, after) > intruderGain
}

// swapUnary is the cost of state s in one frame.
func swapUnary(f *landmark.Frame, s swapState, odd float64) float64 {
	c := 0.0
	switch s {
	case asSeen:
		c = swapOddCost * odd
	case bodySwapped:
		c = swapBodyCost
	case legsSwapped, armsSwapped:
		c = swapPartCost
	}
	depth := spatial.Vec3{0, 0, 1}
	at := func(j int) spatial.Vec3 { _, w := swapView(f, s, j, depth); return w }
	sh, hip := at(landmark.LShoulder).Sub(at(landmark.RShoulder)), at(landmark.LHip).Sub(at(landmark.RHip))
	sh[1], hip[1] = 0, 0
	cos := sh.Unit(spatial.Vec3{1, 0, 0}).Dot(hip.Unit(spatial.Vec3{1, 0, 0}))
	return c + swapTwistCost*max(0, -cos)
}

// oddness tells, per frame, how far the proportions that the network sees are
// from an adult's, in excess of the better frames of the clip, 0 to 0.3. A body
// taken for its back has narrow hips and short feet. It only tips the balance
// between two versions of a clip; a person who really turns round stays turned.
func oddness(frames []landmark.Frame) []float64 {
	out := make([]float64, len(frames))
	for t := range frames {
		out[t] = proportions(&frames[t])
	}
	base := quantile(append([]float64(nil), out...), oddnessBase)
	for t := range out {
		out[t] = excess(out[t], base)
	}
	return out
}

// oddnessBase is the share of the frames of a clip that count as the better ones.
const oddnessBase = 0.25

// excess is the oddness of a frame whose proportions are off, where those of the
// better frames are base off.
func excess(off, base float64) float64 { return max(0, min(0.3, off-base)) }

// proportions tells how far the widths and feet that the network sees are from an
// adult's, as a mean of logarithms of ratios.
func proportions(f *landmark.Frame) float64 {
	w := &f.WorldM
	length := func(a, b landmark.Index) float64 { return w[a].Sub(w[b]).Norm() }
	spine := w[landmark.LShoulder].Add(w[landmark.RShoulder]).Sub(w[landmark.LHip]).Sub(w[landmark.RHip])
	trunkM := spine.Norm() / 2
	legs := (length(landmark.LHip, landmark.LKnee) + length(landmark.RHip, landmark.RKnee) +
		length(landmark.LKnee, landmark.LAnkle) + length(landmark.RKnee, landmark.RAnkle)) / 2
	scale := max(trunkM+legs, 0.1) / (markRatio[trunk] + markRatio[thigh] + markRatio[shank])
	off := func(a, b landmark.Index, k boneKind) float64 {
		return abs(math.Log(max(length(a, b), 1e-3) / (scale * markRatio[k])))
	}
	return (off(landmark.LHip, landmark.RHip, hipWidth) + off(landmark.LShoulder, landmark.RShoulder, shoulderWidth) +
		off(landmark.LHeel, landmark.LToe, heelToe) + off(landmark.RHeel, landmark.RToe, heelToe)) / 4
}

// swapJump is how far the landmarks travel between two frames, in torso
// lengths, averaged within the upper and the lower body and then added.
func swapJump(p, q *landmark.Frame, a, b swapState, depth spatial.Vec3, torsoPx, torsoM float64) float64 {
	group := func(js []int) float64 {
		sum := 0.0
		for _, j := range js {
			pp, pw := swapView(p, a, j, depth)
			qp, qw := swapView(q, b, j, depth)
			d := math.Hypot(pp[0]-qp[0], pp[1]-qp[1])/torsoPx + 0.5*abs(pw[2]-qw[2])/torsoM
			sum += min(d, swapJumpCap)
		}
		return sum / float64(len(js))
	}
	return group(upperGroup[:]) + group(lowerGroup[:])
}

// torsoSize returns the median distance from mid-hip to mid-shoulder.
func torsoSize(frames []landmark.Frame) (px, m float64) {
	a, b := make([]float64, 0, len(frames)), make([]float64, 0, len(frames))
	for i := range frames {
		f := &frames[i]
		p := func(k int) float64 {
			at := func(j landmark.Index) float64 { return f.Landmarks[j].Px()[k] }
			return (at(landmark.LShoulder) + at(landmark.RShoulder) - at(landmark.LHip) - at(landmark.RHip)) / 2
		}
		a = append(a, math.Hypot(p(0), p(1)))
		shoulders := f.WorldM[landmark.LShoulder].Add(f.WorldM[landmark.RShoulder])
		w := shoulders.Sub(f.WorldM[landmark.LHip]).Sub(f.WorldM[landmark.RHip])
		b = append(b, w.Norm()/2)
	}
	return max(median(a), 1), max(median(b), 0.05)
}
