package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Contact rules. A foot touches the floor where it rests in the picture and is
// not clearly higher than the other foot at the same instant: heights of one
// instant share the error of the body's depth, heights of different times do
// not. Speeds are across the line of sight (along it they are mostly noise).
const (
	touchHeightM    = 0.07 // above the lower foot
	rollHeightM     = 0.09 // of the heel above the toe, or the toe above the heel
	touchHeightSoft = 0.012
	stillSpeed      = 0.25 // m/s
	stillSpeedSoft  = 0.06
	restSpeed       = 0.10 // m/s; slower, a foot rests, on the floor or not
	restSpeedSoft   = 0.02
	speedHalfS      = 0.07  // half the time over which a speed is measured; shorter is noise
	samePlaceM      = 0.06  // a landmark that leaves its place by less than this
	samePlaceS      = 0.50  // and for less than this never left it
	trimM           = 0.012 // a landmark this far from where it rested has left
	trimNoise       = 3.0   // or this many times its usual distance
	trimEarlyS      = 0.06  // it began to leave this long before, and slowed down as long before it came to rest
	contactMinS     = 0.10  // shorter contacts and shorter breaks of contact are noise

	floorWindowS  = 1.0  // half width of the window whose low feet define the floor
	flightHeightM = 0.09 // both feet higher: the person is in the air
	flightSpeed   = 0.60 // m/s; all of both feet faster: likewise
)

// contacts holds, per frame and foot landmark, the probability of touching.
type contacts [][human.NumContacts]float64

// restFeet marks the foot landmarks that rest in the picture as not moving in
// space either: hardly anything moves exactly along the line of sight. That
// anchors the depth of the body long before it is known where the floor is.
func (p *problem) restFeet() {
	for t := 0; t+1 < p.n; t++ {
		for c, j := range footJoints {
			p.still[t][c] = min(falling(p.screenSpeed(t, j), restSpeed, restSpeedSoft), falling(p.screenSpeed(t+1, j), restSpeed, restSpeedSoft))
		}
	}
}

// detectContacts judges the current solution.
func (p *problem) detectContacts() contacts {
	n := p.n
	height := make([][human.NumContacts]float64, n)
	lowest := make([]float64, n)
	for t := range n {
		lowest[t] = math.Inf(1)
		for c, j := range footJoints {
			height[t][c] = p.up.Dot(p.joint(t, j)) - p.seenHeight(c)
			lowest[t] = min(lowest[t], height[t][c])
		}
	}
	floor := floorLine(lowest, p.fps)
	out := make(contacts, n)
	for c, j := range footJoints {
		col := make([]float64, n)
		other := c ^ 1                 // heel and toe of the same foot
		across := [2]int{c ^ 2, c ^ 3} // the other foot
		for t := range n {
			h := &height[t]
			foot := min(h[c], h[other])
			lift := foot - min(foot, h[across[0]], h[across[1]])
			col[t] = falling(p.screenSpeed(t, j), stillSpeed, stillSpeedSoft) *
				falling(lift, touchHeightM, touchHeightSoft) * falling(h[c]-foot, rollHeightM, touchHeightSoft)
		}
		p.closeBreaks(col, j)
		p.trimContacts(col, j)
		debounce(col, int(math.Round(contactMinS*p.fps)))
		for t := range n {
			out[t][c] = col[t]
		}
	}
	leaveEarlier(out, int(math.Round(trimEarlyS*p.fps)))
	// Something touches the floor unless both feet have clearly left it or race.
	for t := range n {
		best, most, slowest := 0, 0.0, math.Inf(1)
		for c, j := range footJoints {
			most = max(most, out[t][c])
			slowest = min(slowest, p.screenSpeed(t, j))
			if height[t][c] < height[t][best] {
				best = c
			}
		}
		if most < 0.5 && lowest[t]-floor[t] < flightHeightM && slowest < flightSpeed {
			out[t][best] = 0.5
		}
	}
	return out
}

// closeBreaks joins contacts of joint j between which it stays about where it is
// in the picture: a shaking landmark, not a step.
func (p *problem) closeBreaks(prob []float64, j human.Joint) {
	i := freeIndex[j]
	longest := int(samePlaceS * p.fps)
	for t := 1; t < len(prob); t++ {
		if prob[t] >= 0.5 || prob[t-1] < 0.5 {
			continue
		}
		from := t - 1
		stays := true
		for ; t < len(prob) && prob[t] < 0.5; t++ {
			metre := p.joint(t, human.Pelvis)[2] / p.focalPx
			d := math.Hypot(p.px[t][i][0]-p.px[from][i][0], p.px[t][i][1]-p.px[from][i][1]) * metre
			stays = stays && d < samePlaceM
		}
		if t == len(prob) || !stays || t-from > longest {
			continue
		}
		for u := from + 1; u < t; u++ {
			prob[u] = max(prob[u], 0.75)
		}
	}
}

