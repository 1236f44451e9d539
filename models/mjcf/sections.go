package mjcf

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// sections reads what stands beside the body tree.
func (c *compiler) sections(root *node) error {
	for _, n := range root.children {
		var err error
		switch n.tag {
		case "actuator":
			err = c.actuators(n)
		case "keyframe":
			err = c.keyframes(n)
		case "contact":
			err = c.excludes(n)
		case "equality", "tendon", "deformable":
			for _, e := range n.children {
				c.note("<%s> %q in <%s> is ignored: it would couple joints", e.tag, e.attr["name"], n.tag)
			}
		case "worldbody", "compiler", "option", "default", "asset", "sensor", "visual", "statistic", "size", "custom", "extension":
		default:
			err = fmt.Errorf("%s: unknown section; legal: compiler, option, default, worldbody, actuator, keyframe, contact, sensor, asset, visual, statistic, size, custom",
				n.where())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) actuators(section *node) error {
	for _, e := range section.children {
		if !isActuator(e.tag) {
			return fmt.Errorf("%s: unknown actuator; legal: position, motor, velocity, general", e.where())
		}
		r, err := c.def.resolve(e, "")
		if err != nil {
			return err
		}
		if err := c.unique("actuator", e); err != nil {
			return err
		}
		a := Actuator{Name: r.attr["name"], Kind: e.tag, Joint: -1}
		name := r.attr["joint"]
		if name == "" {
			name = r.attr["jointinparent"]
		}
		if name != "" {
			if a.Joint = c.m.JointIndex(name); a.Joint < 0 {
				return r.fail("joint", "is not a joint of this model")
			}
			if c.m.Joints[a.Joint].ActuatorIndex < 0 {
				c.m.Joints[a.Joint].ActuatorIndex = len(c.m.Actuators)
			}
		} else {
			c.note("actuator %q does not drive a joint", a.Name)
		}
		if err := c.drive(r, &a); err != nil {
			return err
		}
		c.m.Actuators = append(c.m.Actuators, a)
	}
	return nil
}

func (c *compiler) drive(r *node, a *Actuator) error {
	for _, attr := range []string{"armature", "damping"} {
		if r.has(attr) {
			return r.fail(attr, "is not supported in an actuator; give it to the joint")
		}
	}
	gear := [6]float64{1}
	if _, err := r.floats("gear", gear[:], 1); err != nil {
		return err
	}
	a.Gear = gear[0]
	k, err := r.floats("ctrlrange", a.CtrlRange[:], 2)
	if err != nil {
		return err
	}
	if a.CtrlLimited, err = r.tristate("ctrllimited", c.u.autolimits && k == 2); err != nil {
		return err
	}
	k, err = r.floats("forcerange", a.ForceRangeNm[:], 2)
	if err != nil {
		return err
	}
	if a.ForceLimited, err = r.tristate("forcelimited", c.u.autolimits && k == 2); err != nil {
		return err
	}
	inherit, err := r.float("inheritrange", 0)
	if err != nil {
		return err
	}
	if inherit > 0 && a.Joint >= 0 && c.m.Joints[a.Joint].Limited {
		j := c.m.Joints[a.Joint]
		mid, half := (j.RangeRad[0]+j.RangeRad[1])/2, (j.RangeRad[1]-j.RangeRad[0])/2*inherit
		a.CtrlRange, a.CtrlLimited = [2]float64{mid - half, mid + half}, true
	}
	switch a.Kind {
	case "position":
		if a.KpNmPerRad, err = r.float("kp", 1); err != nil {
			return err
		}
		a.KvNmSPerRad, err = r.float("kv", 0)
	case "velocity":
		a.KvNmSPerRad, err = r.float("kv", 1)
	case "general":
		// A general actuator with an affine bias is how a position servo is written without the shortcut.
		var gain, bias [10]float64
		gain[0] = 1
		if _, err := r.floats("gainprm", gain[:], 1); err != nil {
			return err
		}
		if _, err := r.floats("biasprm", bias[:], 1); err != nil {
			return err
		}
		if r.attr["biastype"] == "affine" && bias[1] != 0 {
			a.KpNmPerRad, a.KvNmSPerRad = gain[0], -bias[2]
		}
	}
	return err
}

func (c *compiler) keyframes(section *node) error {
	for _, e := range section.children {
		if e.tag != "key" {
			return fmt.Errorf("%s: unknown element in <keyframe>; legal: key", e.where())
		}
		k := Keyframe{Name: e.attr["name"]}
		var err error
		if k.QPos, err = e.list("qpos"); err != nil {
			return err
		}
		if n := len(k.QPos); n != 0 && n != c.m.NQ {
			return e.fail("qpos", fmt.Sprintf("has %d numbers, legal: %d", n, c.m.NQ))
		}
		if err := c.normalize(e, k.QPos); err != nil {
			return err
		}
		if k.Ctrl, err = e.list("ctrl"); err != nil {
			return err
		}
		c.m.Keyframes = append(c.m.Keyframes, k)
	}
	return nil
}

// normalize gives the quaternions of a pose length one, as MuJoCo does.
func (c *compiler) normalize(e *node, qpos []float64) error {
	for i := range c.m.Joints {
		j := &c.m.Joints[i]
		if j.Kind != Free || len(qpos) == 0 {
			continue
		}
		q := spatial.Quat(qpos[j.QPos+3 : j.QPos+7])
		if q.Dot(q) < 1e-20 {
			return e.fail("qpos", fmt.Sprintf("gives joint %q a quaternion of length zero", j.Name))
		}
		q = q.Normalize()
		copy(qpos[j.QPos+3:], q[:])
	}
	return nil
}

func (c *compiler) excludes(section *node) error {
	for _, e := range section.children {
		if e.tag != "exclude" {
			continue
		}
		a, b := c.m.BodyIndex(e.attr["body1"]), c.m.BodyIndex(e.attr["body2"])
		if a < 0 {
			return e.fail("body1", "is not a body of this model")
		}
		if b < 0 {
			return e.fail("body2", "is not a body of this model")
		}
		c.m.Excludes = append(c.m.Excludes, [2]int{a, b})
	}
	return nil
}
