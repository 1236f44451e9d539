package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/lines"
)

// What a camera is like, its focal length and how it is turned against gravity, is
// found as the most likely of all cameras, given
//
//	the usual cameras       what focal lengths phones and web cameras have
//	the straight edges      walls and doors stand upright, boards and shelves lie level
//	the body                stands over its feet; the network sees it lean
//	the feet                flat on the floor, they show from how high they are seen
//
// together with what is given or written in the file. Upright edges alone tie the
// pitch to the focal length (the same convergence comes from a wide lens a little
// tilted and from a long one more so); level edges that run away from the camera,
// or the body, tell the two apart. Where nothing does, the usual camera remains.

// Sources of a focal length.
const (
	FocalGiven     = "given"
	FocalFile      = "file"
	FocalEstimated = "estimated"
	FocalAssumed   = "assumed"
)

const (
	// usualFocal is the focal length of ordinary cameras, of the longer side: main
	// cameras of phones have 24 to 28 mm in 35 mm terms, 0.69 to 0.74 of it, and a
	// tenth to a fifth more where video is stabilised; web cameras see 60 to 78
	// degrees across the diagonal, 0.7 to 1.0.
	usualFocal       = 0.85
	usualFocalSpread = 0.22 // standard deviation of its logarithm
	// longShare of all clips are filmed with other lenses, or cut out of a larger picture.
	longShare       = 0.25
	longFocal       = 1.2
	longFocalSpread = 0.45
	// fileFocalSpread: what phones write is of the lens, not of the stabilised picture.
	fileFocalSpread = 0.08

	leastFocal, mostFocal = 0.45, 3.0 // of the longer side
	focalSteps            = 24

	// sceneTrust is what an edge counts: frames of windows and boards have two edges
	// each, and several of one row.
	sceneTrust = 0.4
	// Standard deviations of what the person says. [rendered people before eleven
	// cameras: body 4.7 degrees, feet 3.5; four calibrated views: 5.6 and 7]
	leanPitchDoubt = 5.0 * math.Pi / 180
	leanRollDoubt  = 3.0 * math.Pi / 180
	feetDoubt      = 4.5 * math.Pi / 180
	// heightDoubt is that of a camera's height by a person's size.
	heightDoubt = 0.08

	searchRad = 16 * math.Pi / 180 // around what the body says
	// estimatedSpread: an estimate whose logarithm is known no better is an assumption.
	estimatedSpread = 0.17
)

// eye is what is thought of the camera.
type eye struct {
	focalPx       float64
	lowPx, highPx float64 // nine times in ten the focal length lies between
	source        string
	up            spatial.Vec3
	doubtRad      float64 // standard deviation of up
}

// findCamera weighs what the options say and what the frames (swaps repaired) show.
func findCamera(frames []landmark.Frame, widthPx, heightPx int, opt *Options) eye {
	e := &evidence{scene: opt.Scene, longPx: float64(max(widthPx, heightPx)), pitch: opt.PitchRad,
		heightM: opt.CameraHeightM, body: attitudeOf(estimateUp(frames)),
		feet: seeFeet(frames, widthPx, heightPx, opt.HeightM), up: opt.UpInCamera}
	given := opt.FocalPx
	if opt.FocalFromFile {
		e.file, given = given, 0
	}
	return e.find(given)
}

// attitude is how a camera is turned: pitch down, roll clockwise.
type attitude struct{ pitch, roll float64 }

func (a attitude) up() spatial.Vec3 {
	sp, cp := math.Sincos(a.pitch)
	sr, cr := math.Sincos(a.roll)
	return spatial.Vec3{sr * cp, -cr * cp, -sp}
}

func attitudeOf(up spatial.Vec3) attitude {
	return attitude{-math.Asin(math.Max(-1, math.Min(1, up[2]))), math.Atan2(up[0], -up[1])}
}

// evidence is what there is to tell the camera by.
type evidence struct {
	scene  *lines.View // nil: none
	body   attitude
	feet   feetView
	longPx float64
	// what is known; nil and 0: nothing
	up      *spatial.Vec3
	pitch   *float64
	heightM float64 // of the camera, 0: unknown
	file    float64 // focal length by the file, 0: none
}

