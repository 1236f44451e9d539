package retarget

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

// Thresholds of the artefact metrics, as holosoma's evaluation of retargeting uses them.
const (
	penetrationM = 0.01
	slidingMPerS = 0.01
	contactKeptM = 0.02
)

// Report says how good the result is and what had to be changed. Everything is measured on the finished clip.
type Report struct {
	Frames  int     `json:"frames"`
	WallS   float64 `json:"wall_s"`
	FPS     float64 `json:"fps"` // frames of the result per second of computing
	Seconds float64 `json:"seconds"`

	JointLimitViolations int     `json:"joint_limit_violations"` // frames x joints
	SpeedLimitViolations int     `json:"speed_limit_violations"`
	WorstSpeedShare      float64 `json:"worst_speed_share"` // of the speed limit

	PenetrationFraction   float64 `json:"penetration_fraction"` // frames with a foot deeper than 1 cm
	PenetrationDepthM     float64 `json:"penetration_depth_m"`
	FloatingFraction      float64 `json:"floating_fraction"`     // frames with no foot within 1 cm of the floor
	FootSlidingFraction   float64 `json:"foot_sliding_fraction"` // stance frames with a foot faster than 1 cm/s
	FootSlidingSpeedMPerS float64 `json:"foot_sliding_speed_m_s"`
	ContactPreservation   float64 `json:"contact_preservation"` // person's contacts that the robot has within 2 cm

	DirectionErrorDeg float64 `json:"direction_error_deg"` // mean over arms, legs and trunk
	Similarity        float64 `json:"similarity"`          // mean cosine of the same, 1 = same directions
	WorstBalanceM     float64 `json:"worst_balance_margin_m"`
	UnbalancedShare   float64 `json:"unbalanced_fraction"`

	TimeStretch float64 `json:"time_stretch"` // length over the length asked for
	FlightShare float64 `json:"flight_fraction"`
	TiltCut     int     `json:"tilt_cut_frames"`
	StepIn      bool    `json:"step_in_lead_in"`
	StepOut     bool    `json:"step_in_lead_out"`
	MovedSteps  int     `json:"moved_steps"`
	Unsolved    int     `json:"unsolved_frames"`
	// Shares of the person's motion in which both legs, or an arm, were not seen.
	LegsUnseen float64    `json:"legs_unseen_fraction"`
	ArmsUnseen [2]float64 `json:"arms_unseen_fraction"` // left, right
	// Likeness compares the finished clip with the person's motion as the file has it.
	Likeness likeness.Result `json:"likeness"`
	Notes    []string        `json:"notes"`
}

// report measures the finished motion; e lays it beside the person's.
func (f *finished) report(e *likeness.Evidence) *Report {
	person := f.plan.Person
	rep := &Report{Frames: len(f.Q), Seconds: float64(max(0, len(f.Q)-1)) / f.plan.FPS, TimeStretch: f.longer,
		TiltCut:     person.Tilted,
		FlightShare: float64(person.Flight) / float64(len(person.Intents)), StepIn: f.plan.StepIn, StepOut: f.plan.StepOut,
		MovedSteps: f.plan.MovedSteps, Unsolved: f.unsolved, WorstBalanceM: math.Inf(1), Notes: []string{}}
	rep.LegsUnseen, rep.ArmsUnseen = person.Legless, person.Armless
	f.limits(rep)
	f.feet(rep)
	f.directions(rep)
	f.balance(rep)
	rep.Likeness = *likeness.Judge(e)
	rep.note(f.Retimed)
	return rep
}

// leastUnseen is the share below which an arm's absence is not told.
const leastUnseen = 0.02

// of says in how much of the motion.
func of(share float64) string {
	if share > 0.995 {
		return ""
	}
	return fmt.Sprintf(" in %.0f %% of the frames", math.Max(1, 100*share))
}

// note says in words what was changed.
func (rep *Report) note(retimed bool) {
	note := func(cond bool, format string, a ...any) {
		if cond {
			rep.Notes = append(rep.Notes, fmt.Sprintf(format, a...))
		}
	}
	note(rep.LegsUnseen > 0, "legs were not seen%s: they stand still", of(rep.LegsUnseen))
	for s, side := range [...]string{"left", "right"} {
		share := rep.ArmsUnseen[s]
		note(share > leastUnseen, "the %s arm was not seen%s: it hangs", side, of(share))
	}
	note(rep.TimeStretch > 1.02, "slowed down: %.2f times as long, because joints would be faster than %.0f %% of "+
		"the servo's no-load speed or overloaded",
		rep.TimeStretch, 100*physique.SpeedShare)
	note(retimed, "slowed down once more at the end to keep the speed limits")
	note(rep.FlightShare > 0, "in %.0f %% of the frames no foot of the person was seen on the floor; "+
		"the robot keeps the lower one there", 100*rep.FlightShare)
	note(rep.TiltCut > 0, "the trunk leans no more than %.0f degrees forward and %.0f sideways (cut in %d frames)",
		observe.MaxTiltRad*180/math.Pi, observe.MaxSideRad*180/math.Pi, rep.TiltCut)
	note(rep.MovedSteps > 0, "%d steps were moved to keep the feet apart and in reach", rep.MovedSteps)
	note(rep.StepIn, "a step in the lead-in takes the robot to the first stance")
	note(rep.StepOut, "a step in the lead-out takes the robot back to its standing pose")
	note(rep.Unsolved > rep.Frames/10, "in %d frames the pose could only be approached", rep.Unsolved)
}

