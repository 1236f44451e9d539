// Package preflight looks at a robot before it is driven, and changes nothing: what each
// servo is and holds, what would be refused and what would be set, what the sensors say,
// and which arming checks pass.
//
// It judges with what flies: the driver's own inspection, the monitor of package guard,
// the words of package explain. What is not here: opening buses, and anything that
// moves. Look belongs to one goroutine; a Report is a value.
package preflight

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

// Report is what was found. Angles are of the joint: sign and offset are in.
type Report struct {
	Robot     string   `json:"robot"`
	RobotHash string   `json:"robot_hash"`
	Ready     bool     `json:"ready"`  // it could be armed
	Faults    []string `json:"faults"` // why robotd would not start, of what is no joint's
	Changes   []string `json:"changes"`
	Joints    []Joint  `json:"joints"`
	IMU       IMU      `json:"imu"`
	SupplyV   *float64 `json:"supply_v"` // the lowest; nil: not known
	Exchanges uint64   `json:"exchanges"`
	Failed    uint64   `json:"failed_exchanges"`
	Checks    []Check  `json:"checks"`
}

// Joint is one joint and its servo. Pointers are nil where nothing is known.
type Joint struct {
	Joint     string   `json:"joint"`
	ID        int      `json:"id"`
	Bus       string   `json:"bus"`
	Answers   bool     `json:"answers"`
	Model     uint16   `json:"model"`
	ModelName string   `json:"model_name"`
	Firmware  uint8    `json:"firmware"`
	PosRad    *float64 `json:"pos_rad"`
	PosDeg    *float64 `json:"pos_deg"`
	MinRad    float64  `json:"min_rad"`
	MaxRad    float64  `json:"max_rad"`
	InRange   bool     `json:"in_range"`
	Sign      float64  `json:"sign"`
	OffsetRad float64  `json:"offset_rad"`
	TempC     *float64 `json:"temp_c"`
	WarmC     float64  `json:"warm_c"` // from which on it is warm
	BusV      *float64 `json:"bus_v"`
	CurrentA  *float64 `json:"current_a"`
	Torque    bool     `json:"torque"`
	Errors    uint8    `json:"errors"`
	ErrorText string   `json:"error_names"`
	Missed    int      `json:"missed_reads"` // of Reads
	Reads     int      `json:"reads"`
	Faults    []string `json:"faults"`  // why robotd would not start
	Changes   []string `json:"changes"` // what robotd would set
}

// IMU is the inertial sensor.
type IMU struct {
	Fitted  bool     `json:"fitted"` // the robot has one
	Answers bool     `json:"answers"`
	TiltRad *float64 `json:"tilt_rad"`
	Buttons uint8    `json:"buttons"`
}

// Check is one arming check.
type Check struct {
	Name   string `json:"name"`
	State  string `json:"state"` // OK, Fails or Later
	Detail string `json:"detail,omitempty"`
}

// What a Check can say.
const (
	OK    = "ok"
	Fails = "fails"
	Later = "later" // only a running loop can tell
)

// Look surveys the robot behind drv, then reads it for a round of slow registers. rest
// waits for one period of the loop. The error is for a port that is gone.
func Look(ctx context.Context, d *robot.Description, cfg *loop.Config, drv driver.Surveyor, rest func()) (*Report, error) {
	survey, err := drv.Survey(ctx)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Robot: d.Name, RobotHash: d.Hash, Faults: listed(survey.Faults), Changes: listed(survey.Changes),
		IMU: IMU{Fitted: d.IMU.Bus != "", Answers: survey.IMU},
	}
	for j := range d.Joints {
		r.Joints = append(r.Joints, jointOf(d, cfg, j, &survey.Servos[j]))
	}
	sample, failing, err := r.watch(ctx, cfg, drv, rest)
	if err != nil {
		return r, err
	}
	r.measured(cfg, sample)
	r.judge(d, cfg, sample, failing)
	return r, nil
}

// listed is a list that JSON shows even when it is empty.
func listed(texts []string) []string { return append([]string{}, texts...) }

func jointOf(d *robot.Description, cfg *loop.Config, j int, f *driver.Finding) Joint {
	jt := &d.Joints[j]
	name := "unknown model"
	if t, ok := servos.Shipped().Model(d.BusNamed(jt.Bus).Protocol, f.Model); ok {
		name = t.Title
	}
	if !f.Answers {
		name = ""
	}
	return Joint{
		Joint: jt.Name, ID: jt.ID, Bus: jt.Bus, Answers: f.Answers, Model: f.Model, ModelName: name, Firmware: f.Firmware,
		MinRad: jt.MinRad, MaxRad: jt.MaxRad, Sign: jt.Sign, OffsetRad: jt.OffsetRad, WarmC: cfg.Health[j].TempWarnC,
		Torque: f.Torque, Faults: listed(f.Faults), Changes: listed(f.Changes),
	}
}

