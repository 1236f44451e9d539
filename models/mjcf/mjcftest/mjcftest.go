// Package mjcftest writes random models in MuJoCo's format, within what models/mjcf says it reads, so that two readers
// of the format can be held against each other: trees of 1 to 30 joints with bodies that have several or none, every
// way of writing an orientation, frames, nested defaults and classes, masses given or from shapes, and the settings
// that change what a number means.
//
// Every model is valid: MuJoCo compiles it. Not here: meshes and other files, couplings (tendons, equalities), contact.
package mjcftest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Model returns the text of the model that belongs to a seed.
func Model(seed uint64) string {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 0x6d6a6366)), rad: math.Pi / 180}
	return g.model()
}

// generator is a model in the making.
type generator struct {
	rng      *rand.Rand
	out      strings.Builder
	rad      float64 // an angle unit of the file in rad
	auto     bool    // limits switch themselves on
	fromGeom string  // auto, true, false, or "" for nothing said
	groups   bool    // only shapes of group 0 have mass
	ends     bool    // some shapes are given by their ends; no class may give their places then
	classes  []string
	nq       int
	named    int
	joints   []string // names of hinges and slides
	bodies   []string
	free     []int // position index of each free joint
}

// link is a body before it is written.
type link struct {
	free  bool
	moves int // number of hinges and slides
	kids  []*link
}

func (g *generator) p(format string, args ...any) { fmt.Fprintf(&g.out, format, args...) }

// chance is true with probability p.
func (g *generator) chance(p float64) bool { return g.rng.Float64() < p }

func (g *generator) pick(words ...string) string { return words[g.rng.IntN(len(words))] }

// between draws from a range and rounds as people do, to few digits or to many.
func (g *generator) between(lo, hi float64) string {
	return fmt.Sprintf("%.*g", 2+g.rng.IntN(9), lo+(hi-lo)*g.rng.Float64())
}

// vector draws n numbers.
func (g *generator) vector(n int, lo, hi float64) string {
	words := make([]string, n)
	for i := range words {
		words[i] = g.between(lo, hi)
	}
	return strings.Join(words, " ")
}

// angle draws an angle in the file's unit.
func (g *generator) angle() string { return g.between(-3/g.rad, 3/g.rad) }

// name gives an element a name, most of the time.
func (g *generator) name(kind string) string {
	if g.named++; g.chance(0.2) {
		return ""
	}
	return fmt.Sprintf(` name="%s%d"`, kind, g.named)
}

// class refers to a class, at times.
func (g *generator) class(attr string) string {
	if len(g.classes) == 0 || g.chance(0.6) {
		return ""
	}
	return fmt.Sprintf(` %s=%q`, attr, g.pick(g.classes...))
}

func (g *generator) pos() string {
	if g.chance(0.2) {
		return ""
	}
	return fmt.Sprintf(` pos="%s"`, g.vector(3, -0.3, 0.3))
}

// orientation writes a rotation in one of its ways, none, or one at the edge of its way.
func (g *generator) orientation() string {
	switch g.rng.IntN(8) {
	case 0:
		return fmt.Sprintf(` quat="%s"`, g.vector(4, -1, 1))
	case 1:
		return fmt.Sprintf(` euler="%s %s %s"`, g.angle(), g.angle(), g.angle())
	case 2:
		return fmt.Sprintf(` axisangle="%s %s"`, g.vector(3, -1, 1), g.angle())
	case 3:
		return fmt.Sprintf(` xyaxes="%s"`, g.vector(6, -1, 1))
	case 4:
		return fmt.Sprintf(` zaxis="%s"`, g.vector(3, -1, 1))
	case 5:
		return g.pick(` zaxis="0 0 -1"`, ` zaxis="0 0 2"`, ` zaxis="0 -1 0"`, ` quat="-1 0 0 0"`, ` quat="0 0 3 0"`,
			` euler="0 0 0"`, ` xyaxes="0 -1 0 1 0 0"`, fmt.Sprintf(` axisangle="0 0 -5 %g"`, math.Pi/g.rad))
	}
	return ""
}

// model writes the whole file.
func (g *generator) model() string {
	g.p("<mujoco model=\"random\">\n")
	g.settings()
	g.defaults()
	left := 1 + g.rng.IntN(30)
	var roots []*link
	for left > 0 {
		roots = append(roots, g.grow(&left, 0))
	}
	half := g.rng.IntN(len(roots) + 1)
	g.world(roots[:half], true)
	g.world(roots[half:], half == 0 || g.chance(0.5))
	g.actuators()
	g.keyframes()
	g.p("</mujoco>\n")
	return g.out.String()
}

