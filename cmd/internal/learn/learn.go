// Package learn is the whole path: from the video of a person to a tested policy, a
// robot that performs it under robotd, and a report of all that.
//
// It is a list of stages (package pipeline), read from the top in [Run]; each leaves
// files in one folder, and what is in the folder is always of one run. What is not
// here: the stages themselves, the command line, and anything printed: sentences and
// progress go to the caller's functions. A run belongs to one goroutine.
package learn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/doctor"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/perform"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/pictures"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/policy/train"
)

// Options are the choices of one run.
type Options struct {
	Look      extract.Options // which person of which video
	Robot     *body.Body
	RobotName string // as robotd's --robot takes it
	Folder    string // for all results
	Retarget  retarget.Options
	Budget    train.Budget // of one training
	Method    string
	Seed      uint64
	Tries     int // trainings at most
	Episodes  int // of the hard test set
	ShowFaces bool
	Resume    bool // go on with the training of an interrupted run into the same folder
	Anyway    bool // go on where a verdict refuses

	Say  func(Line)    // may be nil
	Tell pipeline.Tell // may be nil
}

// Line is a sentence about a stage.
type Line struct {
	At    time.Duration // since the run began
	Stage string
	Text  string
}

// Files of a run, beside those of the stages that write their own.
const (
	personFile    = "person.human.npz"
	referenceFile = "reference.motion.npz"
	bundleFile    = "policy.bundle"
	evalFile      = "eval.json"
	summaryFile   = "summary.json"
	reportFile    = "report.html"
)

// Results are the files that a run leaves in its folder and that say how that run
// went. Checkpoints are not among them: they are what a resumed run takes up.
func Results() []string {
	return []string{
		summaryFile, reportFile, pictures.FilmFile, pictures.SheetFile, evalFile,
		bundleFile, referenceFile, personFile,
		perform.StatsFile, perform.TraceFile, perform.RecordingFile,
	}
}

// learner carries the results from stage to stage.
type learner struct {
	Options
	run     pipeline.Run
	began   time.Time
	summary record.Summary
	notes   []string

	seen   *extract.Result
	truth  *human.Motion // nil where it is not known
	policy *trained      // the best one so far
	flight *perform.Flight
	sheet  []byte // PNG
	// longest is the training with the most control steps, which need not be the one whose policy is kept.
	longest *train.Result

	checkpoints []string // files of the trainings of this run; removed when it is done
}

func newLearner(o Options) *learner {
	return &learner{
		Options: o, began: time.Now(), run: pipeline.Run{Folder: o.Folder, Resume: o.Resume, Tell: o.Tell},
		summary: record.Summary{Video: filepath.Base(o.Look.Video), Robot: o.Robot.Desc.Name, Seed: o.Seed, Machine: doctor.Machine()},
	}
}

// Run goes the whole path. The summary is nil unless the run came to its end; there
// it is returned also with an error, which then says that the robot cannot do the
// motion (a refusal), or that the budget was too small.
func Run(ctx context.Context, o Options) (*record.Summary, error) {
	if err := o.Check(o.Look.Video); err != nil {
		return nil, err
	}
	l := newLearner(o)
	l.run.Tell = l.tell
	for _, stage := range []func(context.Context) error{
		l.clear,
		l.extract,  // video -> motion of the person
		l.practise, // -> reference -> verdict -> policy -> evaluation, until it stands
		l.keep,     // the best of them
		l.perform,  // -> flight under robotd
		l.film,     // -> pictures
		l.report,   // -> summary and report of all that
	} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	end := l.ending()
	if end != tooLittle { // else the training can go on
		if err := l.forget(); err != nil {
			return &l.summary, err
		}
	}
	return &l.summary, l.verdict(end)
}

// Check refuses bad choices for a video before any work: also a video that is not
// there, or that lies where a result will be written.
func (o *Options) Check(video string) error {
	if o.Tries < 1 || o.Episodes < 1 {
		return fault.Usage("--tries %d, --episodes %d; legal: 1 and more", o.Tries, o.Episodes)
	}
	if err := practice.CheckMethod(o.Method); err != nil {
		return fault.Usage("--method: %w", err)
	}
	there, err := os.Stat(video)
	if err != nil {
		return err
	}
	for _, name := range Results() {
		result := filepath.Join(o.Folder, name)
		if st, err := os.Stat(result); err == nil && os.SameFile(st, there) {
			return fault.Usage("the video %s is read and would be overwritten: learn writes %s; choose another folder with -o", video, result)
		}
	}
	return nil
}

