package settings

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// kata is a robot with its own numbers, at its own rate.
func kata(t *testing.T) *Robot {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := body.New(desc)
	if err != nil {
		t.Fatal(err)
	}
	cfg := limits.Derive(desc, limits.ShapeOf(bound), int(desc.LoopRateHz), 2)
	return &Robot{Desc: desc, Loop: &cfg, Watchdog: Watchdog(nil), Margin: Margin(nil, dynamixel.DefaultMargin)}
}

// between is a legal value that is not v.
func between(s Setting, v float64) float64 {
	w := s.Lo + (s.Hi-s.Lo)/2
	if s.Whole {
		w = math.Floor(w)
	}
	if w == v {
		return s.Hi
	}
	return w
}

// Every setting changes its own number and no other, and the robot then tells it.
func TestEachSettingChangesItsOwnNumber(t *testing.T) {
	for _, s := range All() {
		r := kata(t)
		before := InForce(r)
		v := between(s, before[s.Key])
		if bad := Check(Values{s.Key: v}); len(bad) > 0 {
			t.Errorf("%v", bad)
		}
		s.set(r, v)
		for key, now := range InForce(r) {
			want := before[key]
			if key == s.Key {
				want = v
			}
			if math.Abs(now-want) > 1e-6 {
				t.Errorf("%s is %g: %s is %g, want %g", s.Key, v, key, now, want)
			}
		}
	}
}

// elsewhere are thresholds that stand in the robot's description, or are switches of their own.
var elsewhere = []string{"WarnV", "StopV", "StopButtons", "NoIMU", "Battery"}

// Whoever adds a threshold gives it a name, legal values and a line in the table.
func TestEveryThresholdCanBeChosen(t *testing.T) {
	r := kata(t)
	before := r.Loop.Thresholds
	for _, s := range All() {
		s.set(r, between(s, s.get(r)))
	}
	was, is := reflect.ValueOf(before), reflect.ValueOf(r.Loop.Thresholds)
	for f := range was.NumField() {
		name := was.Type().Field(f).Name
		same := was.Field(f).Interface() == is.Field(f).Interface()
		if slices.Contains(elsewhere, name) != same {
			t.Errorf("guard.Thresholds.%s: no setting changes it %v; want a row in All, or a place elsewhere", name, same)
		}
	}
	if r.Loop.MinRamp == loop.MinRamp || r.Loop.PlayOut == loop.MaxPlayOut || r.Watchdog == Watchdog(nil) {
		t.Errorf("ramp %v, play-out %v, watchdog %v", r.Loop.MinRamp, r.Loop.PlayOut, r.Watchdog)
	}
}

// The defaults are legal, alone and together, or they could not be written down.
func TestDefaultsAreLegal(t *testing.T) {
	r := kata(t)
	values := InForce(r)
	if bad := Check(values); len(bad) > 0 || len(values) != len(All()) {
		t.Errorf("%v", bad)
	}
	if bad := Apply(r, values); len(bad) > 0 {
		t.Errorf("%v", bad)
	}
	if again := InForce(r); !reflect.DeepEqual(again, values) {
		t.Errorf("%v, want %v", again, values)
	}
}

// What is not legal is named, all of it at once, with value and legal values.
func TestFaultsAreNamedAtOnce(t *testing.T) {
	chosen := Values{"tilt_rad": 3, "stall_s": math.NaN(), "loop_overruns": 2.5, "tilt_deg": 40, "stall_share": 0.5, "imu_frozen_s": math.Inf(1)}
	bad := Check(chosen)
	if len(bad) != len(chosen)-1 {
		t.Fatalf("%v", bad)
	}
	for i, want := range []string{"+Inf; legal: 0.05 to 2 s", "2.5; legal: whole numbers, 1 to 20 in a second", "NaN; legal: 0.1 to 2 s",
		"unknown; legal: [all_silent_reads", "3; legal: 0.2 to 1.04 rad"} {
		if !strings.HasPrefix(bad[i].Why, want) {
			t.Errorf("%+v, want %q", bad[i], want)
		}
	}
}

