package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/record"
)

// flight is what the simulated robot did under robotd, cut to the clip.
type flight struct {
	qpos    [][]float64 // from the clip's first frame on, periodS apart
	periodS float64
	fell    bool
	fallS   float64 // after the clip's first frame
}

// traceHz is the rate of the emulator's record.
const traceHz = 50

// fly runs the bundle under robotd, in a process of its own, over the bytes of
// the emulated bus, once through the motion. A robotd that does not get that far
// is tried once more: on a busy machine the emulated bus may answer too late.
func (l *learner) fly(ctx context.Context) error {
	program, err := siblingProgram("robotd")
	if err != nil {
		return err
	}
	if err = l.flyOnce(ctx, program); err != nil && ctx.Err() == nil {
		l.note("robotd did not perform the motion (%v); tried once more.", err)
		err = l.flyOnce(ctx, program)
	}
	if err != nil {
		return fmt.Errorf("robotd did not perform the motion: %w; the policy is trained and lies in %s; the same command with --resume takes it up without training again",
			err, l.path("policy.bundle"))
	}
	return nil
}

// flyOnce is one attempt. Only what robotd wrote for this very policy counts.
func (l *learner) flyOnce(ctx context.Context, program string) error {
	if err := l.clear(statsFile, traceFile, recordingFile); err != nil {
		return err
	}
	trace, stats := l.path(traceFile), l.path(statsFile)
	clip := l.policy.motion.clip
	// Arming takes about 2 s, the gantry lets go after 3, the last second shows
	// that it stands.
	last := time.Duration((clip.Seconds() + 7) * float64(time.Second)).Round(time.Second)
	args := []string{"--robot", l.robot, "--sim", "--policy", l.path("policy.bundle"),
		"--for", last.String(), "--stats", stats, "--record", l.path(recordingFile), "--mqtt", "off", "--sim-arg=--record=" + trace}
	if l.policy.bundle.CheckGate() != nil {
		args = append(args, "--anyway") // what a poor policy does belongs in the report
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 15 * time.Second
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	runErr := c.Run()
	s, err := readFlightStats(stats, l.path("policy.bundle"))
	if err != nil {
		return fmt.Errorf("%w: %s", errOr(runErr, err), bytes.TrimSpace(said.Bytes()))
	}
	f, err := l.cutTrace(trace, s.Transitions)
	if err != nil {
		return fmt.Errorf("%w; %s", err, cmp.Or(s.Cause, "see "+stats))
	}
	if s.Truth != nil && s.Truth.Fell {
		f.fell, f.fallS = true, math.Max(0, s.Truth.FellAtS-f.fallS)
	}
	l.flight, l.summary.Robotd = f, s.Brief()
	if runErr != nil {
		l.note("robotd ended with %v: %s", runErr, s.Cause)
	}
	l.say("robotd", "%d ticks at %d Hz, %d missed, %d bus errors, fell: %v, ended %s with torque off: %v",
		s.Ticks, s.RateHz, s.MissedTicks, s.BusErrors, s.Fell, s.EndState, s.TorqueOff)
	return nil
}

// readFlightStats reads robotd's statistics; those of another policy than the
// given bundle's are an error.
func readFlightStats(name, policy string) (*record.Stats, error) {
	s, err := record.LoadStats(name)
	if err != nil {
		return nil, err
	}
	hash, err := fileSHA256(policy)
	if err != nil {
		return nil, err
	}
	if s.PolicyHash != hash {
		return nil, fmt.Errorf("%s is about another policy (sha256 %.12q) than %s (%.12s)", name, s.PolicyHash, policy, hash)
	}
	return s, nil
}

func errOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// cutTrace cuts the clip out of the record of the whole run: from where robotd
// began to play it.
func (l *learner) cutTrace(name string, states []record.Transition) (*flight, error) {
	a, err := npz.Load(name)
	if err != nil {
		return nil, err
	}
	q, err := a.Get("qpos", -1, -1)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rows, width := q.Shape[0], q.Shape[1]
	at, err := a.Get("time_s", rows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	on, err := a.Get("torque_on", rows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	first, ok := firstPlayed(at.Data, on.Data, states)
	if !ok || rows == 0 || first > at.Data[rows-1] {
		return nil, fmt.Errorf("%s: robotd ended before the motion began", name)
	}
	f := &flight{periodS: 1.0 / traceHz, fallS: first}
	// On a busy machine the rows lie further apart than they should.
	last := min(at.Data[rows-1], first+l.policy.motion.clip.Seconds()+0.5)
	for i, n := 0, 0; first+float64(n)*f.periodS <= last; n++ {
		for i+1 < rows && at.Data[i+1] <= first+float64(n)*f.periodS+1e-9 {
			i++
		}
		f.qpos = append(f.qpos, q.Data[i*width:(i+1)*width])
	}
	return f, nil
}

// firstPlayed returns when robotd first went active, on the clock of the
// emulator's record. The two processes have clocks of their own; they meet where
// robotd arms, for then the torque goes on. timeS (T) is the record's clock,
// torqueOn (T) counts the servos with torque. ok is false where robotd never
// went active.
func firstPlayed(timeS, torqueOn []float64, states []record.Transition) (atS float64, ok bool) {
	powered := slices.IndexFunc(torqueOn, func(n float64) bool { return n > 0 })
	if powered < 0 {
		return 0, false
	}
	var armedS float64
	for _, s := range states {
		switch s.To {
		case "arming":
			if armedS == 0 {
				armedS = s.AtS
			}
		case "active":
			return timeS[powered] + s.AtS - armedS, true
		}
	}
	return 0, false
}