// clear removes what an earlier run left.
func (l *learner) clear(context.Context) error {
	if !l.Resume {
		if err := l.run.Forget(); err != nil {
			return err
		}
	}
	return pipeline.Clear(l.Folder, Results()...)
}

// extract finds the person's motion and, where the exact motion lies beside the
// video (a rendered clip), compares the two.
func (l *learner) extract(ctx context.Context) (err error) {
	if l.seen, err = pipeline.Do(ctx, &l.run, extract.Stage(l.Look)); err != nil {
		return err
	}
	e := l.seen
	for _, w := range e.Verdict.Warnings {
		l.note("%s", w)
	}
	if err := e.Refusal(l.Look.Video, l.Anyway); err != nil {
		return err
	}
	if err := e.Motion.Save(l.path(personFile)); err != nil {
		return err
	}
	s := &l.summary
	s.Frames = e.Track.Stats.Frames
	s.Extract = record.Extract{
		FPS: e.FPS(), FramesMissed: e.Track.Stats.Missed, Runtime: l.Look.Track.Runtime.String(), Model: l.Look.Track.Model.String(),
		VideoFPS: e.Track.Info.FPS, Seconds: e.Motion.Seconds(),
		Verdict: e.Verdict.Grade.String(), Unseen: e.Verdict.Unseen, Warnings: e.Verdict.Warnings,
	}
	l.say("extract", "%s: %d frames, %d without the person, %.0f frames/s", s.Extract.Verdict, s.Frames, s.Extract.FramesMissed, s.Extract.FPS)
	return l.compareWithTruth()
}

func (l *learner) compareWithTruth() error {
	name := strings.TrimSuffix(l.Look.Video, filepath.Ext(l.Look.Video)) + ".truth.human.npz"
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

// perform lets robotd run the policy on the emulated bus.
func (l *learner) perform(ctx context.Context) (err error) {
	l.flight, err = pipeline.Do(ctx, &l.run, perform.Stage(perform.Job{
		Robot: l.RobotName, Bundle: l.path(bundleFile), Poor: l.policy.bundle.CheckGate() != nil,
		Clip: l.policy.motion.Clip, Folder: l.Folder,
	}))
	if err != nil {
		return err
	}
	s := l.flight.Stats
	l.summary.Robotd = s.Brief()
	l.say("robotd", "%d ticks at %d Hz, %d missed, %d bus errors, fell: %v, ended %s with torque off: %v",
		s.Ticks, s.RateHz, s.MissedTicks, s.BusErrors, s.Fell, s.EndState, s.TorqueOff)
	return nil
}

// film puts the person beside the robot.
func (l *learner) film(ctx context.Context) (err error) {
	l.sheet, err = pipeline.Do(ctx, &l.run, pictures.Stage(pictures.Job{
		Video: l.Look.Video, Seen: l.seen, Mirrored: l.Retarget.Mirror, ShowFaces: l.ShowFaces,
		Robot: l.Robot, Clip: l.policy.motion.Clip, Flight: l.flight, Folder: l.Folder,
	}))
	if err == nil {
		l.say("film", "%s and %s written", pictures.FilmFile, pictures.SheetFile)
	}
	return err
}

// tell takes notes out of the stages' progress and passes the rest on.
func (l *learner) tell(p pipeline.Progress) {
	if n, ok := p.Detail.(perform.Note); ok {
		l.note("%s", n)
		return
	}
	if l.Tell != nil {
		l.Tell(p)
	}
}

// say tells one sentence.
func (l *learner) say(stage, format string, args ...any) {
	if l.Say != nil {
		l.Say(Line{time.Since(l.began), stage, fmt.Sprintf(format, args...)})
	}
}

// note tells a sentence that belongs into the report, too.
func (l *learner) note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	l.notes = append(l.notes, s)
	l.say("note", "%s", s)
}

// path returns a file of the output folder.
func (l *learner) path(name string) string { return filepath.Join(l.Folder, name) }
