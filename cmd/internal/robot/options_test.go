package robot

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/operators"
)

// What cannot be flown is a usage error, which names what to give; what was left open is filled in.
func TestOptionsCheck(t *testing.T) {
	sim := func(change func(*Options)) Options {
		o := Options{Config: Config{Robot: "kata20"}, Sim: true}
		change(&o)
		return o
	}
	real := func(change func(*Options)) Options {
		o := Options{Config: Config{Robot: "kata20", Port: "/dev/ttyUSB0"}}
		change(&o)
		return o
	}
	for _, c := range []struct {
		name  string
		o     Options
		wrong string // in the error; "": none
	}{
		{"simulated", sim(func(*Options) {}), ""},
		{"on hardware", real(func(*Options) {}), ""},
		{"no robot", sim(func(o *Options) { o.Robot = "" }), "--robot NAME"},
		{"a bus and a simulator", sim(func(o *Options) { o.Port = "/dev/ttyUSB0" }), "/dev/ttyUSB0"},
		{"no bus", real(func(o *Options) { o.Port = "" }), "--port DEVICE"},
		{"ends before it begins", sim(func(o *Options) { o.For = -time.Second }), "0 or more"},
		{"holds for less than nothing", sim(func(o *Options) { o.Hold = -1 }), "0 or more"},
		{"faults of a simulator on hardware", real(func(o *Options) { o.SimArgs = []string{"--x"} }), "need --sim"},
		{"strict on hardware", real(func(o *Options) { o.Strict = true }), "need --sim"},
		{"a rate out of reach", sim(func(o *Options) { o.RateHz = 5 }), "rate_hz: 5; legal: 10 to"},
		{"half a login", sim(func(o *Options) { o.MQTT = MQTTConfig{URL: "mqtts://b", User: "ann"} }), "belong together"},
	} {
		err := c.o.Check()
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong) || fault.Code(err) != fault.ExitUsage):
			t.Errorf("%s: %v, exit %d; want usage, %q", c.name, err, fault.Code(err), c.wrong)
		}
	}
}

// A simulated robot has a broker and time for its gantry; hardware has no link unless one is asked for. What was given
// stays.
func TestOptionsDefaults(t *testing.T) {
	for _, c := range []struct {
		o    Options
		url  string
		hold time.Duration
	}{
		{Options{Config: Config{Robot: "a"}, Sim: true}, operators.Embedded, holdSim},
		{Options{Config: Config{Robot: "a", Port: "p"}}, operators.Off, holdReal},
		{Options{Config: Config{Robot: "a", MQTT: MQTTConfig{URL: operators.Off}}, Sim: true, Hold: time.Minute}, operators.Off, time.Minute},
	} {
		if err := c.o.Check(); err != nil || c.o.MQTT.URL != c.url || c.o.Hold != c.hold {
			t.Errorf("%+v: %v, want link %q and %v of hold", c.o, err, c.url, c.hold)
		}
	}
}

// The limits of an emulated bus are for that bus alone, and --strict takes them back.
func TestForgiving(t *testing.T) {
	for _, c := range []struct{ sim, strict, want bool }{{true, false, true}, {true, true, false}, {false, false, false}} {
		if o := (Options{Sim: c.sim, Strict: c.strict}); o.forgiving() != c.want {
			t.Errorf("%+v: %v", c, o.forgiving())
		}
	}
}

// A decision takes a whole number of ticks, or it is refused with what would do.
func TestTicksPerDecision(t *testing.T) {
	for rate := 10; rate <= 1000; rate += 10 {
		for policy := 10; policy <= 500; policy += 10 {
			n, err := ticksPerDecision("p.bundle", rate, 1/float64(policy))
			whole := rate%policy == 0
			if whole != (err == nil) || whole && n != rate/policy {
				t.Fatalf("%d Hz at %d Hz: %d ticks, %v", policy, rate, n, err)
			}
			if !whole && (fault.Code(err) != fault.ExitRefused || !strings.Contains(err.Error(), "legal rates: multiples of") ||
				!strings.Contains(err.Error(), "p.bundle")) {
				t.Fatalf("%d Hz at %d Hz: %v", policy, rate, err)
			}
		}
	}
	for _, period := range []float64{0, math.NaN(), math.Inf(1), -0.02} {
		if n, err := ticksPerDecision("p", 100, period); err == nil {
			t.Errorf("a period of %g s: %d ticks", period, n)
		}
	}
}