// What only the robot, or another setting, makes illegal.
func TestFaultsTogether(t *testing.T) {
	for _, c := range []struct {
		chosen Values
		rate   int
		key    string
		says   string
	}{
		{Values{"tilt_rad": 0.4}, 100, "tilt_rad", "a larger tilt_rad than arm_tilt_rad"},
		{Values{"tilt_rad": 0.4, "arm_tilt_rad": 0.3}, 100, "", ""},
		{Values{"winding_warn_c": 115}, 100, "winding_warn_c", "a larger winding_stop_c"},
		{Values{"temp_warn_below_k": 8}, 100, "temp_warn_below_k", "a larger temp_warn_below_k"},
		{Values{"winding_k_per_a2": 5}, 100, "winding_k_per_a2", "never to winding_stop_c"},
		{Values{"winding_k_per_a2": 40}, 100, "", ""},
		{Values{"bus_watchdog_s": 0.06}, 10, "bus_watchdog_s", "2 ticks and more, which at 10 Hz are 0.2 s"},
		{Values{"bus_watchdog_s": 0.06}, 100, "", ""},
		{Values{"loop_stuck_s": 0.05}, 20, "loop_stuck_s", "0.05; legal"},
		{Values{"loop_gap_s": 0.1}, 10, "loop_gap_s", "0.1; legal"},
		{nil, 10, "", ""}, // what nobody chose is no fault of a configuration
	} {
		r := kata(t)
		r.Loop.RateHz, r.Watchdog = c.rate, Watchdog(c.chosen)
		if bad := Check(c.chosen); len(bad) > 0 {
			t.Fatalf("%v: %v", c.chosen, bad)
		}
		bad := Apply(r, c.chosen)
		if (len(bad) > 0) != (c.key != "") || len(bad) > 0 && (bad[0].Key != c.key || !strings.Contains(bad[0].Why, c.says)) {
			t.Errorf("%v at %d Hz: %v, want %q", c.chosen, c.rate, bad, c.says)
		}
	}
}

// hopeless is everything that can be wrong with a robot, and what says so.
func hopeless() map[mode.Condition]func(o *guard.Observation, tick int) {
	silent := func(joints ...int) func(*guard.Observation, int) {
		return func(o *guard.Observation, _ int) {
			for j := range o.State.Fresh {
				o.State.Fresh[j] = !slices.Contains(joints, j)
			}
		}
	}
	all := func(v []float64, x float64) {
		for j := range v {
			v[j] = x
		}
	}
	return map[mode.Condition]func(o *guard.Observation, tick int){
		mode.LinkLost: func(o *guard.Observation, _ int) {
			for j := range o.State.Fresh {
				o.State.Fresh[j] = false
			}
		},
		mode.LegServoLost: silent(9),
		mode.ArmServoLost: silent(19),
		mode.BusNoisy: func(o *guard.Observation, tick int) { // one read in two, no servo twice in a row
			for j := range o.State.Fresh {
				o.State.Fresh[j] = (tick+j)%2 == 0
			}
		},
		mode.MonitoringStale: func(o *guard.Observation, tick int) { all(o.State.SlowAgeS, float64(tick)*0.01) },
		mode.LoopOverrun:     func(o *guard.Observation, _ int) { o.Skipped = 3 },
		mode.ServosStopped:   func(o *guard.Observation, tick int) { o.State.Stopped[3] = tick/100%2 == 0 },
		mode.IMULost:         func(o *guard.Observation, _ int) { o.State.IMUFresh = false },
		mode.Falling:         func(o *guard.Observation, _ int) { o.State.GravityDir = spatial.Vec3{1, 0, 0} },
		mode.Stalled: func(o *guard.Observation, _ int) {
			o.State.CurrentA[9], o.GoalRad[9] = 2.3, o.State.PosRad[9]+1
		},
		mode.Warm:        func(o *guard.Observation, _ int) { all(o.State.TempC, 79) },
		mode.Overheated:  func(o *guard.Observation, _ int) { all(o.State.TempC, 79) },
		mode.VoltageWarn: func(o *guard.Observation, _ int) { all(o.State.BusV, 6) },
		mode.VoltageLow:  func(o *guard.Observation, _ int) { all(o.State.BusV, 6) },
		mode.VoltageCut:  func(o *guard.Observation, _ int) { all(o.State.BusV, 6) },
		mode.PolicyFault: func(o *guard.Observation, _ int) { o.PolicyBad = true },
		mode.ClampedLong: func(o *guard.Observation, _ int) { o.Clamp.LargestRad = 1 },
	}
}

