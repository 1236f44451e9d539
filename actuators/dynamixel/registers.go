package dynamixel

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// accelRadPerS2 is one count of Profile Acceleration: 214.577 rev/min^2 (e-Manual).
const accelRadPerS2 = 214.577 * 2 * math.Pi / 3600

// describe puts a register of a type's control table into the words of the tools.
func describe(t *servos.Type, i *dxl.Info) servotool.Register {
	r := servotool.Register{
		Name: i.Name, Addr: int(i.Addr), Size: i.Size, Signed: i.Signed, Writable: i.Access == dxl.ReadWrite,
		Kept: i.Addr < dxl.EEPROMEnd, Min: i.Min, Max: i.Max,
	}
	r.Unit, r.Scale, r.Zero = unitOf(t, i.Addr)
	switch i.Addr {
	case dxl.DeviceID.Addr():
		r.Instead = "mitori bus set-id"
	case dxl.BaudRate.Addr():
		r.Instead = "mitori bus set-baud"
		r.Words = func(v int64) string { return fmt.Sprintf("%d bits/s", dxl.BaudCode(v).Rate()) }
	case dxl.ProtocolType.Addr():
		r.Min = 2 // with 1 it would not be found again
	case dxl.BusWatchdog.Addr():
		r.Min = 0 // -1 is what a servo that tripped reports
	case dxl.Shutdown.Addr(), dxl.HardwareStatus.Addr():
		r.Words = func(v int64) string { return dxl.HardwareError(v).String() }
	case dxl.TorqueEnable.Addr(), dxl.GoalPosition.Addr(), dxl.GoalVelocity.Addr(), dxl.GoalCurrent.Addr(), dxl.GoalPWM.Addr():
		r.Moves = true
	}
	return r
}

// unitOf is the unit of a register, and how its counts become that.
func unitOf(t *servos.Type, addr uint16) (unit string, scale, zero float64) {
	switch addr {
	case dxl.ReturnDelay.Addr():
		return "us", 2, 0
	case dxl.HomingOffset.Addr():
		return "rad", t.RadPerCount(), 0
	case dxl.MaxPosition.Addr(), dxl.MinPosition.Addr(), dxl.GoalPosition.Addr(), dxl.PresentPosition.Addr(), dxl.PositionTraject.Addr():
		return "rad", t.RadPerCount(), float64(t.ZeroCount)
	case dxl.MovingThreshold.Addr(), dxl.VelocityLimit.Addr(), dxl.GoalVelocity.Addr(), dxl.ProfileVelocity.Addr(),
		dxl.PresentVelocity.Addr(), dxl.VelocityTraject.Addr():
		return "rad/s", t.RadPerSPerCount, 0
	case dxl.ProfileAccel.Addr():
		return "rad/s2", accelRadPerS2, 0
	case dxl.TemperatureLimit.Addr(), dxl.Temperature.Addr():
		return "C", 1, 0
	case dxl.MaxVoltage.Addr(), dxl.MinVoltage.Addr(), dxl.InputVoltage.Addr():
		return "V", 0.1, 0
	case dxl.PWMLimit.Addr(), dxl.GoalPWM.Addr(), dxl.PresentPWM.Addr():
		return "%", 100 / float64(t.FullDutyCount), 0
	case dxl.CurrentLimit.Addr(), dxl.GoalCurrent.Addr(), dxl.PresentCurrent.Addr():
		return "A", t.APerCount, 0
	case dxl.BusWatchdog.Addr():
		return "ms", 20, 0
	case dxl.RealtimeTick.Addr():
		return "ms", 1, 0
	}
	return "", 1, 0
}

// typeOf is the catalogue's entry of a device.
func typeOf(d servotool.Device) (servos.Type, error) {
	c := servos.Shipped()
	t, ok := c.Model(servos.Dynamixel2, d.Model)
	if !ok {
		return t, fmt.Errorf("dynamixel: device %d: model %d (%s) has no registers in the catalogue; legal: %s", d.ID,
			d.Model, d.Name, c.Names())
	}
	return t, nil
}

// Registers implements servotool.Bus.
func (b *Bench) Registers(d servotool.Device) ([]servotool.Register, error) {
	t, err := typeOf(d)
	if err != nil {
		return nil, err
	}
	var out []servotool.Register
	for _, i := range dxl.XTable(t) {
		if t.NoCurrentLimit && (i.Addr == dxl.CurrentLimit.Addr() || i.Addr == dxl.GoalCurrent.Addr()) {
			continue // it has none
		}
		out = append(out, describe(&t, &i))
	}
	return out, nil
}

// ReadRegister implements servotool.Bus.
func (b *Bench) ReadRegister(id uint8, r servotool.Register) (int64, error) {
	var buf [4]byte
	if err := b.bus.ReadBytes(dxl.ID(id), uint16(r.Addr), buf[:r.Size]); err != nil {
		return 0, b.tell(err)
	}
	var u int64
	for i := range r.Size {
		u |= int64(buf[i]) << (8 * i)
	}
	if shift := 64 - 8*r.Size; r.Signed {
		u = u << shift >> shift
	}
	return u, nil
}

// WriteRegister implements servotool.Bus.
func (b *Bench) WriteRegister(id uint8, r servotool.Register, count int64) error {
	var buf [4]byte
	for i := range r.Size {
		buf[i] = byte(count >> (8 * i))
	}
	return b.tell(b.bus.WriteBytes(dxl.ID(id), uint16(r.Addr), buf[:r.Size]))
}

// Commissioned implements servotool.Bus: what Connect refuses or sets in every servo,
// whatever joint it moves.
func (b *Bench) Commissioned(d servotool.Device) ([]servotool.Setting, error) {
	t, err := typeOf(d)
	if err != nil {
		return nil, err
	}
	want := map[uint16]int64{
		dxl.ReturnDelay.Addr(): 0, dxl.DriveMode.Addr(): 0, dxl.OperatingMode.Addr(): int64(dxl.ModePosition),
		dxl.SecondaryID.Addr(): 255, dxl.HomingOffset.Addr(): 0, dxl.TemperatureLimit.Addr(): int64(t.MaxTempC),
		dxl.PWMLimit.Addr(): int64(t.FullDutyCount), dxl.Shutdown.Addr(): int64(mustShutDown),
		dxl.StatusReturnLevel.Addr(): statusAll,
	}
	if !t.NoCurrentLimit {
		want[dxl.CurrentLimit.Addr()] = int64(t.Factory.CurrentLimitCount)
	}
	all, err := b.Registers(d)
	var out []servotool.Setting
	for _, r := range all {
		if v, ok := want[uint16(r.Addr)]; ok {
			out = append(out, servotool.Setting{Register: r, Want: v, Answers: r.Addr == int(dxl.StatusReturnLevel)})
		}
	}
	return out, err
}