// balance sums up how far the pressure point stays inside the feet.
func (f *finished) balance(rep *Report) {
	unbalanced := 0
	for _, v := range f.margin {
		rep.WorstBalanceM = math.Min(rep.WorstBalanceM, math.Max(v, -1))
		if v < 0 {
			unbalanced++
		}
	}
	rep.UnbalancedShare = rate.Rate{Hits: unbalanced, Trials: len(f.margin)}.Share()
}

// limits counts joint angles and speeds outside the description's limits.
func (f *finished) limits(rep *Report) {
	for t := range f.Q {
		for k, i := range f.robot.Joints {
			j := f.robot.Desc.Joints[k]
			if v := f.Q[t][f.robot.DofQ[i]]; v < j.MinRad || v > j.MaxRad {
				rep.JointLimitViolations++
			}
			share := math.Abs(f.motion.Vel[t][i]) / f.robot.SpeedRadPerS[i]
			rep.WorstSpeedShare = math.Max(rep.WorstSpeedShare, share)
			if share > 1 {
				rep.SpeedLimitViolations++
			}
		}
	}
}

// feet measures contact artefacts of the soles.
func (f *finished) feet(rep *Report) {
	d := f.robot.Kin.NewData()
	var last [2]spatial.Vec3
	stance, slide, kept, asked, sunk, floating := 0, 0, 0, 0, 0, 0
	for t := range f.Q {
		f.robot.Kin.Forward(d, f.Q[t])
		lowest := math.Inf(1)
		for s := range f.robot.An.Legs {
			l := &f.robot.An.Legs[s]
			z := math.Inf(1)
			for _, c := range l.Sole {
				z = math.Min(z, d.Point(l.Foot, c)[2])
			}
			lowest = math.Min(lowest, z)
			at := d.Point(l.Foot, l.SoleCenter)
			on := f.Stands[t][s]
			if on && t > 0 && f.Stands[t-1][s] {
				stance++
				v := math.Hypot(at[0]-last[s][0], at[1]-last[s][1]) * f.plan.FPS
				rep.FootSlidingSpeedMPerS = math.Max(rep.FootSlidingSpeedMPerS, v)
				if v > slidingMPerS {
					slide++
				}
			}
			last[s] = at
			if k := f.Frame[t] - f.plan.Lead[0]; k >= 0 && k < len(f.plan.Person.Intents) && f.plan.Person.Intents[k].On[s] {
				asked++
				if z < contactKeptM {
					kept++
				}
			}
		}
		rep.PenetrationDepthM = math.Max(rep.PenetrationDepthM, -lowest)
		if lowest < -penetrationM {
			sunk++
		}
		if lowest > penetrationM {
			floating++
		}
	}
	rep.PenetrationFraction = rate.Rate{Hits: sunk, Trials: len(f.Q)}.Share()
	rep.FloatingFraction = rate.Rate{Hits: floating, Trials: len(f.Q)}.Share()
	rep.FootSlidingFraction = float64(slide) / math.Max(1, float64(stance))
	rep.ContactPreservation = 1
	if asked > 0 {
		rep.ContactPreservation = float64(kept) / float64(asked)
	}
}

// directions compares segment directions of robot and person over the motion proper.
func (f *finished) directions(rep *Report) {
	d := f.robot.Kin.NewData()
	angle, cosine, n := 0.0, 0.0, 0.0
	for t := range f.Q {
		tg := &f.plan.Targets[f.Frame[t]]
		k := f.Frame[t] - f.plan.Lead[0]
		if k < 0 || k >= len(f.plan.Person.Intents) {
			continue
		}
		f.robot.Kin.Forward(d, f.Q[t])
		in := &f.plan.Person.Intents[k]
		score := func(a, b, want spatial.Vec3) {
			c := curve.Clamp(b.Sub(a).Unit(want).Dot(want), -1, 1)
			angle += math.Acos(c)
			cosine += c
			n++
		}
		for s := range f.robot.An.Legs {
			l := &f.robot.An.Legs[s]
			back := tg.RootRot.YawRad() - in.Heading
			if !in.LegLost[s] {
				score(l.Hip.At(d), l.Knee.At(d), in.Thigh[s].Yawed(back))
				score(l.Knee.At(d), l.Ankle.At(d), in.Shank[s].Yawed(back))
			}
			if f.robot.An.HasArms {
				a := &f.robot.An.Arms[s]
				score(a.Shoulder.At(d), a.Elbow.At(d), tg.Upper[s])
				if a.HasElbow {
					score(a.Elbow.At(d), a.End.At(d), tg.Fore[s])
				}
			}
		}
		up := spatial.Vec3{0, 0, 1}
		chest := d.BodyRot[f.robot.An.Chest].Mul(f.robot.ChestFromBody)
		score(spatial.Vec3{}, chest.Rotate(up), in.Tilt.Yawed(tg.RootRot.YawRad()))
	}
	if n > 0 {
		rep.DirectionErrorDeg, rep.Similarity = angle/n*180/math.Pi, cosine/n
	}
}

// attach stores the report in the clip. The two figures that depend on the machine are left out, so that equal input
// gives equal files.
func (rep *Report) attach(c *motion.Clip) error {
	still := *rep
	still.WallS, still.FPS = 0, 0
	js, err := json.Marshal(still)
	if err != nil {
		return fmt.Errorf("retarget: %w", err)
	}
	c.Meta.Report = js
	return nil
}
