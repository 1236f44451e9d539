package scene

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// How far the two readings of a model may lie apart. Rounding makes 1e-15 of it; files with six digits differ by less
// than a micrometre where, for example, a quaternion is not quite of length one. A different meaning of any attribute
// is far more.
const (
	sameM     = 1e-6
	sameShare = 1e-6
)

// agree compares the engine's reading of the file with the Body's: numbering, names, shapes, and where every body
// is and what it weighs in the standing pose.
func (s *Scene) agree() error {
	if err := s.agreeNames(); err != nil {
		return err
	}
	if err := s.matchGeoms(); err != nil {
		return err
	}
	d, err := mujoco.NewData(s.Model)
	if err != nil {
		return err
	}
	defer d.Close()
	copy(d.QPos, s.StandQPos)
	if err := d.Kinematics(); err != nil {
		return err
	}
	mass, err := s.Model.Field("body_mass")
	if err != nil {
		return err
	}
	tree, own := s.Body.Tree(), s.Body.Kin.NewData()
	s.Body.Kin.Forward(own, s.StandQPos)
	for b := 1; b < len(tree.Bodies); b++ {
		at := &tree.Bodies[b]
		if off := own.BodyPos[b].Sub(spatial.Vec3(d.XPos[3*b : 3*b+3])).Norm(); off > sameM {
			return differ("body %q stands %.2g m away", at.Name, off)
		}
		if !hasMesh(tree, b) && different(mass[b], at.MassKg) {
			return differ("body %q weighs %g kg instead of %g", at.Name, mass[b], at.MassKg)
		}
	}
	return nil
}

// agreeNames compares numbers, names and places in the vectors.
func (s *Scene) agreeNames() error {
	m, tree := s.Model, s.Body.Tree()
	for _, c := range []struct {
		what        string
		engine, own int
	}{
		{"positions", m.NQ, tree.NQ}, {"velocities", m.NV, tree.NV}, {"bodies", m.NBody, len(tree.Bodies)},
		{"joints", m.NJnt, len(tree.Joints)},
	} {
		if c.engine != c.own {
			return differ("%d %s instead of %d", c.engine, c.what, c.own)
		}
	}
	f, err := ints(m, "jnt_qposadr", "jnt_dofadr")
	if err != nil {
		return err
	}
	for b := range tree.Bodies {
		if name := m.Name(mujoco.Body, b); b > 0 && name != tree.Bodies[b].Name {
			return differ("body %d is %q instead of %q", b, name, tree.Bodies[b].Name)
		}
	}
	for j := range tree.Joints {
		own := &tree.Joints[j]
		if name := m.Name(mujoco.Joint, j); name != own.Name || int(f[0][j]) != own.QPos || int(f[1][j]) != own.QVel {
			return differ("joint %d is %q at position %d instead of %q at %d", j, name, f[0][j], own.Name, own.QPos)
		}
	}
	return nil
}

// matchGeoms finds the engine's number of each shape, -1 where the engine left it out: LoadPhysics keeps only those that
// a force depends on, in their order. A kept shape without its like, or a colliding one that is missing, is a
// difference.
func (s *Scene) matchGeoms() error {
	m, tree := s.Model, s.Body.Tree()
	f, err := ints(m, "geom_bodyid", "geom_contype", "geom_conaffinity")
	if err != nil {
		return err
	}
	pos, err := m.Field("geom_pos")
	if err != nil {
		return err
	}
	s.geomID = make([]int, len(tree.Geoms))
	next := 0
	for own := range tree.Geoms {
		g := &tree.Geoms[own]
		s.geomID[own] = -1
		if next == m.NGeom || int(f[0][next]) != g.Body || m.Name(mujoco.Geom, next) != g.Name ||
			(f[1][next] != 0 || f[2][next] != 0) != g.Collides {
			continue
		}
		// The engine moves meshes into their own centre of mass.
		if g.Kind != mjcf.Mesh && spatial.Vec3(pos[3*next:3*next+3]).Sub(g.PosM).Norm() > sameM {
			continue
		}
		s.geomID[own] = next
		next++
	}
	if next < m.NGeom {
		return differ("geom %d (%q) of body %q is nowhere else", next, m.Name(mujoco.Geom, next), tree.Bodies[f[0][next]].Name)
	}
	for own := range tree.Geoms {
		if g := &tree.Geoms[own]; g.Collides && s.geomID[own] < 0 {
			return differ("a colliding geom (%q) of body %q is missing", g.Name, tree.Bodies[g.Body].Name)
		}
	}
	return nil
}

func differ(format string, args ...any) error {
	return fmt.Errorf("the physics engine reads the model otherwise than mitori does, which would train another robot than the real one: "+
		format+"; write the file without the attribute that makes the difference", args...)
}

func different(a, b float64) bool { return max(a-b, b-a) > sameShare*(1+max(a, b)) }

// hasMesh reports whether a body's mass may come from a mesh, whose surface only the engine reads.
func hasMesh(tree *mjcf.Model, body int) bool {
	for _, g := range tree.Bodies[body].Geoms {
		if tree.Geoms[g].Kind == mjcf.Mesh {
			return true
		}
	}
	return false
}
