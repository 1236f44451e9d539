package recorder

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Messages that Foxglove knows by name: https://docs.foxglove.dev/docs/sdk/schemas.
// Viewers go by the schema in the file; ours hold the fields that we fill.

// level is foxglove.Log.Level.
type level uint64

const (
	levelInfo    level = 2
	levelWarning level = 3
	levelError   level = 4
)

// appendLog encodes a foxglove.Log.
func appendLog(dst []byte, ns int64, l level, message string) []byte {
	dst = appendTimestamp(dst, 1, ns)
	dst = protowire.AppendVarint(protowire.AppendTag(dst, 2, protowire.VarintType), uint64(l))
	dst = appendString(dst, 3, message)
	return appendString(dst, 4, "robotd")
}

// decodeLog returns time and text of a foxglove.Log.
func decodeLog(b []byte) (ns int64, text string, err error) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, "", protowire.ParseError(n)
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return 0, "", protowire.ParseError(n)
		}
		if inner, k := protowire.ConsumeBytes(b); typ == protowire.BytesType && k > 0 {
			switch num {
			case 1:
				if ns, err = timestamp(inner); err != nil {
					return 0, "", err
				}
			case 3:
				text = string(inner)
			}
		}
		b = b[n:]
	}
	return ns, text, nil
}

// appendJoints encodes a foxglove.JointStates with the measured joints; scratch
// is used for one joint at a time.
func appendJoints(dst []byte, scratch *[]byte, names []string, s *trace.Sample) []byte {
	dst = appendTimestamp(dst, 1, s.WallNs)
	for j, name := range names {
		b := appendString((*scratch)[:0], 1, name)
		b = appendDouble(b, 2, s.Robot.PosRad[j])
		b = appendDouble(b, 3, s.Robot.VelRadS[j])
		*scratch = b
		dst = protowire.AppendBytes(protowire.AppendTag(dst, 2, protowire.BytesType), b)
	}
	return dst
}

// appendTransform encodes a foxglove.FrameTransform from the world to the trunk:
// its tilt. Height and heading are not measured by a robot and stay zero.
func appendTransform(dst []byte, scratch *[]byte, s *trace.Sample) []byte {
	dst = appendTimestamp(dst, 1, s.WallNs)
	dst = appendString(dst, 2, "world")
	dst = appendString(dst, 3, "trunk")
	q := spatial.Between(s.Robot.GravityDir, spatial.Vec3{0, 0, -1})
	b := (*scratch)[:0]
	for i, v := range [4]float64{q[1], q[2], q[3], q[0]} { // foxglove.Quaternion is x, y, z, w
		b = appendDouble(b, protowire.Number(i+1), v)
	}
	*scratch = b
	return protowire.AppendBytes(protowire.AppendTag(dst, 5, protowire.BytesType), b)
}

func appendTimestamp(dst []byte, num protowire.Number, ns int64) []byte {
	sec, nanos := ns/1e9, ns%1e9
	size := protowire.SizeTag(1) + protowire.SizeVarint(uint64(sec)) + protowire.SizeTag(2) + protowire.SizeVarint(uint64(nanos))
	dst = protowire.AppendVarint(protowire.AppendTag(dst, num, protowire.BytesType), uint64(size))
	dst = protowire.AppendVarint(protowire.AppendTag(dst, 1, protowire.VarintType), uint64(sec))
	return protowire.AppendVarint(protowire.AppendTag(dst, 2, protowire.VarintType), uint64(nanos))
}

func timestamp(b []byte) (ns int64, err error) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 || typ != protowire.VarintType {
			return 0, fmt.Errorf("timestamp is malformed")
		}
		v, k := protowire.ConsumeVarint(b[n:])
		if k < 0 {
			return 0, protowire.ParseError(k)
		}
		switch num {
		case 1:
			ns += int64(v) * 1e9
		case 2:
			ns += int64(v)
		}
		b = b[n+k:]
	}
	return ns, nil
}

func appendDouble(dst []byte, num protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(dst, num, protowire.Fixed64Type), math.Float64bits(v))
}

