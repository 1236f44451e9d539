//go:build mujoco && cgo

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// A training that is done leaves its bundle and no checkpoint, but one that was asked for by name: that one goes on with
// a larger budget.
func TestTrainLeavesNoCheckpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three times; leave out -short to run it")
	}
	d, err := demonstrator.Find("wave")
	if err != nil {
		t.Fatal(err)
	}
	m, err := demonstrator.Perform(d, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.Part(1, 2); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	clip, out, named := filepath.Join(dir, "w.motion.npz"), filepath.Join(dir, "p.bundle"), filepath.Join(dir, "kept")
	if code, _, errOut := command(t, "retarget", saveMotion(t, m, "w.human.npz"), "--robot", "kata20", "-o", clip); code != fault.ExitDone {
		t.Fatal(errOut)
	}
	train := func(args ...string) {
		t.Helper()
		if code, _, errOut := command(t, append([]string{"train", clip, "-o", out}, args...)...); code != fault.ExitDone {
			t.Fatalf("%v: exit %d: %s", args, code, errOut)
		}
	}
	train("--budget", "1steps")
	if left, _ := filepath.Glob(filepath.Join(dir, "*checkpoint*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	train("--budget", "1steps", "--checkpoint", named)
	if _, err := os.Stat(named); err != nil {
		t.Fatalf("the checkpoint that was asked for: %v", err)
	}
	train("--budget", "8192steps", "--checkpoint", named, "--resume")
}
