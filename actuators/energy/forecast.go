package energy

import "math"

// The forecast's own constants.
const (
	motionS = 20.0 // over how long a motion is taken to be the present one
	// A case's temperature is followed twice, quickly and slowly: on an even slope the two
	// differ by the slope times the difference of their times.
	fastS, slowS = 30.0, 90.0
	caseTauS     = 600.0 // how long a case goes on warming at its present slope
	farS         = 3600.0
	stepS        = 2.0
)

// Limits are where the forecast of one joint ends.
type Limits struct{ CaseC, WindingC float64 }

// Forecast looks ahead: how long until some joint, and the battery, is at its limit, if
// the motion goes on as it is. It needs a minute of it to be of use.
type Forecast struct {
	model  Winding
	limits []Limits
	pack   Pack
	ends   float64 // charge at which the robot sits down

	meanA2, fast, slow, winding []float64
	drainA                      float64
	low, high                   float64
	seenS                       float64
}

// NewForecast returns a forecast for joints with those limits, and a battery that may be
// used down to ends.
func NewForecast(w Winding, limits []Limits, p Pack, ends float64) *Forecast {
	n := len(limits)
	f := &Forecast{model: w, limits: limits, pack: p, ends: ends, high: 1,
		meanA2: make([]float64, n), fast: make([]float64, n), slow: make([]float64, n), winding: make([]float64, n)}
	for j := range n {
		f.fast[j] = math.NaN()
	}
	return f
}

// Joints takes in one tick of dtS seconds: currents, cases and windings.
func (f *Forecast) Joints(dtS float64, currentA, caseC, windingC []float64) {
	for j := range f.limits {
		if finite(currentA[j]) {
			f.meanA2[j] += (currentA[j]*currentA[j] - f.meanA2[j]) * min(1, dtS/motionS)
		}
		f.winding[j] = windingC[j]
		switch {
		case math.IsNaN(caseC[j]):
		case math.IsNaN(f.fast[j]):
			f.fast[j], f.slow[j] = caseC[j], caseC[j]
		default:
			f.fast[j] += (caseC[j] - f.fast[j]) * min(1, dtS/fastS)
			f.slow[j] += (caseC[j] - f.slow[j]) * min(1, dtS/slowS)
		}
	}
	f.seenS += dtS
}

// Battery takes in the bounds of the charge and the current that the battery gives.
func (f *Forecast) Battery(low, high, supplyA, dtS float64) {
	f.low, f.high = low, high
	f.drainA += (supplyA - f.drainA) * min(1, dtS/motionS)
}

// HeatS is when the first joint will be at its limit, in seconds, and which one; +Inf and
// -1 if none is within an hour.
func (f *Forecast) HeatS() (s float64, joint int) {
	s, joint = math.Inf(1), -1
	for j := range f.limits {
		if at := f.jointS(j, s); at < s {
			s, joint = at, j
		}
	}
	return s, joint
}

// jointS is when joint j will be at its limit, if that is before until.
func (f *Forecast) jointS(j int, until float64) float64 {
	if math.IsNaN(f.fast[j]) || math.IsNaN(f.winding[j]) {
		return math.Inf(1)
	}
	slope := (f.fast[j] - f.slow[j]) / (slowS - fastS)
	now := f.fast[j] + slope*fastS
	w := f.winding[j]
	for t := 0.0; t < min(until, farS); t += stepS {
		c := now + slope*caseTauS*(1-math.Exp(-t/caseTauS))
		if c >= f.limits[j].CaseC || w >= f.limits[j].WindingC {
			return t
		}
		w += (c + f.model.KPerA2*f.meanA2[j] - w) * stepS / f.model.TauS
	}
	return math.Inf(1)
}

// ChargeS is how long the battery lasts, in seconds, until at worst and at best as much is
// left as the robot needs to sit down; +Inf where nothing is known of a battery.
func (f *Forecast) ChargeS() (worst, best float64) {
	if !f.pack.Known() || !(f.drainA > 0) {
		return math.Inf(1), math.Inf(1)
	}
	s := func(share, current, capacity float64) float64 {
		return max(0, share-f.ends) * f.pack.CapacityAh * capacity * 3600 / (f.drainA * current)
	}
	return s(f.low, 1+currentTol, capacityLow), s(f.high, 1-currentTol, capacityTop)
}
