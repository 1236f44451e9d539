// Package kin computes where a robot's links are and what moves them: forward kinematics, Jacobians of points and of
// the centre of mass, velocities, and inverse dynamics (recursive Newton-Euler) with a floating base.
//
// Position and velocity vectors have MuJoCo's layout: a free joint takes seven positions (x, y, z, then the
// quaternion w, x, y, z as worldFromBody) and six velocities (linear in world axes, angular in body axes); every
// other joint takes one of each. All results are in world axes unless a name says otherwise.
//
// A Model is immutable and may be shared; a Data holds the results for one configuration and belongs to one
// goroutine. After NewData no function of this package allocates. Not here: contact, actuators, integration of
// forces (sim), inverse kinematics (policy/retarget).
package kin

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Model is a kinematic tree prepared for repeated evaluation.
type Model struct {
	Tree   *mjcf.Model
	MassKg float64 // of everything that moves

	dofBody []int   // body that each velocity moves first
	paths   [][]int // per body: indices of the velocities that move it, rising
	chains  [][]int // per body: the bodies from the world to it, the world left out
	subMass []float64
}

// Data holds the state-dependent quantities of one configuration. Slices by body have one entry per mjcf body, by
// dof one per velocity. Fields of the second group are valid after Velocities or InverseDynamics only.
type Data struct {
	QPos    []float64      // copy of what Forward was given
	BodyPos []spatial.Vec3 // m
	BodyRot []spatial.Quat // worldFromBody
	BodyCom []spatial.Vec3 // m, centre of mass of each body
	SubCom  []spatial.Vec3 // m, centre of mass of each body with all that hangs from it
	ComM    spatial.Vec3   // of the whole robot, the world's own mass excluded
	// DofLin and DofAng are each dof's twist at unit speed: a point p fixed to a body that the dof moves has the
	// velocity DofLin + DofAng x p.
	DofLin, DofAng []spatial.Vec3

	BodyVel    []spatial.Vec3 // m/s, of the body's origin
	BodyAngVel []spatial.Vec3 // rad/s

	joints  []jointFrame
	linAcc  []spatial.Vec3
	angAcc  []spatial.Vec3
	force   []spatial.Vec3
	moment  []spatial.Vec3
	comJac  []float64
	zeroQDD []float64
}

// jointFrame is a joint's axis and anchor in the world.
type jointFrame struct{ axis, anchor spatial.Vec3 }

// Wrench is a force in N and a moment in N m about the origin of the world.
type Wrench struct{ ForceN, MomentNm spatial.Vec3 }

// New prepares a tree.
func New(tree *mjcf.Model) (*Model, error) {
	nb := len(tree.Bodies)
	m := &Model{Tree: tree, dofBody: make([]int, tree.NV), paths: make([][]int, nb), chains: make([][]int, nb), subMass: make([]float64, nb)}
	for b := 1; b < nb; b++ {
		body := tree.Bodies[b]
		m.paths[b] = append([]int(nil), m.paths[body.Parent]...)
		m.chains[b] = append(append([]int(nil), m.chains[body.Parent]...), b)
		for _, ji := range body.Joints {
			j := tree.Joints[ji]
			for k := 0; k < dofs(j.Kind); k++ {
				m.dofBody[j.QVel+k] = b
				m.paths[b] = append(m.paths[b], j.QVel+k)
			}
		}
	}
	for b := nb - 1; b > 0; b-- {
		m.subMass[b] += tree.Bodies[b].MassKg
		m.subMass[tree.Bodies[b].Parent] += m.subMass[b]
	}
	m.MassKg = m.subMass[0]
	if m.MassKg <= 0 {
		return nil, fmt.Errorf("kin: model %q has a mass of %g kg; legal: above 0 (give the bodies an <inertial>)", tree.Name, m.MassKg)
	}
	return m, nil
}

func dofs(k mjcf.JointKind) int {
	if k == mjcf.Free {
		return 6
	}
	return 1
}

// NewData allocates results for the model.
func (m *Model) NewData() *Data {
	nb, nv := len(m.Tree.Bodies), m.Tree.NV
	v := func(n int) []spatial.Vec3 { return make([]spatial.Vec3, n) }
	d := &Data{QPos: make([]float64, m.Tree.NQ), BodyPos: v(nb), BodyRot: make([]spatial.Quat, nb), BodyCom: v(nb), SubCom: v(nb),
		DofLin: v(nv), DofAng: v(nv), BodyVel: v(nb), BodyAngVel: v(nb),
		joints: make([]jointFrame, len(m.Tree.Joints)),
		linAcc: v(nb), angAcc: v(nb), force: v(nb), moment: v(nb), comJac: make([]float64, 3*nv), zeroQDD: make([]float64, nv)}
	d.BodyRot[0] = spatial.Identity()
	return d
}

// Path returns the rising indices of the velocities that move the body. The caller must not change it.
func (m *Model) Path(body int) []int { return m.paths[body] }

// DofBody returns the body that velocity dof moves first.
func (m *Model) DofBody(dof int) int { return m.dofBody[dof] }

// SubtreeMassKg returns the mass of the body with all that hangs from it.
func (m *Model) SubtreeMassKg(body int) float64 { return m.subMass[body] }

