package practice

import (
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/blas"
)

// Summary is what a training came to, for programs.
type Summary struct {
	Bundle       string        `json:"bundle"`
	Method       string        `json:"method"`
	Seed         uint64        `json:"seed"`
	WallS        float64       `json:"wall_s"`
	ControlSteps int64         `json:"control_steps"`
	ChosenAt     int64         `json:"chosen_at_step"`
	Joules       float64       `json:"joules,omitempty"`
	StoppedBy    string        `json:"stopped_by"`
	Episodes     int           `json:"test_episodes"`
	Survived     int           `json:"test_survived"`
	Survival     float64       `json:"test_survival_rate"`
	SurvivalCI95 [2]float64    `json:"test_survival_ci95"`
	JointMAERad  float64       `json:"test_joint_mae_rad"`
	BLAS         string        `json:"blas"`
	Curve        []train.Point `json:"curve"`
}

// Summary sums the training up; out is where the bundle lies.
func (r *Result) Summary(out string) Summary {
	return Summary{Bundle: out, Method: r.Method, Seed: r.Seed, WallS: r.WallS, ControlSteps: r.ControlSteps,
		ChosenAt: r.ChosenAt, Joules: r.Joules, StoppedBy: r.StoppedBy, Survival: r.Score.Survival,
		Survived: r.Score.Rate().Hits, Episodes: r.Score.Episodes, SurvivalCI95: r.Score.Rate().CI95(),
		JointMAERad: r.Score.JointErrRad, BLAS: blas.CoreName(), Curve: r.Curve}
}
