package recorder

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/mitori-robotics/mitori/actuators/trace"
)

// Tick is one tick of the loop as recorded under mitori.Tick. Joint slices are
// in the order of the header's joint names.
type Tick struct {
	TimeNs     int64 // Unix time
	Index      int64
	LateUs     float64
	BusUs      float64
	ActUs      float64
	Skipped    int64
	Mode       string
	Why        string // of the latest transition, or of a refusal in this tick
	Conditions string
	PosRad     []float64
	VelRadS    []float64
	CurrentA   []float64
	WantRad    []float64 // before the guard
	GoalRad    []float64 // as sent
	Fresh      []bool    // answered in this tick
	TempC      []float64
	BusV       []float64
	GyroRadS   []float64 // trunk axes
	Gravity    []float64 // unit vector down, trunk axes
	IMUFresh   bool
	TiltRad    float64
	SupplyV    float64
	Phase      float64
	TorqueOff  bool
	Clamped    int64 // joints whose command the guard changed
}

type field struct {
	number protowire.Number
	name   string
	at     func(*Tick) any // pointer to the member
}

// fields drives the schema, the encoder and the decoder.
func fields() []field {
	return []field{
		{2, "index", func(t *Tick) any { return &t.Index }},
		{3, "late_us", func(t *Tick) any { return &t.LateUs }},
		{4, "bus_us", func(t *Tick) any { return &t.BusUs }},
		{5, "act_us", func(t *Tick) any { return &t.ActUs }},
		{6, "skipped", func(t *Tick) any { return &t.Skipped }},
		{7, "mode", func(t *Tick) any { return &t.Mode }},
		{8, "why", func(t *Tick) any { return &t.Why }},
		{9, "conditions", func(t *Tick) any { return &t.Conditions }},
		{10, "pos_rad", func(t *Tick) any { return &t.PosRad }},
		{11, "vel_rad_s", func(t *Tick) any { return &t.VelRadS }},
		{12, "current_a", func(t *Tick) any { return &t.CurrentA }},
		{13, "want_rad", func(t *Tick) any { return &t.WantRad }},
		{14, "goal_rad", func(t *Tick) any { return &t.GoalRad }},
		{15, "fresh", func(t *Tick) any { return &t.Fresh }},
		{16, "temp_c", func(t *Tick) any { return &t.TempC }},
		{17, "bus_v", func(t *Tick) any { return &t.BusV }},
		{18, "gyro_rad_s", func(t *Tick) any { return &t.GyroRadS }},
		{19, "gravity", func(t *Tick) any { return &t.Gravity }},
		{20, "imu_fresh", func(t *Tick) any { return &t.IMUFresh }},
		{21, "tilt_rad", func(t *Tick) any { return &t.TiltRad }},
		{22, "supply_v", func(t *Tick) any { return &t.SupplyV }},
		{23, "phase", func(t *Tick) any { return &t.Phase }},
		{24, "torque_off", func(t *Tick) any { return &t.TorqueOff }},
		{25, "clamped", func(t *Tick) any { return &t.Clamped }},
	}
}

// timestampField is google.protobuf.Timestamp, as Foxglove expects it.
const timestampField = protowire.Number(1)

// set fills t from a sample; slices are shared, not copied.
func (t *Tick) set(s *trace.Sample) {
	r := &s.Robot
	t.TimeNs, t.Index, t.Skipped = s.WallNs, s.Tick, s.Skipped
	t.LateUs, t.BusUs, t.ActUs = float64(s.LateNs)/1e3, float64(s.BusNs)/1e3, float64(s.ActNs)/1e3
	t.Mode, t.Conditions, t.Why = s.Mode.String(), "", ""
	if s.Conditions != 0 {
		t.Conditions = s.Conditions.String()
	}
	if s.From != s.Mode || s.Refused {
		t.Why = s.Why.String()
	}
	t.PosRad, t.VelRadS, t.CurrentA, t.WantRad, t.GoalRad = r.PosRad, r.VelRadS, r.CurrentA, s.WantRad, s.GoalRad
	t.Fresh, t.TempC, t.BusV = r.Fresh, r.TempC, r.BusV
	t.GyroRadS, t.Gravity, t.IMUFresh = r.GyroRadS[:], r.GravityDir[:], r.IMUFresh
	t.TiltRad, t.SupplyV, t.Phase, t.TorqueOff = s.TiltRad, s.SupplyV, s.Phase, s.TorqueOff
	t.Clamped = int64(s.Guard.NotFinite + s.Guard.Range + s.Guard.Speed + s.Guard.Accel)
}

