package energy

import (
	"math"
	"slices"
)

// Pack describes a battery of lithium cells in series. Of the zero value nothing is claimed.
type Pack struct {
	Cells         int
	CapacityAh    float64
	ResistanceOhm float64 // of all cells, leads and connectors
	IdleA         float64 // what the robot draws while no servo moves or holds
	Chemistry     string  // one of Chemistries; empty: the first
}

// Known reports whether there is anything to reckon with.
func (p Pack) Known() bool { return p.Cells > 0 && p.CapacityAh > 0 }

// The tolerances within which a Gauge's bounds hold.
const (
	currentTol  = 0.25  // of the current that is reckoned
	capacityLow = 0.85  // an aged pack has so much of what it says
	capacityTop = 1.05  // a good one so much
	resistTol   = 0.5   // of the resistance
	curveTolV   = 0.045 // a cell at rest: its curve, and what it still recovers after a load
	meterTolV   = 0.05  // the servos' meters, for the whole pack: half their step
	smoothS     = 5.0   // voltage and current are smoothed alike before they are compared
)

// Chemistries are the names of the cells that are known.
func Chemistries() []string { return []string{"lipo", "li-ion"} }

// curve returns the voltage of a cell at rest at charges 0, 0.05, 0.1, then each tenth.
func (p Pack) curve() [12]float64 {
	if p.Chemistry == "li-ion" { // nickel-manganese-cobalt, as in 18650 cells
		return [12]float64{3.00, 3.20, 3.35, 3.48, 3.57, 3.62, 3.68, 3.77, 3.86, 3.95, 4.05, 4.18}
	}
	return [12]float64{3.27, 3.61, 3.69, 3.73, 3.77, 3.80, 3.84, 3.87, 3.95, 4.02, 4.11, 4.20}
}

// charges are where curve has its points.
func charges() [12]float64 {
	return [12]float64{0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}
}

// RestV is a cell's voltage at rest at a charge of 0 to 1.
func (p Pack) RestV(share float64) float64 {
	xs, ys := charges(), p.curve()
	return between(xs[:], ys[:], share)
}

// share is the charge at which a cell at rest has v volts.
func (p Pack) share(v float64) float64 {
	xs, ys := p.curve(), charges()
	return between(xs[:], ys[:], v)
}

// between interpolates ys over rising xs, and keeps the ends.
func between(xs, ys []float64, x float64) float64 {
	i, _ := slices.BinarySearch(xs, x)
	switch {
	case i == 0:
		return ys[0]
	case i == len(xs):
		return ys[i-1]
	}
	return ys[i-1] + (ys[i]-ys[i-1])*(x-xs[i-1])/(xs[i]-xs[i-1])
}

// Gauge keeps the bounds of a battery's charge.
type Gauge struct {
	pack   Pack
	seeded bool
	volt   float64 // smoothed
	amp    float64
	low    float64
	high   float64
}

// NewGauge returns a gauge that knows nothing yet.
func NewGauge(p Pack) *Gauge { return &Gauge{pack: p, low: 0, high: 1} }

// Step takes in the supply's voltage and the current that the robot's servos draw, over
// dtS seconds. Values that are no numbers are not taken.
func (g *Gauge) Step(supplyV, servosA, dtS float64) {
	if !g.pack.Known() || !(supplyV > 0) || !finite(supplyV) || !(servosA >= 0) || math.IsInf(servosA, 0) {
		return
	}
	a := servosA + g.pack.IdleA
	if !g.seeded {
		g.volt, g.amp, g.seeded = supplyV, a, true
	}
	k := min(1, dtS/smoothS)
	g.volt += k * (supplyV - g.volt)
	g.amp += k * (a - g.amp)
	whole := g.pack.CapacityAh * 3600 // ampere-seconds
	g.low = max(0, g.low-a*dtS*(1+currentTol)/(whole*capacityLow))
	g.high = max(0, g.high-a*dtS*(1-currentTol)/(whole*capacityTop))
	low, high := g.byVoltage()
	if low > g.high || high < g.low { // the tolerances do not hold: only the voltage is present
		g.low, g.high = low, high
		return
	}
	g.low, g.high = max(g.low, low), min(g.high, high)
}

// byVoltage is what the voltage alone says.
func (g *Gauge) byVoltage() (low, high float64) {
	n := float64(g.pack.Cells)
	sag := g.amp * g.pack.ResistanceOhm / n
	rest := g.volt/n + sag
	tol := curveTolV + meterTolV/n + resistTol*sag
	return g.pack.share(rest - tol), g.pack.share(rest + tol)
}

// Bounds are between what the charge lies, 0 to 1; 0 and 1 while nothing is known.
func (g *Gauge) Bounds() (low, high float64) { return g.low, g.high }

// SupplyA is the smoothed current that the battery gives.
func (g *Gauge) SupplyA() float64 { return g.amp }
