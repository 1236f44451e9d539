package recorder

import (
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

func callsOf(t *schema.Tick) trace.Calls {
	return trace.Calls{
		Read: trace.Answer(t.Read), TakeUp: trace.Answer(t.TakeUp), TorqueOff: trace.Answer(t.SetTorqueOff),
		Write: trace.Answer(t.Write), Prepare: trace.Answer(t.Prepare), TorqueOn: trace.Answer(t.SetTorqueOn),
	}
}

func clampOf(c *schema.Clamp) guard.Report {
	return guard.Report{
		NotFinite: int(c.GetNotFinite()), Range: int(c.GetRange()), Speed: int(c.GetSpeed()), Accel: int(c.GetAccel()),
		LargestRad: c.GetLargestRad(),
	}
}

func actOf(a *schema.Act) trace.Act {
	return trace.Act{Asked: a != nil, Failed: a.GetFailed(), Usable: a.GetUsable(), Standing: a.GetStanding()}
}

func machineOf(m *schema.Machine) mode.Machine {
	return mode.Machine{
		Torque: mode.Torque(m.GetTorque()), Control: mode.Control(m.GetControl()), Stop: mode.Stop(m.GetStop()),
		Ticks: m.GetTicks(), Tries: int(m.GetTries()), Fit: m.GetFit(), Asked: m.GetAsked(), Wait: int(m.GetWait()),
		Bad: m.GetBad(),
	}
}

func unfitOf(u *schema.Unfit) driver.Unfit {
	return driver.Unfit{Joint: u.GetJoint(), ID: uint8(u.GetId()), Setting: u.GetSetting(), Got: u.GetGot(),
		Want: u.GetWant()}
}
