package dynamixel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// inspection reads what a servo was given by others and keeps without power. Nothing of
// it is changed by itself: a homing offset or a limit may be somebody's calibration.
type inspection struct {
	bus    *dxl.Bus
	id     dxl.ID
	faults []error
}

// mustShutDown are the errors at which a servo must switch itself off.
const mustShutDown = dxl.HardwareHeat | dxl.HardwareShock | dxl.HardwareOverload

// inspect reads servo j and tells everything that does not fit the robot. It writes
// nothing.
func (d *Driver) inspect(j int, found dxl.Found) error {
	want, is := &d.servo[j], inspection{bus: d.bus, id: d.ids[j]}
	if found.Model != uint16(d.types[j].ModelNumber) {
		return told{fmt.Errorf("model number %d%s; legal: %d (%s); a servo of another type and gear ratio, "+
			"or a swapped id (\"mitori bus scan\" lists them)",
			found.Model, titleOf(found.Model), d.types[j].ModelNumber, d.joints[j].Servo), driver.ErrUnfit}
	}
	if found.Firmware < want.MinFirmware {
		is.fault("firmware %d; legal: %d or newer; older ones have no bus watchdog and drive on when the host dies: "+
			"update it with the maker's tool", found.Firmware, want.MinFirmware)
	}
	hw, err := dxl.Read(d.bus, d.ids[j], dxl.HardwareStatus)
	if err != nil {
		return err
	}
	if hw != 0 {
		is.fault("hardware error %s; remove the cause, then reboot the servo (\"mitori bus reboot\", or its power)", hw)
	}
	full, stall := dxl.PWMCount(want.FullDutyCount), dxl.CurrentCount(want.CurrentCount(want.StallCurrentA))
	look(&is, "secondary id", dxl.SecondaryID, func(v uint8) bool { return v > uint8(dxl.MaxID) }, "255",
		"it obeys another servo's commands")
	look(&is, "homing offset", dxl.HomingOffset, func(v int32) bool { return v == 0 }, "0",
		"it shifts the joint unseen; offset_rad in robot.yaml is the place for it")
	look(&is, "temperature limit", dxl.TemperatureLimit, func(v dxl.Celsius) bool {
		return float64(v) >= d.types[j].MaxTempC && float64(v) <= want.MaxTempC
	}, fmt.Sprintf("%g to %g", d.types[j].MaxTempC, want.MaxTempC),
		"it stops the servo before robotd can settle, or too late")
	look(&is, "PWM limit", dxl.PWMLimit, func(v dxl.PWMCount) bool { return v == full }, fmt.Sprint(full),
		"it weakens the joint")
	if !want.NoCurrentLimit {
		look(&is, "current limit", dxl.CurrentLimit, func(v dxl.CurrentCount) bool { return v >= stall },
			fmt.Sprintf("%d (the stall current) or more", stall), "it weakens the joint")
	}
	look(&is, "shutdown mask", dxl.Shutdown, func(v dxl.HardwareError) bool { return v&mustShutDown == mustShutDown },
		fmt.Sprintf("%d (%s) or more", uint8(mustShutDown), mustShutDown), "without those bits the servo does not protect itself")
	return errors.Join(is.faults...)
}

func (is *inspection) fault(format string, args ...any) {
	is.faults = append(is.faults, told{fmt.Errorf(format, args...), driver.ErrUnfit})
}

// look reads a register and refuses what is not legal.
func look[T dxl.Count](is *inspection, name string, r dxl.Reg[T], ok func(T) bool, legal, why string) {
	v, err := dxl.Read(is.bus, is.id, r)
	switch {
	case err != nil:
		is.faults = append(is.faults, fmt.Errorf("%s: %w", name, err))
	case !ok(v):
		is.fault("%s is %d; legal: %s; %s: write register %d with torque off (\"mitori bus write\")",
			name, v, legal, why, r.Addr())
	}
}

// titleOf names a model in brackets, if the catalogue has it.
func titleOf(model uint16) string {
	if t, ok := servos.Shipped().Model(servos.Dynamixel2, model); ok {
		return " (" + t.Title + ")"
	}
	return ""
}

// energised tells which servos carry torque, if any.
func (d *Driver) energised(on []int) error {
	if len(on) == 0 {
		return nil
	}
	names := make([]string, 0, len(on))
	for _, j := range on {
		names = append(names, d.joints[j].Name)
	}
	return fmt.Errorf("%w: %d of %d servos carry torque (%s). Nothing was changed, they hold where they are. "+
		"Support the robot, then start once with --release, which switches their torque off; or switch the servo power off",
		driver.ErrEnergised, len(on), len(d.ids), strings.Join(names, ", "))
}
