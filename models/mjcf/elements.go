package mjcf

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// joint compiles <joint> and <freejoint>.
func (c *compiler) joint(e *node, body int, f frame) error {
	if err := c.unique("joint", e); err != nil {
		return err
	}
	if body == 0 {
		return fmt.Errorf("%s: the world cannot have a joint", e.where())
	}
	r, err := c.def.resolve(e, f.class)
	if err != nil {
		return err
	}
	j := Joint{Name: e.attr["name"], Body: body, QPos: c.m.NQ, QVel: c.m.NV}
	b := &c.m.Bodies[body]
	word := r.attr["type"]
	if e.tag == "freejoint" {
		word = "free"
	}
	switch word {
	case "free":
		j.Kind = Free
		if b.Parent != 0 || len(b.Joints) > 0 {
			return fmt.Errorf("%s: a free joint must be the only joint of a body directly in the world", e.where())
		}
		c.m.NQ, c.m.NV = c.m.NQ+7, c.m.NV+6
	case "", "hinge":
		j.Kind = Hinge
		c.m.NQ, c.m.NV = c.m.NQ+1, c.m.NV+1
	case "slide":
		j.Kind = Slide
		c.m.NQ, c.m.NV = c.m.NQ+1, c.m.NV+1
	default:
		return r.fail("type", "is not supported; legal: free, hinge, slide")
	}
	if j.Kind == Free {
		j.Axis = spatial.Vec3{0, 0, 1}
	} else if err := c.hinge(r, f, &j); err != nil {
		return err
	}
	if err := c.resistance(r, &j); err != nil {
		return err
	}
	b.Joints = append(b.Joints, len(c.m.Joints))
	c.m.Joints = append(c.m.Joints, j)
	return nil
}

func (c *compiler) hinge(r *node, f frame, j *Joint) error {
	if len(c.m.Bodies[j.Body].Joints) > 0 && c.m.Joints[c.m.Bodies[j.Body].Joints[0]].Kind == Free {
		return fmt.Errorf("%s: a body with a free joint cannot have another joint", r.where())
	}
	unit := c.u.rad
	if j.Kind == Slide {
		unit = 1
	}
	j.Axis = spatial.Vec3{0, 0, 1}
	if _, err := r.floats("axis", j.Axis[:], 3); err != nil {
		return err
	}
	if j.Axis.Norm() < 1e-10 {
		return r.fail("axis", "has length zero")
	}
	j.Axis = f.q.Rotate(j.Axis.Unit(j.Axis))
	if _, err := r.floats("pos", j.AnchorM[:], 3); err != nil {
		return err
	}
	j.AnchorM = f.p.Add(f.q.Rotate(j.AnchorM))
	k, err := r.floats("range", j.RangeRad[:], 2)
	if err != nil {
		return err
	}
	if j.Limited, err = r.tristate("limited", c.u.autolimits && k == 2); err != nil {
		return err
	}
	j.RangeRad[0], j.RangeRad[1] = j.RangeRad[0]*unit, j.RangeRad[1]*unit
	if j.Limited && j.RangeRad[0] >= j.RangeRad[1] {
		return r.fail("range", "is not two rising numbers")
	}
	k, err = r.floats("actuatorfrcrange", j.ForceRangeNm[:], 2)
	if err != nil {
		return err
	}
	if j.ForceLimited, err = r.tristate("actuatorfrclimited", c.u.autolimits && k == 2); err != nil {
		return err
	}
	if j.RefRad, err = r.float("ref", 0); err != nil {
		return err
	}
	if j.SpringRefRad, err = r.float("springref", 0); err != nil {
		return err
	}
	j.RefRad, j.SpringRefRad = j.RefRad*unit, j.SpringRefRad*unit
	return nil
}

// resistance reads what a joint of any kind holds against moving. A free joint has these too, from the defaults of
// <joint>, unless it is written as <freejoint>.
func (c *compiler) resistance(r *node, j *Joint) error {
	for _, a := range []struct {
		attr string
		dst  *float64
	}{{"damping", &j.DampingNmS}, {"frictionloss", &j.FrictionNm}, {"armature", &j.ArmatureKgM2}, {"stiffness", &j.StiffnessNm}} {
		var err error
		if *a.dst, err = r.float(a.attr, 0); err != nil {
			return err
		}
	}
	return nil
}

// mass fills in a body's mass, centre and inertia, from <inertial> or from its shapes.
func (c *compiler) mass(n *node, body int, inertial *node, shapes []shapeMass) error {
	b := &c.m.Bodies[body]
	if inertial != nil && c.fromGeom != "true" {
		var err error
		if b.MassKg, err = inertial.float("mass", -1); err != nil {
			return err
		}
		if b.MassKg < 0 {
			return inertial.fail("mass", "is missing or negative")
		}
		p, q, err := c.u.pose(inertial)
		if err != nil {
			return err
		}
		b.ComM = p
		var full [6]float64
		if inertial.has("fullinertia") {
			if _, err := inertial.floats("fullinertia", full[:], 6); err != nil {
				return err
			}
			b.InertiaKgM2 = [3][3]float64{{full[0], full[3], full[4]}, {full[3], full[1], full[5]}, {full[4], full[5], full[2]}}
		} else {
			var d spatial.Vec3
			if _, err := inertial.floats("diaginertia", d[:], 3); err != nil {
				return err
			}
			b.InertiaKgM2 = rotatedInertia(q, d)
		}
		return nil
	}
	if c.fromGeom == "false" {
		return nil
	}
	hasMesh := false
	var com spatial.Vec3
	for _, s := range shapes {
		hasMesh = hasMesh || s.g.Kind == Mesh
		if s.g.Group < c.groups[0] || s.g.Group > c.groups[1] {
			continue
		}
		b.MassKg += s.mass
		com = com.Add(s.g.PosM.Scale(s.mass))
	}
	if hasMesh {
		c.note("body %q: its mass comes from meshes, which are not read; give it an <inertial>", b.Name)
	}
	if b.MassKg <= 0 {
		return nil
	}
	b.ComM = com.Scale(1 / b.MassKg)
	for _, s := range shapes {
		if s.g.Group < c.groups[0] || s.g.Group > c.groups[1] || s.mass == 0 {
			continue
		}
		addShifted(&b.InertiaKgM2, rotatedInertia(s.g.Quat, s.g.inertia(s.mass)), s.mass, s.g.PosM.Sub(b.ComM))
	}
	return nil
}

// settleMass applies lower bounds and a prescribed total.
func (c *compiler) settleMass(comp *node) error {
	for i := 1; i < len(c.m.Bodies); i++ {
		b := &c.m.Bodies[i]
		b.MassKg = max(b.MassKg, c.bound[0])
		for k := 0; k < 3; k++ {
			b.InertiaKgM2[k][k] = max(b.InertiaKgM2[k][k], c.bound[1])
		}
	}
	if comp == nil {
		return nil
	}
	total, err := comp.float("settotalmass", -1)
	if err != nil || total <= 0 {
		return err
	}
	s := total / c.m.TotalMassKg()
	for i := range c.m.Bodies {
		b := &c.m.Bodies[i]
		b.MassKg *= s
		for r := range b.InertiaKgM2 {
			for k := range b.InertiaKgM2[r] {
				b.InertiaKgM2[r][k] *= s
			}
		}
	}
	return nil
}
