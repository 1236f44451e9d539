package eval

import (
	"encoding/json"
	"io"
	"math"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// Metrics are means over episodes; tracking is measured up to the fall.
type Metrics struct {
	Episodes        int        `json:"episodes"`
	Survived        int        `json:"survived"`      // episodes
	SurvivalRate    float64    `json:"survival_rate"` // survived of episodes
	SurvivalCI95    [2]float64 `json:"survival_ci95"` // exact 95 % interval of the rate
	StrictlyTracked int        `json:"strictly_tracked"`
	StrictRate      float64    `json:"strict_rate"`
	StrictCI95      [2]float64 `json:"strict_ci95"`
	MeanTimeToFallS *float64   `json:"mean_time_to_fall_s"` // over the falls; null when there were none
	Stopped         int        `json:"stopped"`             // episodes that robotd would have ended, falls included

	JointMAERad      float64 `json:"joint_mae_rad"`
	MPJPELocalMm     float64 `json:"mpjpe_local_mm"`
	RootErrorCm      float64 `json:"root_error_cm"`
	YawDriftDeg      float64 `json:"yaw_drift_deg"` // at the end
	TiltDeg          float64 `json:"tilt_deg"`
	TiltMaxDeg       float64 `json:"tilt_max_deg"` // largest of all episodes
	FootSlipMPerS    float64 `json:"foot_slip_m_s"`
	ContactAgreement float64 `json:"contact_agreement"`
	TorqueRMSNm      float64 `json:"torque_rms_nm"`
	TorqueAtLimit    float64 `json:"torque_at_limit"`  // share of joint time
	ActionRate       float64 `json:"action_rate_rad2"` // mean squared change of a joint's target in a period
	OverSpeed        float64 `json:"over_speed"`       // share of joint time above the speed limit
	WorkJ            float64 `json:"work_j"`

	GuardCommands int     `json:"guard_commands"` // joint targets that the guard was given
	GuardChanged  int     `json:"guard_changed"`  // of them, how many it changed
	GuardMaxRad   float64 `json:"guard_max_rad"`  // by how much at most
}

// Survival is how many episodes were survived.
func (m *Metrics) Survival() rate.Rate { return rate.Rate{Hits: m.Survived, Trials: m.Episodes} }

// Strictly is how many were tracked strictly.
func (m *Metrics) Strictly() rate.Rate { return rate.Rate{Hits: m.StrictlyTracked, Trials: m.Episodes} }

// Dynamics is what was drawn for an episode.
type Dynamics struct {
	Friction    float64 `json:"friction"`
	MassScale   float64 `json:"mass_scale"`
	GainScale   float64 `json:"gain_scale"`
	TorqueScale float64 `json:"torque_scale"`
	DelayS      float64 `json:"delay_s"`
	FirstPushS  float64 `json:"first_push_s,omitempty"`
}

// Episode is one played episode.
type Episode struct {
	Index          int      `json:"index"`
	Seed           uint64   `json:"seed"`
	Clip           int      `json:"clip"`
	Dynamics       Dynamics `json:"dynamics"`
	Fell           bool     `json:"fell"`
	Stopped        string   `json:"stopped,omitempty"` // why robotd would have ended the motion
	Strict         bool     `json:"strict"`
	TimeS          float64  `json:"time_s"`                   // until the fall, the stop or the end
	FallPhase      float64  `json:"fall_phase,omitempty"`     // 0 start of the motion, 1 its end
	FallDirection  string   `json:"fall_direction,omitempty"` // forward, backward, left, right, down
	JointMAERad    float64  `json:"joint_mae_rad"`
	MPJPELocalMm   float64  `json:"mpjpe_local_mm"`
	RootErrorCm    float64  `json:"root_error_cm"`
	RootErrorMaxCm float64  `json:"root_error_max_cm"`
	YawDriftDeg    float64  `json:"yaw_drift_deg"`
	TiltDeg        float64  `json:"tilt_deg"`
	TiltMaxDeg     float64  `json:"tilt_max_deg"`

	FootSlipMPerS    float64 `json:"foot_slip_m_s"`
	ContactAgreement float64 `json:"contact_agreement"`
	TorqueRMSNm      float64 `json:"torque_rms_nm"`
	TorqueAtLimit    float64 `json:"torque_at_limit"`
	ActionRate       float64 `json:"action_rate_rad2"`
	OverSpeed        float64 `json:"over_speed"`
	WorkJ            float64 `json:"work_j"`

	GuardCommands int     `json:"guard_commands"`
	GuardChanged  int     `json:"guard_changed"`
	GuardMaxRad   float64 `json:"guard_max_rad"`
}

// Survived says whether the robot was on its feet at the end, with robotd still
// playing.
func (e *Episode) Survived() bool { return !e.Fell && e.Stopped == "" }

// CardLine is one line of the robustness card.
type CardLine struct {
	Name string `json:"name"`
	Text string `json:"text"`
	Metrics
	BaselinePlayback Metrics `json:"baseline_playback"`
}

// FallBins is the number of equal parts of the motion that falls are counted in.
const FallBins = 10

// Report is the verdict on a policy; it is what eval.json holds.
type Report struct {
	Schema     int    `json:"schema"` // 1
	Robot      string `json:"robot"`
	RobotHash  string `json:"robot_hash"`
	Physics    string `json:"physics"` // engine and version
	Rule       string `json:"rule"`
	StrictRule string `json:"strict_rule"`
	Condition  string `json:"condition"`
	Clips      int    `json:"clips"`
	FirstSeed  uint64 `json:"first_seed"`
	Metrics

	BaselinePlaybackSurvivalRate float64  `json:"baseline_playback_survival_rate"`
	BaselinePlayback             *Metrics `json:"baseline_playback"`

	FallPhases     []int          `json:"fall_phases"` // falls in each tenth of the motion
	FallDirections map[string]int `json:"fall_directions"`
	StopReasons    map[string]int `json:"stop_reasons"` // of the stopped episodes
	Card           []CardLine     `json:"robustness"`
	Results        []Episode      `json:"results"`
	BaselineFalls  []float64      `json:"baseline_fall_times_s"` // by episode; the motion's length where it did not fall
}

func newReport(t *Test, c Condition, results, base []Episode) *Report {
	b := summarise(base)
	r := &Report{
		Schema: 1, Robot: t.Robot.Desc.Name, RobotHash: t.Robot.Desc.Hash, Physics: "MuJoCo " + mujoco.Version(), Rule: Rule, StrictRule: StrictRule,
		Condition: c.Text, Clips: len(t.Refs), FirstSeed: t.Seed, Metrics: summarise(results),
		BaselinePlayback: &b, BaselinePlaybackSurvivalRate: b.SurvivalRate,
		FallPhases: make([]int, FallBins), FallDirections: map[string]int{}, StopReasons: map[string]int{}, Results: results,
	}
	for _, e := range results {
		if e.Fell {
			r.FallPhases[min(FallBins-1, int(e.FallPhase*FallBins))]++
			r.FallDirections[e.FallDirection]++
		}
		if e.Stopped != "" {
			r.StopReasons[e.Stopped]++
		}
	}
	for _, e := range base {
		r.BaselineFalls = append(r.BaselineFalls, e.TimeS)
	}
	return r
}

// summarise averages episodes. Rates are counted, and means divide a sum once, so
// that shares lie within 0 and 1 to the bit.
func summarise(eps []Episode) Metrics {
	m := Metrics{Episodes: len(eps)}
	fallS, falls := 0.0, 0
	for i := range eps {
		e := &eps[i]
		if e.Fell {
			fallS += e.TimeS
			falls++
		}
		if e.Survived() {
			m.Survived++
		}
		if e.Stopped != "" {
			m.Stopped++
		}
		m.GuardCommands += e.GuardCommands
		m.GuardChanged += e.GuardChanged
		m.GuardMaxRad = math.Max(m.GuardMaxRad, e.GuardMaxRad)
		if e.Strict {
			m.StrictlyTracked++
		}
		m.TiltMaxDeg = math.Max(m.TiltMaxDeg, e.TiltMaxDeg)
	}
	m.SurvivalRate, m.SurvivalCI95 = m.Survival().Share(), m.Survival().CI95()
	m.StrictRate, m.StrictCI95 = m.Strictly().Share(), m.Strictly().CI95()
	if falls > 0 {
		mean := fallS / float64(falls)
		m.MeanTimeToFallS = &mean
	}
	for _, mean := range []struct {
		to *float64
		of func(*Episode) float64
	}{
		{&m.JointMAERad, func(e *Episode) float64 { return e.JointMAERad }},
		{&m.MPJPELocalMm, func(e *Episode) float64 { return e.MPJPELocalMm }},
		{&m.RootErrorCm, func(e *Episode) float64 { return e.RootErrorCm }},
		{&m.YawDriftDeg, func(e *Episode) float64 { return e.YawDriftDeg }},
		{&m.TiltDeg, func(e *Episode) float64 { return e.TiltDeg }},
		{&m.FootSlipMPerS, func(e *Episode) float64 { return e.FootSlipMPerS }},
		{&m.ContactAgreement, func(e *Episode) float64 { return e.ContactAgreement }},
		{&m.TorqueRMSNm, func(e *Episode) float64 { return e.TorqueRMSNm }},
		{&m.TorqueAtLimit, func(e *Episode) float64 { return e.TorqueAtLimit }},
		{&m.ActionRate, func(e *Episode) float64 { return e.ActionRate }},
		{&m.OverSpeed, func(e *Episode) float64 { return e.OverSpeed }},
		{&m.WorkJ, func(e *Episode) float64 { return e.WorkJ }},
	} {
		for i := range eps {
			*mean.to += mean.of(&eps[i])
		}
		*mean.to /= math.Max(1, float64(len(eps)))
	}
	return m
}

// Save writes the report as indented JSON, completely or not at all.
func (r *Report) Save(name string) error {
	return atomicfile.Write(name, r.Encode)
}

// Encode writes the report as indented JSON.
func (r *Report) Encode(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
