package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/cmd/mitori/report"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/sim/scene"
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
// the emulated bus, once through the motion.
func (l *learner) fly(ctx context.Context) error {
	program, err := siblingProgram("robotd")
	if err != nil {
		return err
	}
	trace, stats := l.path("robotd.trace.npz"), l.path("stats.json")
	clip := l.policy.motion.clip
	// Arming takes about 2 s, the gantry lets go after 3, the last second shows
	// that it stands.
	last := time.Duration((clip.Seconds() + 7) * float64(time.Second)).Round(time.Second)
	c := exec.CommandContext(ctx, program, "--robot", l.robot, "--sim", "--policy", l.path("policy.bundle"),
		"--for", last.String(), "--stats", stats, "--record", l.path("flight.mcap"), "--mqtt", "off", "--sim-arg=--record="+trace)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 15 * time.Second
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	runErr := c.Run()
	text, err := os.ReadFile(stats)
	if err != nil {
		return fmt.Errorf("robotd: %w: %s", errOr(runErr, err), bytes.TrimSpace(said.Bytes()))
	}
	var s struct {
		report.Robotd
		Cause string `json:"cause"`
		Truth *struct {
			Fell    bool    `json:"fell"`
			FellAtS float64 `json:"fell_at_s"`
		} `json:"sim_truth"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s: %w", stats, err)
	}
	l.summary.Robotd = s.Robotd
	if runErr != nil {
		l.note("robotd ended with %v: %s", runErr, s.Cause)
	}
	l.say("robotd", "%d ticks at %.0f Hz, %d missed, %d bus errors, fell: %v, ended %s with torque off: %v",
		s.Ticks, s.RateHz, s.MissedTicks, s.BusErrors, s.Fell, s.EndState, s.TorqueOff)
	l.flight, err = l.cutTrace(trace)
	if err != nil {
		return err
	}
	if s.Truth != nil && s.Truth.Fell {
		l.flight.fell, l.flight.fallS = true, math.Max(0, s.Truth.FellAtS-l.flight.fallS)
	}
	return nil
}

func errOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// cutTrace finds the clip in the record of the whole run: where the measured
// joints follow the reference best.
func (l *learner) cutTrace(name string) (*flight, error) {
	a, err := npz.Load(name)
	if err != nil {
		return nil, err
	}
	q, err := a.Get("qpos", -1, -1)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rows, width := q.Shape[0], q.Shape[1]
	clip := l.policy.motion.clip
	step := clip.FPS / traceHz
	length := int(clip.Seconds()*traceHz) + 1
	joints, err := l.jointColumns()
	if err != nil {
		return nil, err
	}
	best, bestErr := 0, math.Inf(1)
	for at := 0; at+length <= rows; at++ {
		sum := 0.0
		for i := 0; i < length && sum < bestErr; i += 2 {
			f := &clip.Frames[min(len(clip.Frames)-1, int(float64(i)*step))]
			row := q.Data[(at+i)*width : (at+i+1)*width]
			for j, col := range joints {
				d := row[col] - f.JointPosRad[j]
				sum += d * d
			}
		}
		if sum < bestErr {
			best, bestErr = at, sum
		}
	}
	f := &flight{periodS: 1.0 / traceHz, fallS: float64(best) / traceHz}
	for i := best; i < min(rows, best+length+traceHz/2); i++ {
		f.qpos = append(f.qpos, q.Data[i*width:(i+1)*width])
	}
	if len(f.qpos) == 0 {
		return nil, fmt.Errorf("%s: the record is empty; robotd ended before the motion began", name)
	}
	return f, nil
}

// jointColumns returns where the joints of the robot stand in a position vector
// of the physics engine.
func (l *learner) jointColumns() ([]int, error) {
	s, err := scene.Compile(l.desc, 0)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l.rootQPos = s.RootQPos
	var cols []int
	for _, j := range s.Joints {
		cols = append(cols, j.QPos)
	}
	l.columns = cols
	return cols, nil
}
