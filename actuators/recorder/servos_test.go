package recorder

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/foxglove/mcap/go/mcap"
	"google.golang.org/protobuf/proto"

	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
)

// The slow registers stand in the file under the names of their joints, once a second and
// whenever an alert, a torque or a watchdog changes.
func TestServosByName(t *testing.T) {
	var out bytes.Buffer
	r, err := start("mem.mcap", &out, header())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 350 {
		s := sample(12)
		s.MonoNs = int64(i) * 10_000_000
		if i >= 120 {
			s.Robot.Alert[1] = 0x20
		}
		if i >= 210 {
			s.Robot.TorqueOn[2] = !s.Robot.TorqueOn[2]
		}
		if err := r.Add(s, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	all := servosOf(t, out.Bytes()) // read by way of the index at the end
	if len(all) != 5 {              // at 0, 1, 1.2, 2.1 and 3.1 s
		t.Fatalf("%d messages", len(all))
	}
	was, knee, s := all[1].Servos[1], all[2].Servos[1], sample(12)
	if knee.Name != "knee" || was.Alert == 0x20 || knee.Alert != 0x20 || knee.TempC != s.Robot.TempC[1] ||
		knee.AgeS != s.Robot.SlowAgeS[1] ||
		knee.WindingC != s.WindingC[1] || knee.TorqueOn != s.Robot.TorqueOn[1] || knee.Stopped != s.Robot.Stopped[1] {
		t.Errorf("%v, then %v", was, knee)
	}
	if all[2].Servos[2].TorqueOn == all[3].Servos[2].TorqueOn {
		t.Error("a change of torque is not there")
	}
}

func servosOf(t *testing.T, data []byte) (all []*schema.Servos) {
	t.Helper()
	r, err := mcap.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	it, err := r.Messages(mcap.WithTopics([]string{"/robot/servos"}))
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, _, m, err := it.NextInto(nil)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var s schema.Servos
		if err := proto.Unmarshal(m.Data, &s); err != nil {
			t.Fatal(err)
		}
		all = append(all, &s)
	}
}
