package dxl

import "math"

// Counts are what registers hold. Each is its own type, so that a velocity cannot be
// written where a position belongs. What is the same on every device is converted to
// SI here; what a position, velocity, current or gain means is the servo type's own
// (models/servos).
type (
	// PositionCount is a share of a turn.
	PositionCount int32
	// VelocityCount is a speed.
	VelocityCount int32
	// CurrentCount is a motor's or supply's current, or a load.
	CurrentCount int16
	// PWMCount is a share of the supply.
	PWMCount int16
	// VoltageCount is 0.1 V.
	VoltageCount uint16
	// Celsius is a temperature in whole degrees.
	Celsius uint8
	// DelayCount is 2 us of return delay.
	DelayCount uint8
	// WatchdogCount is 20 ms of allowed silence; 0 is off, -1 says it has tripped.
	WatchdogCount int8
	// GainCount is a raw control gain; its divisor depends on the gain.
	GainCount uint16
	// TickCount is the servo's millisecond clock, which wraps at 32768.
	TickCount uint16
)

const (
	voltsPerCount   = 0.1
	secondsPerDelay = 2e-6
	secondsPerWatch = 20e-3
)

// V is the voltage in volt.
func (c VoltageCount) V() float64 { return float64(c) * voltsPerCount }

// VoltageFromV is the count nearest to a voltage.
func VoltageFromV(v float64) VoltageCount {
	return VoltageCount(nearest(v/voltsPerCount, 0, math.MaxUint16))
}

// Seconds is the return delay in s.
func (c DelayCount) Seconds() float64 { return float64(c) * secondsPerDelay }

// Seconds is the allowed silence in s; 0 if the watchdog is off or has tripped.
func (c WatchdogCount) Seconds() float64 { return float64(max(c, 0)) * secondsPerWatch }

// WatchdogFromSeconds is the shortest watchdog that allows s seconds of silence,
// within 20 ms .. 2.54 s.
func WatchdogFromSeconds(s float64) WatchdogCount {
	return WatchdogCount(nearest(math.Ceil(s/secondsPerWatch-1e-9), 1, math.MaxInt8))
}

// nearest rounds v to a whole number within lo..hi; NaN gives lo.
func nearest(v, lo, hi float64) float64 {
	if !(v > lo) {
		return lo
	}
	return math.Round(min(v, hi))
}
