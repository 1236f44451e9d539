package record

import (
	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/rate"
)

// SummarySchema is the schema of summary.json that this package writes.
const SummarySchema = 1

// Summary is summary.json, what "mitori learn" measured from the video to the
// flight: docs/formats/summary.md. Absent stages are zero or nil.
type Summary struct {
	Schema   int                `json:"schema"` // 1
	Video    string             `json:"video"`
	Robot    string             `json:"robot"`
	Seed     uint64             `json:"seed"`
	Frames   int                `json:"frames"`
	Extract  Extract            `json:"extract"`
	Truth    *Truth             `json:"truth,omitempty"` // only where the exact motion is known
	Retarget Retarget           `json:"retarget"`
	Check    Check              `json:"check"`
	Train    Train              `json:"train"`
	Eval     Eval               `json:"eval"`
	Robotd   Robotd             `json:"robotd"`
	Feet     Feet               `json:"feet"`
	Machine  Machine            `json:"machine"`
	StageS   map[string]float64 `json:"stage_wall_s"`
	TotalS   float64            `json:"total_wall_s"`
	Outcome  string             `json:"outcome"` // "learned" or why not
	Notes    []string           `json:"notes"`
}

// Extract describes the stage from video to human motion.
type Extract struct {
	FPS          float64 `json:"fps"` // frames a second of wall time, decoding included
	FramesMissed int     `json:"frames_missed"`
	Runtime      string  `json:"runtime"`
	Model        string  `json:"model"`
	VideoFPS     float64 `json:"video_fps"`
	Seconds      float64 `json:"seconds"` // of video
	// Verdict is good, doubtful or refused; Unseen are parts of the body that the
	// camera did not see, and when; Warnings are sentences.
	Verdict  string         `json:"verdict"`
	Unseen   []human.Unseen `json:"unseen"`
	Warnings []string       `json:"warnings"`
}

// Truth compares the extracted motion with the exact one.
type Truth struct {
	JointAngleDeg float64 `json:"joint_angle_deg"` // mean, rotations relative to the parent segment
	JointSwingDeg float64 `json:"joint_swing_deg"` // the same without the turn about the bone itself
	MPJPEmm       float64 `json:"mpjpe_mm"`        // root-aligned
	RootCm        float64 `json:"root_cm"`         // mean root position error
}

// Retarget describes the stage from human motion to reference motion.
type Retarget struct {
	FPS                  float64 `json:"fps"`
	JointLimitViolations int     `json:"joint_limit_violations"`
	SpeedLimitViolations int     `json:"speed_limit_violations"`
	Frames               int     `json:"frames"`
	Seconds              float64 `json:"seconds"`
	FootSlidingFraction  float64 `json:"foot_sliding_fraction"`
	PenetrationFraction  float64 `json:"penetration_fraction"`
	DirectionErrorDeg    float64 `json:"direction_error_deg"` // limb directions, robot against person
	// Verdict says whether it is still the person's motion: "the motion", "the motion, changed", "no longer the motion".
	Verdict         string   `json:"verdict"`
	Reasons         []string `json:"reasons"`
	HeadingErrorDeg float64  `json:"heading_error_deg"` // worst, robot's turn against the person's
	PathErrorLegs   float64  `json:"path_error_legs"`   // worst, way over the floor, leg lengths
	HeightErrorLegs float64  `json:"height_error_legs"` // worst, of the hips
	PostureErrorDeg float64  `json:"posture_error_deg"` // worst mean over limbs and trunk
	TimeStretch     float64  `json:"time_stretch"`      // times as long as asked for
	// Notes say in words what was changed for the robot.
	Notes []string `json:"notes"`
}

// Check is the feasibility verdict before training.
type Check struct {
	Verdict string   `json:"verdict"`
	Reasons []string `json:"reasons"`
}

// Train describes the learning stage.
type Train struct {
	WallS        float64 `json:"wall_s"`
	ControlSteps int64   `json:"control_steps"`
	StepsPerS    float64 `json:"control_steps_per_s"`
	Method       string  `json:"method"`
}

// CardLine is one line of the robustness card.
type CardLine struct {
	Name         string     `json:"name"`
	Text         string     `json:"text"`
	Episodes     int        `json:"episodes"`
	Survived     int        `json:"survived"`
	SurvivalRate float64    `json:"survival_rate"`
	SurvivalCI95 [2]float64 `json:"survival_ci95"`
	JointMAERad  float64    `json:"joint_mae_rad"`

	BaselineSurvived    int     `json:"baseline_playback_survived"`
	BaselineJointMAERad float64 `json:"baseline_playback_joint_mae_rad"`
}

// Survival is how many episodes were survived.
func (c CardLine) Survival() rate.Rate { return rate.Rate{Hits: c.Survived, Trials: c.Episodes} }

// Eval is the verdict of the hard test set.
type Eval struct {
	Episodes     int        `json:"episodes"`
	Survived     int        `json:"survived"`
	SurvivalRate float64    `json:"survival_rate"`
	SurvivalCI95 [2]float64 `json:"survival_ci95"` // exact 95 % interval
	JointMAERad  float64    `json:"joint_mae_rad"`
	MPJPELocalMm float64    `json:"mpjpe_local_mm"`

	// The same worlds with the reference played back.
	BaselineSurvived    int        `json:"baseline_playback_survived"`
	BaselineSurvival    float64    `json:"baseline_playback_survival_rate"`
	BaselineCI95        [2]float64 `json:"baseline_playback_survival_ci95"`
	BaselineJointMAERad float64    `json:"baseline_playback_joint_mae_rad"`
	BaselineMPJPEMm     float64    `json:"baseline_playback_mpjpe_local_mm"`

	Rule string     `json:"rule"`
	Card []CardLine `json:"card"`
}

// Survival is how many episodes were survived.
func (e Eval) Survival() rate.Rate { return rate.Rate{Hits: e.Survived, Trials: e.Episodes} }

// Baseline is how many episodes were survived by plain playback.
func (e Eval) Baseline() rate.Rate { return rate.Rate{Hits: e.BaselineSurvived, Trials: e.Episodes} }

// Robotd is what the daemon measured on the emulated bus: [Stats.Brief].
type Robotd struct {
	Ticks       int64  `json:"ticks"`
	MissedTicks int64  `json:"missed_ticks"`
	RateHz      int    `json:"rate_hz"`
	BusErrors   uint64 `json:"bus_errors"`
	LatenessUs  Spread `json:"lateness_us"`
	Fell        bool   `json:"fell"`
	EndState    string `json:"end_state"`
	TorqueOff   bool   `json:"torque_off"`
}

// Feet is what the feet did, from the person to the robot. Truth is nil where the
// exact motion is not known.
type Feet struct {
	Truth     *gait.Figures `json:"truth,omitempty"`
	Person    *gait.Figures `json:"person"`    // as seen in the video
	Reference *gait.Figures `json:"reference"` // what the robot should do
	Robot     *gait.Figures `json:"robot"`     // what it did under robotd
	Findings  []string      `json:"findings"`  // sentences
}

// Machine says where the figures were measured.
type Machine struct {
	Cores    int               `json:"cores"`
	CPU      string            `json:"cpu"`
	OS       string            `json:"os"`
	BLASCore string            `json:"blas_core"`
	Versions map[string]string `json:"versions"`
}

// Save writes summary.json.
func (s *Summary) Save(name string) error {
	s.Schema = SummarySchema
	return save(name, s)
}