// trimContacts ends a contact of joint j where the joint leaves the place in the
// picture where it rested: a foot that slowly starts to lift no longer stands,
// long before it is fast. In a shaky clip it may leave farther.
func (p *problem) trimContacts(prob []float64, j human.Joint) {
	i := freeIndex[j]
	var x, y, d []float64
	for from := 0; from < len(prob); {
		if prob[from] < 0.5 {
			from++
			continue
		}
		to := from
		x, y, d = x[:0], y[:0], d[:0]
		for ; to < len(prob) && prob[to] >= 0.5; to++ {
			x, y = append(x, p.px[to][i][0]), append(y, p.px[to][i][1])
		}
		mx, my := median(x), median(y)
		off := func(t int) float64 {
			return math.Hypot(p.px[t][i][0]-mx, p.px[t][i][1]-my) * p.joint(t, human.Pelvis)[2] / p.focalPx
		}
		for t := from; t < to; t++ {
			d = append(d, off(t))
		}
		limit := max(trimM, trimNoise*median(d))
		for t := from; t < to && off(t) > limit; t++ {
			prob[t] = min(prob[t], releasedTouch)
		}
		for t := to - 1; t > from && off(t) > limit; t-- {
			prob[t] = min(prob[t], releasedTouch)
		}
		from = to
	}
}

// leaveEarlier takes frames off both ends of every contact that ends within the
// clip: a foot seen to be off its place left it earlier, since it starts and
// stops gently. It does so only while the other foot stands.
func leaveEarlier(c contacts, frames int) {
	n := len(c)
	stood := make([][2]bool, n)
	for t := range c {
		for side := range 2 {
			stood[t][side] = max(c[t][2*side], c[t][2*side+1]) >= 0.5
		}
	}
	for t := range c {
		var leaves [2]bool
		for side := range 2 {
			for u := max(0, t-frames); u <= min(n-1, t+frames); u++ {
				leaves[side] = leaves[side] || stood[t][side] && !stood[u][side]
			}
		}
		for side := range 2 {
			if leaves[side] && stood[t][1-side] && !leaves[1-side] {
				for k := 2 * side; k < 2*side+2; k++ {
					c[t][k] = min(c[t][k], releasedTouch)
				}
			}
		}
	}
}

// falling is a soft step from 1 below edge to 0 above it.
func falling(v, edge, soft float64) float64 { return 1 / (1 + math.Exp((v-edge)/soft)) }

// screenSpeed is the speed of joint j across the line of sight, in m/s.
func (p *problem) screenSpeed(t int, j human.Joint) float64 {
	return p.screenSpeedAt(t, j, p.joint(t, human.Pelvis)[2])
}

func (p *problem) screenSpeedAt(t int, j human.Joint, depth float64) float64 {
	half := max(1, int(math.Round(speedHalfS*p.fps)))
	a, b := max(0, t-half), min(p.n-1, t+half)
	i := freeIndex[j]
	d := [2]float64{p.px[b][i][0] - p.px[a][i][0], p.px[b][i][1] - p.px[a][i][1]}
	return math.Hypot(d[0], d[1]) * depth / p.focalPx * p.fps / float64(b-a)
}

// floorLine is the level of the floor over time: a low quantile of the lowest
// foot in a sliding window, smoothed. A jump is shorter than the window and
// does not lift it; a slow drift of the depth estimate moves it along.
func floorLine(lowest []float64, fps float64) []float64 {
	n := len(lowest)
	half := max(1, int(math.Round(floorWindowS*fps)))
	out := make([]float64, n)
	w := make([]float64, 0, 2*half+1)
	for t := range n {
		w = append(w[:0], lowest[max(0, t-half):min(n, t+half+1)]...)
		out[t] = quantile(w, 0.25)
	}
	lowPass(out, fps, 1/floorWindowS)
	return out
}

// debounce removes runs of contact and of no contact shorter than minRun.
func debounce(p []float64, minRun int) {
	for _, want := range [2]bool{false, true} { // first close short breaks, then drop short contacts
		for i := 0; i < len(p); {
			j := i
			for j < len(p) && (p[j] >= 0.5) == (p[i] >= 0.5) {
				j++
			}
			inside := i > 0 && j < len(p)
			if (p[i] >= 0.5) == want && j-i < minRun && inside {
				v := 0.75
				if want {
					v = 0.25
				}
				for k := i; k < j; k++ {
					p[k] = v
				}
			}
			i = j
		}
	}
}

// useContacts turns contact probabilities into weights of the fit and sets the
// floor from the touching feet.
func (p *problem) useContacts(c contacts) {
	p.useFloor = true
	var h []float64
	for t := range p.n {
		for k, j := range footJoints {
			if c[t][k] >= 0.5 {
				h = append(h, p.up.Dot(p.joint(t, j))-p.seenHeight(k)-p.ground[t][k/2])
			}
			// Ramp from 0 at probability 0.3 to 1 at 0.7.
			p.touch[t][k] = clamp01((c[t][k] - 0.3) / 0.4)
		}
	}
	for t := range p.n {
		for k := range footJoints {
			if t+1 < p.n {
				p.still[t][k] = max(p.still[t][k], min(p.touch[t][k], p.touch[t+1][k]))
			}
		}
	}
	if len(h) > 0 {
		p.floor = median(h)
	}
}

func clamp01(v float64) float64 { return math.Max(0, math.Min(1, v)) }

// horizontal returns the level directions to the right of the picture and away
// from the camera.
func horizontal(up spatial.Vec3) (right, away spatial.Vec3) {
	z := spatial.Vec3{0, 0, 1}
	away = z.Sub(up.Scale(z.Dot(up))).Unit(z)
	return away.Cross(up).Unit(spatial.Vec3{1, 0, 0}), away
}
