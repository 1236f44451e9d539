package flight

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/record"
)

func spreadOf(h *clock.Histogram) record.Spread {
	return record.Spread{P50: h.QuantileUs(0.5), P99: h.QuantileUs(0.99), P999: h.QuantileUs(0.999), Max: h.MaxUs()}
}

// Fill takes over into s what the loop counted.
func Fill(s *record.Stats, r *loop.Stats) {
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
		s.TorqueNote = "not every servo confirmed torque-off; " +
			"servos that hear nothing stop by their own bus watchdog within 0.2 s and hold"
	}
	s.Notes = append(s.Notes, r.Notes...)
}

// Outcome is nil for a flight that ended disarmed with torque off and that no failsafe
// ended, and says otherwise how it ended.
func Outcome(s *record.Stats) error {
	switch {
	case s.Cause != "":
		return fmt.Errorf("ended by a failsafe: %s", s.Cause)
	case s.EndState != mode.Disarmed.String():
		return fmt.Errorf("ended in state %s", s.EndState)
	case !s.TorqueOff:
		return errors.New("ended without every servo confirming torque-off")
	}
	return nil
}
