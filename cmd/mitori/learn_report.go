package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/cmd/mitori/report"
)

// stageOrder is the order of the stages in the report.
func stageOrder() []string {
	return []string{"extract", "retarget", "check", "train", "eval", "robotd", "film"}
}

// write leaves summary.json and report.html.
func (l *learner) write(out io.Writer) error {
	s := &l.summary
	s.TotalS = time.Since(l.began).Seconds()
	if err := l.measureFeet(); err != nil {
		return err
	}
	s.Notes = l.notes
	switch rate := s.Eval.SurvivalRate; {
	case rate >= goodSurvival:
		s.Outcome = "learned"
	case rate >= 0.5:
		s.Outcome = "learned in part: survival below 95 %"
	case l.ending() == tooLittle:
		s.Outcome = "not learned: the budget was too small"
	default:
		s.Outcome = "not learned: the robot mostly falls"
	}
	if err := s.Save(l.path("summary.json")); err != nil {
		return err
	}
	if err := l.page().Save(l.path("report.html")); err != nil {
		return err
	}
	l.say("done", "%s; open %s", s.Outcome, l.path("report.html"))
	if l.asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	return nil
}

func (l *learner) page() *report.Data {
	s := &l.summary
	d := &report.Data{
		Summary: s, Sheet: l.sheet, Video: l.path("side_by_side.mp4"), Stages: stageOrder(), Notes: l.notes,
		Person: fmt.Sprintf("%s learned from %s", l.body.Desc.Name, s.Video),
	}
	clip := l.policy.motion.clip
	d.Doing = fmt.Sprintf("A person moves for %.1f s; the robot does the same with %d servos in %.1f s, from standing to standing, driven by robotd over the bytes of its servo bus.",
		l.seen.Motion.Seconds(), len(l.body.Desc.Joints), clip.Seconds())
	if l.flight.fell {
		d.Doing = fmt.Sprintf("The robot fell %.1f s into the motion when robotd drove it over its servo bus.", l.flight.fallS)
	}
	for j, joint := range l.body.Desc.Joints {
		t := report.JointTrack{Name: joint.Name, LimitNm: l.body.Desc.ServoOf(j).StallTorqueNm}
		for i, row := range l.flight.qpos {
			k := int(float64(i) * l.flight.periodS * clip.FPS)
			if k >= len(clip.Frames) {
				break
			}
			t.TimeS = append(t.TimeS, float64(i)*l.flight.periodS)
			t.RefRad = append(t.RefRad, clip.Frames[k].JointPosRad[j])
			t.ActualRad = append(t.ActualRad, row[l.body.Joints[j].QPos])
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
