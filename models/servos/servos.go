// Package servos is the catalogue of servo types: what a data sheet says about
// each, in SI units, with its source, and what the numbers in its registers mean.
//
// Nothing elsewhere may assume one model: limits, the plant, the emulated bus and
// the drivers take every such number from the joint's type (models/robot binds
// them). The torque of a type follows the law of a voltage source with back-EMF,
//
//	torque = stall torque * duty * supply/AtV - (stall torque / no-load speed) * speed,
//
// so torque, speed and current at other voltages follow from those at AtV.
//
// What is not here: registers and packets (firmware-bridge), what one robot chose
// (robot.yaml: gains, limits of joints), and physics (sim). A Catalogue and its
// Types are values that nobody changes; they may be shared.
package servos

import (
	"math"
	"slices"
	"strings"
)

// Dynamixel2 is DYNAMIXEL Protocol 2.0.
const Dynamixel2 = "dynamixel2"

// Type is one model of servo.
type Type struct {
	Name        string // as robot.yaml writes it
	Title       string // as its maker writes it
	Protocol    string
	ModelNumber uint16 // what a ping answers
	Source      string // of every number that has no other

	// Motor and gears, with AtV volts at the terminals.
	AtV           float64
	StallTorqueNm float64
	StallCurrentA float64
	NoLoadRadPerS float64
	// DragNmPerRadPerS is what still brakes the shaft when the bridge is open: the
	// gears. An estimate; no data sheet tells it.
	DragNmPerRadPerS float64

	// MinFirmware is the oldest that may be driven: the first with a bus watchdog, without
	// which servos go on when their host dies.
	MinFirmware uint8
	// NoCurrentLimit says that it measures a load, and has no register that limits current.
	NoCurrentLimit bool

	MinV, MaxV float64 // supply that the maker allows
	MaxTempC   float64 // factory limit, at which the servo stops itself

	// Counts of the position register: a turn, and where the servo's angle is zero.
	CountsPerTurn, ZeroCount int
	RadPerSPerCount          float64 // of the velocity register
	APerCount                float64 // of the current register

	// FullDutyCount is the whole supply voltage in counts of the duty (PWM) register.
	FullDutyCount int
	// A position gain g adds g/PGainDivisor counts of duty for each count of error, and
	// g/DGainDivisor for each count that the error changes in a millisecond.
	PGainDivisor, DGainDivisor float64
	MaxPGain                   int

	Factory Factory
}

// Factory is what the registers of a new servo hold, where types differ.
type Factory struct {
	Firmware           uint8
	LowestV, HighestV  float64 // limits of the supply
	CurrentLimitCount  int
	VelocityLimitCount int
	PositionPGain      int
}

// RadPerCount is the resolution of a position, in rad.
func (t *Type) RadPerCount() float64 { return 2 * math.Pi / float64(t.CountsPerTurn) }

// Rad is the angle of a position count, in rad from the zero.
func (t *Type) Rad(count int32) float64 {
	return float64(count-int32(t.ZeroCount)) * t.RadPerCount()
}

// PositionCount is the count nearest to an angle, in rad from the zero. Angles
// beyond what a register holds saturate at half its range; NaN is the lowest.
func (t *Type) PositionCount(rad float64) int32 {
	return int32(t.ZeroCount) + int32(nearest(rad/t.RadPerCount(), math.MinInt32/2, math.MaxInt32/2))
}

// RadPerS is the speed of a velocity count, in rad/s.
func (t *Type) RadPerS(count int32) float64 { return float64(count) * t.RadPerSPerCount }

// VelocityCount is the count nearest to a speed in rad/s.
func (t *Type) VelocityCount(radPerS float64) int32 {
	return int32(nearest(radPerS/t.RadPerSPerCount, math.MinInt32, math.MaxInt32))
}

// Ampere is the current of a current count, in A.
func (t *Type) Ampere(count int16) float64 { return float64(count) * t.APerCount }

// CurrentCount is the count nearest to a current in A.
func (t *Type) CurrentCount(a float64) int16 {
	return int16(nearest(a/t.APerCount, math.MinInt16, math.MaxInt16))
}

// Duty is the share of the supply voltage, -1 to 1, of a duty count.
func (t *Type) Duty(count int16) float64 { return float64(count) / float64(t.FullDutyCount) }

// DutyCount is the count nearest to a share of the supply voltage.
func (t *Type) DutyCount(duty float64) int16 {
	return int16(nearest(duty*float64(t.FullDutyCount), math.MinInt16, math.MaxInt16))
}

// DutyPerRad is a position P gain as duty per radian of error.
func (t *Type) DutyPerRad(gain int) float64 {
	return float64(gain) / t.PGainDivisor / t.RadPerCount() / float64(t.FullDutyCount)
}

// DutyPerRadPerS is a position D gain as duty per rad/s of error.
func (t *Type) DutyPerRadPerS(gain int) float64 {
	return float64(gain) / t.DGainDivisor * 1e-3 * float64(t.CountsPerTurn) / (2 * math.Pi) / float64(t.FullDutyCount)
}

// NmPerA is the torque of a stalled motor per ampere.
func (t *Type) NmPerA() float64 { return t.StallTorqueNm / t.StallCurrentA }

// nearest rounds v to a whole number within low to high; NaN gives low.
func nearest(v, low, high float64) float64 {
	if !(v > low) {
		return low
	}
	return math.Round(min(v, high))
}

// Catalogue is a list of types with different names.
type Catalogue []Type

// Named returns the type of that name.
func (c Catalogue) Named(name string) (Type, bool) {
	i := slices.IndexFunc(c, func(t Type) bool { return t.Name == name })
	if i < 0 {
		return Type{}, false
	}
	return c[i], true
}

// Model returns the type that answers a ping with that number.
func (c Catalogue) Model(protocol string, number uint16) (Type, bool) {
	i := slices.IndexFunc(c, func(t Type) bool { return t.Protocol == protocol && t.ModelNumber == number })
	if i < 0 {
		return Type{}, false
	}
	return c[i], true
}

// Names lists the types, separated by commas, for messages.
func (c Catalogue) Names() string {
	var s []string
	for _, t := range c {
		s = append(s, t.Name)
	}
	return strings.Join(s, ", ")
}

// Protocols lists what the types speak, each once.
func (c Catalogue) Protocols() []string {
	var s []string
	for _, t := range c {
		if !slices.Contains(s, t.Protocol) {
			s = append(s, t.Protocol)
		}
	}
	return s
}
