package retarget

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
)

// Thresholds of the artefact metrics, as holosoma's evaluation of retargeting uses them.
const (
	penetrationM = 0.01
	slidingMS    = 0.01
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

	PenetrationFraction float64 `json:"penetration_fraction"` // frames with a foot deeper than 1 cm
	PenetrationDepthM   float64 `json:"penetration_depth_m"`
	FloatingFraction    float64 `json:"floating_fraction"`     // frames with no foot within 1 cm of the floor
	FootSlidingFraction float64 `json:"foot_sliding_fraction"` // stance frames with a foot faster than 1 cm/s
	FootSlidingSpeedMS  float64 `json:"foot_sliding_speed_m_s"`
	ContactPreservation float64 `json:"contact_preservation"` // person's contacts that the robot has within 2 cm

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
	// Likeness compares the finished clip with the person's motion as the file has it.
	Likeness likeness.Result `json:"likeness"`
	Notes    []string        `json:"notes"`
}

func (w *work) report(m *human.Motion, c *motion.Clip) *Report {
	rep := &Report{Frames: len(c.Frames), Seconds: c.Seconds(), TimeStretch: w.slow, TiltCut: w.pf.tilted,
		FlightShare: float64(w.pf.flight) / float64(len(w.pf.intents)), StepIn: w.plan.stepIn, StepOut: w.plan.stepOut,
		MovedSteps: w.plan.clamped, Unsolved: w.s.unsolved, WorstBalanceM: math.Inf(1), Notes: []string{}}
	w.limits(rep)
	w.feet(rep)
	w.likeness(rep)
	rep.Likeness = *likeness.Judge(w.r.evidence(m, c, w.o, w.slow))
	unbalanced := 0
	for _, v := range w.margin {
		rep.WorstBalanceM = math.Min(rep.WorstBalanceM, math.Max(v, -1))
		if v < 0 {
			unbalanced++
		}
	}
	rep.UnbalancedShare = rate.Rate{Hits: unbalanced, Trials: len(w.margin)}.Share()
	note := func(cond bool, format string, a ...any) {
		if cond {
			rep.Notes = append(rep.Notes, fmt.Sprintf(format, a...))
		}
	}
	note(rep.TimeStretch > 1.02, "slowed down: %.2f times as long, because joints would be faster than %.0f %% of the servo's no-load speed or overloaded", rep.TimeStretch, 100*speedShare)
	note(w.retimed, "slowed down once more at the end to keep the speed limits")
	note(rep.FlightShare > 0, "in %.0f %% of the frames no foot of the person was seen on the floor; the robot keeps the lower one there", 100*rep.FlightShare)
	note(rep.TiltCut > 0, "the trunk leans no more than %.0f degrees forward and %.0f sideways (cut in %d frames)", maxTiltRad*180/math.Pi, maxSideRad*180/math.Pi, rep.TiltCut)
	note(rep.MovedSteps > 0, "%d steps were moved to keep the feet apart and in reach", rep.MovedSteps)
	note(rep.StepIn, "a step in the lead-in takes the robot to the first stance")
	note(rep.StepOut, "a step in the lead-out takes the robot back to its standing pose")
	note(rep.Unsolved > len(c.Frames)/10, "in %d frames the pose could only be approached", rep.Unsolved)
	return rep
}

// limits counts joint angles and speeds outside the description's limits.
func (w *work) limits(rep *Report) {
	for t := range w.q {
		for k, i := range w.r.joints {
			j := w.r.desc.Joints[k]
			if v := w.q[t][w.r.dofQ[i]]; v < j.MinRad || v > j.MaxRad {
				rep.JointLimitViolations++
			}
			share := math.Abs(w.vel[t][i]) / w.r.speed[i]
			rep.WorstSpeedShare = math.Max(rep.WorstSpeedShare, share)
			if share > 1 {
				rep.SpeedLimitViolations++
			}
		}
	}
}

// feet measures contact artefacts of the soles.
func (w *work) feet(rep *Report) {
	d := w.s.d
	var last [2]spatial.Vec3
	stance, slide, kept, asked, sunk, floating := 0, 0, 0, 0, 0, 0
	for t := range w.q {
		w.r.kin.Forward(d, w.q[t])
		lowest := math.Inf(1)
		for s := range w.r.an.Legs {
			l := &w.r.an.Legs[s]
			z := math.Inf(1)
			for _, c := range l.Sole {
				z = math.Min(z, d.Point(l.Foot, c)[2])
			}
			lowest = math.Min(lowest, z)
			at := d.Point(l.Foot, l.SoleCenter)
			on := w.on(t)[s]
			if on && t > 0 && w.on(t - 1)[s] {
				stance++
				v := math.Hypot(at[0]-last[s][0], at[1]-last[s][1]) * w.o.FPS
				rep.FootSlidingSpeedMS = math.Max(rep.FootSlidingSpeedMS, v)
				if v > slidingMS {
					slide++
				}
			}
			last[s] = at
			if k := w.frame[t] - w.plan.lead[0]; k >= 0 && k < len(w.pf.intents) && w.pf.intents[k].on[s] {
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
	rep.PenetrationFraction = rate.Rate{Hits: sunk, Trials: len(w.q)}.Share()
	rep.FloatingFraction = rate.Rate{Hits: floating, Trials: len(w.q)}.Share()
	rep.FootSlidingFraction = float64(slide) / math.Max(1, float64(stance))
	rep.ContactPreservation = 1
	if asked > 0 {
		rep.ContactPreservation = float64(kept) / float64(asked)
	}
}

// likeness compares segment directions of robot and person over the motion proper.
func (w *work) likeness(rep *Report) {
	d := w.s.d
	angle, cosine, n := 0.0, 0.0, 0.0
	for t := range w.q {
		tg := &w.plan.targets[w.frame[t]]
		k := w.frame[t] - w.plan.lead[0]
		if k < 0 || k >= len(w.pf.intents) {
			continue
		}
		w.r.kin.Forward(d, w.q[t])
		in := &w.pf.intents[k]
		score := func(a, b, want spatial.Vec3) {
			c := clamp(b.Sub(a).Unit(want).Dot(want), -1, 1)
			angle += math.Acos(c)
			cosine += c
			n++
		}
		for s := range w.r.an.Legs {
			l := &w.r.an.Legs[s]
			back := tg.rootRot.YawRad() - in.heading
			score(l.Hip.At(d), l.Knee.At(d), turn(in.thigh[s], back))
			score(l.Knee.At(d), l.Ankle.At(d), turn(in.shank[s], back))
			if w.r.an.HasArms {
				a := &w.r.an.Arms[s]
				score(a.Shoulder.At(d), a.Elbow.At(d), tg.upper[s])
				if a.HasElbow {
					score(a.Elbow.At(d), a.End.At(d), tg.arm[s])
				}
			}
		}
		up := spatial.Vec3{0, 0, 1}
		score(spatial.Vec3{}, d.BodyRot[w.r.an.Chest].Mul(w.r.chestFromBody).Rotate(up), turn(in.tilt, tg.rootRot.YawRad()))
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
