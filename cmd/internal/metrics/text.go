package metrics

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// page is a text under way.
type page struct{ strings.Builder }

// family begins a group of values of one name.
func (p *page) family(name, kind, help string) {
	fmt.Fprintf(p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// value adds one; labels are key, value, key, value. What is not known is left out.
func (p *page) value(name string, v float64, labels ...string) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	p.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		p.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(p, `%s="%s"`, labels[i], escaped(labels[i+1]))
	}
	if len(labels) > 0 {
		p.WriteByte('}')
	}
	fmt.Fprintf(p, " %s\n", strconv.FormatFloat(v, 'g', -1, 64))
}

// single is a family of one value.
func (p *page) single(name, kind, help string, v float64, labels ...string) {
	p.family(name, kind, help)
	p.value(name, v, labels...)
}

func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(s)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Text is the page for readers, as it is now.
func (m *Meter) Text() string {
	r := m.now()
	p := &page{}
	p.single("robotd_info", "gauge", "What runs.", 1, "robot", m.robot, "version", m.version)
	p.single("robotd_ticks_total", "counter", "Ticks of the control loop.", float64(r.ticks))
	p.single("robotd_missed_ticks_total", "counter", "Ticks that were skipped.", float64(r.missed))
	p.single("robotd_recorder_lost_ticks_total", "counter", "Ticks that neither recording nor metrics have.", float64(m.lost()))
	p.single("robotd_armed_total", "counter", "Times that torque was to go on.", float64(r.armed))
	p.histogram("robotd_tick_lateness_seconds", "Wake-up against the deadline of the tick.", &r.late)
	p.histogram("robotd_bus_read_seconds", "From the start of a tick until all was read.", &r.bus)
	p.family("robotd_guard_changes_total", "counter", "Commands that the guard changed, by joint and tick.")
	for i, kind := range [...]string{"not_finite", "range", "speed", "acceleration"} {
		p.value("robotd_guard_changes_total", float64(r.guard[i]), "kind", kind)
	}
	p.family("robotd_failsafes_total", "counter", "Changes of state that a condition caused.")
	for c := range mode.AllConditions() {
		p.value("robotd_failsafes_total", float64(r.failsafes[c]), "condition", c.String())
	}
	if s := r.latest; s != nil {
		p.single("robotd_last_tick_age_seconds", "gauge", "Since the latest tick that is known of.", time.Since(r.at).Seconds())
		p.robot(s)
		m.servos(p, s)
	}
	return p.String()
}

// robot writes the latest values of the robot as a whole.
func (p *page) robot(s *trace.Sample) {
	p.family("robotd_state", "gauge", "1 for the operating state, 0 for the others.")
	for st := mode.Disarmed; st <= mode.Fault; st++ {
		p.value("robotd_state", truth(st == s.Mode), "state", st.String())
	}
	p.family("robotd_condition", "gauge", "1 for what is wrong now.")
	for c := range mode.AllConditions() {
		p.value("robotd_condition", truth(s.Conditions.Has(c)), "condition", c.String())
	}
	p.single("robotd_torque_off", "gauge", "Every servo has confirmed torque-off.", truth(s.TorqueOff))
	supply := s.SupplyV
	if supply == 0 { // not read yet
		supply = math.NaN()
	}
	p.single("robotd_supply_volts", "gauge", "Lowest supply of a servo, filtered.", supply)
	p.single("robotd_tilt_radians", "gauge", "Tilt of the trunk.", s.TiltRad)
	p.single("robotd_bus_exchanges_total", "counter", "Exchanges with servos and sensors since the port was opened.", float64(s.Robot.Transactions))
	p.single("robotd_bus_errors_total", "counter", "Those without fresh data from everybody asked.", float64(s.Robot.Failures))
}

// servos writes the latest values of each joint.
func (m *Meter) servos(p *page, s *trace.Sample) {
	r := &s.Robot
	for _, f := range []struct {
		name, help string
		of         func(j int) float64
	}{
		{"temperature_celsius", "Sensor in the servo's housing.", func(j int) float64 { return r.TempC[j] }},
		{"winding_celsius", "Estimated temperature of the winding.", func(j int) float64 { return s.WindingC[j] }},
		{"torque_share", "Share of its torque that the joint may use for its heat.", func(j int) float64 { return s.Torque[j] }},
		{"speed_share", "Share of its speed likewise.", func(j int) float64 { return s.Pace[j] }},
		{"current_amperes", "Current of the servo.", func(j int) float64 { return r.CurrentA[j] }},
		{"supply_volts", "Supply at the servo.", func(j int) float64 { return r.BusV[j] }},
		{"position_radians", "Angle of the joint.", func(j int) float64 { return r.PosRad[j] }},
		{"age_seconds", "Age of position, speed and current.", func(j int) float64 { return r.AgeS[j] }},
		{"slow_age_seconds", "Age of temperature, supply, alert and torque.", func(j int) float64 { return r.SlowAgeS[j] }},
		{"torque_on", "The servo's torque is on.", func(j int) float64 { return truth(r.TorqueOn[j]) }},
		{"alert", "Hardware error bits of the servo.", func(j int) float64 { return float64(r.Alert[j]) }},
	} {
		name := "robotd_joint_" + f.name
		p.family(name, "gauge", f.help)
		for j := range m.joints {
			p.value(name, f.of(j), "joint", m.joints[j].Name, "id", strconv.Itoa(m.joints[j].ID))
		}
	}
}

// histogram writes durations in seconds.
func (p *page) histogram(name, help string, h *histogram) {
	p.family(name, "histogram", help)
	below := uint64(0)
	for i, n := range h.counts {
		below += n
		bound := "+Inf"
		if i < len(boundsNs) {
			bound = strconv.FormatFloat(float64(boundsNs[i])/1e9, 'g', -1, 64)
		}
		p.value(name+"_bucket", float64(below), "le", bound)
	}
	p.value(name+"_sum", float64(h.sumNs)/1e9)
	p.value(name+"_count", float64(below))
}
