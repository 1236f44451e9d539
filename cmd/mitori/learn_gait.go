package main

import (
	"math"

	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/kin/rig"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// measureFeet follows the feet from the person to the robot and says where lift
// and symmetry are lost.
func (l *learner) measureFeet() error {
	legs, err := newWalker(l.desc)
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
	rig *rig.Rig
	an  *anatomy.Anatomy
}

func newWalker(d *robot.Description) (*walker, error) {
	r, err := rig.New(d)
	if err != nil {
		return nil, err
	}
	an, err := anatomy.Derive(r.Kin, r.StandQPos)
	if err != nil {
		return nil, err
	}
	return &walker{r, an}, nil
}

// path gives the ankles' path of positions in MuJoCo's order.
func (w *walker) path(qpos [][]float64, fps float64) gait.Path {
	p := gait.Path{FPS: fps, LegM: w.an.LegLengthM()}
	d := w.rig.Kin.NewData()
	for _, q := range qpos {
		w.rig.Kin.Forward(d, q)
		for s := range w.an.Legs {
			p.Ankle[s] = append(p.Ankle[s], w.an.Legs[s].Ankle.At(d))
		}
	}
	return p
}

// reference gives the ankles' path of a reference motion, without its leads.
func (w *walker) reference(clip *motion.Clip) gait.Path {
	hinge := map[string]*mjcf.Joint{}
	for _, j := range w.rig.Hinges {
		hinge[j.Name] = j
	}
	tree := w.rig.Kin.Tree
	root := tree.Joints[tree.Bodies[w.an.Root].Joints[0]].QPos
	first, last := proper(clip, clip.FPS, len(clip.Frames))
	var qpos [][]float64
	for i := first; i < last; i++ {
		f, q := &clip.Frames[i], append([]float64(nil), w.rig.StandQPos...)
		copy(q[root:], f.BodyPosM[0][:])
		copy(q[root+3:], f.BodyQuat[0][:])
		for k, name := range clip.JointNames {
			if j := hinge[name]; j != nil {
				q[j.QPos] = f.JointPosRad[k]
			}
		}
		qpos = append(qpos, q)
	}
	return w.path(qpos, clip.FPS)
}
