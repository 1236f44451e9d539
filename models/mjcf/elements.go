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
	if r.attr["align"] == "true" {
		return r.fail("align", "is not supported, as it would move the body; legal: false, auto")
	}
	if r.has("springdamper") {
		return r.fail("springdamper", "is not supported; give stiffness and damping")
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
	} else if err := c.hingeOrSlide(r, f, &j); err != nil {
		return err
	}
	if err := c.resistance(r, &j); err != nil {
		return err
	}
	b.Joints = append(b.Joints, len(c.m.Joints))
	c.m.Joints = append(c.m.Joints, j)
	return nil
}

// hingeOrSlide reads what the two kinds of joints with one degree of freedom have: axis, anchor, range, forces. The fields
// named Rad are metres of a slide.
func (c *compiler) hingeOrSlide(r *node, f frame, j *Joint) error {
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
	}{{"damping", &j.DampingNmSPerRad}, {"frictionloss", &j.FrictionNm}, {"armature", &j.ArmatureKgM2}, {"stiffness", &j.StiffnessNmPerRad}} {
		var err error
		if *a.dst, err = r.float(a.attr, 0); err != nil {
			return err
		}
	}
	return nil
}

// mass fills in a body's mass, centre and inertia, from <inertial> or from its shapes. Where shapes lead but none has
// mass, <inertial> stays.
func (c *compiler) mass(body int, in inertialIn, shapes []shapeMass) error {
	b := &c.m.Bodies[body]
	if in.n != nil {
		if err := c.givenMass(b, in); err != nil {
			return err
		}
		if c.fromGeom != "true" {
			return nil
		}
	}
	if c.fromGeom == "false" {
		return nil
	}
	counted := shapes[:0:0]
	hasMesh := false
	for _, s := range shapes {
		hasMesh = hasMesh || s.g.Kind == Mesh
		if s.g.Group >= c.groups[0] && s.g.Group <= c.groups[1] && s.mass > 0 {
			counted = append(counted, s)
		}
	}
	if hasMesh {
		c.note("body %q: its mass comes from meshes, which are not read; give it an <inertial>", b.Name)
	}
	if len(counted) > 0 || hasMesh {
		c.shapesMass(b, counted)
	}
	return nil
}

// givenMass reads <inertial>.
func (c *compiler) givenMass(b *Body, in inertialIn) error {
	var err error
	if b.MassKg, err = in.n.float("mass", -1); err != nil {
		return err
	}
	if b.MassKg < 0 {
		return in.n.fail("mass", "is missing or negative")
	}
	p, q, err := c.u.pose(in.n)
	if err != nil {
		return err
	}
	b.ComM, q = in.f.apply(p, q)
	if in.n.has("fullinertia") {
		var full [6]float64
		if _, err := in.n.floats("fullinertia", full[:], 6); err != nil {
			return err
		}
		b.InertiaKgM2 = turned(in.f.q, [3][3]float64{{full[0], full[3], full[4]}, {full[3], full[1], full[5]}, {full[4], full[5], full[2]}})
		return nil
	}
	var d spatial.Vec3
	if _, err := in.n.floats("diaginertia", d[:], 3); err != nil {
		return err
	}
	b.InertiaKgM2 = rotatedInertia(q, d)
	return nil
}

// shapesMass adds up the shapes.
func (c *compiler) shapesMass(b *Body, shapes []shapeMass) {
	b.MassKg, b.ComM, b.InertiaKgM2 = 0, spatial.Vec3{}, [3][3]float64{}
	var com spatial.Vec3
	for _, s := range shapes {
		b.MassKg += s.mass
		com = com.Add(s.g.PosM.Scale(s.mass))
	}
	if b.MassKg <= 0 {
		return
	}
	b.ComM = com.Scale(1 / b.MassKg)
	for _, s := range shapes {
		addShifted(&b.InertiaKgM2, rotatedInertia(s.g.Quat, s.g.inertia(s.mass)), s.mass, s.g.PosM.Sub(b.ComM))
	}
}

// settleMass applies lower bounds and a prescribed total.
func (c *compiler) settleMass(comp *node) error {
	if comp == nil {
		return nil
	}
	for i := 1; i < len(c.m.Bodies); i++ {
		b := &c.m.Bodies[i]
		b.MassKg = max(b.MassKg, c.bound[0])
		if err := c.boundInertia(comp, b); err != nil {
			return err
		}
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

// boundInertia applies boundinertia, and refuses what it or balanceinertia would change along axes that are not the
// body's: principal axes are not computed here.
func (c *compiler) boundInertia(comp *node, b *Body) error {
	m := &b.InertiaKgM2
	if comp.attr["balanceinertia"] == "true" {
		half := (m[0][0] + m[1][1] + m[2][2]) / 2
		if !positive(*m, -1, half) {
			return comp.fail("balanceinertia", fmt.Sprintf("would change the inertia of body %q, "+
				"in which one moment exceeds the sum of the others; write a possible one", b.Name))
		}
	}
	if c.bound[1] <= 0 || positive(*m, 1, -c.bound[1]) {
		return nil
	}
	for i := range m {
		for k := range m[i] {
			if i != k && m[i][k] != 0 {
				return comp.fail("boundinertia", fmt.Sprintf("would change the inertia of body %q, "+
					"whose principal axes are not the body's; write a larger one", b.Name))
			}
		}
	}
	for k := range m {
		m[k][k] = max(m[k][k], c.bound[1])
	}
	return nil
}
