package learn

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/pictures"
	"github.com/mitori-robotics/mitori/cmd/internal/report"
	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/record"
)

// report measures the feet and leaves summary and report.
func (l *learner) report(ctx context.Context) (err error) {
	s := &l.summary
	s.Feet, err = pipeline.Do(ctx, &l.run, pipeline.Stage[record.Feet]{
		Name: "report",
		Work: func(context.Context, pipeline.Tell) (record.Feet, error) { return l.measureFeet() },
	})
	if err != nil {
		return err
	}
	for _, text := range s.Feet.Findings {
		l.say("feet", "%s", text)
	}
	s.StageS = map[string]float64{}
	for _, w := range l.run.Walls() {
		s.StageS[w.Stage] = w.Seconds
	}
	s.TotalS, s.Notes, s.Outcome = time.Since(l.began).Seconds(), l.notes, l.outcome()
	if err := s.Save(l.path(summaryFile)); err != nil {
		return err
	}
	if err := l.page().Save(l.path(reportFile)); err != nil {
		return err
	}
	l.say("done", "%s; open %s", s.Outcome, l.path(reportFile))
	return nil
}

// stages are the run's stages in their order.
func (l *learner) stages() (names []string) {
	for _, w := range l.run.Walls() {
		names = append(names, w.Stage)
	}
	return names
}

func (l *learner) outcome() string {
	switch rate := l.policy.eval.SurvivalRate; {
	case rate >= goodSurvival:
		return "learned"
	case rate >= mostlyFalls:
		return "learned in part: survival below 95 %"
	case l.ending() == tooLittle:
		return "not learned: the budget was too small"
	}
	return "not learned: the robot mostly falls"
}

// measureFeet follows the feet from the person to the robot and says where lift
// and symmetry are lost.
func (l *learner) measureFeet() (f record.Feet, err error) {
	legs, err := gait.NewWalker(l.Robot)
	if err != nil {
		return f, err
	}
	if f.Person, err = gait.Measure(gait.Person(l.seen.Motion)); err != nil {
		return f, err
	}
	if l.truth != nil {
		if f.Truth, err = gait.Measure(gait.Person(l.truth)); err != nil {
			return f, err
		}
	}
	clip, rate := l.policy.motion.Clip, 1/l.flight.PeriodS
	if f.Reference, err = gait.Measure(legs.Reference(clip)); err != nil {
		return f, err
	}
	first, last := gait.Proper(clip, rate, len(l.flight.QPos))
	if f.Robot, err = gait.Measure(legs.Path(l.flight.QPos[first:last], rate)); err != nil {
		return f, err
	}
	f.Findings = feetFindings(&f, l.Retarget.Mirror)
	return f, nil
}

// feetFindings compares each motion with the one that it comes from.
func feetFindings(f *record.Feet, mirrored bool) []string {
	out := []string{}
	person := f.Person
	if f.Truth != nil {
		person = f.Truth
		out = append(out, f.Person.Against(f.Truth, "The motion seen in the video", "the exact motion")...)
	} else if s := f.Person.Odd("The motion seen in the video"); s != "" {
		out = append(out, s)
	}
	if mirrored {
		m := *person
		m.Left, m.Right = m.Right, m.Left
		person = &m
	}
	out = append(out, f.Reference.Against(person, "The reference motion", "the person")...)
	if f.Robot != nil {
		out = append(out, f.Robot.Against(f.Reference, "The robot", "the reference motion")...)
	}
	return out
}

func (l *learner) page() *report.Data {
	s := &l.summary
	d := &report.Data{
		Summary: s, Sheet: l.sheet, Video: l.path(pictures.FilmFile), Stages: l.stages(), Notes: l.notes,
		Headline: fmt.Sprintf("%s learned from %s", l.Robot.Desc.Name, s.Video),
	}
	clip := l.policy.motion.Clip
	d.Doing = fmt.Sprintf("A person moves for %.1f s; the robot does the same with %d servos in %.1f s, from standing to standing, driven by robotd over the bytes of its servo bus.",
		l.seen.Motion.Seconds(), len(l.Robot.Desc.Joints), clip.Seconds())
	if l.flight.Fell {
		d.Doing = fmt.Sprintf("The robot fell %.1f s into the motion when robotd drove it over its servo bus.", l.flight.FallS)
	}
	for j, joint := range l.Robot.Desc.Joints {
		t := report.JointTrack{Name: joint.Name, LimitNm: l.Robot.Desc.ServoOf(j).StallTorqueNm}
		for i, row := range l.flight.QPos {
			k := int(float64(i) * l.flight.PeriodS * clip.FPS)
			if k >= len(clip.Frames) {
				break
			}
			t.TimeS = append(t.TimeS, float64(i)*l.flight.PeriodS)
			t.RefRad = append(t.RefRad, clip.Frames[k].JointPosRad[j])
			t.ActualRad = append(t.ActualRad, row[l.Robot.Joints[j].QPos])
		}
		for _, v := range l.policy.motion.verdict.Joints {
			if v.Name == joint.Name {
				t.PeakNm, t.RMSNm = v.PeakNm, v.RMSNm
			}
		}
		d.Joints = append(d.Joints, t)
	}
	for _, p := range l.policy.result.Curve {
		if p.Eval != nil {
			d.Learning = append(d.Learning, report.LearnPoint{ControlSteps: float64(p.Steps), Survival: p.Eval.Rate(), JointMAERad: p.Eval.JointErrRad})
		}
	}
	return d
}

// nameOfVideo is the video's name without folder and ending.
func (l *learner) nameOfVideo() string {
	name := l.summary.Video
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return name
}
