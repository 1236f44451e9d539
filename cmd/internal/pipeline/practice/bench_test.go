//go:build mujoco && cgo

package practice

import (
	"context"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/blas"
	"github.com/mitori-robotics/mitori/policy/train/ppo"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// benchClip is the demonstrator's march, retargeted from the exact truth.
func benchClip(tb testing.TB, b *body.Body) *motion.Clip {
	tb.Helper()
	m, err := demonstrator.Find("march")
	if err != nil {
		tb.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	r, err := retarget.New(b)
	if err != nil {
		tb.Fatal(err)
	}
	clip, _, err := r.Retarget(person, retarget.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return clip
}

// BenchmarkTrainer is real training: kata20 in randomised worlds, roll-outs and learning, without the evaluations.
// One operation is ten iterations of 4096 control steps.
func BenchmarkTrainer(b *testing.B) {
	kata, err := body.Load("kata20")
	if err != nil {
		b.Fatal(err)
	}
	job := Job{Robot: kata, Clips: []*motion.Clip{benchClip(b, kata)}, Seed: 1, Method: ppo.Name, Budget: train.Budget{Steps: 40960}}
	var collect, learn, steps float64
	stage := Stage(job)
	stage.Inputs = nil // it shall train each time
	count := func(at pipeline.Progress) {
		p := at.Detail.(train.Point)
		collect += p.CollectS
		learn += p.LearnS
		steps += 4096
	}
	for b.Loop() {
		if _, err := pipeline.Do(context.Background(), &pipeline.Run{Tell: count}, stage); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(steps/(collect+learn), "control-steps/s")
	b.ReportMetric(collect/(collect+learn), "collecting")
	b.ReportMetric(steps/collect, "collected/s")
	b.Logf("BLAS: %s", blas.CoreName())
}
