package mjcftest

import "fmt"

// grow makes a subtree, taking joints from what is left.
func (g *generator) grow(left *int, depth int) *link {
	l := &link{}
	switch {
	case depth == 0 && g.chance(0.4):
		l.free = true
		*left--
	case g.chance(0.8):
		l.moves = min(*left, 1+g.rng.IntN(3)*g.rng.IntN(2))
		*left -= l.moves
	}
	for *left > 0 && depth < 12 && g.chance(0.75) {
		l.kids = append(l.kids, g.grow(left, depth+1))
	}
	return l
}

// body writes a link. Joints and shapes may stand in frames, as may child bodies.
func (g *generator) body(l *link) {
	g.p("<body%s%s%s%s>\n", g.bodyName(), g.pos(), g.orientation(), g.class("childclass"))
	given := g.fromGeom == "false" || g.chance(0.4)
	if given {
		g.framed(0.1, g.inertial)
	}
	if l.free {
		g.freeJoint()
	}
	for range l.moves {
		g.framed(0.15, g.joint)
	}
	if !given || g.fromGeom == "true" {
		g.geom(true)
	}
	for range g.rng.IntN(3) {
		g.framed(0.3, func() { g.geom(false) })
	}
	if g.chance(0.3) {
		g.framed(0.3, g.site)
	}
	for _, k := range l.kids {
		g.framed(0.15, func() { g.body(k) })
	}
	g.p("</body>\n")
}

func (g *generator) bodyName() string {
	name := g.name("b")
	if name != "" {
		g.bodies = append(g.bodies, name[len(` name="`):len(name)-1])
	}
	return name
}

// framed writes something, at times inside one or two frames.
func (g *generator) framed(p float64, write func()) {
	n := 0
	for n < 2 && g.chance(p) {
		g.p("<frame%s%s%s>\n", g.pos(), g.orientation(), g.class("childclass"))
		n++
	}
	write()
	for range n {
		g.p("</frame>\n")
	}
}

func (g *generator) freeJoint() {
	g.free = append(g.free, g.nq)
	g.nq += 7
	g.p("%s\n", g.pick("<freejoint/>", fmt.Sprintf("<freejoint%s/>", g.name("j")), `<joint type="free"/>`))
}

func (g *generator) joint() {
	g.nq++
	g.named++
	name := fmt.Sprintf("j%d", g.named)
	g.joints = append(g.joints, name)
	g.p("<joint name=%q%s%s", name, g.class("class"), g.pos())
	if g.chance(0.6) {
		g.p(" axis=\"%s\"", g.vector(3, -1, 1))
	}
	if g.chance(0.5) {
		g.p(" type=%q", g.pick("hinge", "slide", "hinge"))
	}
	if g.chance(0.5) {
		lo, hi := g.between(-2/g.rad, -0.1), g.between(0.1, 2/g.rad)
		g.p(" range=\"%s %s\"", lo, hi)
		if !g.auto || g.chance(0.3) {
			g.p(" limited=%q", g.pick("true", "false"))
		}
	}
	for _, attr := range []string{"ref", "armature", "damping", "frictionloss", "springref", "stiffness"} {
		if g.chance(0.15) {
			g.p(" %s=\"%s\"", attr, g.between(0.01, 1))
		}
	}
	g.p("/>\n")
}

// geom writes a shape; one that must have mass has one whatever its class says.
func (g *generator) geom(massive bool) {
	kind := g.pick("sphere", "capsule", "ellipsoid", "cylinder", "box")
	g.p("<geom%s%s type=%q", g.name("g"), g.class("class"), kind)
	size := g.vector(3, 0.02, 0.1)
	switch {
	case kind != "sphere" && g.ends && g.chance(0.4):
		end := g.vector(3, -0.3, 0.3)
		if g.chance(0.3) { // straight up or down
			end = g.pick("0 0 0.2", "0 0 -0.2")
			g.p(" fromto=\"0 0 0 %s\" size=\"%s\"", end, g.between(0.01, 0.05))
			break
		}
		g.p(" fromto=\"%s %s\" size=\"%s\"", g.vector(3, 0.4, 0.6), end, g.between(0.01, 0.05))
	default:
		g.p("%s%s", g.pos(), g.orientation())
		if g.chance(0.8) {
			g.p(" size=\"%s\"", g.pick(size, size, g.between(0.02, 0.1)))
		}
	}
	switch {
	case massive:
		g.p(" group=\"0\" mass=\"%s\"", g.between(0.1, 2))
	case g.chance(0.3):
		g.p(" mass=\"%s\"", g.between(0, 1))
	case g.chance(0.3):
		g.p(" density=\"%s\"", g.between(100, 2000))
	}
	if !massive && g.chance(0.3) {
		g.p(" group=\"%d\"", g.rng.IntN(3))
	}
	g.p("/>\n")
}

func (g *generator) site() {
	g.p("<site%s%s", g.name("s"), g.class("class"))
	if g.ends && g.chance(0.5) {
		g.p(" type=%q fromto=\"%s\" size=\"0.01\"/>\n", g.pick("capsule", "cylinder", "box", "ellipsoid"), g.vector(6, -0.2, 0.2))
		return
	}
	g.p("%s%s/>\n", g.pos(), g.orientation())
}