// feetView is how the feet are seen.
type feetView struct {
	depression float64 // rad below the horizon, by the shape of feet on the floor
	seen       bool
	px         [2]float64 // where they are, from the middle of the picture
	metrePerPx float64    // at the person
}

// focalPrior is the logarithm of how usual a focal length is.
func (e *evidence) focalPrior(focalPx float64) float64 {
	bell := func(x, mean, spread float64) float64 {
		z := math.Log(x/mean) / spread
		return math.Exp(-z*z/2) / spread
	}
	if e.file > 0 {
		z := math.Log(focalPx/e.file) / fileFocalSpread
		return -z * z / 2
	}
	x := focalPx / e.longPx
	return math.Log((1-longShare)*bell(x, usualFocal, usualFocalSpread) + longShare*bell(x, longFocal, longFocalSpread))
}

// robust is the logarithm of the likelihood of being off by z standard deviations,
// with tails that let one witness err.
func robust(z float64) float64 { return -2 * math.Log(1+z*z/4) }

// weigh is the logarithm of the likelihood of a camera, but for level edges.
func (e *evidence) weigh(focalPx float64, a attitude) float64 {
	up := a.up()
	sum := robust((a.pitch-e.body.pitch)/leanPitchDoubt) + robust((a.roll-e.body.roll)/leanRollDoubt)
	if e.scene != nil {
		sum += sceneTrust * e.scene.Upright(focalPx, up)
	}
	ray := spatial.Vec3{e.feet.px[0], e.feet.px[1], focalPx}.Unit(spatial.Vec3{0, 0, 1})
	below := -up.Dot(ray)
	if e.feet.seen {
		sum += robust((math.Asin(below) - e.feet.depression) / feetDoubt)
	}
	if e.heightM > 0 && e.feet.metrePerPx > 0 {
		// At the feet's distance, by the person's size.
		seen := below / ray[2] * focalPx * e.feet.metrePerPx
		z := (seen - e.heightM) / (heightDoubt*e.heightM + 0.03)
		sum -= z * z / 2
	}
	return sum
}

// guess is the most likely attitude for one focal length.
type guess struct {
	focalPx float64
	attitude
	yaw, value float64
}

// best finds the most likely attitude for a focal length.
func (e *evidence) best(focalPx float64) guess {
	g := guess{focalPx: focalPx, attitude: e.body, value: math.Inf(-1)}
	if e.up != nil {
		g.attitude = attitudeOf(*e.up)
		if e.scene != nil {
			g.yaw = e.scene.Yaw(focalPx, *e.up)
		}
		g.value = e.whole(&g)
		return g
	}
	if e.pitch != nil {
		g.pitch = *e.pitch
	}
	centre := g.attitude
	const steps = 8
	for i := -steps; i <= steps; i++ {
		for k := -steps; k <= steps; k++ {
			a := attitude{centre.pitch + searchRad*float64(i)/steps, centre.roll + searchRad*float64(k)/steps}
			if e.pitch != nil {
				a.pitch = *e.pitch
			}
			if v := e.weigh(focalPx, a); v > g.value {
				g.attitude, g.value = a, v
			}
		}
		if e.pitch != nil {
			break
		}
	}
	if e.scene == nil {
		e.climb(&g, func(g *guess) float64 { return e.weigh(g.focalPx, g.attitude) })
		return g
	}
	e.climb(&g, func(g *guess) float64 { return e.weigh(g.focalPx, g.attitude) })
	g.yaw = e.scene.Yaw(focalPx, g.up())
	g.value = e.whole(&g)
	e.climb(&g, e.whole)
	return g
}

// whole is the logarithm of the likelihood of a guess, level edges included.
func (e *evidence) whole(g *guess) float64 {
	v := e.weigh(g.focalPx, g.attitude)
	if e.scene != nil {
		v += sceneTrust * e.scene.Level(g.focalPx, g.up(), g.yaw)
	}
	return v
}

// climb walks g to the top of value near by, in ever smaller steps.
func (e *evidence) climb(g *guess, value func(*guess) float64) {
	for step := 0.02; step > 0.0008; step /= 2 {
		for moved := true; moved; {
			moved = false
			for d := range 6 {
				try := *g
				at := [3]*float64{&try.roll, &try.yaw, &try.pitch}[d/2]
				if e.pitch != nil && d/2 == 2 || e.scene == nil && d/2 == 1 {
					continue
				}
				*at += step * float64(1-2*(d%2))
				if try.value = value(&try); try.value > g.value {
					*g, moved = try, true
				}
			}
		}
	}
}

