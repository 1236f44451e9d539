package dxl

import "math"

// Counts are what registers hold. Each is its own type, so that a velocity cannot be
// written where a position belongs; the methods convert to SI.
type (
	// PositionCount is 1/4096 of a turn; CentrePosition is the middle of the range.
	PositionCount int32
	// VelocityCount is 0.229 revolutions per minute.
	VelocityCount int32
	// CurrentCount is 2.69 mA (X430 and X540 servos; the X330 use 1 mA).
	CurrentCount int16
	// PWMCount is 1/885 of the supply, about 0.113 %.
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
	// CountsPerTurn is the resolution of a position.
	CountsPerTurn = 4096
	// CentrePosition is the position of the middle of one turn.
	CentrePosition PositionCount = 2048
	// FullPWM is 100 % duty.
	FullPWM PWMCount = 885
	// ModelXM430W350 is the model number of the XM430-W350.
	ModelXM430W350 uint16 = 1020

	radPerCount      = 2 * math.Pi / CountsPerTurn
	radPerSPerCount  = 0.229 * 2 * math.Pi / 60
	ampsPerCount     = 2.69e-3
	voltsPerCount    = 0.1
	secondsPerDelay  = 2e-6
	secondsPerWatch  = 20e-3
	positionGainUnit = 128
)

// Rad is the angle from the centre of the range, in rad.
func (c PositionCount) Rad() float64 { return float64(c-CentrePosition) * radPerCount }

// PositionFromRad is the count nearest to an angle from the centre of the range.
func PositionFromRad(rad float64) PositionCount {
	return CentrePosition + PositionCount(nearest(rad/radPerCount, math.MinInt32/2, math.MaxInt32/2))
}

// RadPerS is the velocity in rad/s.
func (c VelocityCount) RadPerS() float64 { return float64(c) * radPerSPerCount }

// VelocityFromRadPerS is the count nearest to a velocity.
func VelocityFromRadPerS(v float64) VelocityCount {
	return VelocityCount(nearest(v/radPerSPerCount, math.MinInt32, math.MaxInt32))
}

// A is the current in ampere.
func (c CurrentCount) A() float64 { return float64(c) * ampsPerCount }

// CurrentFromA is the count nearest to a current.
func CurrentFromA(a float64) CurrentCount {
	return CurrentCount(nearest(a/ampsPerCount, math.MinInt16, math.MaxInt16))
}

// Duty is the share of the supply voltage, -1..1.
func (c PWMCount) Duty() float64 { return float64(c) / float64(FullPWM) }

// PWMFromDuty is the count nearest to a duty.
func PWMFromDuty(d float64) PWMCount {
	return PWMCount(nearest(d*float64(FullPWM), math.MinInt16, math.MaxInt16))
}

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

// DutyPerRad is a position P gain as duty per radian of error: the servo's firmware
// adds gain/128 PWM counts for each position count.
func (g GainCount) DutyPerRad() float64 {
	return float64(g) / positionGainUnit / radPerCount / float64(FullPWM)
}

// nearest rounds v to a whole number within lo..hi; NaN gives lo.
func nearest(v, lo, hi float64) float64 {
	if !(v > lo) {
		return lo
	}
	return math.Round(min(v, hi))
}
