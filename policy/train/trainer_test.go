package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/ppo"
	"github.com/mitori-robotics/mitori/policy/train/traintest"
)

// toyPPO is a method that learns to balance the toy pendulum within a few thousand steps.
func toyPPO(course train.Course) train.Method {
	_, c := ppo.Defaults()
	c.Minibatch, c.ActorRate, c.CritRate, c.Std = 256, 1e-3, 3e-3, [2]float64{0.3, 0.3}
	return ppo.New(course, c)
}

func toyTrainer(t testing.TB) *train.Trainer {
	t.Helper()
	return traintest.Trainer(t, toyPPO(traintest.Course()))
}

func TestLearnsToBalance(t *testing.T) {
	tr := toyTrainer(t)
	playback, err := traintest.Evaluator(t, traintest.Course()).Evaluate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if playback.Survival > 0.5 {
		t.Fatalf("playback survives %g of the episodes: this task teaches nothing", playback.Survival)
	}
	res, err := tr.Run(context.Background(), train.Options{Budget: train.Budget{Steps: 80_000}})
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

func TestTheClockChangesNothing(t *testing.T) {
	run := func(now func() time.Time) *train.Result {
		res, err := toyTrainer(t).Run(context.Background(), train.Options{Budget: train.Budget{Steps: 5_000}, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if res.ControlSteps != 4608 {
			t.Errorf("took %d steps of a budget of 5000, want 9 iterations of 512", res.ControlSteps)
		}
		return res
	}
	var fake time.Time
	slow := func() time.Time { fake = fake.Add(time.Minute); return fake }
	a, b := run(nil), run(slow)
	if !bytes.Equal(traintest.Weights(t, a.Net), traintest.Weights(t, b.Net)) {
		t.Error("a slow clock changes the weights")
	}
	if p := b.Curve[3]; p.CollectS < 60 || p.LearnS < 60 {
		t.Errorf("by a clock of a minute a look, collecting took %g s and learning %g s", p.CollectS, p.LearnS)
	}
}

func TestResumeGoesOnToTheBit(t *testing.T) {
	whole, err := toyTrainer(t).Run(context.Background(), train.Options{Budget: train.Budget{Steps: 10_240}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.checkpoint")
	// Stopped by the context in the middle, not at an evaluation.
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	_, err = toyTrainer(t).Run(ctx, train.Options{Budget: train.Budget{Steps: 10_240}, Checkpoint: file, Progress: func(train.Point, float64) {
		if n++; n == 7 {
			cancel()
		}
	}})
	if !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("interrupted run: %v", err)
	}
	second := toyTrainer(t)
	if err := second.Resume(file); err != nil {
		t.Fatal(err)
	}
	if second.Used().Steps != 7*512 {
		t.Errorf("resumed at %d steps, want %d", second.Used().Steps, 7*512)
	}
	rest, err := second.Run(context.Background(), train.Options{Budget: train.Budget{Steps: 10_240}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(traintest.Weights(t, whole.Net), traintest.Weights(t, rest.Net)) || whole.Score != rest.Score || len(whole.Curve) != len(rest.Curve) {
		t.Error("the resumed run ends elsewhere than the whole one")
	}
}

// A training that was interrupted before its first iteration begins only once.
func TestResumeFromTheVeryBeginning(t *testing.T) {
	budget := train.Options{Budget: train.Budget{Steps: 2_048}}
	whole, err := toyTrainer(t).Run(context.Background(), budget)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.checkpoint")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := toyTrainer(t).Run(ended, train.Options{Budget: budget.Budget, Checkpoint: file}); !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("interrupted run: %v", err)
	}
	second := toyTrainer(t)
	if err := second.Resume(file); err != nil {
		t.Fatal(err)
	}
	rest, err := second.Run(context.Background(), budget)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(traintest.Weights(t, whole.Net), traintest.Weights(t, rest.Net)) {
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
	tr := toyTrainer(&testing.B{})
	_, err := tr.Run(context.Background(), train.Options{Budget: train.Budget{Steps: 1 << 40}, Checkpoint: file, CheckpointEvery: time.Nanosecond,
		Progress: func(p train.Point, _ float64) { fmt.Println(p.Steps) }})
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

	tr := toyTrainer(t)
	if err := tr.Resume(file); err != nil {
		t.Fatal(err)
	}
	if tr.Used().Steps < 5*512 {
		t.Errorf("the checkpoint is %d steps old, at most one iteration may be lost of %d", tr.Used().Steps, step)
	}
	budget := train.Budget{Steps: tr.Used().Steps + 4*512}
	rest, err := tr.Run(context.Background(), train.Options{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := toyTrainer(t).Run(context.Background(), train.Options{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(traintest.Weights(t, whole.Net), traintest.Weights(t, rest.Net)) {
		t.Error("the killed and resumed training ends elsewhere than the undisturbed one")
	}
}

func TestResumeRefusesWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := toyTrainer(t).Run(context.Background(), train.Options{Budget: train.Budget{Steps: 512}, Checkpoint: good}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile("testdata/version1.checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	future := bytes.Replace(data, []byte("checkpoint 3"), []byte("checkpoint 4"), 1)
	second, err := os.ReadFile("testdata/version2.checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(data)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{"empty": {}, "other": []byte("hello"), "half": data[:len(data)/2], "flipped": flipped,
		"old": old, "second": second, "future": future, "line": []byte("mitori checkpoint 3")} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := toyTrainer(t).Resume(file); !errors.Is(err, train.ErrCheckpoint) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		} else if wants := name == "old" || name == "second" || name == "future"; errors.Is(err, train.ErrCheckpointVersion) != wants {
			t.Errorf("%s: %v, want one of another version: %v", name, err, wants)
		}
	}
	if err := traintest.TrainerSeed(t, toyPPO(traintest.Course()), 99).Resume(good); !errors.Is(err, train.ErrCheckpoint) {
		t.Errorf("another seed: %v", err)
	}
	if err := toyTrainer(t).Resume(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

func TestACheckpointThatCannotBeWrittenIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := toyTrainer(t).Run(context.Background(), train.Options{Budget: train.Budget{Steps: 512}, Checkpoint: filepath.Join(dir, "x")})
	if err == nil {
		t.Error("a checkpoint below a file: no error")
	}
}

func TestTimeAndGoalEndATraining(t *testing.T) {
	var now time.Time
	tr := toyTrainer(t)
	res, err := tr.Run(context.Background(), train.Options{Budget: train.Budget{Time: time.Minute}, Now: func() time.Time { now = now.Add(time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	if res.StoppedBy != "budget" || res.WallS < 60 || res.WallS > 70 {
		t.Errorf("stopped by %s after %g s, want the budget of 60 s", res.StoppedBy, res.WallS)
	}
	c := traintest.Course()
	c.StopSurvival, c.LevelStart = 0, 1 // any two evaluations will do
	c.StopJointErrRad = 10
	if res, err = traintest.Trainer(t, toyPPO(c)).Run(context.Background(), train.Options{Budget: train.Budget{Steps: 1 << 30}}); err != nil {
		t.Fatal(err)
	}
	if res.StoppedBy != "goal" || res.ControlSteps != int64(2*c.EvalEvery*512) {
		t.Errorf("stopped by %s after %d steps, want the goal at the second evaluation", res.StoppedBy, res.ControlSteps)
	}
}

func TestNewRefusesBadCourses(t *testing.T) {
	for name, spoil := range map[string]func(*train.Course){
		"horizon": func(c *train.Course) { c.Horizon = 0 }, "hidden": func(c *train.Course) { c.Hidden = []int{0} },
		"eval": func(c *train.Course) { c.EvalEvery = 0 },
	} {
		c := traintest.Course()
		spoil(&c)
		if _, err := train.New(rollouttest.NewToy(traintest.Worlds, traintest.Joints), traintest.Task(t), toyPPO(c), nil, 1); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
