package show

import (
	"fmt"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/policy/train"
)

// Progress shows the progress of stages on a terminal or in a pipe.
func Progress(p *cli.Progress) pipeline.Tell {
	var frames func(done, total int)
	training := training(p)
	return func(at pipeline.Progress) {
		if point, ok := at.Detail.(train.Point); ok {
			training(point, at.Done)
			return
		}
		if at.Stage != "extract" {
			return
		}
		if frames == nil {
			frames = p.Frames("pose")
		}
		frames(int(at.Done), int(at.Total))
	}
}

// training tells of each iteration of a training on a terminal, and of each evaluation
// elsewhere.
func training(p *cli.Progress) func(train.Point, float64) {
	survival := "not tested yet"
	return func(at train.Point, spent float64) {
		if at.Eval != nil {
			survival = fmt.Sprintf("survived %s, joint error %.3f rad", at.Eval.Rate(), at.Eval.JointErrRad)
		}
		spent = min(spent, 1)
		left := at.WallS * (1 - spent) / max(spent, 1e-3)
		rate := float64(at.Steps) / max(at.WallS, 1e-3)
		p.Show(fmt.Sprintf("training: %3.0f %%, %d control steps, %.0f a second, at most %.0f s left; randomisation %.0f %%; test: %s",
			100*spent, at.Steps, rate, left, 100*at.Level, survival), at.Eval != nil, spent >= 1)
	}
}