// raised plays a minute of a robot that is well, but for what wrong does to it, and reports whether c came up.
func raised(r *Robot, c mode.Condition, wrong func(o *guard.Observation, tick int)) bool {
	m := guard.NewMonitor(r.Loop.Health, r.Loop.Thresholds, 1/float64(r.Loop.RateHz))
	n := len(r.Loop.Health)
	s := driver.NewState(n)
	for tick := range 60 * r.Loop.RateHz {
		o := guard.Observation{State: s, GoalRad: make([]float64, n), Energised: true}
		for j := range n {
			s.Fresh[j], s.TorqueOn[j], s.TempC[j], s.BusV[j], s.SlowAgeS[j], s.CurrentA[j] = true, true, 30, 12, 0, 0
		}
		s.IMUFresh, s.IMUSample, s.GravityDir = true, s.IMUSample+1, spatial.Vec3{0, 0, -1}
		if wrong != nil {
			wrong(&o, tick)
		}
		if m.Observe(o).Has(c) {
			return true
		}
	}
	return false
}

// No legal value switches a failsafe off, and none raises one on a robot that is well.
func TestNoValueSwitchesAFailsafeOff(t *testing.T) {
	tuned := func(choose func(s Setting, v float64) float64) *Robot {
		r := kata(t)
		for _, s := range All() {
			s.set(r, choose(s, s.get(r)))
		}
		return r
	}
	robots := map[string]*Robot{
		"the lowest": tuned(func(s Setting, _ float64) float64 { return s.Lo }), "the highest": tuned(func(s Setting, _ float64) float64 { return s.Hi }),
		"the defaults": tuned(func(_ Setting, v float64) float64 { return v }),
	}
	for _, only := range All() {
		for what, v := range map[string]float64{"lowest": only.Lo, "highest": only.Hi} {
			robots[only.Key+" "+what] = tuned(func(s Setting, d float64) float64 {
				if s.Key == only.Key {
					return v
				}
				return d
			})
		}
	}
	for name, r := range robots {
		for c, wrong := range hopeless() {
			if !raised(r, c, wrong) {
				t.Errorf("%s: nothing raises %v", name, c)
			}
		}
	}
	for c := range hopeless() {
		if raised(robots["the defaults"], c, nil) {
			t.Errorf("a robot that is well is %v", c)
		}
	}
}

// On an emulated bus a chosen number still counts, and what is off there is not told as if it were in force.
func TestOnAnEmulatedBus(t *testing.T) {
	r := kata(t)
	cfg := limits.OnEmulatedBus(*r.Loop)
	r.Loop = &cfg
	if _, told := InForce(r)["bus_noisy_share"]; told {
		t.Error("bus_noisy_share is told, and is off")
	}
	if bad := Apply(r, Values{"servo_lost_reads": 3, "bus_noisy_share": 0.2}); len(bad) > 0 || InForce(r)["servo_lost_reads"] != 3 || InForce(r)["bus_noisy_share"] != 0.2 {
		t.Errorf("%v, %v", bad, InForce(r))
	}
}

// table is the table of docs/settings.md.
func table(r *Robot) string {
	var b strings.Builder
	b.WriteString("| Key | Default | Legal | What it is for |\n|---|---|---|---|\n")
	inForce := InForce(r)
	for _, s := range All() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Key, plain(inForce[s.Key]), s.Legal(), s.Meaning)
	}
	return b.String()
}

// The page for people says what the program does. MITORI_WRITE=1 writes it.
func TestTheTableInTheDocs(t *testing.T) {
	const page, begin, end = "../../docs/settings.md", "<!-- table of settings -->\n", "<!-- end -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	old, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	want := table(kata(t))
	if os.Getenv("MITORI_WRITE") != "" {
		if err := os.WriteFile(page, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != want {
		t.Errorf("%s is not what the program does; MITORI_WRITE=1 writes it:\n%s", page, want)
	}
}

// What the servos' drivers are told are times.
func TestTimesOfTheBuses(t *testing.T) {
	chosen := Values{"bus_watchdog_s": 0.5, "answer_margin_s": 0.008}
	if w, m := Watchdog(chosen), Margin(chosen, time.Second); w != 500*time.Millisecond || m != 8*time.Millisecond {
		t.Errorf("%v, %v", w, m)
	}
	if w, m := Watchdog(nil), Margin(nil, time.Second); w != dynamixel.DefaultWatchdog || m != time.Second {
		t.Errorf("%v, %v", w, m)
	}
}