// Forward places all bodies for the positions qpos (length NQ). Quaternions are normalised first.
func (m *Model) Forward(d *Data, qpos []float64) {
	if len(qpos) != m.Tree.NQ {
		panic("kin: Forward: qpos has the wrong length")
	}
	copy(d.QPos, qpos)
	for b := 1; b < len(m.Tree.Bodies); b++ {
		m.place(d, qpos, b)
		d.SubCom[b] = d.BodyCom[b].Scale(m.Tree.Bodies[b].MassKg)
	}
	d.SubCom[0] = spatial.Vec3{}
	for b := len(m.Tree.Bodies) - 1; b > 0; b-- {
		p := m.Tree.Bodies[b].Parent
		d.SubCom[p] = d.SubCom[p].Add(d.SubCom[b])
		if m.subMass[b] > 0 {
			d.SubCom[b] = d.SubCom[b].Scale(1 / m.subMass[b])
		} else {
			d.SubCom[b] = d.BodyPos[b]
		}
	}
	d.ComM = d.SubCom[0].Scale(1 / m.MassKg)
	d.SubCom[0] = d.ComM
}

// ForwardPath places only the bodies from the world to the given one, and their dofs; everything else of d stays as it
// was. It is for solvers that move one limb.
func (m *Model) ForwardPath(d *Data, qpos []float64, body int) {
	if len(qpos) != m.Tree.NQ {
		panic("kin: ForwardPath: qpos has the wrong length")
	}
	for _, b := range m.chains[body] {
		m.place(d, qpos, b)
	}
}

// place puts body b where its parent and its joints have it.
func (m *Model) place(d *Data, qpos []float64, b int) {
	body := &m.Tree.Bodies[b]
	rot := d.BodyRot[body.Parent]
	pos := d.BodyPos[body.Parent].Add(rot.Rotate(body.PosM))
	rot = rot.Mul(body.Quat)
	for _, ji := range body.Joints {
		j := &m.Tree.Joints[ji]
		jf := &d.joints[ji]
		if j.Kind == mjcf.Free {
			q := qpos[j.QPos:]
			pos = spatial.Vec3{q[0], q[1], q[2]}
			rot = spatial.Quat{q[3], q[4], q[5], q[6]}.Normalize()
			copy(d.QPos[j.QPos+3:j.QPos+7], rot[:])
			jf.anchor = pos
			x, y, z := rot.Axes()
			for k, a := range [3]spatial.Vec3{x, y, z} {
				d.DofLin[j.QVel+k], d.DofAng[j.QVel+k] = unit(k), spatial.Vec3{}
				d.DofLin[j.QVel+3+k], d.DofAng[j.QVel+3+k] = pos.Cross(a), a
			}
			continue
		}
		jf.axis = rot.Rotate(j.Axis)
		jf.anchor = pos.Add(rot.Rotate(j.AnchorM))
		move := qpos[j.QPos] - j.RefRad
		if j.Kind == mjcf.Slide {
			pos = pos.Add(jf.axis.Scale(move))
			d.DofLin[j.QVel], d.DofAng[j.QVel] = jf.axis, spatial.Vec3{}
			continue
		}
		sin, cos := math.Sincos(move / 2)
		rot = rot.Mul(spatial.Quat{cos, sin * j.Axis[0], sin * j.Axis[1], sin * j.Axis[2]})
		if j.AnchorM != (spatial.Vec3{}) {
			pos = jf.anchor.Sub(rot.Rotate(j.AnchorM))
		}
		d.DofLin[j.QVel], d.DofAng[j.QVel] = jf.anchor.Cross(jf.axis), jf.axis
	}
	d.BodyPos[b], d.BodyRot[b] = pos, rot
	d.BodyCom[b] = pos.Add(rot.Rotate(body.ComM))
}

func unit(k int) (v spatial.Vec3) { v[k] = 1; return v }

// Point returns the world position of a point given in the body's frame.
func (d *Data) Point(body int, local spatial.Vec3) spatial.Vec3 {
	return d.BodyPos[body].Add(d.BodyRot[body].Rotate(local))
}

// PointJacobian writes the 3 x NV matrix (row-major) that maps velocities to the velocity of the world point, taken
// as fixed to the body.
func (m *Model) PointJacobian(dst []float64, d *Data, body int, point spatial.Vec3) {
	nv := m.clear(dst)
	for _, i := range m.paths[body] {
		put(dst, nv, i, d.DofLin[i].Add(d.DofAng[i].Cross(point)))
	}
}

// RotationJacobian writes the 3 x NV matrix that maps velocities to the body's angular velocity.
func (m *Model) RotationJacobian(dst []float64, d *Data, body int) {
	nv := m.clear(dst)
	for _, i := range m.paths[body] {
		put(dst, nv, i, d.DofAng[i])
	}
}

// ComJacobian writes the 3 x NV matrix that maps velocities to the velocity of the centre of mass.
func (m *Model) ComJacobian(dst []float64, d *Data) {
	nv := m.clear(dst)
	for i := 0; i < nv; i++ {
		put(dst, nv, i, m.ComColumn(d, i))
	}
}

// ComColumn returns the velocity of the centre of mass while dof alone moves at unit speed.
func (m *Model) ComColumn(d *Data, dof int) spatial.Vec3 {
	b := m.dofBody[dof]
	return d.DofLin[dof].Add(d.DofAng[dof].Cross(d.SubCom[b])).Scale(m.subMass[b] / m.MassKg)
}

func (m *Model) clear(dst []float64) int {
	if len(dst) != 3*m.Tree.NV {
		panic("kin: Jacobian: dst must hold 3 x NV numbers")
	}
	clear(dst)
	return m.Tree.NV
}

func put(dst []float64, nv, col int, v spatial.Vec3) {
	dst[col], dst[nv+col], dst[2*nv+col] = v[0], v[1], v[2]
}
