package recorder

import (
	"google.golang.org/protobuf/proto"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
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
	Why        string // of a transition, a refusal or an answer in this tick
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
	Clamped    int64    // joints whose command the guard changed
	MonoNs     int64    // clock of the loop, which nobody sets
	Playing    bool     // the controller is in a motion
	Alert      []uint32 // hardware error bits
	TorqueOn   []bool
	Stopped    []bool    // by the servo's own watchdog
	WindingC   []float64 // estimated
	// Share of its torque and of its speed that each joint may use for its heat; nil: all.
	TorqueShare, SpeedShare []float64
	Detail                  string // which joints and values, at a change or a refusal

	// What decided the tick besides, and what it came to. Recordings of schema 1 lack it.
	From         string // state before the tick
	Refused      bool
	Failing      string // arming checks
	AskedLink    string // requests of operators, comma separated
	AskedProgram string // of the mission, a signal, a panic
	Outside      string // conditions set from outside the loop
	Calls        trace.Calls
	SentRad      []float64 // after the guard, as handed to the driver
	TakeUpRad    []float64 // likewise, to servos that had stopped
	Clamp        guard.Report
	Act          trace.Act
	Machine      mode.Machine // but for State, which is Mode
	CatchUp      bool
	AgeS         []float64 // of position, speed and current
	SlowAgeS     []float64 // of the oldest slow register
	IMUSample    uint16
	Buttons      uint8
	PowerCut     bool
	Unfit        driver.Unfit

	// Of the battery: between what its charge lies, 0 to 1, and the current that it gives.
	ChargeLow, ChargeHigh, SupplyA float64

	// Exchanges on the bus since it was connected.
	Transactions, Failures, Asides, AsideFailures uint64
}

// TickOf is what s is recorded as. Slices may be those of s.
func TickOf(s *trace.Sample) *Tick {
	m := newMessages(nil)
	m.setTick(s, "")
	m.setTime(s.WallNs)
	return fromSchema(m.tick)
}

// decodeTick reads one tick. Unknown fields of later versions are skipped.
func decodeTick(b []byte) (*Tick, error) {
	var t schema.Tick
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &t); err != nil {
		return nil, err
	}
	return fromSchema(&t), nil
}

func fromSchema(t *schema.Tick) *Tick {
	return &Tick{
		TimeNs: t.Timestamp.GetSeconds()*1e9 + int64(t.Timestamp.GetNanos()),
		Index:  t.Index, LateUs: t.LateUs, BusUs: t.BusUs, ActUs: t.ActUs, Skipped: t.Skipped,
		Mode: t.Mode, Why: t.Why, Conditions: t.Conditions,
		PosRad: t.PosRad, VelRadS: t.VelRadS, CurrentA: t.CurrentA, WantRad: t.WantRad, GoalRad: t.GoalRad, Fresh: t.Fresh,
		TempC: t.TempC, BusV: t.BusV, GyroRadS: t.GyroRadS, Gravity: t.Gravity, IMUFresh: t.ImuFresh,
		TiltRad: t.TiltRad, SupplyV: t.SupplyV, Phase: t.Phase, TorqueOff: t.TorqueOff, Clamped: t.Clamped,
		MonoNs: t.MonoNs, Playing: t.Playing, Alert: t.Alert, TorqueOn: t.TorqueOn, Stopped: t.Stopped,
		WindingC: t.WindingC, TorqueShare: t.TorqueShare, SpeedShare: t.SpeedShare, Detail: t.Detail,

		From: t.From, Refused: t.Refused, Failing: t.Failing,
		AskedLink: t.AskedLink, AskedProgram: t.AskedProgram, Outside: t.Outside,
		Calls: callsOf(t), SentRad: t.SentRad, TakeUpRad: t.TakeUpRad, Clamp: clampOf(t.Clamp), Act: actOf(t.Act),
		Machine: machineOf(t.Machine), CatchUp: t.CatchUp,
		AgeS: agesOf(t.AgeNs, t.AgeS), SlowAgeS: agesOf(t.SlowAgeNs, t.SlowAgeS),
		IMUSample: uint16(t.ImuSample), Buttons: uint8(t.Buttons), PowerCut: t.PowerCut, Unfit: unfitOf(t.Unfit),
		ChargeLow: t.ChargeLow, ChargeHigh: t.ChargeHigh, SupplyA: t.SupplyA,
		Transactions: t.Transactions, Failures: t.Failures, Asides: t.Asides, AsideFailures: t.AsideFailures,
	}
}

// decodeLog reads one line of the log.
func decodeLog(b []byte) (LogLine, error) {
	var l schema.Log
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &l); err != nil {
		return LogLine{}, err
	}
	return LogLine{TimeNs: l.Timestamp.GetSeconds()*1e9 + int64(l.Timestamp.GetNanos()), Text: l.Message}, nil
}
