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
	ro := func(name string, addr uint16, size int, signed bool, def int64) Info {
		return Info{Name: name, Addr: addr, Size: size, Signed: signed, Access: ReadOnly, Default: def}
	}
	rw := func(name string, addr uint16, size int, def, lo, hi int64) Info {
		return Info{Name: name, Addr: addr, Size: size, Signed: lo < 0, Access: ReadWrite, Default: def, Min: lo, Max: hi}
	}
	return []Info{
		ro("Model Number", 0, 2, false, int64(t.ModelNumber)),
		ro("Model Information", 2, 4, false, 0),
		ro("Firmware Version", 6, 1, false, int64(f.Firmware)),
		rw("ID", 7, 1, 1, 0, int64(MaxID)),
		rw("Baud Rate", 8, 1, 1, 0, 7),
		rw("Return Delay Time", 9, 1, 250, 0, 254),
		rw("Drive Mode", 10, 1, 0, 0, 13),
		rw("Operating Mode", 11, 1, 3, 0, 16),
		rw("Secondary ID", 12, 1, 255, 0, u8),
		rw("Protocol Type", 13, 1, 2, 1, 2),
		rw("Homing Offset", 20, 4, 0, -1044479, 1044479),
		rw("Moving Threshold", 24, 4, 10, 0, 1023),
		rw("Temperature Limit", 31, 1, int64(t.MaxTempC), 0, 100),
		rw("Max Voltage Limit", 32, 2, highest, lowest, highest),
		rw("Min Voltage Limit", 34, 2, lowest, lowest, highest),
		rw("PWM Limit", 36, 2, full, 0, full),
		rw("Current Limit", 38, 2, current, 0, current),
		rw("Velocity Limit", 44, 4, int64(f.VelocityLimitCount), 0, 1023),
		rw("Max Position Limit", 48, 4, last, 0, last),
		rw("Min Position Limit", 52, 4, 0, 0, last),
		rw("Startup Configuration", 60, 1, 0, 0, 3),
		rw("Shutdown", 63, 1, 52, 0, u8),
		rw("Torque Enable", 64, 1, 0, 0, 1),
		rw("LED", 65, 1, 0, 0, 1),
		rw("Status Return Level", 68, 1, 2, 0, 2),
		ro("Registered Instruction", 69, 1, false, 0),
		ro("Hardware Error Status", 70, 1, false, 0),
		rw("Velocity I Gain", 76, 2, 1920, 0, 16383),
		rw("Velocity P Gain", 78, 2, 100, 0, 16383),
		rw("Position D Gain", 80, 2, 0, 0, 16383),
		rw("Position I Gain", 82, 2, 0, 0, 16383),
		rw("Position P Gain", 84, 2, int64(f.PositionPGain), 0, int64(t.MaxPGain)),
		rw("Feedforward 2nd Gain", 88, 2, 0, 0, 16383),
		rw("Feedforward 1st Gain", 90, 2, 0, 0, 16383),
		rw("Bus Watchdog", 98, 1, 0, -1, 127),
		rw("Goal PWM", 100, 2, full, -full, full),
		rw("Goal Current", 102, 2, current, -current, current),
		rw("Goal Velocity", 104, 4, int64(f.VelocityLimitCount), -1023, 1023),
		rw("Profile Acceleration", 108, 4, 0, 0, 32767),
		rw("Profile Velocity", 112, 4, 0, 0, 32767),
		rw("Goal Position", 116, 4, centre, -i32, i32),
		ro("Realtime Tick", 120, 2, false, 0),
		ro("Moving", 122, 1, false, 0),
		ro("Moving Status", 123, 1, false, 0),
		ro("Present PWM", 124, 2, true, 0),
		ro("Present Current", 126, 2, true, 0),
		ro("Present Velocity", 128, 4, true, 0),
		ro("Present Position", 132, 4, true, centre),
		ro("Velocity Trajectory", 136, 4, true, 0),
		ro("Position Trajectory", 140, 4, true, centre),
		ro("Present Input Voltage", 144, 2, false, 120),
		ro("Present Temperature", 146, 1, false, 25),
		ro("Backup Ready", 147, 1, false, 0),
	}
}
