package perform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/record"
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

const goodStats = `{"schema":1,"policy_hash":"%s","ticks":%d,"end_state":"disarmed","torque_off":true,"transitions":[{"at_s":0,"to":"arming"},{"at_s":1,"to":"active"}]}`

// flier is a performance of a trained policy into a folder with the results of an
// earlier run that flew well, of the same bundle if same is set.
func flier(t *testing.T, same bool) *Job {
	t.Helper()
	dir := t.TempDir()
	j := &Job{Robot: "kata20", Bundle: filepath.Join(dir, "policy.bundle"), Folder: dir, Clip: &motion.Clip{FPS: 50, Frames: make([]motion.Frame, 101)}}
	if err := os.WriteFile(j.Bundle, []byte("a new policy"), 0o644); err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("0", 64)
	if same {
		var err error
		if hash, err = pipeline.FileHash(j.Bundle); err != nil {
			t.Fatal(err)
		}
	}
	flightOf(t, j.path(TraceFile), 0.1)
	for name, text := range map[string]string{StatsFile: fmt.Sprintf(goodStats, hash, 1885), RecordingFile: "old"} {
		if err := os.WriteFile(j.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// fly runs the stage and returns the notes that come up.
func fly(j *Job) (f *Flight, notes []string, err error) {
	run := &pipeline.Run{Tell: func(p pipeline.Progress) { notes = append(notes, string(p.Detail.(Note))) }}
	f, err = pipeline.Do(context.Background(), run, Stage(*j))
	return f, notes, err
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
		"never plays":                  "cp " + old + " \"$TRACE\"; echo '{\"schema\":1,\"policy_hash\":\"'$HASH'\",\"cause\":\"no answer\"}' >\"$STATS\"; exit 1\n",
		"has no trace":                 fmt.Sprintf("echo '"+goodStats+"' >\"$STATS\"\n", "'$HASH'", 700),
	} {
		t.Run(what, func(t *testing.T) {
			starts := fakeRobotd(t, script)
			for _, same := range []bool{false, true} {
				l := flier(t, same)
				f, _, err := fly(l)
				if err == nil {
					t.Fatalf("no error; the report would say %d ticks", f.Stats.Ticks)
				}
				if f != nil {
					t.Errorf("a flight of %d ticks is shown, though %v", f.Stats.Ticks, err)
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
	f, notes, err := fly(l)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, starts); n != 2 || f.Stats.Ticks != 900 || len(f.QPos) == 0 || f.QPos[0][2] != 0.3 {
		t.Errorf("%d starts, %d ticks, %d frames; want two starts and the second one's flight", n, f.Stats.Ticks, len(f.QPos))
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "no answer") {
		t.Errorf("nobody is told that it took two tries: %q", notes)
	}
}

// An interruption ends robotd and is told as one; nothing is tried again.
func TestAnInterruptedFlight(t *testing.T) {
	starts := fakeRobotd(t, "exec sleep 60\n")
	j := flier(t, true)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // when robotd is there
		for {
			if st, err := os.Stat(starts); err == nil && st.Size() > 0 {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	began := time.Now()
	f, err := pipeline.Do(ctx, &pipeline.Run{}, Stage(*j))
	if !errors.Is(err, context.Canceled) || f != nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("%v, %v", f, err)
	}
	if n := count(t, starts); n != 1 || time.Since(began) > 50*time.Second {
		t.Errorf("%d starts, %v", n, time.Since(began))
	}
}

// The film's robot pane begins where robotd began to play, whatever the joints
// do afterwards, and although the two processes started their clocks apart.
func TestFirstPlayed(t *testing.T) {
	states := []record.Transition{{AtS: 1.01, To: "arming"}, {AtS: 2.52, To: "hold"}, {AtS: 5.54, To: "active"}, {AtS: 11.85, To: "limp"},
		{AtS: 12.85, To: "fault"}, {AtS: 14, To: "arming"}, {AtS: 15, To: "active"}}
	for _, ahead := range []float64{0, 0.14, 8} { // seconds that the emulator ran before robotd's first tick
		for _, step := range []float64{0.02, 0.031} { // between rows: a quiet machine, a busy one
			at, torque := make([]float64, 2000), make([]float64, 2000)
			for i := range at {
				if at[i] = float64(i) * step; at[i] >= ahead+1.01 {
					torque[i] = 20
				}
			}
			got, ok := firstPlayed(at, torque, states)
			if want := ahead + 5.54; !ok || math.Abs(got-want) > step {
				t.Errorf("emulator %g s ahead, rows %g s apart: %g s, %v; want %g", ahead, step, got, ok, want)
			}
		}
	}
	if _, ok := firstPlayed(make([]float64, 100), make([]float64, 100), states); ok {
		t.Error("a robot that never had torque has played")
	}
	if _, ok := firstPlayed([]float64{0}, []float64{20}, states[:2]); ok {
		t.Error("a run that never went active has a first row")
	}
}
