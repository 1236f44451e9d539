package record

import "time"

// Status is the robot's state as robotd tells it: the retained message on the
// topic "state" and the lines of --json. docs/formats/mqtt.md.
type Status struct {
	Online     bool      `json:"online"`
	Instance   string    `json:"instance,omitempty"` // of robotd: two robots of one name differ in it
	State      string    `json:"state"`
	Lease      string    `json:"lease,omitempty"` // who holds the operator's lease
	Tick       int64     `json:"tick"`
	Missed     int64     `json:"missed_ticks"`
	LateP99Us  int64     `json:"late_p99_us"` // of the present second
	BusErrors  uint64    `json:"bus_errors"`
	SupplyV    float64   `json:"supply_v"`
	MaxTempC   float64   `json:"max_temp_c"`
	TiltRad    float64   `json:"tilt_rad"`
	Phase      float64   `json:"phase"`            // of the motion, 0 to 1
	Motion     string    `json:"motion,omitempty"` // playing, finishing; empty: none
	TorqueOff  bool      `json:"torque_off"`       // confirmed by every servo
	Energy     *Energy   `json:"energy,omitempty"`
	Derated    []Derated `json:"derated,omitempty"` // joints that are held back for their heat
	Conditions string    `json:"conditions,omitempty"`
	NotReady   string    `json:"not_ready,omitempty"` // failing arming checks
	PosRad     []float64 `json:"pos_rad,omitempty"`   // measured, in the order of the description
}

// Derated is one joint that may use a part of its torque or speed only.
type Derated struct {
	Joint       string  `json:"joint"`
	TorqueShare float64 `json:"torque_share"` // 0 to 1
	SpeedShare  float64 `json:"speed_share"`
}

// Energy says how far battery and motors go. What is not known, or has no limit in sight, is
// absent.
type Energy struct {
	ChargeShare      *float64 `json:"charge_share,omitempty"`       // of the battery, 0 to 1
	ChargeErrorShare *float64 `json:"charge_error_share,omitempty"` // so far off it may be, either way
	ChargeLeftMin    *float64 `json:"charge_left_min,omitempty"`    // at worst, until the robot settles
	HeatLeftMin      *float64 `json:"heat_left_min,omitempty"`      // until HeatJoint is at its limit
	HeatJoint        string   `json:"heat_joint,omitempty"`
}

// Event is one change of the operating state, or of a warning, on the topic "event".
type Event struct {
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Why     string    `json:"why"`
	Detail  string    `json:"detail,omitempty"`  // which joints, values and limits
	Warning string    `json:"warning,omitempty"` // raised, over: why is a condition that only warns
}
