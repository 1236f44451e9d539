package record

// Verdict is the last line that the simulated robot ("mitori bus emulate") prints:
// what really happened to it, whatever robotd believes. docs/formats/bus-emulation.md.
type Verdict struct {
	Fell         bool    `json:"fell"`
	FellAtS      float64 `json:"fell_at_s"` // on the simulator's clock; 0 if it did not fall
	FreeS        float64 `json:"free_s"`    // time on its own feet
	MinHeightM   float64 `json:"min_height_m"`
	MaxTiltRad   float64 `json:"max_tilt_rad"`
	TrunkHeightM float64 `json:"trunk_height_m"` // at the end
	TiltRad      float64 `json:"tilt_rad"`       // at the end
	SimS         float64 `json:"sim_s"`
	StandHeightM float64 `json:"stand_height_m"`
	TorqueOn     int     `json:"torque_on"` // servos that still have torque
	Packets      uint64  `json:"packets"`
	LostS        float64 `json:"lost_s"` // wall time that the machine was too slow to simulate
}
