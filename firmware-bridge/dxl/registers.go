package dxl

import "unsafe"

// Count is what a register can hold.
type Count interface {
	~uint8 | ~int8 | ~uint16 | ~int16 | ~uint32 | ~int32
}

// Reg is the address of a register whose content is a T: its width and its meaning
// come from the type.
type Reg[T Count] uint16

// Addr is the register's address.
func (r Reg[T]) Addr() uint16 { return uint16(r) }

// Size is the register's width in bytes.
func (r Reg[T]) Size() int {
	var zero T
	return int(unsafe.Sizeof(zero))
}

// Signed reports whether the register holds negative numbers.
func (r Reg[T]) Signed() bool {
	var zero T
	return zero-1 < 0
}

// Put writes v little endian to dst, which is at least Size long.
func (r Reg[T]) Put(dst []byte, v T) {
	for i := range r.Size() {
		dst[i] = byte(uint32(v) >> (8 * i))
	}
}

// Get reads a little endian value from src, which is at least Size long.
func (r Reg[T]) Get(src []byte) T {
	var u uint32
	for i := range r.Size() {
		u |= uint32(src[i]) << (8 * i)
	}
	return T(u)
}

// OperatingModeCode selects what the goal registers mean.
type OperatingModeCode uint8

// The operating modes of the X series.
const (
	ModeCurrent          OperatingModeCode = 0
	ModeVelocity         OperatingModeCode = 1
	ModePosition         OperatingModeCode = 3
	ModeExtendedPosition OperatingModeCode = 4
	ModeCurrentPosition  OperatingModeCode = 5
	ModePWM              OperatingModeCode = 16
)

// HardwareError is the bit set of Hardware Error Status and of Shutdown.
type HardwareError uint8

// The bits of HardwareError.
const (
	HardwareVoltage  HardwareError = 1 << 0
	HardwareHeat     HardwareError = 1 << 2
	HardwareEncoder  HardwareError = 1 << 3
	HardwareShock    HardwareError = 1 << 4
	HardwareOverload HardwareError = 1 << 5
)

// String lists the bits set.
func (h HardwareError) String() string {
	if h == 0 {
		return "none"
	}
	s := ""
	for _, b := range []struct {
		bit  HardwareError
		name string
	}{
		{HardwareVoltage, "input voltage"}, {HardwareHeat, "overheating"}, {HardwareEncoder, "encoder"},
		{HardwareShock, "electrical shock"}, {HardwareOverload, "overload"},
	} {
		if h&b.bit != 0 {
			s += "+" + b.name
			h &^= b.bit
		}
	}
	if h != 0 {
		s += "+undefined bits"
	}
	return s[1:]
}

// BaudCode is an index into the rates a servo knows.
type BaudCode uint8

// Rate is the bit rate in 1/s; 0 for a code no servo knows.
func (b BaudCode) Rate() int {
	rates := [...]int{9600, 57600, 115200, 1e6, 2e6, 3e6, 4e6, 4.5e6}
	if int(b) >= len(rates) {
		return 0
	}
	return rates[b]
}

// BaudFromRate is the code of a bit rate.
func BaudFromRate(rate int) (BaudCode, bool) {
	for b := BaudCode(0); b.Rate() != 0; b++ {
		if b.Rate() == rate {
			return b, true
		}
	}
	return 0, false
}

// Registers of the X series (XM430-W350); addresses below 64 are EEPROM and writable
// only while torque is off.
const (
	ModelNumber       Reg[uint16]            = 0
	ModelInformation  Reg[uint32]            = 2
	FirmwareVersion   Reg[uint8]             = 6
	DeviceID          Reg[uint8]             = 7
	BaudRate          Reg[BaudCode]          = 8
	ReturnDelay       Reg[DelayCount]        = 9
	DriveMode         Reg[uint8]             = 10
	OperatingMode     Reg[OperatingModeCode] = 11
	SecondaryID       Reg[uint8]             = 12
	ProtocolType      Reg[uint8]             = 13
	HomingOffset      Reg[int32]             = 20
	MovingThreshold   Reg[uint32]            = 24
	TemperatureLimit  Reg[Celsius]           = 31
	MaxVoltage        Reg[VoltageCount]      = 32
	MinVoltage        Reg[VoltageCount]      = 34
	PWMLimit          Reg[PWMCount]          = 36
	CurrentLimit      Reg[CurrentCount]      = 38
	VelocityLimit     Reg[VelocityCount]     = 44
	MaxPosition       Reg[PositionCount]     = 48
	MinPosition       Reg[PositionCount]     = 52
	StartupConfig     Reg[uint8]             = 60
	Shutdown          Reg[HardwareError]     = 63
	TorqueEnable      Reg[uint8]             = 64
	LED               Reg[uint8]             = 65
	StatusReturnLevel Reg[uint8]             = 68
	Registered        Reg[uint8]             = 69
	HardwareStatus    Reg[HardwareError]     = 70
	VelocityIGain     Reg[GainCount]         = 76
	VelocityPGain     Reg[GainCount]         = 78
	PositionDGain     Reg[GainCount]         = 80
	PositionIGain     Reg[GainCount]         = 82
	PositionPGain     Reg[GainCount]         = 84
	FeedForward2Gain  Reg[GainCount]         = 88
	FeedForward1Gain  Reg[GainCount]         = 90
	BusWatchdog       Reg[WatchdogCount]     = 98
	GoalPWM           Reg[PWMCount]          = 100
	GoalCurrent       Reg[CurrentCount]      = 102
	GoalVelocity      Reg[VelocityCount]     = 104
	ProfileAccel      Reg[uint32]            = 108
	ProfileVelocity   Reg[uint32]            = 112
	GoalPosition      Reg[PositionCount]     = 116
	RealtimeTick      Reg[TickCount]         = 120
	Moving            Reg[uint8]             = 122
	MovingStatus      Reg[uint8]             = 123
	PresentPWM        Reg[PWMCount]          = 124
	PresentCurrent    Reg[CurrentCount]      = 126
	PresentVelocity   Reg[VelocityCount]     = 128
	PresentPosition   Reg[PositionCount]     = 132
	VelocityTraject   Reg[VelocityCount]     = 136
	PositionTraject   Reg[PositionCount]     = 140
	InputVoltage      Reg[VoltageCount]      = 144
	Temperature       Reg[Celsius]           = 146
	BackupReady       Reg[uint8]             = 147
)

const (
	// EEPROMEnd is the first address of RAM.
	EEPROMEnd = 64
	// StateAddr and StateSize are the block of current, velocity and position that one
	// contiguous read covers.
	StateAddr = 126
	StateSize = 10
	// HealthAddr and HealthSize are the block of input voltage and temperature.
	HealthAddr = 144
	HealthSize = 3
)
