package record

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// StatsSchema is the schema of stats.json that this package writes.
const StatsSchema = 1

// Stats is stats.json, what robotd counted from its start to torque-off:
// docs/formats/stats.md.
type Stats struct {
	Schema      int          `json:"schema"`
	Robot       string       `json:"robot"`
	RobotHash   string       `json:"robot_hash"` // SHA-256 of the description
	Policy      string       `json:"policy,omitempty"`
	PolicyHash  string       `json:"policy_hash,omitempty"` // SHA-256 of the bundle
	Sim         bool         `json:"sim"`
	RateHz      int          `json:"rate_hz"`
	Servos      int          `json:"servos"`
	Ticks       int64        `json:"ticks"`
	MissedTicks int64        `json:"missed_ticks"` // not among Ticks
	LatenessUs  Spread       `json:"lateness_us"`  // of the wake-up against the tick's deadline
	BusUs       Spread       `json:"bus_us"`       // from the start of a tick until all state was read
	PolicyUs    Spread       `json:"policy_us"`    // one decision
	BusErrors   uint64       `json:"bus_errors"`
	BusPartial  int64        `json:"bus_partial_ticks"` // ticks in which some servo did not answer
	BusLost     int64        `json:"bus_lost_ticks"`    // ticks in which the port was gone
	PolicyBad   int64        `json:"policy_faults"`
	Stops       int64        `json:"watchdog_stops"` // servos stopped by their own watchdog and taken up again
	Guard       GuardCounts  `json:"guard"`
	Plays       int          `json:"plays"`
	Armed       int64        `json:"armed"`
	Fell        bool         `json:"fell"`
	MaxTiltRad  float64      `json:"max_tilt_rad"`
	MaxTempC    float64      `json:"max_temp_c"`
	MaxWindingC float64      `json:"max_winding_c"`
	MinSupplyV  float64      `json:"min_supply_v"`
	Energy      *Energy      `json:"energy,omitempty"`
	Transitions []Transition `json:"transitions"`
	EndState    string       `json:"end_state"`
	Cause       string       `json:"cause,omitempty"` // what first took the robot out of normal operation
	TorqueOff   bool         `json:"torque_off"`      // confirmed by every servo
	TorqueNote  string       `json:"torque_note,omitempty"`
	Recording   string       `json:"recording,omitempty"` // the latest file
	Dropped     uint64       `json:"recording_dropped_ticks"`
	Truth       *Verdict     `json:"sim_truth,omitempty"` // nil on hardware, or when the simulator died
	Notes       []string     `json:"notes,omitempty"`

	RecordingFiles int `json:"recording_files,omitempty"` // begun
	Reconnects     int `json:"reconnects,omitempty"`      // times that the servos were gone and came back; counts are since the latest

	// Failsafes are the numbers in force that decide when robotd acts by itself: docs/settings.md.
	Failsafes map[string]float64 `json:"failsafes,omitempty"`
}

// Spread holds quantiles of a duration in microseconds.
type Spread struct {
	P50  int64 `json:"p50"`
	P99  int64 `json:"p99"`
	P999 int64 `json:"p999"`
	Max  int64 `json:"max"`
}

// GuardCounts says how often the guard changed a command, in joint-ticks.
type GuardCounts struct {
	NotFinite uint64 `json:"not_finite"`
	Range     uint64 `json:"range"`
	Speed     uint64 `json:"speed"`
	Accel     uint64 `json:"accel"`
}

// Transition is one change of robotd's operating state.
type Transition struct {
	AtS    float64 `json:"at_s"` // since the first tick
	From   string  `json:"from"`
	To     string  `json:"to"`
	Why    string  `json:"why"`
	Detail string  `json:"detail,omitempty"` // which joints, values and limits
}

// Save writes the file. Files are passed on: where the recording lies on this
// machine is nobody's business, so that only its name is kept.
func (s *Stats) Save(name string) error {
	if s.Recording != "" {
		s.Recording = filepath.Base(s.Recording)
	}
	return save(name, s)
}

// LoadStats reads a stats.json.
func LoadStats(name string) (*Stats, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s := &Stats{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if s.Schema != StatsSchema {
		return nil, fmt.Errorf("%s: schema %d is unknown; legal: %d", name, s.Schema, StatsSchema)
	}
	return s, nil
}

// Brief is what the summary of the path keeps of a flight.
func (s *Stats) Brief() Robotd {
	return Robotd{
		Ticks: s.Ticks, MissedTicks: s.MissedTicks, RateHz: s.RateHz, BusErrors: s.BusErrors, LatenessUs: s.LatenessUs,
		Fell: s.Fell, EndState: s.EndState, TorqueOff: s.TorqueOff,
	}
}
