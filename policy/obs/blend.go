package obs

import "github.com/mitori-robotics/mitori/models/spatial"

// NewBlend returns a reference of that many periods for [Reference.Blend] to fill.
func NewBlend(joints, periods int) *Reference {
	r := &Reference{Frames: make([]RefFrame, max(periods, 1)+1)}
	for k := range r.Frames {
		r.Frames[k].JointPosRad, r.Frames[k].JointVelRadPerS = make([]float64, joints), make([]float64, joints)
	}
	return r
}

// Blend makes r, which [NewBlend] made, lead from one instant of a motion to a pose at rest: it starts with the pose
// and the joint speeds of from and ends in to, turned to where the robot looks. Its phase goes on from startPhase to
// 1, so that the policy sees no jump in anything. from and to belong to other references. Nothing is allocated.
func (r *Reference) Blend(from, to *RefFrame, startPhase, periodS float64) {
	r.phaseFrom = startPhase
	spanS := float64(len(r.Frames)-1) * periodS
	heading := spatial.FromYaw(from.RootQuat.YawRad() - to.RootQuat.YawRad())
	ahead := heading.Mul(to.RootQuat)
	end := spatial.Vec3{from.RootPosM[0], from.RootPosM[1], to.RootPosM[2]}
	for k := range r.Frames {
		f := &r.Frames[k]
		u := float64(k) / float64(len(r.Frames)-1)
		for j := range f.JointPosRad {
			f.JointPosRad[j], f.JointVelRadPerS[j] = toRest(from.JointPosRad[j], from.JointVelRadPerS[j], to.JointPosRad[j], spanS, u)
		}
		share, _ := toRest(0, 0, 1, spanS, u)
		f.RootPosM, f.RootQuat = from.RootPosM.Lerp(end, share), from.RootQuat.Slerp(ahead, share)
		f.RootLinVelMPerS, f.RootAngVelRadPerS = from.RootLinVelMPerS.Scale(1-share), from.RootAngVelRadPerS.Scale(1-share)
		f.Gravity, f.Contacts = spatial.GravityInBase(f.RootQuat), to.Contacts
	}
}

// toRest is the polynomial of fifth degree from position a with speed v and no acceleration to rest in b within spanS,
// and its derivative, at the share u of the time.
func toRest(a, v, b, spanS, u float64) (pos, vel float64) {
	d, w := b-a, v*spanS
	c3, c4, c5 := 10*d-6*w, -15*d+8*w, 6*d-3*w
	pos = a + u*(w+u*u*(c3+u*(c4+u*c5)))
	vel = (w + u*u*(3*c3+u*(4*c4+u*5*c5))) / spanS
	return pos, vel
}
