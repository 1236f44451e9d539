package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
)

// toyConfig learns to balance the toy pendulum within a few thousand steps.
func toyConfig() Config {
	c := DefaultConfig()
	c.Seed, c.Hidden, c.Horizon, c.Minibatch = 3, []int{32, 32}, 32, 256
	c.Easy, c.Hard = rollout.Nominal(), rollout.Nominal()
	c.Hard.NoiseJointRad, c.Hard.TorqueScale = 0.005, [2]float64{0.8, 1.1}
	c.ActorRate, c.CritRate, c.Std, c.EvalEvery = 1e-3, 3e-3, [2]float64{0.3, 0.3}, 5
	c.StopJointErrRad, c.MinSteps = 0.2, 0
	return c
}

const toyJoints, toyWorlds = 3, 16

func toyTrainer(t testing.TB, c Config) *Trainer {
	t.Helper()
	task, err := rollouttest.ToyTask(toyJoints, 2)
	if err != nil {
		t.Fatal(err)
	}
	set := NewTestSet(rollouttest.NewToy(8, toyJoints), task, 8, 1, rollout.StartNoise{TiltRad: 0.05}, c.Hard)
	tr, err := New(rollouttest.NewToy(toyWorlds, toyJoints), task, c, set)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func weights(t testing.TB, n *infer.Net) []byte {
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

func TestLearnsToBalance(t *testing.T) {
	tr := toyTrainer(t, toyConfig())
	playback, err := tr.evaluator.Evaluate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if playback.Survival > 0.5 {
		t.Fatalf("playback survives %g of the episodes: this task teaches nothing", playback.Survival)
	}
	res, err := tr.Run(context.Background(), Options{Budget: Budget{Steps: 80_000}})
	if err != nil {
		t.Fatal(err)
	}
	first, last := res.Curve[0], res.Curve[len(res.Curve)-1]
	t.Logf("playback %+v, learnt %+v after %d steps (%s)", playback, res.Score, res.ControlSteps, res.StoppedBy)
	if res.Score.Survival < 1 {
		t.Errorf("survival %g, want 1", res.Score.Survival)
	}
	// Most of the reward is earned while falling, too; what rises clearly is how many stand.
	low, reward := 1.0, first.Reward
	for _, p := range res.Curve[:10] {
		low, reward = min(low, p.Finished), min(reward, p.Reward)
	}
	if last.Reward < reward+0.01 || last.Finished < low+0.3 {
		t.Errorf("mean reward went from %g to %g, share of finished episodes from %g to %g, want a clear rise",
			reward, last.Reward, low, last.Finished)
	}
	if last.Level <= first.Level {
		t.Errorf("randomisation stayed at level %g", last.Level)
	}
	// The joints that have nothing to do with balance still follow the reference.
	if res.Score.JointErrRad > 0.15 {
		t.Errorf("joint error %g rad, want at most 0.15", res.Score.JointErrRad)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	run := func(seed uint64, now func() time.Time) []byte {
		c := toyConfig()
		c.Seed = seed
		res, err := toyTrainer(t, c).Run(context.Background(), Options{Budget: Budget{Steps: 5_000}, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if res.ControlSteps != 4608 {
			t.Errorf("took %d steps of a budget of 5000, want 9 iterations of 512", res.ControlSteps)
		}
		return weights(t, res.Net)
	}
	var fake time.Time
	slow := func() time.Time { fake = fake.Add(time.Minute); return fake }
	a := run(3, nil)
	if !bytes.Equal(a, run(3, slow)) {
		t.Error("two runs with one seed differ")
	}
	if bytes.Equal(a, run(4, nil)) {
		t.Error("another seed gives the same weights")
	}
}

func TestResumeGoesOnToTheBit(t *testing.T) {
	whole, err := toyTrainer(t, toyConfig()).Run(context.Background(), Options{Budget: Budget{Steps: 10_240}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.checkpoint")
	// Stopped by the context in the middle, not at an evaluation.
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	_, err = toyTrainer(t, toyConfig()).Run(ctx, Options{Budget: Budget{Steps: 10_240}, Checkpoint: file, Progress: func(Point, float64) {
		if n++; n == 7 {
			cancel()
		}
	}})
	if !errors.Is(err, ErrInterrupted) {
		t.Fatalf("interrupted run: %v", err)
	}
	second := toyTrainer(t, toyConfig())
	if err := second.Resume(file); err != nil {
		t.Fatal(err)
	}
	if second.used.Steps != 7*512 {
		t.Errorf("resumed at %d steps, want %d", second.used.Steps, 7*512)
	}
	rest, err := second.Run(context.Background(), Options{Budget: Budget{Steps: 10_240}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, whole.Net), weights(t, rest.Net)) || whole.Score != rest.Score || len(whole.Curve) != len(rest.Curve) {
		t.Error("the resumed run ends elsewhere than the whole one")
	}
}

// A training that was interrupted before its first iteration begins only once.
func TestResumeFromTheVeryBeginning(t *testing.T) {
	budget := Options{Budget: Budget{Steps: 2_048}}
	whole, err := toyTrainer(t, toyConfig()).Run(context.Background(), budget)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.checkpoint")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := toyTrainer(t, toyConfig()).Run(ended, Options{Budget: budget.Budget, Checkpoint: file}); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("interrupted run: %v", err)
	}
	second := toyTrainer(t, toyConfig())
	if err := second.Resume(file); err != nil {
		t.Fatal(err)
	}
	rest, err := second.Run(context.Background(), budget)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, whole.Net), weights(t, rest.Net)) {
		t.Error("the resumed run ends elsewhere than the whole one")
	}
}

const killVariable = "MITORI_TEST_TRAIN_CHECKPOINT"

// TestMain lets this binary train as a process of its own, to be killed.
func TestMain(m *testing.M) {
	if file := os.Getenv(killVariable); file != "" {
		os.Exit(trainAlone(file))
	}
	os.Exit(m.Run())
}

func trainAlone(file string) int {
	tr := toyTrainer(&testing.B{}, toyConfig())
	_, err := tr.Run(context.Background(), Options{Budget: Budget{Steps: 1 << 40}, Checkpoint: file, CheckpointEvery: time.Nanosecond,
		Progress: func(p Point, _ float64) { fmt.Println(p.Steps) }})
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestKilledTrainingResumesToTheBit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.checkpoint")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), killVariable+"="+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var step int64
	for step < 6*512 {
		if _, err := fmt.Fscan(out, &step); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil { // SIGKILL: no handler runs
		t.Fatal(err)
	}
	_ = cmd.Wait()

	tr := toyTrainer(t, toyConfig())
	if err := tr.Resume(file); err != nil {
		t.Fatal(err)
	}
	if tr.used.Steps < 5*512 {
		t.Errorf("the checkpoint is %d steps old, at most one iteration may be lost of %d", tr.used.Steps, step)
	}
	budget := Budget{Steps: tr.used.Steps + 4*512}
	rest, err := tr.Run(context.Background(), Options{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := toyTrainer(t, toyConfig()).Run(context.Background(), Options{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, whole.Net), weights(t, rest.Net)) {
		t.Error("the killed and resumed training ends elsewhere than the undisturbed one")
	}
}

func TestResumeRefusesWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := toyTrainer(t, toyConfig()).Run(context.Background(), Options{Budget: Budget{Steps: 512}, Checkpoint: good}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(data)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{"empty": {}, "other": []byte("hello"), "half": data[:len(data)/2], "flipped": flipped} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := toyTrainer(t, toyConfig()).Resume(file); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := toyConfig()
	other.Seed++
	if err := toyTrainer(t, other).Resume(good); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("another seed: %v", err)
	}
	if err := toyTrainer(t, toyConfig()).Resume(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

func TestACheckpointThatCannotBeWrittenIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := toyTrainer(t, toyConfig()).Run(context.Background(), Options{Budget: Budget{Steps: 512}, Checkpoint: filepath.Join(dir, "x")})
	if err == nil {
		t.Error("a checkpoint below a file: no error")
	}
}

func TestTimeAndGoalEndATraining(t *testing.T) {
	var now time.Time
	tr := toyTrainer(t, toyConfig())
	res, err := tr.Run(context.Background(), Options{Budget: Budget{Time: time.Minute}, Now: func() time.Time { now = now.Add(time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	if res.StoppedBy != "budget" || res.WallS < 60 || res.WallS > 70 {
		t.Errorf("stopped by %s after %g s, want the budget of 60 s", res.StoppedBy, res.WallS)
	}
	c := toyConfig()
	c.StopSurvival, c.LevelStart = 0, 1 // any two evaluations will do
	c.StopJointErrRad = 10
	if res, err = toyTrainer(t, c).Run(context.Background(), Options{Budget: Budget{Steps: 1 << 30}}); err != nil {
		t.Fatal(err)
	}
	if res.StoppedBy != "goal" || res.ControlSteps != int64(2*c.EvalEvery*512) {
		t.Errorf("stopped by %s after %d steps, want the goal at the second evaluation", res.StoppedBy, res.ControlSteps)
	}
}

func TestNewRefusesBadConfigurations(t *testing.T) {
	task, err := rollouttest.ToyTask(toyJoints, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"minibatch": func(c *Config) { c.Minibatch = 300 }, "odd": func(c *Config) { c.Minibatch = 1 },
		"gamma": func(c *Config) { c.Gamma = 1 }, "horizon": func(c *Config) { c.Horizon = 0 }, "std": func(c *Config) { c.Std[1] = 0 },
		"hidden": func(c *Config) { c.Hidden = []int{0} }, "eval": func(c *Config) { c.EvalEvery = 0 },
	} {
		c := toyConfig()
		spoil(&c)
		if _, err := New(rollouttest.NewToy(toyWorlds, toyJoints), task, c, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
