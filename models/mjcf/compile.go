package mjcf

import (
	"fmt"
	"sort"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// compiler carries what the walk through the body tree needs.
type compiler struct {
	m        *Model
	u        units
	def      defaults
	fromGeom string // inertiafromgeom
	groups   [2]int // inertiagrouprange
	bound    [2]float64
	notes    map[string]bool
	names    map[string]bool // "body x", "joint y": MuJoCo wants them unique per kind
}

func compile(root *node) (*Model, error) {
	m := &Model{Name: root.attr["model"], TimestepS: 0.002, GravityMPerS2: spatial.Vec3{0, 0, -9.81}}
	c := &compiler{m: m, fromGeom: "auto", groups: [2]int{0, 5}, notes: map[string]bool{}, names: map[string]bool{}}
	settings := mergedCompiler(root)
	var err error
	if c.u, err = readUnits(settings); err != nil {
		return nil, err
	}
	if err := c.readSettings(root, settings); err != nil {
		return nil, err
	}
	if c.def, err = readDefaults(root); err != nil {
		return nil, err
	}
	m.Bodies = []Body{{Name: "world", Parent: -1, Quat: spatial.Identity()}}
	if err := c.content(mergedWorld(root), 0, frame{q: spatial.Identity()}); err != nil {
		return nil, err
	}
	for i := range m.Joints {
		m.Joints[i].ActuatorIndex = -1
	}
	if err := c.sections(root); err != nil {
		return nil, err
	}
	if len(m.Bodies) == 1 {
		return nil, fmt.Errorf("%s: the model has no <body>", root.where())
	}
	if err := c.settleMass(settings); err != nil {
		return nil, err
	}
	for k := range c.notes {
		m.Notes = append(m.Notes, k)
	}
	sort.Strings(m.Notes)
	return m, nil
}

// mergedCompiler joins all <compiler> elements: included files bring their own.
func mergedCompiler(root *node) *node {
	var out *node
	for _, n := range root.children {
		if n.tag != "compiler" {
			continue
		}
		if out == nil {
			cp := *n
			out = &cp
		}
		out.attr = merge(out.attr, n.attr)
	}
	return out
}

// mergedWorld joins all <worldbody> elements: included files bring their own, and the shapes of all of them are numbered
// before those of the first body.
func mergedWorld(root *node) *node {
	out := &node{tag: "worldbody"}
	for _, n := range root.children {
		if n.tag == "worldbody" {
			out.children = append(out.children, n.children...)
		}
	}
	return out
}

func (c *compiler) note(format string, a ...any) { c.notes[fmt.Sprintf(format, a...)] = true }

func (c *compiler) readSettings(root, comp *node) error {
	if comp != nil {
		if v, ok := comp.attr["inertiafromgeom"]; ok {
			if v != "true" && v != "false" && v != "auto" {
				return comp.fail("inertiafromgeom", "is not legal; legal: true, false, auto")
			}
			c.fromGeom = v
		}
		g := [2]float64{0, 5}
		if _, err := comp.floats("inertiagrouprange", g[:], 2); err != nil {
			return err
		}
		c.groups = [2]int{int(g[0]), int(g[1])}
		var err error
		if c.bound[0], err = comp.float("boundmass", 0); err != nil {
			return err
		}
		if c.bound[1], err = comp.float("boundinertia", 0); err != nil {
			return err
		}
		for _, a := range []string{"fusestatic", "alignfree"} {
			if comp.attr[a] == "true" {
				return comp.fail(a, "is not supported, as it would move or renumber bodies; legal: false")
			}
		}
		if comp.attr["coordinate"] == "global" {
			return comp.fail("coordinate", "is not supported; legal: local")
		}
	}
	return c.readOptions(root)
}

func (c *compiler) readOptions(root *node) error {
	weightless := false
	for _, n := range root.children {
		if n.tag != "option" {
			continue
		}
		var err error
		if c.m.TimestepS, err = n.float("timestep", c.m.TimestepS); err != nil {
			return err
		}
		if _, err := n.floats("gravity", c.m.GravityMPerS2[:], 3); err != nil {
			return err
		}
		for _, medium := range []string{"density", "viscosity"} {
			if v, err := n.float(medium, 0); err != nil || v != 0 {
				c.note("option %s is ignored: bodies move without drag here", medium)
			}
		}
		for _, f := range n.children {
			if f.tag == "flag" && f.has("gravity") {
				weightless = f.attr["gravity"] == "disable"
			}
		}
	}
	if weightless {
		c.m.GravityMPerS2 = spatial.Vec3{}
	}
	return nil
}

// frame is the pose and class that <frame> elements lay over their children.
type frame struct {
	p     spatial.Vec3
	q     spatial.Quat
	class string
}

func (f frame) apply(p spatial.Vec3, q spatial.Quat) (spatial.Vec3, spatial.Quat) {
	return f.p.Add(f.q.Rotate(p)), f.q.Mul(q)
}

// shapeMass is what one geom adds to its body.
type shapeMass struct {
	g    Geom
	mass float64
}

// content compiles the children of a body. MuJoCo numbers joints, geoms and sites of a body before its child bodies'.
func (c *compiler) content(n *node, body int, f frame) error {
	var shapes []shapeMass
	var bodies []pending
	var inertial inertialIn
	if err := c.elements(n, body, f, &shapes, &bodies, &inertial); err != nil {
		return err
	}
	if body > 0 {
		if err := c.mass(body, inertial, shapes); err != nil {
			return err
		}
	}
	for _, b := range bodies {
		if err := c.body(b.n, body, b.f); err != nil {
			return err
		}
	}
	return nil
}

// inertialIn is an <inertial> in the frame around it.
type inertialIn struct {
	n *node
	f frame
}

// pending is a child body waiting for its siblings' joints and shapes to be numbered.
type pending struct {
	n *node
	f frame
}

func (c *compiler) elements(n *node, body int, f frame, shapes *[]shapeMass, bodies *[]pending, inertial *inertialIn) error {
	for _, e := range n.children {
		switch e.tag {
		case "body":
			*bodies = append(*bodies, pending{e, f})
		case "frame":
			p, q, err := c.u.pose(e)
			if err != nil {
				return err
			}
			g := f
			g.p, g.q = f.apply(p, q)
			if cc := e.attr["childclass"]; cc != "" {
				g.class = cc
			}
			if err := c.elements(e, body, g, shapes, bodies, inertial); err != nil {
				return err
			}
		case "joint", "freejoint":
			if err := c.joint(e, body, f); err != nil {
				return err
			}
		case "geom":
			r, err := c.def.resolve(e, f.class)
			if err != nil {
				return err
			}
			g, mass, err := readGeom(r, c.u, 1000)
			if err != nil {
				return err
			}
			if err := c.unique("geom", e); err != nil {
				return err
			}
			g.Body = body
			g.PosM, g.Quat = f.apply(g.PosM, g.Quat)
			c.m.Bodies[body].Geoms = append(c.m.Bodies[body].Geoms, len(c.m.Geoms))
			c.m.Geoms = append(c.m.Geoms, g)
			*shapes = append(*shapes, shapeMass{g, mass})
		case "site":
			r, err := c.def.resolve(e, f.class)
			if err != nil {
				return err
			}
			if err := c.unique("site", e); err != nil {
				return err
			}
			s := Site{Name: e.attr["name"], Body: body}
			if r.has("fromto") {
				s.PosM, s.Quat, _, err = ends(r)
			} else {
				s.PosM, s.Quat, err = c.u.pose(r)
			}
			if err != nil {
				return err
			}
			s.PosM, s.Quat = f.apply(s.PosM, s.Quat)
			c.m.Bodies[body].Sites = append(c.m.Bodies[body].Sites, len(c.m.Sites))
			c.m.Sites = append(c.m.Sites, s)
		case "inertial":
			*inertial = inertialIn{e, f}
		case "camera", "light", "plugin":
		case "composite", "flexcomp", "attach", "replicate":
			return fmt.Errorf("%s: not supported; write the bodies out", e.where())
		default:
			return fmt.Errorf("%s: unknown element inside a body; legal: body, frame, joint, freejoint, geom, site, inertial, camera, light",
				e.where())
		}
	}
	return nil
}

func (c *compiler) unique(kind string, n *node) error {
	name := n.attr["name"]
	if name == "" {
		return nil
	}
	if c.names[kind+" "+name] {
		return n.fail("name", "is used twice by "+kind+" elements")
	}
	c.names[kind+" "+name] = true
	return nil
}

func (c *compiler) body(n *node, parent int, f frame) error {
	if err := c.unique("body", n); err != nil {
		return err
	}
	b := Body{Name: n.attr["name"], Parent: parent}
	var err error
	if b.PosM, b.Quat, err = c.u.pose(n); err != nil {
		return err
	}
	b.PosM, b.Quat = f.apply(b.PosM, b.Quat)
	in := frame{q: spatial.Identity(), class: f.class}
	if cc := n.attr["childclass"]; cc != "" {
		if _, ok := c.def[cc]; !ok {
			return n.fail("childclass", "is not defined; defined: "+c.def.names())
		}
		in.class = cc
	}
	if strings.TrimSpace(n.attr["gravcomp"]) != "" && n.attr["gravcomp"] != "0" {
		c.note("body %q: gravcomp is ignored", b.Name)
	}
	c.m.Bodies = append(c.m.Bodies, b)
	return c.content(n, len(c.m.Bodies)-1, in)
}