// watch reads until every slow register has had its turn, judging as the loop would.
func (r *Report) watch(ctx context.Context, cfg *loop.Config, drv driver.Surveyor, rest func()) (*trace.Sample, mode.Checks, error) {
	n := len(cfg.Limits)
	mon := guard.NewMonitor(cfg.Health, cfg.Thresholds, 1/float64(cfg.RateHz))
	ring := trace.NewRing(1, n)
	s := ring.Reserve()
	var failing mode.Checks
	for reads := 0; reads < driver.SlowRound(n)+n || reads < rounds*driver.SlowRound(n) && r.unread(&s.Robot); reads++ {
		if err := ctx.Err(); err != nil {
			return s, 0, err
		}
		err := drv.Read(&s.Robot)
		for j, age := range s.Robot.SlowAgeS {
			if !math.IsInf(age, 1) {
				s.Robot.SlowAgeS[j] = 0 // how long a look takes says nothing of the loop
			}
		}
		s.Conditions = mon.Observe(guard.Observation{State: &s.Robot, ReadErr: err, GoalRad: s.Robot.PosRad})
		failing = mon.Checks(&s.Robot, s.Conditions, cfg.Limits)
		for j := range r.Joints {
			if r.Joints[j].Reads++; !s.Robot.Fresh[j] {
				r.Joints[j].Missed++
			}
		}
		rest()
	}
	copy(s.WindingC, mon.WindingC())
	s.TiltRad, s.SupplyV = mon.TiltRad(), mon.SupplyV()
	return s, failing, nil
}

// rounds is for how many rounds a slow register of a servo that answers is waited for.
const rounds = 3

// unread reports whether a servo that answers has slow registers that were never read.
func (r *Report) unread(s *driver.State) bool {
	for j := range r.Joints {
		if r.Joints[j].Answers && (math.IsNaN(s.TempC[j]) || math.IsNaN(s.BusV[j])) {
			return true
		}
	}
	return false
}

// measured takes over what was read last.
func (r *Report) measured(cfg *loop.Config, s *trace.Sample) {
	known := func(v float64, yes bool) *float64 {
		if !yes || math.IsNaN(v) {
			return nil
		}
		return &v
	}
	for j := range r.Joints {
		x, heard := &r.Joints[j], !math.IsInf(s.Robot.AgeS[j], 1)
		q := s.Robot.PosRad[j]
		x.PosRad, x.PosDeg = known(q, heard), known(q*180/math.Pi, heard)
		slack := cfg.Thresholds.EncoderSlack
		x.InRange = heard && q >= x.MinRad-slack && q <= x.MaxRad+slack
		x.TempC, x.BusV, x.CurrentA = known(s.Robot.TempC[j], true), known(s.Robot.BusV[j],
			true), known(s.Robot.CurrentA[j], heard)
		x.Torque = x.Torque || s.Robot.TorqueOn[j]
		if x.Errors = s.Robot.Alert[j]; x.Errors != 0 {
			x.ErrorText = dxl.HardwareError(x.Errors).String()
		}
	}
	r.SupplyV = known(s.SupplyV, s.SupplyV > 0)
	r.IMU.TiltRad = known(s.TiltRad, r.IMU.Answers && s.Robot.IMUFresh)
	r.IMU.Buttons = s.Robot.Buttons
	r.Exchanges, r.Failed = s.Robot.Transactions, s.Robot.Failures
}

// judge fills in the arming checks and whether the robot could be armed.
func (r *Report) judge(d *robot.Description, cfg *loop.Config, s *trace.Sample, failing mode.Checks) {
	words := &explain.Robot{Joints: d.Joints, Limits: cfg.Limits, Health: cfg.Health, Thresholds: cfg.Thresholds,
		RateHz: cfg.RateHz}
	for j := range r.Joints {
		if r.Joints[j].Torque {
			failing.Set(mode.CheckTorqueOff, true)
		}
	}
	r.Ready = failing == 0 && len(r.Faults) == 0
	for j := range r.Joints {
		r.Ready = r.Ready && len(r.Joints[j].Faults) == 0
	}
	for c := range mode.AllChecks() {
		k := Check{Name: c.String(), State: OK, Detail: r.value(c, cfg)}
		switch {
		case failing.Has(c):
			var one mode.Checks
			one.Set(c, true)
			k.State, k.Detail = Fails, strings.TrimPrefix(strings.TrimPrefix(words.Checks(one, s), k.Name), ": ")
		case slices.Contains([]mode.Check{mode.CheckRecorder, mode.CheckRealtime, mode.CheckName}, c):
			k.State, k.Detail = Later, "only a running loop can tell"
		}
		r.Checks = append(r.Checks, k)
	}
}

// value says by how much a check passes, where that is a number.
func (r *Report) value(c mode.Check, cfg *loop.Config) string {
	switch c {
	case mode.CheckUpright:
		if r.IMU.TiltRad != nil {
			return fmt.Sprintf("tilt %.2f rad, legal up to %.2f", *r.IMU.TiltRad, cfg.Thresholds.UprightRad)
		}
	case mode.CheckVoltage:
		if r.SupplyV != nil {
			return fmt.Sprintf("%.2f V, legal from %.2f", *r.SupplyV, cfg.Thresholds.WarnV)
		}
	case mode.CheckTemperature:
		hot := slices.MaxFunc(r.Joints, func(a, b Joint) int { return cmp.Compare(hotness(&a), hotness(&b)) })
		if hot.TempC != nil {
			return fmt.Sprintf("highest is servo %d (%s) at %.0f C, legal below %.0f", hot.ID, hot.Joint, *hot.TempC,
				hot.WarmC)
		}
	case mode.CheckFresh:
		return fmt.Sprintf("%d of %d exchanges failed", r.Failed, r.Exchanges)
	}
	return ""
}

func hotness(j *Joint) float64 {
	if j.TempC == nil {
		return -1
	}
	return *j.TempC
}
