package recorder

import (
	"google.golang.org/protobuf/proto"

	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
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

// setTick takes a sample; slices are shared, not copied.
func (m *messages) setTick(s *trace.Sample) {
	r, t := &s.Robot, m.tick
	t.Index, t.Skipped = s.Tick, s.Skipped
	t.LateUs, t.BusUs, t.ActUs = float64(s.LateNs)/1e3, float64(s.BusNs)/1e3, float64(s.ActNs)/1e3
	t.Mode, t.Conditions, t.Why = s.Mode.String(), "", ""
	if s.Conditions != 0 {
		t.Conditions = s.Conditions.String()
	}
	if s.From != s.Mode || s.Refused {
		t.Why = s.Why.String()
	}
	t.PosRad, t.VelRadS, t.CurrentA, t.WantRad, t.GoalRad = r.PosRad, r.VelRadPerS, r.CurrentA, s.WantRad, s.GoalRad
	t.Fresh, t.TempC, t.BusV = r.Fresh, r.TempC, r.BusV
	t.GyroRadS, t.Gravity, t.ImuFresh = r.GyroRadPerS[:], r.GravityDir[:], r.IMUFresh
	t.TiltRad, t.SupplyV, t.Phase, t.TorqueOff = s.TiltRad, s.SupplyV, s.Phase, s.TorqueOff
	t.Clamped = int64(s.Guard.NotFinite + s.Guard.Range + s.Guard.Speed + s.Guard.Accel)
}

// decodeTick reads one tick. Unknown fields of later versions are skipped.
func decodeTick(b []byte) (*Tick, error) {
	var t schema.Tick
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &t); err != nil {
		return nil, err
	}
	return &Tick{
		TimeNs: t.Timestamp.GetSeconds()*1e9 + int64(t.Timestamp.GetNanos()),
		Index:  t.Index, LateUs: t.LateUs, BusUs: t.BusUs, ActUs: t.ActUs, Skipped: t.Skipped,
		Mode: t.Mode, Why: t.Why, Conditions: t.Conditions,
		PosRad: t.PosRad, VelRadS: t.VelRadS, CurrentA: t.CurrentA, WantRad: t.WantRad, GoalRad: t.GoalRad, Fresh: t.Fresh,
		TempC: t.TempC, BusV: t.BusV, GyroRadS: t.GyroRadS, Gravity: t.Gravity, IMUFresh: t.ImuFresh,
		TiltRad: t.TiltRad, SupplyV: t.SupplyV, Phase: t.Phase, TorqueOff: t.TorqueOff, Clamped: t.Clamped,
	}, nil
}

// decodeLog reads one line of the log.
func decodeLog(b []byte) (LogLine, error) {
	var l schema.Log
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &l); err != nil {
		return LogLine{}, err
	}
	return LogLine{TimeNs: l.Timestamp.GetSeconds()*1e9 + int64(l.Timestamp.GetNanos()), Text: l.Message}, nil
}
