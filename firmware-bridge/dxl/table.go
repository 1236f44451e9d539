package dxl

import "github.com/mitori-robotics/mitori/models/servos"

// Access says who may write a register.
type Access uint8

const (
	// ReadOnly registers refuse writes.
	ReadOnly Access = iota
	// ReadWrite registers accept them; those below EEPROMEnd only while torque is off.
	ReadWrite
)

// Info describes one register of a control table.
type Info struct {
	Name    string
	Addr    uint16
	Size    int
	Signed  bool
	Access  Access
	Default int64
	// Min and Max bound what a write may carry. Limits that depend on other registers
	// (Goal Position within Min and Max Position) are not here.
	Min, Max int64
}

// register is a Reg of whatever type: where and how wide a register is stands beside its name, once.
type register interface {
	Addr() uint16
	Size() int
	Signed() bool
}

// TableSize is one more than the last address of the X430 control table.
const TableSize = 662

// Indirect address and data blocks of the X430: 28 items each.
const (
	IndirectAddr1  = 168
	IndirectData1  = 224
	IndirectAddr29 = 578
	IndirectData29 = 634
	IndirectCount  = 28
)

// XTable returns the control table of an X model in order of address, without the
// indirect blocks. Source: e-Manual, XM430-W350, "Control Table"; where models differ,
// the type's factory values.
func XTable(t servos.Type) []Info {
	const (
		u8  = 1<<8 - 1
		i32 = 1<<31 - 1
	)
	f := t.Factory
	lowest, highest := int64(VoltageFromV(f.LowestV)), int64(VoltageFromV(f.HighestV))
	current, full := int64(f.CurrentLimitCount), int64(t.FullDutyCount)
	last, centre := int64(t.CountsPerTurn-1), int64(t.ZeroCount)
	ro := func(name string, r register, def int64) Info {
		return Info{Name: name, Addr: r.Addr(), Size: r.Size(), Signed: r.Signed(), Access: ReadOnly, Default: def}
	}
	// A limit has the type of what it bounds, but no sign where it cannot be negative.
	rw := func(name string, r register, def, lo, hi int64) Info {
		return Info{Name: name, Addr: r.Addr(), Size: r.Size(), Signed: lo < 0, Access: ReadWrite, Default: def, Min: lo, Max: hi}
	}
	return []Info{
		ro("Model Number", ModelNumber, int64(t.ModelNumber)),
		ro("Model Information", ModelInformation, 0),
		ro("Firmware Version", FirmwareVersion, int64(f.Firmware)),
		rw("ID", DeviceID, 1, 0, int64(MaxID)),
		rw("Baud Rate", BaudRate, 1, 0, 7),
		rw("Return Delay Time", ReturnDelay, 250, 0, 254),
		rw("Drive Mode", DriveMode, 0, 0, 13),
		rw("Operating Mode", OperatingMode, 3, 0, 16),
		rw("Secondary ID", SecondaryID, 255, 0, u8),
		rw("Protocol Type", ProtocolType, 2, 1, 2),
		rw("Homing Offset", HomingOffset, 0, -1044479, 1044479),
		rw("Moving Threshold", MovingThreshold, 10, 0, 1023),
		rw("Temperature Limit", TemperatureLimit, int64(t.MaxTempC), 0, 100),
		rw("Max Voltage Limit", MaxVoltage, highest, lowest, highest),
		rw("Min Voltage Limit", MinVoltage, lowest, lowest, highest),
		rw("PWM Limit", PWMLimit, full, 0, full),
		rw("Current Limit", CurrentLimit, current, 0, current),
		rw("Velocity Limit", VelocityLimit, int64(f.VelocityLimitCount), 0, 1023),
		rw("Max Position Limit", MaxPosition, last, 0, last),
		rw("Min Position Limit", MinPosition, 0, 0, last),
		rw("Startup Configuration", StartupConfig, 0, 0, 3),
		rw("Shutdown", Shutdown, 52, 0, u8),
		rw("Torque Enable", TorqueEnable, 0, 0, 1),
		rw("LED", LED, 0, 0, 1),
		rw("Status Return Level", StatusReturnLevel, 2, 0, 2),
		ro("Registered Instruction", Registered, 0),
		ro("Hardware Error Status", HardwareStatus, 0),
		rw("Velocity I Gain", VelocityIGain, 1920, 0, 16383),
		rw("Velocity P Gain", VelocityPGain, 100, 0, 16383),
		rw("Position D Gain", PositionDGain, 0, 0, 16383),
		rw("Position I Gain", PositionIGain, 0, 0, 16383),
		rw("Position P Gain", PositionPGain, int64(f.PositionPGain), 0, int64(t.MaxPGain)),
		rw("Feedforward 2nd Gain", FeedForward2Gain, 0, 0, 16383),
		rw("Feedforward 1st Gain", FeedForward1Gain, 0, 0, 16383),
		rw("Bus Watchdog", BusWatchdog, 0, -1, 127),
		rw("Goal PWM", GoalPWM, full, -full, full),
		rw("Goal Current", GoalCurrent, current, -current, current),
		rw("Goal Velocity", GoalVelocity, int64(f.VelocityLimitCount), -1023, 1023),
		rw("Profile Acceleration", ProfileAccel, 0, 0, 32767),
		rw("Profile Velocity", ProfileVelocity, 0, 0, 32767),
		rw("Goal Position", GoalPosition, centre, -i32, i32),
		ro("Realtime Tick", RealtimeTick, 0),
		ro("Moving", Moving, 0),
		ro("Moving Status", MovingStatus, 0),
		ro("Present PWM", PresentPWM, 0),
		ro("Present Current", PresentCurrent, 0),
		ro("Present Velocity", PresentVelocity, 0),
		ro("Present Position", PresentPosition, centre),
		ro("Velocity Trajectory", VelocityTraject, 0),
		ro("Position Trajectory", PositionTraject, centre),
		ro("Present Input Voltage", InputVoltage, 120),
		ro("Present Temperature", Temperature, 25),
		ro("Backup Ready", BackupReady, 0),
	}
}
