package flight

import (
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// tally counts from the samples what the loop counts itself, for a loop that cannot tell
// any more: its samples lie in memory that outlives it. Ticks whose samples were dropped
// are missing in it.
type tally struct{ loop.Stats }

// take counts one sample.
func (t *tally) take(s *trace.Sample) {
	t.Ticks++
	t.Missed += s.Skipped
	t.Lateness.AddNs(s.LateNs)
	t.BusTime.AddNs(s.BusNs)
	if s.ActNs > 0 {
		t.ActTime.AddNs(s.ActNs)
	}
	switch s.Calls.Read {
	case trace.Lost:
		t.LostReads++
	case trace.Failed:
		t.PartialReads++
	}
	if s.Calls.TakeUp == trace.Confirmed {
		t.TakenUp++
	}
	if s.Act.Asked && !s.Act.Usable {
		t.PolicyFaults++
	}
	t.BusFailures, t.End, t.TorqueOff = s.Robot.Failures, s.Mode, s.TorqueOff
	t.change(s)
	t.extremes(s)
}

// change counts what a change of state means.
func (t *tally) change(s *trace.Sample) {
	if s.From == s.Mode {
		return
	}
	if s.Mode == mode.Arming {
		t.Armed++
	}
	if t.FirstCause == mode.NoReason && loop.Takes(s.Why, s.Mode) {
		t.FirstCause = s.Why
	}
}

// extremes keeps the largest values, and sums up what the guard changed.
func (t *tally) extremes(s *trace.Sample) {
	if s.From.Energised() && s.From != mode.Limp {
		t.MaxTiltRad = max(t.MaxTiltRad, s.TiltRad)
		t.Fell = t.Fell || s.Conditions.Has(mode.Falling)
	}
	for j, c := range s.Robot.TempC {
		if c > t.MaxTempC { // what was not read is not higher
			t.MaxTempC = c
		}
		if w := s.WindingC[j]; w > t.MaxWindingC {
			t.MaxWindingC = w
		}
	}
	if v := s.SupplyV; v > 0 && (t.MinSupplyV == 0 || v < t.MinSupplyV) {
		t.MinSupplyV = v
	}
	g := s.Guard
	t.Guard = guard.Counts{
		NotFinite: t.Guard.NotFinite + uint64(g.NotFinite), Range: t.Guard.Range + uint64(g.Range),
		Speed: t.Guard.Speed + uint64(g.Speed), Accel: t.Guard.Accel + uint64(g.Accel),
	}
}
