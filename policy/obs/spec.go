// Package obs defines what a tracking policy sees and what its output means: the observation, the reference motion
// resampled to the policy's rate, and the map from network output to joint targets.
//
// Training, evaluation and the robot's daemon all use this one Builder, so they cannot differ. It uses only what a
// robot has: joint positions and speeds, gyro, direction of gravity, its own last command, and the reference motion
// with the time in it. Position in the room is not observed.
//
// A Spec and a Reference are read-only after they are made and may be shared; a Builder belongs to one goroutine.
// Observe and Target do not allocate.
package obs

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/robot"
)

// Version is the only version of Spec that this package builds.
const Version = 1

// Spec fixes the observation and the action map of one policy. It is stored in the bundle's manifest.
type Spec struct {
	Version    int      `json:"version"`
	JointNames []string `json:"joint_names"`
	PeriodS    float64  `json:"period_s"`
	// Frames is the number of measurements in the observation, the newest first, one period apart.
	Frames int `json:"frames"`
	// AheadS are the times at which the coming reference pose is shown, relative to the present one.
	AheadS []float64 `json:"ahead_s"`
	// PhaseHarmonics is the number of sine-cosine pairs of the time in the clip.
	PhaseHarmonics int `json:"phase_harmonics"`
	// SpeedScale and GyroScale bring rad/s to order one.
	SpeedScale float64 `json:"speed_scale"`
	GyroScale  float64 `json:"gyro_scale"`

	Action ActionMap `json:"action"`
}

// ActionMap turns network outputs into joint targets: target = reference pose + ScaleRad * output, kept within
// Min..MaxRad and within MaxStepRad of the previous target.
type ActionMap struct {
	ScaleRad   float64   `json:"scale_rad"`
	MinRad     []float64 `json:"min_rad"`
	MaxRad     []float64 `json:"max_rad"`
	MaxStepRad []float64 `json:"max_step_rad"`
}

// DefaultSpec gives the observation that mitori trains with, for a robot's joints, limits and rates.
func DefaultSpec(d *robot.Description) Spec {
	s := Spec{Version: Version, JointNames: d.JointNames(), PeriodS: 1 / d.PolicyRateHz, Frames: 3,
		AheadS: []float64{0.04, 0.1}, PhaseHarmonics: 4, SpeedScale: 0.1, GyroScale: 0.25,
		Action: ActionMap{ScaleRad: 0.25}}
	for _, j := range d.Joints {
		s.Action.MinRad = append(s.Action.MinRad, j.MinRad)
		s.Action.MaxRad = append(s.Action.MaxRad, j.MaxRad)
		s.Action.MaxStepRad = append(s.Action.MaxStepRad, j.SpeedLimitRadPerS*s.PeriodS)
	}
	return s
}

// Joints is the number of joints, and of actions.
func (s *Spec) Joints() int { return len(s.JointNames) }

// Dim is the length of an observation.
func (s *Spec) Dim() int {
	n := s.Joints()
	return s.Frames*s.frameDim() + n + n + len(s.AheadS)*n + 3 + 2*s.PhaseHarmonics
}

func (s *Spec) frameDim() int { return 2*s.Joints() + 6 }

// Validate reports the first thing that makes the spec unusable.
func (s *Spec) Validate() error {
	n := s.Joints()
	if s.Version != Version {
		return fmt.Errorf("obs: observation version is %d, this program builds version %d", s.Version, Version)
	}
	if n < 1 {
		return fmt.Errorf("obs: the spec names no joints")
	}
	if !(s.PeriodS >= 0.001 && s.PeriodS <= 1) {
		return fmt.Errorf("obs: period_s is %g, legal: 0.001 to 1", s.PeriodS)
	}
	if s.Frames < 1 || s.Frames > 100 || s.PhaseHarmonics < 0 || s.PhaseHarmonics > 100 || len(s.AheadS) > 100 {
		return fmt.Errorf("obs: frames is %d, phase_harmonics %d, ahead_s has %d entries; legal: 1 to 100, 0 to 100, 0 to 100",
			s.Frames, s.PhaseHarmonics, len(s.AheadS))
	}
	for _, a := range s.AheadS {
		if !(a >= 0 && a <= 10) {
			return fmt.Errorf("obs: ahead_s has %g, legal: 0 to 10", a)
		}
	}
	if !(s.SpeedScale > 0 && s.GyroScale > 0 && s.SpeedScale < 1e3 && s.GyroScale < 1e3) {
		return fmt.Errorf("obs: speed_scale is %g and gyro_scale %g, legal: above 0, below 1000", s.SpeedScale, s.GyroScale)
	}
	m := &s.Action
	if len(m.MinRad) != n || len(m.MaxRad) != n || len(m.MaxStepRad) != n {
		return fmt.Errorf("obs: action limits have %d, %d and %d entries, need one for each of the %d joints",
			len(m.MinRad), len(m.MaxRad), len(m.MaxStepRad), n)
	}
	if !(m.ScaleRad > 0 && m.ScaleRad <= math.Pi) {
		return fmt.Errorf("obs: action scale_rad is %g, legal: above 0, at most pi", m.ScaleRad)
	}
	for j, name := range s.JointNames {
		if !(m.MinRad[j] < m.MaxRad[j] && m.MinRad[j] > -100 && m.MaxRad[j] < 100 && m.MaxStepRad[j] > 0) {
			return fmt.Errorf("obs: joint %s: limits %g..%g rad, step %g rad; legal: min below max, step above 0",
				name, m.MinRad[j], m.MaxRad[j], m.MaxStepRad[j])
		}
	}
	return nil
}
