package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/policy/train/blas"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// watch extracts the person's motion and, where the exact motion lies beside
// the video (a rendered clip), compares the two.
func (l *learner) watch(ctx context.Context) error {
	if err := l.clear(runResults()...); err != nil {
		return err
	}
	e, err := extractMotion(ctx, l.look, stageProgress(l.log, "pose"))
	if err != nil {
		return err
	}
	l.seen = e
	for _, w := range e.Verdict.Warnings {
		l.note("%s", w)
	}
	if err := e.refusal(l.video, l.anyway); err != nil {
		return err
	}
	if err := e.Motion.Save(l.path("person.human.npz")); err != nil {
		return err
	}
	s := &l.summary
	s.Frames = e.Track.Stats.Frames
	s.Extract = record.Extract{
		FPS: e.FPS(), FramesMissed: e.Track.Stats.Missed, Runtime: l.look.Track.Runtime.String(), Model: l.look.Track.Model.String(),
		VideoFPS: e.Track.Info.FPS, Seconds: e.Motion.Seconds(),
		Verdict: e.Verdict.Grade.String(), Unseen: e.Verdict.Unseen, Warnings: e.Verdict.Warnings,
	}
	l.say("extract", "%s: %d frames, %d without the person, %.0f frames/s", s.Extract.Verdict, s.Frames, s.Extract.FramesMissed, s.Extract.FPS)
	return l.compareWithTruth()
}

func (l *learner) compareWithTruth() error {
	name := strings.TrimSuffix(l.video, filepath.Ext(l.video)) + ".truth.human.npz"
	truth, err := human.Load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := metrics.Compare(l.seen.Motion, truth)
	if err != nil {
		return err
	}
	l.truth = truth
	l.summary.Truth = &record.Truth{
		JointAngleDeg: c.JointAngleMeanDeg, JointSwingDeg: c.JointSwingMeanDeg, MPJPEmm: c.MPJPEMm, RootCm: 100 * c.RootMeanM,
	}
	l.say("truth", "joint angles %.1f deg (bone directions %.1f deg), MPJPE %.0f mm, root %.1f cm off the exact motion",
		c.JointAngleMeanDeg, c.JointSwingMeanDeg, c.MPJPEMm, 100*c.RootMeanM)
	return nil
}

// machine describes where the figures of a report come from.
func machine() record.Machine {
	return record.Machine{
		Cores: runtime.NumCPU(), CPU: cpuName(), OS: osName(), BLASCore: blas.CoreName(),
		Versions: map[string]string{"go": runtime.Version(), "mujoco": mujoco.Version(), "gorgonia": "0.9.18"},
	}
}

// osName returns the distribution's name, or the kernel's kind.
func osName() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return runtime.GOOS
	}
	for _, line := range strings.Split(string(text), "\n") {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(v, `"`)
		}
	}
	return runtime.GOOS
}
