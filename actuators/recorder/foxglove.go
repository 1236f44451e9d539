package recorder

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Levels of a log line.
const (
	levelInfo    = schema.Log_INFO
	levelWarning = schema.Log_WARNING
	levelError   = schema.Log_ERROR
)

// messages are filled anew for every tick, so that recording does not allocate.
type messages struct {
	stamp  *timestamppb.Timestamp // all of them share it
	tick   *schema.Tick
	joints *schema.JointStates
	tilt   *schema.FrameTransform
	log    *schema.Log

	// Parts of tick.
	machine schema.Machine
	clamp   schema.Clamp
	act     schema.Act

	conditions, outside, failing words

	servos servos
}

func newMessages(joints []string) *messages {
	stamp := &timestamppb.Timestamp{}
	m := &messages{
		stamp:  stamp,
		tick:   &schema.Tick{Timestamp: stamp},
		joints: &schema.JointStates{Timestamp: stamp},
		tilt: &schema.FrameTransform{
			Timestamp: stamp, ParentFrameId: "world", ChildFrameId: "trunk", Rotation: &schema.Quaternion{},
		},
		log:        &schema.Log{Timestamp: stamp, Name: "robotd"},
		conditions: words{names: conditionNames}, outside: words{names: conditionNames}, failing: words{names: checkNames},
	}
	m.tick.Machine, m.servos = &m.machine, newServos(stamp, joints)
	for _, name := range joints {
		m.joints.Joints = append(m.joints.Joints, &schema.JointState{
			Name: strings.ToValidUTF8(name, "?"), Position: proto.Float64(0), Velocity: proto.Float64(0),
		})
	}
	return m
}

func (m *messages) setTime(ns int64) { m.stamp.Seconds, m.stamp.Nanos = ns/1e9, int32(ns%1e9) }

// setJoints takes the measured joints.
func (m *messages) setJoints(s *trace.Sample) {
	for j, to := range m.joints.Joints {
		*to.Position, *to.Velocity = s.Robot.PosRad[j], s.Robot.VelRadPerS[j]
	}
}

// setTilt takes the transform from the world to the trunk: its tilt. Height and
// heading are not measured by a robot and stay away.
func (m *messages) setTilt(s *trace.Sample) {
	q := spatial.Between(s.Robot.GravityDir, spatial.Vec3{0, 0, -1})
	r := m.tilt.Rotation
	r.W, r.X, r.Y, r.Z = q[0], q[1], q[2], q[3]
}

func (m *messages) setLog(level schema.Log_Level, text string) {
	m.log.Level, m.log.Message = level, strings.ToValidUTF8(text, "?") // protobuf refuses anything else
}

// descriptors returns one of the schema files with all it refers to, as MCAP
// keeps it beside the messages.
func descriptors(file protoreflect.FileDescriptor) ([]byte, error) {
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto),
		protodesc.ToFileDescriptorProto(file),
	}}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("recorder: schema %s: %w", file.Path(), err)
	}
	return data, nil
}
