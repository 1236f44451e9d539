// Package perform is the stage in which the simulated robot performs a policy: under
// robotd, in a process of its own, over the bytes of the emulated servo bus.
//
// Only what robotd wrote for this very policy counts; what an earlier run left is
// removed first. What is not here: robotd (cmd/robotd) and the emulated robot
// (sim/busemu).
package perform

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/sibling"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/record"
)

// Files that robotd and the emulated robot leave.
const (
	StatsFile     = "stats.json"
	TraceFile     = "robotd.trace.npz"
	RecordingFile = "flight.mcap"
)

// Job is one performance.
type Job struct {
	Robot  string // as robotd's --robot takes it
	Bundle string // file of the policy
	Poor   bool   // the policy's own evaluation is below robotd's gate
	Clip   *motion.Clip
	Folder string // for the files
}

// Flight is what the simulated robot did, cut to the clip.
type Flight struct {
	QPos    [][]float64 // (T, NQ) from the clip's first frame on, PeriodS apart
	PeriodS float64
	Fell    bool
	FallS   float64 // after the clip's first frame
	Stats   *record.Stats
}

// Note is a sentence for the report that comes up on the way; it is the detail of
// this stage's progress.
type Note string

// traceHz is the rate of the emulator's record.
const traceHz = 50

// Stage runs the bundle once through the motion. A robotd that does not get that far
// is tried once more: on a busy machine the emulated bus may answer too late.
func Stage(j Job) pipeline.Stage[*Flight] {
	return pipeline.Stage[*Flight]{Name: "robotd", Work: j.fly} // no inputs: no flight is like another
}

func (j *Job) fly(ctx context.Context, tell pipeline.Tell) (*Flight, error) {
	program, err := sibling.Find("robotd")
	if err != nil {
		return nil, err
	}
	note := func(format string, args ...any) {
		tell(pipeline.Progress{Total: 1, Detail: Note(fmt.Sprintf(format, args...))})
	}
	f, err := j.once(ctx, program, note)
	if err != nil && ctx.Err() == nil {
		note("robotd did not perform the motion (%v); tried once more.", err)
		f, err = j.once(ctx, program, note)
	}
	if err != nil && ctx.Err() != nil {
		return nil, interrupt.Errorf("interrupted while robotd performed the motion; the policy is trained and lies in %s; the same command with --resume takes it up without training again",
			j.Bundle)
	}
	if err != nil {
		return nil, fmt.Errorf("robotd did not perform the motion: %w; the policy is trained and lies in %s; the same command with --resume takes it up without training again",
			err, j.Bundle)
	}
	return f, nil
}

// once is one attempt.
func (j *Job) once(ctx context.Context, program string, note func(string, ...any)) (*Flight, error) {
	if err := pipeline.Clear(j.Folder, StatsFile, TraceFile, RecordingFile); err != nil {
		return nil, err
	}
	trace, stats := j.path(TraceFile), j.path(StatsFile)
	said, runErr := j.start(ctx, program, stats, trace)
	s, err := readStats(stats, j.Bundle)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", cmp.Or(runErr, err), said)
	}
	f, err := j.cutTrace(trace, s.Transitions)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, cmp.Or(s.Cause, "see "+stats))
	}
	f.Stats = s
	if s.Truth != nil && s.Truth.Fell {
		f.Fell, f.FallS = true, max(0, s.Truth.FellAtS-f.FallS)
	}
	if runErr != nil {
		note("robotd ended with %v: %s", runErr, s.Cause)
	}
	return f, nil
}

// start runs robotd to its end and returns what it said.
func (j *Job) start(ctx context.Context, program, stats, trace string) (said []byte, err error) {
	// Arming takes about 2 s, the gantry lets go after 3, the last second shows
	// that it stands.
	last := time.Duration((j.Clip.Seconds() + 7) * float64(time.Second)).Round(time.Second)
	args := []string{"--robot", j.Robot, "--sim", "--policy", j.Bundle,
		"--for", last.String(), "--stats", stats, "--record", j.path(RecordingFile), "--mqtt", "off", "--sim-arg=--record=" + trace}
	if j.Poor {
		args = append(args, "--anyway") // what a poor policy does belongs in the report
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 15 * time.Second
	said, err = c.CombinedOutput()
	return bytes.TrimSpace(said), err
}

func (j *Job) path(name string) string { return filepath.Join(j.Folder, name) }

// readStats reads robotd's statistics; those of another policy than the given
// bundle's are an error.
func readStats(name, policy string) (*record.Stats, error) {
	s, err := record.LoadStats(name)
	if err != nil {
		return nil, err
	}
	hash, err := pipeline.FileHash(policy)
	if err != nil {
		return nil, err
	}
	if s.PolicyHash != hash {
		return nil, fmt.Errorf("%s is about another policy (sha256 %.12q) than %s (%.12s)", name, s.PolicyHash, policy, hash)
	}
	return s, nil
}
