package gait

import (
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/motion"
)

// Proper is the part of n frames of a clip, rate times a second, without its
// leads from and to standing.
func Proper(clip *motion.Clip, rate float64, n int) (first, last int) {
	first = int(math.Round(clip.Meta.LeadInS * rate))
	last = min(n, int(math.Round((clip.Seconds()-clip.Meta.LeadOutS)*rate))+1)
	if last-first < 2 {
		return 0, n
	}
	return first, last
}

// Walker knows where a robot's ankles are.
type Walker struct {
	body *body.Body
	an   *anatomy.Anatomy
}

// NewWalker needs a robot with legs.
func NewWalker(b *body.Body) (*Walker, error) {
	an, err := b.Humanoid()
	if err != nil {
		return nil, err
	}
	return &Walker{b, an}, nil
}

// Path gives the ankles' path of positions in MuJoCo's order.
func (w *Walker) Path(qpos [][]float64, fps float64) Path {
	p := Path{FPS: fps, LegM: w.an.LegLengthM()}
	d := w.body.Kin.NewData()
	for _, q := range qpos {
		w.body.Kin.Forward(d, q)
		for s := range w.an.Legs {
			p.Ankle[s] = append(p.Ankle[s], w.an.Legs[s].Ankle.At(d))
		}
	}
	return p
}

// Reference gives the ankles' path of a reference motion, without its leads.
func (w *Walker) Reference(clip *motion.Clip) Path {
	at := map[string]int{}
	for i := range w.body.Joints {
		at[w.body.Joints[i].Hinge.Name] = w.body.Joints[i].QPos
	}
	root := w.body.Root.QPos
	first, last := Proper(clip, clip.FPS, len(clip.Frames))
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
	return w.Path(qpos, clip.FPS)
}
