package explain_test

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
)

// kata is the built-in robot and a sample in which nothing is wrong with it.
func kata(t *testing.T) (*explain.Robot, *trace.Sample) {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	b, err := body.New(desc)
	if err != nil {
		t.Fatal(err)
	}
	cfg := limits.Derive(desc, limits.ShapeOf(b), 100, 2)
	n := len(desc.Joints)
	s := &trace.Sample{Robot: *driver.NewState(n), SupplyV: 12, GoalRad: make([]float64, n), WindingC: make([]float64, n), Torque: make([]float64, n)}
	for j := range n {
		s.Robot.Fresh[j], s.Robot.TempC[j], s.Robot.BusV[j], s.Robot.TorqueOn[j] = true, 30, 12, true
		s.Torque[j] = 1
	}
	s.Robot.IMUFresh = true
	return &explain.Robot{Joints: desc.Joints, Limits: cfg.Limits, Health: cfg.Health, Thresholds: cfg.Thresholds, RateHz: cfg.RateHz}, s
}

// Every condition and check that a joint can be behind names that joint, its id, the
// value and the limit, and no other joint.
func TestNamesJointValueAndLimit(t *testing.T) {
	const at = 9
	for _, tt := range []struct {
		name  string
		spoil func(s *trace.Sample)
		say   func(r *explain.Robot, s *trace.Sample) string
		words []string
	}{
		{"alert", func(s *trace.Sample) { s.Robot.Alert[at] = 0x20 }, condition(mode.ServoAlert), []string{"overload", "0x20"}},
		{"no torque", func(s *trace.Sample) { s.Robot.TorqueOn[at] = false }, condition(mode.TorqueLost), []string{"no torque"}},
		{"silent leg", func(s *trace.Sample) { s.Robot.Fresh[at] = false }, condition(mode.LegServoLost), []string{"answer"}},
		{"stopped", func(s *trace.Sample) { s.Robot.Stopped[at] = true }, condition(mode.ServosStopped), []string{"watchdog"}},
		{"hot", func(s *trace.Sample) { s.Robot.TempC[at] = 79 }, condition(mode.Overheated), []string{"79 C", "limit 70 C"}},
		{"hot winding", func(s *trace.Sample) { s.WindingC[at] = 123 }, condition(mode.Overheated), []string{"123 C", "limit 110 C"}},
		{"too weak", func(s *trace.Sample) { s.Robot.TempC[at], s.WindingC[at] = 55, 105 }, condition(mode.Overheated),
			[]string{"55 C", "105 C", "74 % of its torque"}},
		{"warm", func(s *trace.Sample) { s.Robot.TempC[at] = 62 }, condition(mode.Warm), []string{"62 C", "limit 60 C"}},
		{"stalled", func(s *trace.Sample) { s.Robot.CurrentA[at], s.GoalRad[at] = -5, 0.4 }, condition(mode.Stalled), []string{"5.00 A", "0.40 rad"}},
		{"stale", func(s *trace.Sample) { s.Robot.SlowAgeS[at] = 2.25 }, condition(mode.MonitoringStale), []string{"2.2 s ago", "limit 1.6 s"}},
		{"too stale to arm", func(s *trace.Sample) {
			s.Robot.SlowAgeS[at], s.Conditions = 2.25, mode.Of(mode.MonitoringStale)
		}, check(mode.CheckServoError), []string{"2.2 s ago"}},
		{"empty", func(s *trace.Sample) { s.Robot.BusV[at], s.SupplyV = 9.7, 9.8 }, condition(mode.VoltageLow), []string{"9.80 V", "9.70 V"}},
		{"too warm to arm", func(s *trace.Sample) { s.Robot.TempC[at] = 62 }, check(mode.CheckTemperature), []string{"temperatures", "62 C", "60 C"}},
		{"unread", func(s *trace.Sample) { s.Robot.TempC[at] = math.NaN() }, check(mode.CheckTemperature), []string{"not read yet"}},
		{"unread supply", func(s *trace.Sample) { s.Robot.BusV[at] = math.NaN() }, check(mode.CheckVoltage), []string{"not read yet"}},
		{"beyond its range", func(s *trace.Sample) { s.Robot.PosRad[at] = -3.5 }, check(mode.CheckEncoder), []string{"-3.50 rad", "legal", "offset_rad"}},
		{"has torque", func(s *trace.Sample) {
			clear(s.Robot.TorqueOn)
			s.Robot.TorqueOn[at] = true
		}, check(mode.CheckTorqueOff), []string{"torque"}},
		{"latched error", func(s *trace.Sample) { s.Robot.Alert[at] = 0x04 }, check(mode.CheckServoError), []string{"overheating"}},
	} {
		r, s := kata(t)
		tt.spoil(s)
		got := tt.say(r, s)
		for _, w := range append(tt.words, "servo 10 ("+r.Joints[at].Name+")") {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q lacks %q", tt.name, got, w)
			}
		}
		if n := strings.Count(got, " (") - strings.Count(got, " (0x") - strings.Count(got, " (limit"); n != 1 {
			t.Errorf("%s: %q names %d servos", tt.name, got, n)
		}
	}
}

func condition(c mode.Condition) func(*explain.Robot, *trace.Sample) string {
	return func(r *explain.Robot, s *trace.Sample) string { return r.Condition(c, s) }
}

func check(c mode.Check) func(*explain.Robot, *trace.Sample) string {
	return func(r *explain.Robot, s *trace.Sample) string { return r.Checks(1<<c, s) }
}

// What needs no joint says its value; whatever is asked, nothing panics, also when all
// is wrong at once, and the list stays short.
func TestEverythingWrongAtOnce(t *testing.T) {
	r, s := kata(t)
	for j := range r.Joints {
		s.Robot.Fresh[j], s.Robot.TorqueOn[j], s.Robot.Stopped[j], s.Robot.Alert[j] = false, false, true, 0x80
		s.Robot.TempC[j], s.Robot.BusV[j], s.Robot.PosRad[j] = math.NaN(), math.NaN(), math.NaN()
	}
	s.TiltRad, s.Robot.IMUFresh = 1.25, false
	if got := r.Condition(mode.Falling, s); !strings.Contains(got, "1.25") {
		t.Errorf("falling: %q", got)
	}
	for c := range mode.AllConditions() {
		if got := r.Condition(c, s); len(got) > 300 {
			t.Errorf("%v: %q", c, got)
		}
	}
	if got := r.Checks(1<<mode.AllChecks()-1, s); strings.Count(got, ";") < int(mode.AllChecks())-2 {
		t.Errorf("all checks: %q", got)
	}
}
