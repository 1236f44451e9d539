package main

import (
	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/record"
)

func spreadOf(h *clock.Histogram) record.Spread {
	return record.Spread{P50: h.QuantileUs(0.5), P99: h.QuantileUs(0.99), P999: h.QuantileUs(0.999), Max: h.MaxUs()}
}

// fillStats takes over what the loop counted.
func fillStats(s *record.Stats, r *loop.Stats) {
	s.RateHz, s.Servos, s.Ticks, s.MissedTicks = r.RateHz, r.Joints, r.Ticks, r.Missed
	s.LatenessUs, s.BusUs, s.PolicyUs = spreadOf(&r.Lateness), spreadOf(&r.BusTime), spreadOf(&r.ActTime)
	s.BusErrors, s.BusPartial, s.BusLost, s.PolicyBad = r.BusFailures, r.PartialReads, r.LostReads, r.PolicyFaults
	s.Stops = r.TakenUp
	s.Guard, s.Armed, s.Fell = record.GuardCounts(r.Guard), r.Armed, r.Fell
	s.MaxTiltRad, s.MaxTempC, s.MaxWindingC, s.MinSupplyV = r.MaxTiltRad, r.MaxTempC, r.MaxWindingC, r.MinSupplyV
	s.EndState, s.TorqueOff = r.End.String(), r.TorqueOff
	if r.FirstCause != mode.NoReason {
		s.Cause = r.FirstCause.String()
	}
	if !r.TorqueOff {
		s.TorqueNote = "not every servo confirmed torque-off; servos that hear nothing stop by their own bus watchdog within 0.2 s and hold"
	}
	s.Notes = append(s.Notes, r.Notes...)
}

// judge ends the simulator and takes over what really happened; sim is nil on
// hardware.
func judge(s *record.Stats, sim *simulator) {
	if sim == nil {
		return
	}
	if s.Truth = sim.stop(); s.Truth == nil {
		s.Notes = append(s.Notes, "the simulator died: "+sim.complaint(nil))
		return
	}
	s.Fell = s.Fell || s.Truth.Fell
}
