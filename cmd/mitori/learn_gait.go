package main

import (
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/record"
)

// measureFeet follows the feet from the person to the robot and says where lift
// and symmetry are lost.
func (l *learner) measureFeet() error {
	legs, err := newWalker(l.body)
	if err != nil {
		return err
	}
	var f record.Feet
	if f.Person, err = gait.Measure(gait.Person(l.seen.Motion)); err != nil {
		return err
	}
	if l.truth != nil {
		if f.Truth, err = gait.Measure(gait.Person(l.truth)); err != nil {
			return err
		}
	}
	clip := l.policy.motion.clip
	if f.Reference, err = gait.Measure(legs.reference(clip)); err != nil {
		return err
	}
	if l.flight != nil {
		first, last := proper(clip, 1/l.flight.periodS, len(l.flight.qpos))
		if f.Robot, err = gait.Measure(legs.path(l.flight.qpos[first:last], 1/l.flight.periodS)); err != nil {
			return err
		}
	}
	f.Findings = feetFindings(&f, l.retarget.Mirror)
	for _, s := range f.Findings {
		l.say("feet", "%s", s)
	}
	l.summary.Feet = f
	return nil
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

// proper is the part of n frames of a clip, rate times a second, without its
// leads from and to standing.
func proper(clip *motion.Clip, rate float64, n int) (first, last int) {
	first = int(math.Round(clip.Meta.LeadInS * rate))
	last = min(n, int(math.Round((clip.Seconds()-clip.Meta.LeadOutS)*rate))+1)
	if last-first < 2 {
		return 0, n
	}
	return first, last
}

// walker knows where a robot's ankles are.
type walker struct {
	body *body.Body
	an   *anatomy.Anatomy
}

func newWalker(b *body.Body) (*walker, error) {
	an, err := b.Humanoid()
	return &walker{b, an}, err
}

// path gives the ankles' path of positions in MuJoCo's order.
func (w *walker) path(qpos [][]float64, fps float64) gait.Path {
	p := gait.Path{FPS: fps, LegM: w.an.LegLengthM()}
	d := w.body.Kin.NewData()
	for _, q := range qpos {
		w.body.Kin.Forward(d, q)
		for s := range w.an.Legs {
			p.Ankle[s] = append(p.Ankle[s], w.an.Legs[s].Ankle.At(d))
		}
	}
	return p
}

// reference gives the ankles' path of a reference motion, without its leads.
func (w *walker) reference(clip *motion.Clip) gait.Path {
	at := map[string]int{}
	for i := range w.body.Joints {
		at[w.body.Joints[i].Hinge.Name] = w.body.Joints[i].QPos
	}
	root := w.body.Root.QPos
	first, last := proper(clip, clip.FPS, len(clip.Frames))
	var qpos [][]float64
	for i := first; i < last; i++ {
		f, q := &clip.Frames[i], append([]float64(nil), w.body.StandQPos...)
		copy(q[root:], f.BodyPosM[0][:])
		copy(q[root+3:], f.BodyQuat[0][:])
		for k, name := range clip.JointNames {
			if i, ok := at[name]; ok {
				q[i] = f.JointPosRad[k]
			}
		}
		qpos = append(qpos, q)
	}
	return w.path(qpos, clip.FPS)
}
