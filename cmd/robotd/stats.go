package main

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/atomicfile"
)

// stats is the file that --stats writes; docs/formats/stats.md describes it.
type stats struct {
	Schema      int          `json:"schema"`
	Robot       string       `json:"robot"`
	RobotHash   string       `json:"robot_hash"`
	Policy      string       `json:"policy,omitempty"`
	PolicyHash  string       `json:"policy_hash,omitempty"`
	Sim         bool         `json:"sim"`
	RateHz      int          `json:"rate_hz"`
	Servos      int          `json:"servos"`
	Ticks       int64        `json:"ticks"`
	MissedTicks int64        `json:"missed_ticks"`
	LatenessUs  spread       `json:"lateness_us"`
	BusUs       spread       `json:"bus_us"`    // from the start of a tick until all state was read
	PolicyUs    spread       `json:"policy_us"` // one decision
	BusErrors   uint64       `json:"bus_errors"`
	BusPartial  int64        `json:"bus_partial_ticks"` // ticks in which some servo did not answer
	BusLost     int64        `json:"bus_lost_ticks"`    // ticks in which the port was gone
	PolicyBad   int64        `json:"policy_faults"`
	Stops       int64        `json:"watchdog_stops"` // servos stopped by their own watchdog and were taken up again
	Guard       guard.Counts `json:"guard"`
	Plays       int          `json:"plays"`
	Armed       int64        `json:"armed"`
	Fell        bool         `json:"fell"`
	MaxTiltRad  float64      `json:"max_tilt_rad"`
	MaxTempC    float64      `json:"max_temp_c"`
	MaxWindingC float64      `json:"max_winding_c"`
	MinSupplyV  float64      `json:"min_supply_v"`
	Transitions []transition `json:"transitions"`
	EndState    string       `json:"end_state"`
	Cause       string       `json:"cause,omitempty"` // what first took the robot out of normal operation
	TorqueOff   bool         `json:"torque_off"`      // confirmed by every servo
	TorqueNote  string       `json:"torque_note,omitempty"`
	Recording   string       `json:"recording,omitempty"`
	Dropped     uint64       `json:"recording_dropped_ticks"`
	Truth       *verdict     `json:"sim_truth,omitempty"`
	Notes       []string     `json:"notes,omitempty"`
}

// spread holds quantiles of a duration.
type spread struct {
	P50  int64 `json:"p50"`
	P99  int64 `json:"p99"`
	P999 int64 `json:"p999"`
	Max  int64 `json:"max"`
}

// transition is one change of the operating state.
type transition struct {
	AtS  float64 `json:"at_s"` // since the first tick
	From string  `json:"from"`
	To   string  `json:"to"`
	Why  string  `json:"why"`
}

func spreadOf(h *clock.Histogram) spread {
	return spread{P50: h.QuantileUs(0.5), P99: h.QuantileUs(0.99), P999: h.QuantileUs(0.999), Max: h.MaxUs()}
}

// fill takes over what the loop counted.
func (s *stats) fill(r *loop.Stats) {
	s.RateHz, s.Servos, s.Ticks, s.MissedTicks = r.RateHz, r.Joints, r.Ticks, r.Missed
	s.LatenessUs, s.BusUs, s.PolicyUs = spreadOf(&r.Lateness), spreadOf(&r.BusTime), spreadOf(&r.ActTime)
	s.BusErrors, s.BusPartial, s.BusLost, s.PolicyBad = r.BusFailures, r.PartialReads, r.LostReads, r.PolicyFaults
	s.Stops = r.TakenUp
	s.Guard, s.Armed, s.Fell = r.Guard, r.Armed, r.Fell
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
func (s *stats) judge(sim *simulator) {
	if sim == nil {
		return
	}
	if s.Truth = sim.stop(); s.Truth == nil {
		s.Notes = append(s.Notes, "the simulator died: "+sim.complaint(nil))
		return
	}
	s.Fell = s.Fell || s.Truth.Fell
}

// save writes the file. Files are passed on: where the recording lies on this
// machine is nobody's business.
func (s *stats) save(name string) error {
	if s.Recording != "" {
		s.Recording = filepath.Base(s.Recording)
	}
	return atomicfile.Write(name, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	})
}
