package kin

import (
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Velocities fills in BodyVel and BodyAngVel for the velocities qvel (length NV). Forward must have been called.
func (m *Model) Velocities(d *Data, qvel []float64) {
	m.motion(d, qvel, d.zeroQDD, spatial.Vec3{})
}

// motion runs the outward pass: velocities and accelerations of all bodies. The world itself accelerates by base,
// which is how gravity enters (a robot at rest on the floor is one in free space accelerated upwards).
func (m *Model) motion(d *Data, qvel, qacc []float64, base spatial.Vec3) {
	if len(qvel) != m.Tree.NV || len(qacc) != m.Tree.NV {
		panic("kin: velocities or accelerations have the wrong length")
	}
	d.linAcc[0] = base
	for b := 1; b < len(m.Tree.Bodies); b++ {
		body := &m.Tree.Bodies[b]
		p := body.Parent
		at := d.BodyPos[p]
		v, a, w, al := d.BodyVel[p], d.linAcc[p], d.BodyAngVel[p], d.angAcc[p]
		for _, ji := range body.Joints {
			j := &m.Tree.Joints[ji]
			i := j.QVel
			if j.Kind == mjcf.Free {
				rot := d.BodyRot[b]
				at = d.BodyPos[b]
				v = spatial.Vec3{qvel[i], qvel[i+1], qvel[i+2]}
				a = base.Add(spatial.Vec3{qacc[i], qacc[i+1], qacc[i+2]})
				w = rot.Rotate(spatial.Vec3{qvel[i+3], qvel[i+4], qvel[i+5]})
				al = rot.Rotate(spatial.Vec3{qacc[i+3], qacc[i+4], qacc[i+5]})
				continue
			}
			jf := &d.joints[ji]
			v, a = carry(v, a, w, al, jf.anchor.Sub(at))
			at = jf.anchor
			rate := jf.axis.Scale(qvel[i])
			if j.Kind == mjcf.Slide {
				v = v.Add(rate)
				a = a.Add(jf.axis.Scale(qacc[i])).Add(w.Cross(rate).Scale(2))
				at = at.Add(jf.axis.Scale(d.QPos[j.QPos] - j.RefRad))
				// The anchor has slid along; carrying the acceleration over that way is the carry of a fixed offset.
				off := at.Sub(jf.anchor)
				v, a = carry(v, a, w, al, off)
				continue
			}
			al = al.Add(jf.axis.Scale(qacc[i])).Add(w.Cross(rate))
			w = w.Add(rate)
		}
		v, a = carry(v, a, w, al, d.BodyPos[b].Sub(at))
		d.BodyVel[b], d.linAcc[b], d.BodyAngVel[b], d.angAcc[b] = v, a, w, al
	}
}

// carry moves linear velocity and acceleration to a point r away on the same rigid body.
func carry(v, a, w, al, r spatial.Vec3) (spatial.Vec3, spatial.Vec3) {
	wr := w.Cross(r)
	return v.Add(wr), a.Add(al.Cross(r)).Add(w.Cross(wr))
}

// InverseDynamics writes into dst (length NV) the generalized forces that give the accelerations qacc at the
// velocities qvel, under the tree's gravity: rigid-body terms and rotor inertia (armature), without joint damping or
// friction. For a free joint the six numbers are the force (world axes) and the moment about the body's origin (body
// axes) that the world must supply. ext, if not nil, holds one external wrench per body that already acts.
// Forward must have been called. Method: recursive Newton-Euler (Featherstone, Rigid Body Dynamics Algorithms, ch. 5)
// in world coordinates.
func (m *Model) InverseDynamics(dst []float64, d *Data, qvel, qacc []float64, ext []Wrench) {
	if len(dst) != m.Tree.NV {
		panic("kin: InverseDynamics: dst has the wrong length")
	}
	m.motion(d, qvel, qacc, m.Tree.GravityMPerS2.Scale(-1))
	for b := 1; b < len(m.Tree.Bodies); b++ {
		body := &m.Tree.Bodies[b]
		w, al := d.BodyAngVel[b], d.angAcc[b]
		r := d.BodyCom[b].Sub(d.BodyPos[b])
		_, ac := carry(d.BodyVel[b], d.linAcc[b], w, al, r)
		f := ac.Scale(body.MassKg)
		n := turnInertia(d.BodyRot[b], &body.InertiaKgM2, al).Add(w.Cross(turnInertia(d.BodyRot[b], &body.InertiaKgM2, w)))
		n = n.Add(r.Cross(f))
		if ext != nil {
			f = f.Sub(ext[b].ForceN)
			n = n.Sub(ext[b].MomentNm.Sub(d.BodyPos[b].Cross(ext[b].ForceN)))
		}
		d.force[b], d.moment[b] = f, n
	}
	for b := len(m.Tree.Bodies) - 1; b > 0; b-- {
		body := &m.Tree.Bodies[b]
		f, n := d.force[b], d.moment[b]
		for _, ji := range body.Joints {
			j := &m.Tree.Joints[ji]
			i := j.QVel
			switch j.Kind {
			case mjcf.Free:
				local := d.BodyRot[b].Inv().Rotate(n)
				dst[i], dst[i+1], dst[i+2] = f[0], f[1], f[2]
				dst[i+3], dst[i+4], dst[i+5] = local[0], local[1], local[2]
				for k := i; k < i+6; k++ {
					dst[k] += j.ArmatureKgM2 * qacc[k]
				}
			case mjcf.Slide:
				dst[i] = d.joints[ji].axis.Dot(f) + j.ArmatureKgM2*qacc[i]
			case mjcf.Hinge:
				jf := &d.joints[ji]
				dst[i] = jf.axis.Dot(n.Add(d.BodyPos[b].Sub(jf.anchor).Cross(f))) + j.ArmatureKgM2*qacc[i]
			}
		}
		if p := body.Parent; p > 0 {
			d.force[p] = d.force[p].Add(f)
			d.moment[p] = d.moment[p].Add(n).Add(d.BodyPos[b].Sub(d.BodyPos[p]).Cross(f))
		}
	}
}

// turnInertia returns R I R^T v.
func turnInertia(rot spatial.Quat, in *[3][3]float64, v spatial.Vec3) spatial.Vec3 {
	l := rot.Inv().Rotate(v)
	return rot.Rotate(spatial.Vec3{
		in[0][0]*l[0] + in[0][1]*l[1] + in[0][2]*l[2],
		in[1][0]*l[0] + in[1][1]*l[1] + in[1][2]*l[2],
		in[2][0]*l[0] + in[2][1]*l[1] + in[2][2]*l[2]})
}

// CenterOfPressure returns the point of the plane z = floorM about which a force f (world axes, N) acting at point p
// with moment n (world axes, N m) has no horizontal moment: the zero-moment point of the ground reaction. ok is false
// where the floor would have to pull.
func CenterOfPressure(p, f, n spatial.Vec3, floorM float64) (cop spatial.Vec3, ok bool) {
	if f[2] <= 1e-9 {
		return spatial.Vec3{p[0], p[1], floorM}, false
	}
	h := p[2] - floorM
	return spatial.Vec3{p[0] - (n[1]+h*f[0])/f[2], p[1] + (n[0]-h*f[1])/f[2], floorM}, true
}
