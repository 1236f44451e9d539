package mjcf

import (
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mitori-robotics/mitori/models/spatial"
)

func mustParse(t *testing.T, text string) *Model {
	t.Helper()
	m, err := Parse("test.xml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

func TestDefaultsNestAndChildclassReachesDown(t *testing.T) {
	m := mustParse(t, `<mujoco><compiler angle="radian"/>
	 <default><joint damping="1" armature="0.1"/><default class="leg"><joint damping="2"/><default class="knee"><joint axis="0 1 0" range="0 2"/></default></default></default>
	 <worldbody><body name="a" childclass="leg"><inertial pos="0 0 0" mass="1"/><joint name="j0"/>
	  <body name="b"><inertial pos="0 0 0" mass="1"/><joint name="j1" class="knee"/><body name="c" childclass="main"><inertial pos="0 0 0" mass="1"/><joint name="j2" damping="7"/></body></body></body></worldbody></mujoco>`)
	want := []struct {
		damping, armature float64
		axis              spatial.Vec3
		limited           bool
	}{{2, 0.1, spatial.Vec3{0, 0, 1}, false}, {2, 0.1, spatial.Vec3{0, 1, 0}, true}, {7, 0.1, spatial.Vec3{0, 0, 1}, false}}
	for i, w := range want {
		j := m.Joints[i]
		if j.DampingNmSPerRad != w.damping || j.ArmatureKgM2 != w.armature || j.Axis != w.axis || j.Limited != w.limited {
			t.Errorf("joint %s: %+v, want %+v", j.Name, j, w)
		}
	}
}

func TestAngleUnitsAndOrientations(t *testing.T) {
	m := mustParse(t, `<mujoco><worldbody><body name="a" euler="0 90 0"><inertial pos="0 0 0" mass="1"/>
	 <joint name="j" range="-90 180" ref="45"/>
	 <site name="q" quat="0 0 0 2"/><site name="x" xyaxes="0 1 0 -1 0 0"/><site name="z" zaxis="1 0 0"/><site name="aa" axisangle="0 0 5 90"/></body></worldbody></mujoco>`)
	j := m.Joints[0]
	if !near(j.RangeRad[0], -math.Pi/2) || !near(j.RangeRad[1], math.Pi) || !near(j.RefRad, math.Pi/4) {
		t.Errorf("degrees are not converted: %+v", j)
	}
	z := m.Bodies[1].Quat.Rotate(spatial.Vec3{0, 0, 1})
	if z.Sub(spatial.Vec3{1, 0, 0}).Norm() > 1e-12 {
		t.Errorf("euler 0 90 0 sends z to %v, want x", z)
	}
	want := map[string][2]spatial.Vec3{ // site -> image of x, image of z
		"q": {{-1, 0, 0}, {0, 0, 1}}, "x": {{0, 1, 0}, {0, 0, 1}}, "z": {{0, 0, -1}, {1, 0, 0}}, "aa": {{0, 1, 0}, {0, 0, 1}}}
	for _, s := range m.Sites {
		x, _, z := s.Quat.Axes()
		if w := want[s.Name]; x.Sub(w[0]).Norm() > 1e-12 || z.Sub(w[1]).Norm() > 1e-12 {
			t.Errorf("site %s: x -> %v, z -> %v, want %v", s.Name, x, z, w)
		}
	}
	m = mustParse(t, `<mujoco><compiler eulerseq="XYZ"/><worldbody><body euler="90 90 0"><inertial pos="0 0 0" mass="1"/></body></worldbody></mujoco>`)
	// Fixed axes: about x first (z -> -y), then about fixed y (leaves y).
	if z := m.Bodies[1].Quat.Rotate(spatial.Vec3{0, 0, 1}); z.Sub(spatial.Vec3{0, -1, 0}).Norm() > 1e-12 {
		t.Errorf("eulerseq XYZ sends z to %v, want -y", z)
	}
}

// TestShapeInertiaIsAdditive cuts a box in two: mass, centre and inertia of the halves together equal the whole.
func TestShapeInertiaIsAdditive(t *testing.T) {
	whole := mustParse(t, `<mujoco><worldbody><body><geom type="box" size="0.3 0.2 0.1" pos="1 2 3" euler="10 20 30"/></body></worldbody></mujoco>`).Bodies[1]
	halves := mustParse(t, `<mujoco><worldbody><body><frame pos="1 2 3" euler="10 20 30"><geom type="box" size="0.15 0.2 0.1" pos="0.15 0 0"/><geom type="box" size="0.15 0.2 0.1" pos="-0.15 0 0"/></frame></body></worldbody></mujoco>`).Bodies[1]
	if !near(whole.MassKg, 48) || !near(halves.MassKg, 48) || whole.ComM.Sub(halves.ComM).Norm() > 1e-12 {
		t.Fatalf("mass %g and %g, centre %v and %v", whole.MassKg, halves.MassKg, whole.ComM, halves.ComM)
	}
	for i := range whole.InertiaKgM2 {
		for k := range whole.InertiaKgM2[i] {
			if math.Abs(whole.InertiaKgM2[i][k]-halves.InertiaKgM2[i][k]) > 1e-10 {
				t.Errorf("inertia %d%d: %g and %g", i, k, whole.InertiaKgM2[i][k], halves.InertiaKgM2[i][k])
			}
		}
	}
}

// TestCapsuleInertiaBySum integrates the capsule numerically.
func TestCapsuleInertiaBySum(t *testing.T) {
	g := Geom{Kind: Capsule, SizeM: spatial.Vec3{0.05, 0.1}}
	const n = 160
	var vol, ixx, izz float64
	d := 0.3 / n
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			for k := 0; k < n; k++ {
				x, y, z := (float64(i)+0.5)*d/3-0.05, (float64(j)+0.5)*d/3-0.05, (float64(k)+0.5)*d-0.15
				dz := max(math.Abs(z)-0.1, 0)
				if x*x+y*y+dz*dz > 0.05*0.05 {
					continue
				}
				vol++
				ixx += y*y + z*z
				izz += x*x + y*y
			}
		}
	}
	in := g.inertia(1)
	cell := d * d * d / 9
	if math.Abs(vol*cell/g.Volume()-1) > 5e-3 || math.Abs(ixx/vol/in[0]-1) > 5e-3 || math.Abs(izz/vol/in[2]-1) > 5e-3 {
		t.Errorf("volume %g (sum %g), inertia %v (sum %g, %g)", g.Volume(), vol*cell, in, ixx/vol, izz/vol)
	}
}

