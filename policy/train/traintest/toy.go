// Package traintest helps to test learning methods and what uses them: a Trainer over small analytic worlds, and the
// conformance suite that every train.Method must pass.
package traintest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
	"github.com/mitori-robotics/mitori/policy/train"
)

// Sizes of the toy training: an iteration of Course takes Samples control steps.
const (
	Joints  = 3
	Worlds  = 16
	Samples = Worlds * 32
	seed    = 3
)

// Course is one in which balancing is learnt within a few thousand control steps.
func Course() train.Course {
	c := train.DefaultCourse()
	c.Hidden, c.Horizon = []int{32, 32}, Samples/Worlds
	c.Easy, c.Hard = rollout.Nominal(), rollout.Nominal()
	c.Hard.NoiseJointRad, c.Hard.TorqueScale = 0.005, [2]float64{0.8, 1.1}
	c.EvalEvery, c.StopJointErrRad, c.MinSteps = 5, 0.2, 0
	return c
}

// Task swings the joints around and stays upright.
func Task(t testing.TB) rollout.Task {
	t.Helper()
	task, err := rollouttest.ToyTask(Joints, 2)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// Evaluator scores policies of the toy task.
func Evaluator(t testing.TB, c train.Course) train.Evaluator {
	t.Helper()
	return train.NewTestSet(rollouttest.NewToy(8, Joints), Task(t), 8, 1, rollout.StartNoise{TiltRad: 0.05}, c.Hard)
}

// Trainer makes one for the toy task.
func Trainer(t testing.TB, method train.Method) *train.Trainer {
	t.Helper()
	return TrainerSeed(t, method, seed)
}

// TrainerSeed makes one with a seed of its own.
func TrainerSeed(t testing.TB, method train.Method, seed uint64) *train.Trainer {
	t.Helper()
	tr, err := train.New(rollouttest.NewToy(Worlds, Joints), Task(t), method, Evaluator(t, method.Plan().Course), seed)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// Weights are the bytes of a network and its normaliser.
func Weights(t testing.TB, n *infer.Net) []byte {
	t.Helper()
	var b bytes.Buffer
	norm := n.Normalizer()
	parts := []any{norm.Mean, norm.InvStd}
	for _, l := range n.Layers() {
		parts = append(parts, l.W, l.B)
	}
	for _, p := range parts {
		if err := binary.Write(&b, binary.LittleEndian, p); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// Ankle is an expert for the toy worlds: it pushes the first joint against the true tilt and its rate.
type Ankle struct{}

// Label says what it would do.
func (Ankle) Label(dst []float32, r *rollout.Runner) error {
	clear(dst)
	for w := range r.Worlds() {
		row := r.Row(w)
		tilt := -row.Gravity[0] // negative when leaning forwards
		dst[w*Joints] = float32(4 * (-tilt + 0.3*row.RootAngVelRadPerS[1]))
	}
	return nil
}