func (g *generator) settings() {
	g.auto, g.ends = true, g.chance(0.5)
	attrs := ""
	add := func(format string, args ...any) { attrs += " " + fmt.Sprintf(format, args...) }
	if g.chance(0.5) {
		unit := g.pick("degree", "radian")
		if unit == "radian" {
			g.rad = 1
		}
		add(`angle=%q`, unit)
	}
	if g.chance(0.4) {
		letters := ""
		for range 3 {
			letters += g.pick("x", "y", "z", "X", "Y", "Z")
		}
		add(`eulerseq=%q`, letters)
	}
	if g.chance(0.4) {
		g.auto = g.chance(0.5)
		add(`autolimits="%v"`, g.auto)
	}
	if g.chance(0.5) {
		g.fromGeom = g.pick("auto", "true", "false")
		add(`inertiafromgeom=%q`, g.fromGeom)
	}
	if g.chance(0.2) {
		g.groups = true
		add(`inertiagrouprange="0 0"`)
	}
	if g.chance(0.2) {
		add(`boundmass="%s"`, g.between(0.01, 0.5))
	}
	if g.chance(0.2) {
		add(`boundinertia="1e-9"`)
	}
	if g.chance(0.2) {
		add(`settotalmass="%s"`, g.between(1, 50))
	}
	if g.chance(0.1) {
		add(`balanceinertia="true"`)
	}
	if g.chance(0.1) {
		add(`discardvisual="false" fusestatic="false"`)
	}
	if attrs != "" {
		g.p("<compiler%s/>\n", attrs)
	}
	g.p("<size memory=\"1M\"/>\n")
	if g.chance(0.4) {
		g.p("<option gravity=\"%s\"><flag gravity=%q/></option>\n", g.vector(3, -10, 10), g.pick("enable", "enable", "disable"))
	}
}

// defaults writes the main class and up to three more, one inside another or side by side.
func (g *generator) defaults() {
	g.p("<default%s>\n", g.pick("", ` class="main"`))
	g.settingsOfClass(` size="0.05 0.06 0.07"`)
	depth := 0
	for _, name := range []string{"one", "two", "three"}[:g.rng.IntN(4)] {
		g.p("<default class=%q>\n", name)
		g.settingsOfClass("")
		g.classes = append(g.classes, name)
		if depth++; g.chance(0.5) {
			g.p("</default>\n")
			depth--
		}
	}
	g.p("%s</default>\n", strings.Repeat("</default>\n", depth))
}

// settingsOfClass writes what a class gives to shapes, joints and sites; size must be there once, in the main class.
func (g *generator) settingsOfClass(size string) {
	place := func() string {
		if g.ends {
			return ""
		}
		return g.pos() + g.orientation()
	}
	if size != "" || g.chance(0.5) {
		g.p("  <geom%s%s%s/>\n", size, place(), g.pick("", ` density="700"`, ` mass="0.3"`, ` type="box"`, ` group="1"`, ` contype="1"`))
	}
	if g.chance(0.5) {
		g.p("  <joint axis=\"%s\"%s%s/>\n", g.vector(3, -1, 1), g.pos(), g.pick("", ` armature="0.02"`, ` damping="0.3"`, ` frictionloss="0.1"`, ` ref="0.5"`, ` type="slide"`))
	}
	if g.chance(0.3) {
		g.p("  <site%s/>\n", place())
	}
}

// world writes a <worldbody>: files that include others have several.
func (g *generator) world(roots []*link, always bool) {
	if len(roots) == 0 && !always {
		return
	}
	g.p("<worldbody>\n")
	if g.chance(0.5) {
		g.p("<geom%s type=\"plane\" size=\"1 1 1\" pos=\"0 0 0\" quat=\"1 0 0 0\"/>\n", g.name("g"))
	}
	for _, l := range roots {
		g.body(l)
	}
	if g.chance(0.3) {
		g.geom(false)
	}
	g.p("</worldbody>\n")
}

func (g *generator) actuators() {
	if len(g.joints) == 0 {
		return
	}
	g.p("<actuator>\n")
	for range 1 + g.rng.IntN(3) {
		g.p("<%s joint=%q/>\n", g.pick("motor", `position kp="20"`, "general"), g.pick(g.joints...))
	}
	g.p("</actuator>\n")
	if n := len(g.bodies); n > 2 && g.chance(0.5) {
		g.p("<contact><exclude body1=%q body2=%q/></contact>\n", g.bodies[0], g.bodies[n-1])
	}
}

// keyframes writes a pose whose quaternions have any length.
func (g *generator) keyframes() {
	if g.chance(0.3) {
		return
	}
	g.p("<keyframe><key name=\"stand\" qpos=\"%s\"/></keyframe>\n", g.vector(g.nq, 0.1, 1))
}

// inertial writes a mass that a real body can have.
func (g *generator) inertial() {
	var half spatial.Vec3 // of the moments' sum over the other two axes: no moment exceeds the sum of the other two
	for k := range half {
		half[k] = 0.001 + 0.01*g.rng.Float64()
	}
	m := spatial.Vec3{half[1] + half[2], half[0] + half[2], half[0] + half[1]}
	g.p("<inertial pos=\"%s\" mass=\"%s\"", g.vector(3, -0.1, 0.1), g.between(0.1, 3))
	if g.chance(0.6) {
		g.p(" diaginertia=\"%g %g %g\"%s/>\n", m[0], m[1], m[2], g.orientation())
		return
	}
	x, y, z := spatial.Exp(spatial.Vec3{g.rng.NormFloat64(), g.rng.NormFloat64(), g.rng.NormFloat64()}).Axes()
	at := func(i, k int) float64 { return m[0]*x[i]*x[k] + m[1]*y[i]*y[k] + m[2]*z[i]*z[k] }
	g.p(" fullinertia=\"%g %g %g %g %g %g\"/>\n", at(0, 0), at(1, 1), at(2, 2), at(0, 1), at(0, 2), at(1, 2))
}
