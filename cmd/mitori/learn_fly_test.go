package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/policy/bundle"
)

// fakeRobotd puts a shell script in the place of robotd. It counts its starts in
// the file that is returned; "$STATS", "$TRACE" and "$POLICY" are what learn asked for.
func fakeRobotd(t *testing.T, script string) (starts string) {
	t.Helper()
	dir := t.TempDir()
	starts = filepath.Join(dir, "starts")
	head := `#!/bin/sh
echo x >>` + starts + `
while [ $# -gt 0 ]; do
  case "$1" in
    --stats) STATS=$2 ;;
    --policy) POLICY=$2 ;;
    --sim-arg=--record=*) TRACE=${1#--sim-arg=--record=} ;;
  esac
  shift
done
HASH=$(sha256sum "$POLICY" | cut -d" " -f1)
`
	if err := os.WriteFile(filepath.Join(dir, "robotd"), []byte(head+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return starts
}

// flightOf writes what the record of a run of ten seconds looks like, with the
// robot's root at the height given.
func flightOf(t *testing.T, name string, heightM float64) {
	t.Helper()
	const rows, width = 500, 27
	at, on, q := make([]float64, rows), make([]float64, rows), make([]float64, rows*width)
	for i := range at {
		at[i], on[i], q[i*width+2] = float64(i)/traceHz, 20, heightM
	}
	if err := npz.Save(name, npz.Archive{"time_s": npz.Floats(at, rows), "torque_on": npz.Floats(on, rows), "qpos": npz.Floats(q, rows, width)}); err != nil {
		t.Fatal(err)
	}
}

const goodStats = `{"policy_hash":"%s","ticks":%d,"end_state":"disarmed","torque_off":true,"transitions":[{"at_s":0,"to":"arming"},{"at_s":1,"to":"active"}]}`

// flier is a learner with a trained policy and, in its folder, the results of an
// earlier run that flew well, of the same bundle if same is set.
func flier(t *testing.T, same bool) *learner {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	l := &learner{body: b, log: io.Discard, began: time.Now()}
	l.dir, l.robot = t.TempDir(), "kata20"
	l.policy = &trained{bundle: &bundle.Bundle{}, motion: &reference{clip: &motion.Clip{FPS: 50, Frames: make([]motion.Frame, 101)}}}
	if err := os.WriteFile(l.path("policy.bundle"), []byte("a new policy"), 0o644); err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("0", 64)
	if same {
		if hash, err = fileSHA256(l.path("policy.bundle")); err != nil {
			t.Fatal(err)
		}
	}
	flightOf(t, l.path(traceFile), 0.1)
	for name, text := range map[string]string{statsFile: fmt.Sprintf(goodStats, hash, 1885), recordingFile: "old"} {
		if err := os.WriteFile(l.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func count(t *testing.T, name string) int {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// A robotd that cannot run is a failure, whatever an earlier run left in the
// folder, and the policy stays.
func TestAFailedFlightShowsNoOther(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old.npz")
	flightOf(t, old, 0.1)
	for what, script := range map[string]string{
		"says why":                     "echo 'link lost: no answer' >&2; exit 1\n",
		"says nothing":                 "exit 1\n",
		"ends well and writes nothing": "exit 0\n",
		"writes of another policy":     fmt.Sprintf("cp %s \"$TRACE\"; echo '"+goodStats+"' >\"$STATS\"\n", old, "ffff", 700),
		"never plays":                  "cp " + old + " \"$TRACE\"; echo '{\"policy_hash\":\"'$HASH'\",\"cause\":\"no answer\"}' >\"$STATS\"; exit 1\n",
		"has no trace":                 fmt.Sprintf("echo '"+goodStats+"' >\"$STATS\"\n", "'$HASH'", 700),
	} {
		t.Run(what, func(t *testing.T) {
			starts := fakeRobotd(t, script)
			for _, same := range []bool{false, true} {
				l := flier(t, same)
				err := l.fly(context.Background())
				if err == nil {
					t.Fatalf("no error; the report would say %d ticks", l.summary.Robotd.Ticks)
				}
				if l.flight != nil || l.summary.Robotd.Ticks != 0 {
					t.Errorf("a flight of %d ticks is shown, though %v", l.summary.Robotd.Ticks, err)
				}
				if what == "says why" && !strings.Contains(err.Error(), "no answer") || !strings.Contains(err.Error(), "--resume") {
					t.Errorf("the message does not say what robotd said, or what to do: %v", err)
				}
				if b, err := os.ReadFile(l.path("policy.bundle")); err != nil || string(b) != "a new policy" {
					t.Errorf("the policy is gone: %v", err)
				}
			}
			if n := count(t, starts); n != 4 {
				t.Errorf("robotd was started %d times for two runs, want two times for each", n)
			}
		})
	}
}

// One failure on a busy machine is made good by a second try, and said.
func TestAFlightIsTriedOnceMore(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "new.npz")
	flightOf(t, fresh, 0.3)
	l := flier(t, true)
	mark := l.path("tried")
	starts := fakeRobotd(t, fmt.Sprintf("[ -e %s ] || { touch %s; echo 'link lost: no answer' >&2; exit 1; }\n", mark, mark)+
		fmt.Sprintf("cp %s \"$TRACE\"; echo '"+goodStats+"' >\"$STATS\"\n", fresh, "'$HASH'", 900))
	// The layout of the robot needs physics, which a plain build lacks.
	if err := l.fly(context.Background()); err != nil && l.flight == nil {
		t.Fatal(err)
	}
	if n := count(t, starts); n != 2 || l.summary.Robotd.Ticks != 900 || len(l.flight.qpos) == 0 || l.flight.qpos[0][2] != 0.3 {
		t.Errorf("%d starts, %d ticks, %d frames; want two starts and the second one's flight", n, l.summary.Robotd.Ticks, len(l.flight.qpos))
	}
	if len(l.notes) != 1 || !strings.Contains(l.notes[0], "no answer") {
		t.Errorf("the report does not say that it took two tries: %q", l.notes)
	}
}

// A run that fails shows nothing of an earlier one; files of other names, and
// what --resume needs, stay.
func TestLearnRemovesEarlierResults(t *testing.T) {
	dir := t.TempDir()
	clip := filepath.Join(dir, "clip.mp4")
	others := []string{clip, filepath.Join(dir, "notes.txt"), filepath.Join(dir, checkpointName("policy.bundle"))}
	for _, name := range others {
		if err := os.WriteFile(name, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range runResults() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("earlier"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// A wrong command line removes nothing.
	for _, args := range [][]string{{"learn", filepath.Join(dir, "clyp.mp4")}, {"learn", filepath.Join(dir, "side_by_side.mp4")}, {"learn", clip, "--tries", "0"}} {
		if code := run(context.Background(), append(args, "--robot", "kata20", "-o", dir), io.Discard, io.Discard); code == fault.ExitDone {
			t.Errorf("%v: exit 0", args)
		}
		for _, name := range runResults() {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Fatalf("%v removed %s", args, name)
			}
		}
	}
	var stderr bytes.Buffer
	if code := run(context.Background(), []string{"learn", clip, "--robot", "kata20", "-o", dir}, io.Discard, &stderr); code == fault.ExitDone {
		t.Fatalf("a clip that is none was learnt: %s", &stderr)
	}
	if strings.Contains(stderr.String(), "not built in") {
		t.Skip("needs a build with a pose runtime")
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != len(others) {
		t.Errorf("left in the folder: %q, want %q; learn said: %s", left, others, &stderr)
	}
}
