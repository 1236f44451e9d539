package preflight

import (
	"fmt"
	"io"
	"math"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	p := printer{w: w}
	p.line("robot %s; nothing on the servos was changed", r.Robot)
	p.line(" id  joint               model        fw    angle rad      deg  range rad          offset   C      V      A  torque  errors")
	for j := range r.Joints {
		r.Joints[j].print(&p)
	}
	switch {
	case !r.IMU.Fitted:
		p.line("no inertial sensor on this robot")
	case !r.IMU.Answers:
		p.line("the sensor hub does not answer")
	default:
		p.line("sensor hub: tilt %s rad, buttons %#x", number(r.IMU.TiltRad, "%.3f"), r.IMU.Buttons)
	}
	p.line("bus: %d of %d exchanges failed", r.Failed, r.Exchanges)
	for _, c := range r.Changes {
		p.line("would change: %s", c)
	}
	for _, f := range r.Faults {
		p.line("FAULT: %s", f)
	}
	for _, c := range r.Checks {
		detail := c.Detail
		if detail != "" {
			detail = ": " + detail
		}
		p.line("%-5s  %s%s", c.State, c.Name, detail)
	}
	if r.Ready {
		p.line("ready: it could be armed")
	} else {
		p.line("NOT ready: it would not be armed")
	}
	return p.err
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (j *Joint) print(p *printer) {
	if !j.Answers {
		p.line("%3d  %-18s  does not answer", j.ID, j.Joint)
	} else {
		torque, errors := "off", "none"
		if j.Torque {
			torque = "ON"
		}
		if j.Errors != 0 {
			errors = fmt.Sprintf("%s (%#02x)", j.ErrorText, j.Errors)
		}
		outside := ""
		if !j.InRange {
			outside = "  OUTSIDE its range"
		}
		p.line("%3d  %-18s  %-12s %3d  %11s %8s  %+.2f to %+.2f  %+8.4f  %2s  %5s  %5s  %-6s  %s%s",
			j.ID, j.Joint, j.ModelName, j.Firmware, number(j.PosRad, "%+.4f"), number(j.PosDeg,
				"%+.2f"), j.MinRad, j.MaxRad,
			j.OffsetRad, number(j.TempC, "%.0f"), number(j.BusV, "%.1f"), number(j.CurrentA,
				"%+.2f"), torque, errors, outside)
	}
	if j.Missed > 0 {
		p.line("       %d of %d reads were not answered", j.Missed, j.Reads)
	}
	for _, c := range j.Changes {
		p.line("       would change: %s", c)
	}
	for _, f := range j.Faults {
		p.line("       FAULT: %s", f)
	}
}

// number is a figure, or a question mark where there is none.
func number(v *float64, format string) string {
	if v == nil || math.IsNaN(*v) {
		return "?"
	}
	return fmt.Sprintf(format, *v)
}