// sharpness is the standard deviation of the pitch for the guess's focal length.
func (e *evidence) sharpness(g *guess) float64 {
	const step = 0.02
	if e.pitch != nil || e.up != nil {
		return 0
	}
	bend := 0.0
	for _, d := range [2]float64{-step, step} {
		try := *g
		try.pitch += d
		bend += (g.value - e.whole(&try)) / (step * step)
	}
	return 1 / math.Sqrt(math.Max(bend, 1/(0.2*0.2)))
}

// find weighs all focal lengths, or only the given one if that is not 0.
func (e *evidence) find(given float64) eye {
	if given > 0 {
		g := e.best(given)
		return e.exact(eye{focalPx: given, lowPx: given, highPx: given, source: FocalGiven, up: g.up(), doubtRad: e.sharpness(&g)})
	}
	guesses := make([]guess, focalSteps)
	top := 0
	ratio := math.Log(mostFocal / leastFocal)
	for k := range guesses {
		f := e.longPx * leastFocal * math.Exp(ratio*float64(k)/(focalSteps-1))
		if e.file > 0 {
			f = e.file * math.Exp(3*fileFocalSpread*(2*float64(k)/(focalSteps-1)-1))
		}
		guesses[k] = e.best(f)
		guesses[k].value += e.focalPrior(f)
		if guesses[k].value > guesses[top].value {
			top = k
		}
	}
	return e.exact(e.summary(guesses, guesses[top].value))
}

// exact takes a known direction against gravity as it was given.
func (e *evidence) exact(c eye) eye {
	if e.up != nil {
		c.up, c.doubtRad = *e.up, 0
	}
	return c
}

// summary is the mean camera of the guesses, each by its likelihood.
func (e *evidence) summary(guesses []guess, most float64) eye {
	var sum, logF, logF2, pitch, pitch2, roll float64
	share := make([]float64, len(guesses))
	for k, g := range guesses {
		w := math.Exp(g.value - most)
		l := math.Log(g.focalPx)
		share[k], sum = w, sum+w
		logF, logF2 = logF+w*l, logF2+w*l*l
		pitch, pitch2, roll = pitch+w*g.pitch, pitch2+w*g.pitch*g.pitch, roll+w*g.roll
	}
	logF, logF2, pitch, pitch2, roll = logF/sum, logF2/sum, pitch/sum, pitch2/sum, roll/sum
	c := eye{focalPx: math.Exp(logF), source: FocalEstimated}
	spread := math.Sqrt(math.Max(0, logF2-logF*logF))
	switch {
	case e.file > 0:
		c.source = FocalFile
	case spread > estimatedSpread:
		c.source = FocalAssumed
	}
	c.lowPx, c.highPx = percentile(guesses, share, 0.05*sum), percentile(guesses, share, 0.95*sum)
	c.up = attitude{pitch, roll}.up()
	near := guesses[0]
	for _, g := range guesses {
		if abs(math.Log(g.focalPx)-logF) < abs(math.Log(near.focalPx)-logF) {
			near = g
		}
	}
	near.value -= e.focalPrior(near.focalPx)
	c.doubtRad = math.Hypot(e.sharpness(&near), math.Sqrt(math.Max(0, pitch2-pitch*pitch)))
	return c
}

// percentile is the focal length below which that much of the share lies.
func percentile(guesses []guess, share []float64, want float64) float64 {
	below := 0.0
	for k, w := range share {
		if below+w >= want {
			if k == 0 {
				return guesses[0].focalPx
			}
			// The share of a guess lies evenly around it.
			s := (want-below)/math.Max(w, 1e-12) - 0.5
			next := k + 1
			if s < 0 {
				next, s = k-1, -s
			}
			next = min(next, len(guesses)-1)
			return guesses[k].focalPx * math.Pow(guesses[next].focalPx/guesses[k].focalPx, s)
		}
		below += w
	}
	return guesses[len(guesses)-1].focalPx
}
