package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// clip writes the result in file form: joints in the robot's order, all bodies of the model, the root first.
func (f *finished) clip(m *human.Motion) *motion.Clip {
	r, tree := f.robot, f.robot.Kin.Tree
	bodies := []int{r.An.Root}
	for b := 1; b < len(tree.Bodies); b++ {
		if b != r.An.Root {
			bodies = append(bodies, b)
		}
	}
	c := &motion.Clip{FPS: f.plan.FPS, JointNames: r.Desc.JointNames()}
	for _, b := range bodies {
		c.BodyNames = append(c.BodyNames, tree.Bodies[b].Name)
	}
	d := r.Kin.NewData()
	for t := range f.Q {
		frame := motion.NewFrame(len(c.JointNames), len(bodies))
		r.Kin.Forward(d, f.Q[t])
		r.Kin.Velocities(d, f.motion.Vel[t])
		for k, i := range r.Joints {
			frame.JointPosRad[k], frame.JointVelRadPerS[k] = f.Q[t][r.DofQ[i]], f.motion.Vel[t][i]
		}
		for k, b := range bodies {
			frame.BodyPosM[k], frame.BodyQuat[k] = d.BodyPos[b], positive(d.BodyRot[b])
			frame.BodyVelMPerS[k], frame.BodyAngVel[k] = d.BodyVel[b], d.BodyAngVel[b]
		}
		for s, on := range f.Stands[t] {
			if on {
				frame.Contacts[s] = 1
			}
		}
		c.Frames = append(c.Frames, frame)
	}
	c.Meta = f.meta(m)
	return c
}

// meta says what the clip was made from and where its leads end.
func (f *finished) meta(m *human.Motion) motion.Meta {
	var lead [2]int
	sourceS := make([]float64, len(f.Frame))
	for i, t := range f.Frame {
		// Whole milliseconds: enough for pictures, and short in the file.
		k := max(0, min(t-f.plan.Lead[0], len(f.times)-1))
		sourceS[i] = math.Round(1000*f.times[k]) / 1000
		if t < f.plan.Lead[0] {
			lead[0]++
		} else if t >= len(f.plan.Targets)-f.plan.Lead[1] {
			lead[1]++
		}
	}
	d := f.robot.Desc
	return motion.Meta{Robot: d.Name, RobotHash: d.Hash, Source: m.Meta.Source, SourceSHA256: m.Meta.SourceSHA256,
		LeadInS:  float64(lead[0]) / f.plan.FPS,
		LeadOutS: float64(lead[1]) / f.plan.FPS, SourceS: sourceS, Tool: "mitori retarget"}
}

// positive picks, of the two quaternions of a rotation, the one with w >= 0, so that files compare.
func positive(q spatial.Quat) spatial.Quat {
	if q[0] < 0 {
		return spatial.Quat{-q[0], -q[1], -q[2], -q[3]}
	}
	return q
}
