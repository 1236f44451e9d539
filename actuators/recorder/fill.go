package recorder

import (
	"strings"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// setTick takes a sample and the words about it; slices are shared, not copied.
func (m *messages) setTick(s *trace.Sample, detail string) {
	t := m.tick
	t.Index, t.Skipped, t.MonoNs = s.Tick, s.Skipped, s.MonoNs
	t.LateUs, t.BusUs, t.ActUs = float64(s.LateNs)/1e3, float64(s.BusNs)/1e3, float64(s.ActNs)/1e3
	t.WantRad, t.GoalRad, t.WindingC = s.WantRad, s.GoalRad, s.WindingC
	t.TorqueShare, t.SpeedShare = derated(s.Torque), derated(s.Pace)
	t.ChargeLow, t.ChargeHigh, t.SupplyA = s.ChargeLow, s.ChargeHigh, s.SupplyA
	t.TiltRad, t.SupplyV, t.Phase, t.Playing, t.TorqueOff = s.TiltRad, s.SupplyV, s.Phase, s.Playing, s.TorqueOff
	t.Detail = detail
	m.setMeasured(s)
	m.setDecided(s)
	m.setCalls(s)
}

// derated is nil where no share is less than all.
func derated(share []float64) []float64 {
	for _, x := range share {
		if x < 1 {
			return share
		}
	}
	return nil
}

// setMeasured takes what the bus told.
func (m *messages) setMeasured(s *trace.Sample) {
	r, t := &s.Robot, m.tick
	t.PosRad, t.VelRadS, t.CurrentA, t.Fresh = r.PosRad, r.VelRadPerS, r.CurrentA, r.Fresh
	t.TempC, t.BusV, t.TorqueOn, t.Stopped = r.TempC, r.BusV, r.TorqueOn, r.Stopped
	t.Alert = t.Alert[:0]
	for _, bits := range r.Alert {
		t.Alert = append(t.Alert, uint32(bits))
	}
	t.AgeNs, t.AgeS = setAges(t.AgeNs, r.AgeS)
	t.SlowAgeNs, t.SlowAgeS = setAges(t.SlowAgeNs, r.SlowAgeS)
	t.GyroRadS, t.Gravity, t.ImuFresh, t.ImuSample = r.GyroRadPerS[:], r.GravityDir[:], r.IMUFresh, uint32(r.IMUSample)
	t.Buttons, t.PowerCut = uint32(r.Buttons), r.PowerCut
	t.Transactions, t.Failures, t.Asides, t.AsideFailures = r.Transactions, r.Failures, r.Asides, r.AsideFailures
	t.Unfit = nil
	if u := r.Unfit; u.Joint != "" {
		t.Unfit = &schema.Unfit{
			Joint: strings.ToValidUTF8(u.Joint, "?"), Id: uint32(u.ID), Setting: strings.ToValidUTF8(u.Setting, "?"),
			Got: u.Got, Want: u.Want,
		}
	}
}

// setDecided takes what was asked of the loop and what it decided.
func (m *messages) setDecided(s *trace.Sample) {
	t := m.tick
	t.Mode, t.Why, t.Refused, t.From = s.Mode.String(), s.Why.String(), s.Refused, ""
	if s.From != s.Mode {
		t.From = s.From.String()
	}
	t.Conditions, t.Outside = m.conditions.of(uint32(s.Conditions)), m.outside.of(uint32(s.Outside))
	t.Failing = m.failing.of(uint32(s.Failing))
	t.AskedLink, t.AskedProgram = "", ""
	if s.Asked.Program != mode.NoRequest {
		t.AskedProgram = s.Asked.Program.String()
	}
	if s.Asked.Link != 0 {
		t.AskedLink = requestNames(s.Asked.Link)
	}
	x := &s.Machine
	m.machine.Torque, m.machine.Control, m.machine.Stop = uint32(x.Torque), uint32(x.Control), uint32(x.Stop)
	m.machine.Ticks, m.machine.Tries, m.machine.Wait = x.Ticks, int64(x.Tries), int64(x.Wait)
	m.machine.Fit, m.machine.Asked, m.machine.Bad = x.Fit, x.Asked, x.Bad
}

// setCalls takes what was asked of driver, guard and controller.
func (m *messages) setCalls(s *trace.Sample) {
	t, c := m.tick, s.Calls
	t.Read, t.TakeUp, t.SetTorqueOff = schema.Answer(c.Read), schema.Answer(c.TakeUp), schema.Answer(c.TorqueOff)
	t.Write, t.Prepare, t.SetTorqueOn = schema.Answer(c.Write), schema.Answer(c.Prepare), schema.Answer(c.TorqueOn)
	t.SentRad, t.TakeUpRad, t.Clamp, t.Act, t.CatchUp = nil, nil, nil, nil, s.CatchUp
	if c.Write != trace.NotAsked {
		t.SentRad = s.SentRad
	}
	if c.TakeUp != trace.NotAsked {
		t.TakeUpRad = s.TakeUpRad
	}
	g := &s.Guard
	t.Clamped = int64(g.NotFinite + g.Range + g.Speed + g.Accel)
	if g.Changed() || g.LargestRad != 0 {
		t.Clamp = &m.clamp
		m.clamp.NotFinite, m.clamp.Range, m.clamp.Speed, m.clamp.Accel = int64(g.NotFinite), int64(g.Range),
			int64(g.Speed), int64(g.Accel)
		m.clamp.LargestRad = g.LargestRad
	}
	if a := s.Act; a.Asked {
		t.Act = &m.act
		m.act.Failed, m.act.Usable, m.act.Standing = a.Failed, a.Usable, a.Standing
	}
}

// words keeps the text of a set that rarely changes; the empty set has none.
type words struct {
	set   uint32
	text  string
	names func(uint32) string
}

func (w *words) of(set uint32) string {
	if set != w.set {
		w.set, w.text = set, ""
		if set != 0 {
			w.text = w.names(set)
		}
	}
	return w.text
}

func conditionNames(set uint32) string { return mode.Conditions(set).String() }
func checkNames(set uint32) string     { return mode.Checks(set).String() }

// requestNames lists a set of requests, weakest first, comma separated.
func requestNames(set uint8) string {
	var names []string
	for r := mode.Reset; r <= mode.EStop; r++ {
		if set>>r&1 == 1 {
			names = append(names, r.String())
		}
	}
	return strings.Join(names, ", ")
}
