// Package explain says in words what lies behind a condition or a failing arming check:
// which joint, which value, which limit, what to do. It looks at the sample of the tick
// that decided, so that the loop itself carries no words.
//
// What is not here: deciding (packages guard and mode), and whom to tell (package
// flight). A Robot does not change and may be used from any goroutine.
package explain

import (
	"fmt"
	"math"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Robot is what the words need to know beside a sample. Slices are in the order of the
// description's joints.
type Robot struct {
	Joints     []robot.Joint
	Limits     []guard.Joint
	Health     []guard.Health
	Thresholds guard.Thresholds
	RateHz     int // of the loop
}

// most is how many joints are listed; the rest is counted.
const most = 4

// servos lists the joints of which say returns words.
func (r *Robot) servos(say func(j int) string) string {
	var parts []string
	more := 0
	for j := range r.Joints {
		words := say(j)
		switch {
		case words == "":
		case len(parts) == most:
			more++
		default:
			parts = append(parts, fmt.Sprintf("servo %d (%s) %s", r.Joints[j].ID, r.Joints[j].Name, words))
		}
	}
	if more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// Why explains the reason of a change or a refusal; "" where the reason says it all.
func (r *Robot) Why(s *trace.Sample) string {
	if s.Refused && s.Why == mode.ChecksFail {
		return r.Checks(s.Failing, s)
	}
	if s.Why == mode.ServosUnfit && s.From != s.Mode {
		return s.Robot.Unfit.String()
	}
	if c, ok := s.Why.Condition(); ok && (s.Refused || s.From != s.Mode) {
		return r.Condition(c, s)
	}
	return ""
}

// Condition explains a condition that holds in a sample; "" where its name says it all.
func (r *Robot) Condition(c mode.Condition, s *trace.Sample) string {
	switch th := &r.Thresholds; c {
	case mode.EStopOpen:
		if s.Robot.PowerCut {
			return "the hub has cut the servos' power"
		}
		if s.Robot.Buttons&th.StopButtons == 0 {
			return "the stop contact is open, or cannot be read"
		}
		return fmt.Sprintf("buttons %#x of the hub", s.Robot.Buttons)
	case mode.ServoAlert:
		return r.alerts(s)
	case mode.TorqueLost:
		return r.servos(func(j int) string { return when(!s.Robot.TorqueOn[j], "has no torque") })
	case mode.LinkLost, mode.LegServoLost, mode.ArmServoLost, mode.BusNoisy:
		return r.silent(c, s)
	case mode.ServosStopped:
		return r.servos(func(j int) string { return when(s.Robot.Stopped[j], "was stopped by its own watchdog") })
	case mode.Overheated:
		if hot := r.hot(s, func(h *guard.Health) float64 { return h.TempStopC }, th.WindingStopC); hot != "" {
			return hot
		}
		return r.weak(s)
	case mode.Warm:
		return r.hot(s, func(h *guard.Health) float64 { return h.TempWarnC }, th.WindingWarnC)
	case mode.Stalled:
		return r.servos(func(j int) string {
			i, limit := math.Abs(s.Robot.CurrentA[j]), th.StallShare*r.Health[j].StallCurrentA*s.Torque[j]
			off := s.GoalRad[j] - s.Robot.PosRad[j]
			return when(limit > 0 && i > limit, fmt.Sprintf("draws %.2f A (limit %.2f A), %.2f rad from its goal", i, limit, off))
		})
	case mode.Falling:
		return fmt.Sprintf("tilt %.2f rad (limit %.2f), body rate %.1f rad/s (limit %.1f)",
			s.TiltRad, th.TiltRad, s.Robot.GyroRadPerS.Norm(), th.BodyRateRadPerS)
	case mode.IMULost:
		return when(s.Robot.IMUFresh, "it repeats one sample") + when(!s.Robot.IMUFresh, "it does not answer")
	case mode.ChargeLow, mode.ChargeWarn:
		limit := th.ChargeWarn
		if c == mode.ChargeLow {
			limit = th.ChargeStop
		}
		return fmt.Sprintf("%.0f to %.0f %% left, limit %.0f %% at worst", 100*s.ChargeLow, 100*s.ChargeHigh, 100*limit)
	case mode.VoltageCut:
		return r.supply(s, th.CutV)
	case mode.VoltageLow:
		return r.supply(s, th.StopV)
	case mode.VoltageWarn:
		return r.supply(s, th.WarnV)
	case mode.ClampedLong:
		return fmt.Sprintf("the latest command was changed by up to %.2f rad", s.Guard.LargestRad)
	case mode.LoopOverrun:
		return fmt.Sprintf("this tick came %.1f ms late", float64(s.LateNs)/1e6) +
			when(s.Skipped > 0, fmt.Sprintf(", after %d that were skipped", s.Skipped))
	case mode.MonitoringStale:
		limit := th.SlowLimitS(len(r.Joints), 1/float64(r.RateHz))
		return r.servos(func(j int) string {
			age := s.Robot.SlowAgeS[j]
			return when(!math.IsInf(age, 1) && !(age <= limit), fmt.Sprintf(
				"was last heard of %.1f s ago with all of temperature, supply, alerts and torque, limit %.1f s", age, limit))
		})
	}
	return ""
}

// Checks explains the arming checks that fail, with their names.
func (r *Robot) Checks(failing mode.Checks, s *trace.Sample) string {
	var parts []string
	for c := range mode.AllChecks() {
		if !failing.Has(c) {
			continue
		}
		words := c.String()
		if detail := r.check(c, s); detail != "" {
			words += ": " + detail
		}
		parts = append(parts, words)
	}
	return strings.Join(parts, "; ")
}

func (r *Robot) check(c mode.Check, s *trace.Sample) string {
	switch th := &r.Thresholds; c {
	case mode.CheckConnected, mode.CheckFresh:
		return r.silent(mode.LinkLost, s)
	case mode.CheckEncoder:
		return r.servos(func(j int) string {
			q, l := s.Robot.PosRad[j], r.Limits[j]
			return when(!(q >= l.MinRad-th.EncoderSlack && q <= l.MaxRad+th.EncoderSlack), fmt.Sprintf(
				"is at %.2f rad, legal %.2f to %.2f; offset_rad is %.2f in robot.yaml: move the joint into its range, or calibrate",
				q, l.MinRad, l.MaxRad, r.Joints[j].OffsetRad))
		})
	case mode.CheckUpright:
		return fmt.Sprintf("tilt %.2f rad, legal up to %.2f", s.TiltRad, th.UprightRad)
	case mode.CheckTemperature:
		unread := r.servos(func(j int) string { return when(math.IsNaN(s.Robot.TempC[j]), "was not read yet") })
		return joined(joined(unread, late(unread, s)), joined(r.stale(s), r.Condition(mode.Warm, s)))
	case mode.CheckVoltage:
		if unread := r.servos(func(j int) string { return when(math.IsNaN(s.Robot.BusV[j]), "was not read yet") }); unread != "" {
			return joined(unread, late(unread, s))
		}
		return joined(r.stale(s), r.supply(s, th.WarnV))
	case mode.CheckServoError:
		return joined(r.stale(s), r.alerts(s))
	case mode.CheckEStop:
		return r.Condition(mode.EStopOpen, s)
	case mode.CheckTorqueOff:
		return r.servos(func(j int) string { return when(s.Robot.TorqueOn[j], "has torque") })
	case mode.CheckIMU:
		return r.Condition(mode.IMULost, s)
	}
	return ""
}

// stale explains checks that fail because slow registers are too old.
func (r *Robot) stale(s *trace.Sample) string {
	if !s.Conditions.Has(mode.MonitoringStale) {
		return ""
	}
	return r.Condition(mode.MonitoringStale, s)
}

// late says why slow registers never come although servos answer.
func late(unread string, s *trace.Sample) string {
	failed, all := s.Robot.Failures, s.Robot.Transactions
	return when(unread != "" && all > 100 && failed*4 > all, fmt.Sprintf("%d of %d exchanges failed: answers come too late; "+
		"set the adapter's latency timer to 1 ms, or use a faster line or a lower rate", failed, all))
}

func (r *Robot) alerts(s *trace.Sample) string {
	return r.servos(func(j int) string {
		bits := s.Robot.Alert[j]
		return when(bits != 0, fmt.Sprintf("reports %s (%#02x)", dxl.HardwareError(bits), bits))
	})
}

func (r *Robot) silent(c mode.Condition, s *trace.Sample) string {
	return r.servos(func(j int) string {
		concerned := c == mode.LinkLost || c == mode.BusNoisy || r.Health[j].Leg == (c == mode.LegServoLost)
		return when(concerned && !s.Robot.Fresh[j], "did not answer")
	})
}

// hot lists sensors and windings above their limits.
func (r *Robot) hot(s *trace.Sample, limit func(*guard.Health) float64, windingC float64) string {
	return r.servos(func(j int) string {
		t, legal := s.Robot.TempC[j], limit(&r.Health[j])
		switch {
		case t >= legal:
			return fmt.Sprintf("is at %.0f C, limit %.0f C", t, legal)
		case s.WindingC[j] >= windingC:
			return fmt.Sprintf("has a winding of %.0f C by the model, limit %.0f C", s.WindingC[j], windingC)
		}
		return ""
	})
}

// weak lists joints that may use less than all of their torque, where no temperature is at
// its limit: one of them needs more.
func (r *Robot) weak(s *trace.Sample) string {
	return r.servos(func(j int) string {
		share := r.Thresholds.TorqueShare(&r.Health[j], s.Robot.TempC[j], s.WindingC[j])
		return when(share < 1, fmt.Sprintf("is at %.0f C, its winding at %.0f C by the model: it may use %.0f %% of its torque, "+
			"which is too little for what it does", s.Robot.TempC[j], s.WindingC[j], 100*share))
	})
}

// supply names the voltage and the servo that has least of it.
func (r *Robot) supply(s *trace.Sample, limitV float64) string {
	lowest := 0
	for j, v := range s.Robot.BusV {
		if v < s.Robot.BusV[lowest] || math.IsNaN(s.Robot.BusV[lowest]) {
			lowest = j
		}
	}
	return fmt.Sprintf("%.2f V, limit %.2f V; lowest is servo %d (%s) at %.2f V",
		s.SupplyV, limitV, r.Joints[lowest].ID, r.Joints[lowest].Name, s.Robot.BusV[lowest])
}

func when(yes bool, words string) string {
	if yes {
		return words
	}
	return ""
}

func joined(a, b string) string {
	if a != "" && b != "" {
		return a + ", " + b
	}
	return a + b
}
