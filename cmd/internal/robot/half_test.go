package robot

import (
	"bytes"
	"encoding/gob"
	"math"
	"reflect"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// What the loop's process says arrives as it was meant: statistics with numbers that no
// text has, and refusals with their exit codes.
func TestReportsSurviveTheLine(t *testing.T) {
	stats := loop.Stats{
		Joints: 20, RateHz: 100, Ticks: 12, End: mode.Fault, FirstCause: mode.Caused(mode.Falling), TorqueOff: true,
		MaxTempC: math.Inf(-1), MinSupplyV: math.Inf(1), Notes: []string{"no real-time priority"},
	}
	stats.Lateness.AddNs(1_234_567)
	stats.Guard.Speed = 7
	for _, want := range []report{
		{Line: "arming -> hold"}, {Ready: true}, {Ended: &ending{Stats: stats, Notes: []string{"cable pulled"}, Halt: "h", Panic: "p"}},
		{Fault: &refusal{Code: fault.ExitRefused, Text: "the robot is energised"}}, {Fault: &refusal{Code: fault.ExitUsage, Text: "port"}},
		{Fault: &refusal{Code: fault.ExitFailed, Text: "no such device"}},
	} {
		var wire bytes.Buffer
		var got report
		if err := gob.NewEncoder(&wire).Encode(want); err != nil {
			t.Fatal(err)
		}
		if err := gob.NewDecoder(&wire).Decode(&got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v, want %+v", err, got, want)
		}
		if f := got.Fault; f != nil && (fault.Code(f.err()) != want.Fault.Code || f.err().Error() != want.Fault.Text) {
			t.Errorf("%v with code %d, want %+v", f.err(), fault.Code(f.err()), want.Fault)
		}
	}
}

// Every exported field of the statistics is one that arrives: what gob leaves out would be
// zero in stats.json.
func TestStatsHaveNoFieldThatStaysBehind(t *testing.T) {
	for _, v := range []any{loop.Stats{}, Options{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			if f := typ.Field(i); !f.IsExported() {
				t.Errorf("%v.%s does not reach the other process", typ, f.Name)
			}
		}
	}
}

// The processes that own the buses are told nothing of brokers, secrets and files to write.
func TestBusesAreToldNoSecrets(t *testing.T) {
	o := Options{Config: Config{Robot: "kata20", Port: "/dev/x", Baud: 57600, RateHz: 50, Policy: "p", Button: "start", Record: "r",
		MQTT: MQTTConfig{URL: "mqtt://ann:hunter2@b"}}, Sim: true, Strict: true, Anyway: true, Release: true, Stats: "s"}
	told := o.forBuses()
	if told.MQTT != (MQTTConfig{}) || told.Record != "" || told.Stats != "" {
		t.Errorf("told %+v", told)
	}
	told.MQTT, told.Record, told.Stats = o.MQTT, o.Record, o.Stats
	if !reflect.DeepEqual(told, o) {
		t.Errorf("told %+v of %+v", told, o)
	}
}

// Nobody becomes another process by accident.
func TestOtherHalfIsNobodysCommandLine(t *testing.T) {
	for _, args := range [][]string{nil, {"--sim"}, {"check"}, {loopRole, "--sim"}, {"--robot", rescueRole}} {
		if _, ours := OtherHalf(args); ours {
			t.Errorf("%q", args)
		}
	}
}

// Torque-off is tried again where it may help: not where it is confirmed, and not behind a
// line that is gone.
func TestWhenTorqueIsUnsure(t *testing.T) {
	for _, c := range []struct {
		off   bool
		cause mode.Reason
		panic string
		want  bool
	}{
		{true, mode.NoReason, "", false}, {true, mode.Caused(mode.LoopStuck), "", false}, {false, mode.Caused(mode.LoopStuck), "", true},
		{false, mode.Caused(mode.LinkLost), "", false}, {false, mode.NoReason, "a fault", true}, {true, mode.NoReason, "a fault", false},
	} {
		e := ending{Stats: loop.Stats{TorqueOff: c.off, FirstCause: c.cause}, Panic: c.panic}
		if e.unsure() != c.want {
			t.Errorf("%+v: %v", c, !c.want)
		}
	}
}
