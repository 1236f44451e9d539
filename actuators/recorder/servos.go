package recorder

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// servosEvery is how often the slow registers are recorded by joint name, for people; and
// at once when an alert, a torque or a watchdog changes. Each tick has them in joint order.
const servosEvery = int64(time.Second)

// servos is the message of all slow registers, by name.
type servos struct {
	message *schema.Servos
	begun   bool
	lastNs  int64
}

func newServos(stamp *timestamppb.Timestamp, joints []string) servos {
	s := servos{message: &schema.Servos{Timestamp: stamp}}
	for _, name := range joints {
		s.message.Servos = append(s.message.Servos, &schema.Servo{Name: strings.ToValidUTF8(name, "?")})
	}
	return s
}

// due takes in a sample, and reports whether it is to be recorded.
func (s *servos) due(x *trace.Sample) bool {
	r := &x.Robot
	due := !s.begun || x.MonoNs-s.lastNs >= servosEvery
	for j, to := range s.message.Servos {
		due = due || to.Alert != uint32(r.Alert[j]) || to.TorqueOn != r.TorqueOn[j] || to.Stopped != r.Stopped[j]
	}
	if !due {
		return false
	}
	s.begun, s.lastNs = true, x.MonoNs
	for j, to := range s.message.Servos {
		to.TempC, to.BusV, to.AgeS, to.WindingC = r.TempC[j], r.BusV[j], r.SlowAgeS[j], x.WindingC[j]
		to.Alert, to.TorqueOn, to.Stopped = uint32(r.Alert[j]), r.TorqueOn[j], r.Stopped[j]
	}
	return true
}
