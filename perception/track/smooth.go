package track

import "math"

// oneEuro is the one-euro filter (Casiez, Roussel, Vogel: 1 Euro Filter, CHI
// 2012) in the form MediaPipe uses: the cut-off frequency rises with the
// filtered speed, so that slow motion is calm and fast motion does not lag.
type oneEuro struct {
	minCutoffHz, beta, speedCutoffHz float64

	started           bool
	lastS             float64
	raw, value, speed float64
}

// next filters the value at time timeS; scale multiplies the speed (for values
// in pixels: 1 / size of the object), so that the filter acts alike on near and
// far persons. Time stamps that do not increase leave the value as it is.
func (f *oneEuro) next(value, timeS, scale float64) float64 {
	if !f.started {
		f.started, f.lastS, f.raw, f.value = true, timeS, value, value
		return value
	}
	dt := timeS - f.lastS
	if dt <= 0 {
		return f.value
	}
	f.lastS = timeS
	speed := (value - f.raw) * scale / dt
	f.raw = value
	f.speed += lowPass(f.speedCutoffHz, dt) * (speed - f.speed)
	f.value += lowPass(f.minCutoffHz+f.beta*math.Abs(f.speed), dt) * (value - f.value)
	return f.value
}

// lowPass gives the weight of a new sample after dt seconds.
func lowPass(cutoffHz, dt float64) float64 {
	return 1 / (1 + 1/(2*math.Pi*cutoffHz*dt))
}

// roiFilter steadies the two points that define the next square.
type roiFilter struct{ axes [4]oneEuro }

func newROIFilter() *roiFilter {
	f := &roiFilter{}
	for i := range f.axes {
		f.axes[i] = oneEuro{minCutoffHz: 0.01, beta: 10, speedCutoffHz: 1}
	}
	return f
}

func (f *roiFilter) next(centre, scale point, timeS, sidePx float64) (point, point) {
	s := 1 / sidePx
	return point{f.axes[0].next(centre.x, timeS, s), f.axes[1].next(centre.y, timeS, s)},
		point{f.axes[2].next(scale.x, timeS, s), f.axes[3].next(scale.y, timeS, s)}
}