func appendString(dst []byte, num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, num, protowire.BytesType), s)
}

// schema returns the descriptor set of one message type with all it refers to.
func schema(pkg string, messages ...*descriptorpb.DescriptorProto) ([]byte, error) {
	stamp := protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto)
	file := &descriptorpb.FileDescriptorProto{
		Name: ptr(pkg + ".proto"), Package: ptr(pkg), Syntax: ptr("proto3"),
		Dependency: []string{stamp.GetName()}, MessageType: messages,
	}
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{stamp, file}}
	if _, err := protodesc.NewFiles(set); err != nil {
		return nil, fmt.Errorf("recorder: schema %s: %w", pkg, err)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(set)
}

func logDescriptor() *descriptorpb.DescriptorProto {
	levels := &descriptorpb.EnumDescriptorProto{Name: ptr("Level")}
	for i, n := range []string{"UNKNOWN", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL"} {
		levels.Value = append(levels.Value, &descriptorpb.EnumValueDescriptorProto{Name: ptr(n), Number: ptr(int32(i))})
	}
	lv := scalarField("level", 2, descriptorpb.FieldDescriptorProto_TYPE_ENUM, false)
	lv.TypeName = ptr(".foxglove.Log.Level")
	return &descriptorpb.DescriptorProto{
		Name: ptr("Log"), EnumType: []*descriptorpb.EnumDescriptorProto{levels},
		Field: []*descriptorpb.FieldDescriptorProto{
			messageField("timestamp", 1, ".google.protobuf.Timestamp", false), lv,
			scalarField("message", 3, descriptorpb.FieldDescriptorProto_TYPE_STRING, false),
			scalarField("name", 4, descriptorpb.FieldDescriptorProto_TYPE_STRING, false),
		},
	}
}

func jointDescriptors() []*descriptorpb.DescriptorProto {
	return []*descriptorpb.DescriptorProto{
		{Name: ptr("JointState"), Field: []*descriptorpb.FieldDescriptorProto{
			scalarField("name", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING, false),
			scalarField("position", 2, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, false),
			scalarField("velocity", 3, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, false),
		}},
		{Name: ptr("JointStates"), Field: []*descriptorpb.FieldDescriptorProto{
			messageField("timestamp", 1, ".google.protobuf.Timestamp", false),
			messageField("joints", 2, ".foxglove.JointState", true),
		}},
	}
}

func transformDescriptors() []*descriptorpb.DescriptorProto {
	vector := func(name string, axes ...string) *descriptorpb.DescriptorProto {
		m := &descriptorpb.DescriptorProto{Name: ptr(name)}
		for i, a := range axes {
			m.Field = append(m.Field, scalarField(a, int32(i+1), descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, false))
		}
		return m
	}
	return []*descriptorpb.DescriptorProto{
		vector("Vector3", "x", "y", "z"), vector("Quaternion", "x", "y", "z", "w"),
		{Name: ptr("FrameTransform"), Field: []*descriptorpb.FieldDescriptorProto{
			messageField("timestamp", 1, ".google.protobuf.Timestamp", false),
			scalarField("parent_frame_id", 2, descriptorpb.FieldDescriptorProto_TYPE_STRING, false),
			scalarField("child_frame_id", 3, descriptorpb.FieldDescriptorProto_TYPE_STRING, false),
			messageField("translation", 4, ".foxglove.Vector3", false),
			messageField("rotation", 5, ".foxglove.Quaternion", false),
		}},
	}
}

func scalarField(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, repeated bool) *descriptorpb.FieldDescriptorProto {
	label := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	if repeated {
		label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	}
	return &descriptorpb.FieldDescriptorProto{Name: ptr(name), Number: ptr(number), Type: ptr(kind), Label: ptr(label)}
}

func messageField(name string, number int32, typeName string, repeated bool) *descriptorpb.FieldDescriptorProto {
	f := scalarField(name, number, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, repeated)
	f.TypeName = ptr(typeName)
	return f
}

func ptr[T any](v T) *T { return &v }