func TestIncludesAreSplicedAndLoopsEnd(t *testing.T) {
	fsys := fstest.MapFS{
		"r/scene.xml": {Data: []byte(`<mujoco model="s"><include file="robot.xml"/><worldbody><geom type="plane" size="1 1 1"/></worldbody></mujoco>`)},
		"r/robot.xml": {Data: []byte(`<mujoco><compiler angle="radian"/><worldbody><body name="b"><freejoint/><geom size="0.1" mass="2"/></body></worldbody></mujoco>`)},
		"loop.xml":    {Data: []byte(`<mujoco><include file="loop.xml"/></mujoco>`)},
	}
	m, err := Load(fsys, "r/scene.xml")
	if err != nil || len(m.Bodies) != 2 || m.NQ != 7 || m.Bodies[1].MassKg != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := Load(fsys, "loop.xml"); err == nil || !strings.Contains(err.Error(), "include itself") {
		t.Errorf("loop: %v", err)
	}
	if _, err := Load(fsys, "none.xml"); err == nil || !strings.Contains(err.Error(), fs.ErrNotExist.Error()) {
		t.Errorf("missing file: %v", err)
	}
}

func TestErrorsNameElementAndAttribute(t *testing.T) {
	body := func(s string) string {
		return `<mujoco><worldbody><body name="b"><inertial pos="0 0 0" mass="1"/>` + s + `</body></worldbody></mujoco>`
	}
	for _, c := range []struct{ text, want string }{
		{"", "no element"},
		{"<mujoco><worldbody>", "not well-formed"},
		{"<robot/>", "<robot>"},
		{"<mujoco/>", "no <body>"},
		{"<mujoco><surprise/></mujoco>", "<surprise>"},
		{body(`<joint name="k" axis="1 0"/>`), `<joint name="k"> attribute "axis"`},
		{body(`<joint name="k" axis="0 0 0"/>`), `attribute "axis"`},
		{body(`<joint name="k" type="ball"/>`), `attribute "type": "ball" is not supported`},
		{body(`<joint name="k" range="2 1"/>`), `attribute "range"`},
		{body(`<joint name="k" range="0 nan"/>`), `attribute "range"`},
		{body(`<joint name="k" class="nope"/>`), `"nope"`},
		{body(`<joint name="k"/><joint name="k"/>`), `used twice`},
		{body(`<geom type="blob"/>`), `attribute "type": "blob"`},
		{body(`<geom type="box" size="1 1"/>`), `attribute "size": 2 numbers`},
		{body(`<geom type="box" size="1 1 -1"/>`), `attribute "size"`},
		{body(`<body quat="0 0 0 0"/>`), `attribute "quat"`},
		{body(`<wheel/>`), "<wheel>"},
		{body(`<body><freejoint/></body>`), "free joint must"},
		{`<mujoco><compiler angle="turns"/></mujoco>`, `attribute "angle": "turns"`},
		{`<mujoco><worldbody><body name="b"><inertial pos="0 0 0" mass="1"/></body></worldbody><actuator><motor joint="x"/></actuator></mujoco>`, `attribute "joint": "x"`},
		{`<mujoco><worldbody><body name="b"><joint/><inertial pos="0 0 0" mass="1"/></body></worldbody><keyframe><key qpos="1 2"/></keyframe></mujoco>`, `has 2 numbers, legal: 1`},
		{`<mujoco><include file="x.xml"/></mujoco>`, `attribute "file": "x.xml"`},
	} {
		_, err := Parse("test.xml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "test.xml") {
			t.Errorf("%s\n gives %v, want it to contain %q and the file", c.text, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`<mujoco><default><default class="a"><geom size="1"/></default></default><worldbody><body childclass="a"><freejoint/><geom/><body><joint axis="0 1 0"/><geom fromto="0 0 0 1 1 1"/></body></body></worldbody><keyframe><key qpos="0 0 0 1 0 0 0 0"/></keyframe></mujoco>`)
	f.Add(`<mujoco><worldbody><frame euler="1 2 3"><body/></frame></worldbody></mujoco>`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("fuzz.xml", []byte(text))
		if err != nil {
			return
		}
		for i, b := range m.Bodies {
			if b.Parent >= i {
				t.Fatalf("body %d has parent %d", i, b.Parent)
			}
		}
		if len(m.ZeroQPos()) != m.NQ {
			t.Fatal("zero pose has the wrong length")
		}
	})
}
