package show

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/idle"
)

// How long a robot stands in 'robot idle', in steps of the winding model.
const (
	idleMinutes = 30
	idleStepS   = 0.5
)

// IdleFacts is what 'robot idle' says: the stance, and how warm windings become in both stances.
type IdleFacts struct {
	Robot string `json:"robot"`
	*idle.Stance
	CaseC    float64   `json:"case_c"` // that the servos' cases are taken to have, all the time
	Minutes  int       `json:"minutes"`
	StandC   []float64 `json:"stand_winding_c"` // of each joint, after those minutes
	IdleC    []float64 `json:"idle_winding_c"`
	Keyframe string    `json:"keyframe"` // for the robot's model
}

// IdleOf completes a stance, for servos with cases of caseC, by robotd's own winding model as it is without settings.
func IdleOf(b *body.Body, s *idle.Stance, caseC float64) IdleFacts {
	f := IdleFacts{Robot: b.Desc.Name, Stance: s, CaseC: caseC, Minutes: idleMinutes}
	model := guard.DefaultThresholds(0, 0).Winding
	before, after := energy.NewHeat(len(s.Joints), model, idleStepS), energy.NewHeat(len(s.Joints), model, idleStepS)
	for range int(idleMinutes * 60 / idleStepS) {
		for j := range s.Joints {
			before.Step(j, caseC, s.Joints[j].Stand.CurrentA)
			after.Step(j, caseC, s.Joints[j].Idle.CurrentA)
		}
	}
	f.StandC, f.IdleC = before.TempC(), after.TempC()
	var q []string
	for _, v := range s.QPos {
		q = append(q, fmt.Sprint(rounded(v, 1e5)))
	}
	f.Keyframe = fmt.Sprintf(`<key name="idle" qpos="%s"/>`, strings.Join(q, " "))
	return f
}

// Idle prints a stance.
func Idle(w io.Writer, f IdleFacts) {
	fmt.Fprintf(w, "%s: %.2f W to stand, %.2f W idle; the trunk rises by %.1f mm\n",
		f.Robot, f.StandW, f.IdleW, 1e3*f.RiseM)
	fmt.Fprintf(w, "%-18s %15s %17s %17s %15s\n", "", "angle, deg", "torque, N m", "heat, W",
		fmt.Sprintf("%d min, C", f.Minutes))
	fmt.Fprintf(w, "%-18s %7s %7s %8s %8s %8s %8s %7s %7s\n", "joint",
		"stand", "idle", "stand", "idle", "stand", "idle", "stand", "idle")
	for k, j := range f.Joints {
		tenth := func(rad float64) float64 { return rounded(rad*180/math.Pi, 10) }
		fmt.Fprintf(w, "%-18s %7.1f %7.1f %8.3f %8.3f %8.3f %8.3f %7.1f %7.1f\n", j.Name,
			tenth(j.Stand.AngleRad), tenth(j.Idle.AngleRad), rounded(j.Stand.TorqueNm, 1e3), rounded(j.Idle.TorqueNm, 1e3),
			j.Stand.HeatW, j.Idle.HeatW, f.StandC[k], f.IdleC[k])
	}
	fmt.Fprintf(w, "windings: robotd's model, cases at %.0f C all the time; warm cases come on top\n", f.CaseC)
	if f.LegsOnly {
		fmt.Fprintln(w, "only the legs move: else the robot would touch itself")
	}
	fmt.Fprintf(w, "as a keyframe of the model:\n  %s\n", f.Keyframe)
}

// rounded returns x to so many parts of one, without a minus before nothing.
func rounded(x, parts float64) float64 { return math.Round(x*parts)/parts + 0 }
