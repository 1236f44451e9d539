package energy

import "math"

// Winding is the thermal model of a motor's winding above its case: first order.
type Winding struct {
	KPerA2 float64 // above the case for each A^2, in steady state
	TauS   float64
}

// Heat follows the windings of a robot's joints.
type Heat struct {
	model Winding
	dt    float64
	tempC []float64
}

// NewHeat returns a model of n joints for steps of dtS seconds.
func NewHeat(n int, w Winding, dtS float64) *Heat {
	h := &Heat{model: w, dt: dtS, tempC: make([]float64, n)}
	for j := range h.tempC {
		h.tempC[j] = math.NaN()
	}
	return h
}

// Step takes in what joint j measured, and returns its winding's temperature. It begins at
// the case's. A current that is no number is not taken.
func (h *Heat) Step(j int, caseC, currentA float64) float64 {
	if math.IsNaN(h.tempC[j]) {
		h.tempC[j] = caseC
	}
	if finite(currentA) {
		h.tempC[j] += (caseC + h.model.KPerA2*currentA*currentA - h.tempC[j]) * h.dt / h.model.TauS
	}
	return h.tempC[j]
}

// TempC is the estimated temperature of each winding, not a number before its first Step.
// The caller must not change it.
func (h *Heat) TempC() []float64 { return h.tempC }

// Derate is what a joint may still use of its speed, or of its torque: 1 up to warnC, falling
// evenly to floor at stopC. What is not a number is not warm.
func Derate(tempC, warnC, stopC, floor float64) float64 {
	switch {
	case !(tempC > warnC):
		return 1
	case tempC >= stopC:
		return floor
	}
	return 1 - (1-floor)*(tempC-warnC)/(stopC-warnC)
}

// Motor is what a motor draws: it turns current and speed into power.
type Motor struct {
	ResistanceOhm float64
	VPerRadPerS   float64 // back-EMF at the joint
}

// SupplyA is what the supply gives to a motor with so much current at that speed: its heat
// and its work, nothing while it brakes.
func (m Motor) SupplyA(currentA, radPerS, supplyV float64) float64 {
	w := currentA*currentA*m.ResistanceOhm + m.VPerRadPerS*radPerS*currentA
	if !(w > 0 && supplyV > 0) {
		return 0
	}
	return w / supplyV
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