// appendTick encodes t after dst.
func appendTick(dst []byte, all []field, t *Tick) []byte {
	dst = appendTimestamp(dst, timestampField, t.TimeNs)
	for _, f := range all {
		switch v := f.at(t).(type) {
		case *int64:
			dst = protowire.AppendVarint(protowire.AppendTag(dst, f.number, protowire.VarintType), uint64(*v))
		case *float64:
			dst = appendDouble(dst, f.number, *v)
		case *bool:
			dst = protowire.AppendVarint(protowire.AppendTag(dst, f.number, protowire.VarintType), protowire.EncodeBool(*v))
		case *string:
			dst = appendString(dst, f.number, *v)
		case *[]float64:
			dst = protowire.AppendVarint(protowire.AppendTag(dst, f.number, protowire.BytesType), uint64(8*len(*v)))
			for _, x := range *v {
				dst = protowire.AppendFixed64(dst, math.Float64bits(x))
			}
		case *[]bool:
			dst = protowire.AppendVarint(protowire.AppendTag(dst, f.number, protowire.BytesType), uint64(len(*v)))
			for _, x := range *v {
				dst = append(dst, byte(protowire.EncodeBool(x)))
			}
		}
	}
	return dst
}

// decodeTick is the inverse of appendTick. Unknown fields of later versions are
// skipped.
func decodeTick(all []field, b []byte) (*Tick, error) {
	t := &Tick{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		n = protowire.ConsumeFieldValue(num, typ, b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		if num == timestampField && typ == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(b)
			var err error
			if t.TimeNs, err = timestamp(inner); err != nil {
				return nil, err
			}
		}
		for _, f := range all {
			if f.number == num {
				if err := decodeField(f.at(t), typ, b); err != nil {
					return nil, fmt.Errorf("%s: %w", f.name, err)
				}
			}
		}
		b = b[n:]
	}
	return t, nil
}

func decodeField(at any, typ protowire.Type, b []byte) error {
	wrong := fmt.Errorf("wire type %d does not fit", typ)
	switch v := at.(type) {
	case *int64:
		u, n := protowire.ConsumeVarint(b)
		if typ != protowire.VarintType || n < 0 {
			return wrong
		}
		*v = int64(u)
	case *bool:
		u, n := protowire.ConsumeVarint(b)
		if typ != protowire.VarintType || n < 0 {
			return wrong
		}
		*v = u != 0
	case *float64:
		u, n := protowire.ConsumeFixed64(b)
		if typ != protowire.Fixed64Type || n < 0 {
			return wrong
		}
		*v = math.Float64frombits(u)
	case *string:
		s, n := protowire.ConsumeBytes(b)
		if typ != protowire.BytesType || n < 0 {
			return wrong
		}
		*v = string(s)
	case *[]float64:
		s, n := protowire.ConsumeBytes(b)
		if typ != protowire.BytesType || n < 0 || len(s)%8 != 0 {
			return wrong
		}
		for ; len(s) > 0; s = s[8:] {
			u, _ := protowire.ConsumeFixed64(s)
			*v = append(*v, math.Float64frombits(u))
		}
	case *[]bool:
		s, n := protowire.ConsumeBytes(b)
		if typ != protowire.BytesType || n < 0 {
			return wrong
		}
		for _, x := range s {
			*v = append(*v, x != 0)
		}
	}
	return nil
}

// tickDescriptor is the schema of mitori.Tick.
func tickDescriptor() *descriptorpb.DescriptorProto {
	m := &descriptorpb.DescriptorProto{Name: ptr("Tick")}
	m.Field = append(m.Field, messageField("timestamp", int32(timestampField), ".google.protobuf.Timestamp", false))
	var t Tick
	for _, f := range fields() {
		kind, repeated := descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, false
		switch f.at(&t).(type) {
		case *int64:
			kind = descriptorpb.FieldDescriptorProto_TYPE_INT64
		case *string:
			kind = descriptorpb.FieldDescriptorProto_TYPE_STRING
		case *bool:
			kind = descriptorpb.FieldDescriptorProto_TYPE_BOOL
		case *[]float64:
			repeated = true
		case *[]bool:
			kind, repeated = descriptorpb.FieldDescriptorProto_TYPE_BOOL, true
		}
		m.Field = append(m.Field, scalarField(f.name, int32(f.number), kind, repeated))
	}
	return m
}
