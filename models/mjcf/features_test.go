package mjcf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// arm is a body b with one joint k and a box, with places for what a case adds.
const arm = `<mujoco COMPILER<worldbody><body name="b"><inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/><joint name="k" JOINT/>
<geom name="g" type="box" size="1 2 3" GEOM/>BODY</body></worldbody>REST</mujoco>`

func armWith(place, what string) string {
	text := strings.Replace(arm, place, what, 1)
	if place != "COMPILER" {
		text = strings.Replace(text, "COMPILER", `><compiler angle="radian"/>`, 1)
	}
	for _, p := range []string{"JOINT", "GEOM", "BODY", "REST"} {
		text = strings.Replace(text, p, "", 1)
	}
	return text
}

// What each attribute does to the model, one a line: MuJoCo's documentation is the judge.
func TestAttributes(t *testing.T) {
	joint := func(m *Model) Joint { return m.Joints[0] }
	for _, c := range []struct {
		place, what string
		got         func(*Model) any
		want        any
	}{
		// Joints.
		{"JOINT", ``, func(m *Model) any { return joint(m).Limited }, false},
		{"JOINT", `range="-1 2"`, func(m *Model) any { return joint(m).Limited }, true},
		{"JOINT", `range="-1 2" limited="auto"`, func(m *Model) any { return joint(m).Limited }, true},
		{"JOINT", `range="-1 2" limited="false"`, func(m *Model) any { return joint(m).Limited }, false},
		{"JOINT", `axis="0 -4 0"`, func(m *Model) any { return joint(m).Axis }, spatial.Vec3{0, -1, 0}},
		{"JOINT", `pos="1 2 3"`, func(m *Model) any { return joint(m).AnchorM }, spatial.Vec3{1, 2, 3}},
		{"JOINT", `type="slide" range="-1 2"`, func(m *Model) any { return []any{joint(m).Kind, joint(m).RangeRad} }, []any{Slide, [2]float64{-1, 2}}},
		{"JOINT", `actuatorfrcrange="-3 4"`, func(m *Model) any { return []any{joint(m).ForceLimited, joint(m).ForceRangeNm} }, []any{true, [2]float64{-3, 4}}},
		{"JOINT", `actuatorfrcrange="-3 4" actuatorfrclimited="false"`, func(m *Model) any { return joint(m).ForceLimited }, false},
		{"JOINT", `ref="0.5"`, func(m *Model) any { return m.ZeroQPos() }, []float64{0.5}},
		{"JOINT", `springref="0.25" stiffness="7"`, func(m *Model) any { return []float64{joint(m).SpringRefRad, joint(m).StiffnessNmPerRad} }, []float64{0.25, 7}},
		{"JOINT", `damping="1" frictionloss="2" armature="3"`, func(m *Model) any {
			return []float64{joint(m).DampingNmSPerRad, joint(m).FrictionNm, joint(m).ArmatureKgM2}
		}, []float64{1, 2, 3}},
		{"COMPILER", `><compiler angle="radian" autolimits="false"/><default><joint range="-1 2"/></default>`, func(m *Model) any { return joint(m).Limited }, false},
		// Shapes.
		{"GEOM", ``, func(m *Model) any { return []any{m.Geoms[0].Collides, m.Geoms[0].Group, m.Geoms[0].Friction} }, []any{true, 0, 1.0}},
		{"GEOM", `contype="0"`, func(m *Model) any { return m.Geoms[0].Collides }, true},
		{"GEOM", `contype="0" conaffinity="0"`, func(m *Model) any { return m.Geoms[0].Collides }, false},
		{"GEOM", `group="3" friction="0.7 1 1"`, func(m *Model) any { return []any{m.Geoms[0].Group, m.Geoms[0].Friction} }, []any{3, 0.7}},
		{"GEOM", `mesh="m"`, func(m *Model) any { return m.Geoms[0].Kind }, Mesh},
		{"BODY", `<geom type="plane" size="0 0 1"/><site/>`, func(m *Model) any { return m.Bodies[1].Geoms }, []int{0, 1}},
		// Actuators.
		{"REST", `<actuator><position name="p" joint="k" kp="9" kv="2" gear="3"/></actuator>`, func(m *Model) any {
			a := m.Actuators[0]
			return []any{a.Name, a.Kind, a.Joint, a.Gear, a.KpNmPerRad, a.KvNmSPerRad, a.CtrlLimited, joint(m).ActuatorIndex}
		}, []any{"p", "position", 0, 3.0, 9.0, 2.0, false, 0}},
		{"REST", `<actuator><velocity joint="k"/></actuator>`, func(m *Model) any { return []float64{m.Actuators[0].KpNmPerRad, m.Actuators[0].KvNmSPerRad} }, []float64{0, 1}},
		{"REST", `<actuator><motor joint="k" ctrlrange="-1 1" forcerange="-2 5"/></actuator>`, func(m *Model) any {
			a := m.Actuators[0]
			return []any{a.CtrlLimited, a.CtrlRange, a.ForceLimited, a.ForceRangeNm}
		}, []any{true, [2]float64{-1, 1}, true, [2]float64{-2, 5}}},
		{"REST", `<actuator><motor jointinparent="k"/></actuator>`, func(m *Model) any { return m.Actuators[0].Joint }, 0},
		{"REST", `<actuator><general joint="k" gainprm="20" biastype="affine" biasprm="0 -20 -3"/></actuator>`, func(m *Model) any {
			return []float64{m.Actuators[0].KpNmPerRad, m.Actuators[0].KvNmSPerRad}
		}, []float64{20, 3}},
		{"REST", `<actuator><general joint="k" gainprm="20"/></actuator>`, func(m *Model) any { return m.Actuators[0].KpNmPerRad }, 0.0},
		{"REST", `<actuator><motor joint="k"/><position joint="k"/></actuator>`, func(m *Model) any { return joint(m).ActuatorIndex }, 0},
		{"REST", `<default><position kp="4"/></default><actuator><position joint="k"/></actuator>`, func(m *Model) any { return m.Actuators[0].KpNmPerRad }, 4.0},
		// The rest.
		{"REST", `<keyframe><key name="a" qpos="0.5" ctrl="1 2"/><key name="b"/></keyframe>`, func(m *Model) any {
			q, there := m.KeyframeQPos("a")
			_, empty := m.KeyframeQPos("b")
			return []any{q, there, empty, m.Keyframes[0].Ctrl}
		}, []any{[]float64{0.5}, true, false, []float64{1, 2}}},
		{"REST", `<contact><pair/><exclude body1="world" body2="b"/></contact>`, func(m *Model) any { return m.Excludes }, [][2]int{{0, 1}}},
		{"REST", `<option timestep="0.005" gravity="0 0 -2"/>`, func(m *Model) any { return []any{m.TimestepS, m.GravityMPerS2} }, []any{0.005, spatial.Vec3{0, 0, -2}}},
		{"REST", `<option><flag gravity="disable"/></option>`, func(m *Model) any { return m.GravityMPerS2 }, spatial.Vec3{}},
		{"REST", `<sensor><x/></sensor><visual/><asset/><statistic/><custom/>`, func(m *Model) any { return len(m.Notes) }, 0},
	} {
		m, err := Parse("a.xml", []byte(armWith(c.place, c.what)))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := c.got(m); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s\n gives %v, want %v", c.what, got, c.want)
		}
	}
}

// What is left out of the model is said, once, by name.
func TestNotes(t *testing.T) {
	for _, c := range []struct{ place, what, want string }{
		{"REST", `<option density="1.2"/>`, "density"},
		{"REST", `<option viscosity="1"/>`, "viscosity"},
		{"REST", `<equality><weld name="w"/></equality>`, `"w"`},
		{"REST", `<tendon><fixed name="t"/></tendon>`, `"t"`},
		{"REST", `<actuator><motor name="m"/></actuator>`, `"m" does not drive a joint`},
		{"BODY", `<body name="c" gravcomp="1"/>`, `"c": gravcomp`},
		{"BODY", `<body name="c"><geom mesh="m"/></body>`, `"c": its mass comes from meshes`},
	} {
		m, err := Parse("a.xml", []byte(armWith(c.place, c.what)))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if len(m.Notes) != 1 || !strings.Contains(m.Notes[0], c.want) {
			t.Errorf("%s: notes %q, want one with %q", c.what, m.Notes, c.want)
		}
	}
}

// What cannot be read as MuJoCo reads it is refused, with element, attribute, value and what is legal.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ place, what, want string }{
		{"JOINT", `springdamper="1 1"`, "give stiffness and damping"},
		{"JOINT", `type="free"/><joint name="l"`, "free joint cannot have another"},
		{"JOINT", `limited="maybe"`, "legal: true, false, auto"},
		{"JOINT", `damping="a"`, `has "a", legal: finite numbers`},
		{"JOINT", `damping="inf"`, "legal: finite numbers"},
		{"JOINT", `damping="1 2"`, "has 2 numbers, legal: 1"},
		{"GEOM", `name="g"/><geom name="g" size="1"`, "used twice"},
		{"GEOM", `mass="-1"`, "is negative"},
		{"GEOM", `shellinertia="true"`, "give the body an <inertial>"},
		{"GEOM", `axisangle="1 0 0"`, "has 3 numbers, legal: 4"},
		{"GEOM", `xyaxes="1 0 0 2 0 0"`, "parallel axes"},
		{"GEOM", `zaxis="0 0 0"`, "length zero"},
		{"BODY", `<geom type="sphere" size="1" fromto="0 0 0 1 0 0"/>`, "legal: for capsules"},
		{"BODY", `<geom type="capsule" size="1" fromto="1 1 1 1 1 1"/>`, `attribute "fromto"`},
		{"BODY", `<body><inertial pos="0 0 0"/></body>`, "missing or negative"},
		{"BODY", `<body><inertial pos="0 0 0" mass="1" fullinertia="1 2 3"/></body>`, "has 3 numbers, legal: 6"},
		{"BODY", `<body childclass="x"/>`, "defined: main"},
		{"BODY", `<replicate count="2"/>`, "write the bodies out"},
		{"BODY", `<body><freejoint align="true"/></body>`, `attribute "align"`},
		{"REST", `<actuator><rocket/></actuator>`, "unknown actuator"},
		{"REST", `<actuator><motor joint="k" damping="1"/></actuator>`, "give it to the joint"},
		{"REST", `<keyframe><pose/></keyframe>`, "legal: key"},
		{"REST", `<contact><exclude body1="b" body2="x"/></contact>`, `attribute "body2": "x"`},
		{"REST", `<contact><exclude body1="x" body2="b"/></contact>`, `attribute "body1": "x"`},
		{"REST", `<worldbody><joint/></worldbody>`, "world cannot have a joint"},
		{"REST", `<default><default/></default>`, "needs a class"},
		{"REST", `<default><default class="a"/><default class="a"/></default>`, "defined twice"},
		{"COMPILER", `><compiler eulerseq="xyq"/>`, "three letters"},
		{"COMPILER", `><compiler inertiafromgeom="yes"/>`, "legal: true, false, auto"},
		{"COMPILER", `><compiler fusestatic="true"/>`, "legal: false"},
		{"COMPILER", `><compiler coordinate="global"/>`, "legal: local"},
		{"COMPILER", `><compiler boundmass="heavy"/>`, "finite numbers"},
	} {
		_, err := Parse("a.xml", []byte(armWith(c.place, c.what)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "a.xml") {
			t.Errorf("%s\n gives %v, want it to say %q and the file", c.what, err, c.want)
		}
	}
}

// Joints, shapes and sites of a body are numbered before those of the bodies in it, wherever they stand in the text;
// bodies in the order of the text.
func TestNumbering(t *testing.T) {
	m := mustParse(t, `<mujoco><worldbody><geom name="floor" type="plane" size="1 1 1"/>
	<body name="a"><body name="b"><geom name="gb" size="1"/><joint name="jb"/></body><geom name="ga" size="1"/><freejoint name="ja"/></body>
	<geom name="wall" type="plane" size="1 1 1"/><body name="c"><joint name="jc"/><geom name="gc" size="1"/></body></worldbody></mujoco>`)
	var bodies, joints, geoms []string
	for _, b := range m.Bodies {
		bodies = append(bodies, b.Name)
	}
	for _, j := range m.Joints {
		joints = append(joints, fmt.Sprintf("%s %d %d", j.Name, j.QPos, j.QVel))
	}
	for _, g := range m.Geoms {
		geoms = append(geoms, g.Name)
	}
	got := fmt.Sprint(bodies, joints, geoms, m.NQ, m.NV)
	if want := "[world a b c] [ja 0 0 jb 7 6 jc 8 7] [floor wall ga gb gc] 9 8"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A shape given by its ends lies between them and is as long as they are apart.
func TestEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		var a, b spatial.Vec3
		for i := range a {
			a[i], b[i] = rng.NormFloat64(), rng.NormFloat64()
		}
		m := mustParse(t, world(fmt.Sprintf(`<body><geom type="capsule" size="0.1" fromto="%v %v %v %v %v %v"/></body>`, a[0], a[1], a[2], b[0], b[1], b[2])))
		g := m.Geoms[0]
		_, _, z := g.Quat.Axes()
		p, q := g.PosM.Add(z.Scale(g.SizeM[1])), g.PosM.Sub(z.Scale(g.SizeM[1]))
		if d := min(p.Sub(a).Norm()+q.Sub(b).Norm(), p.Sub(b).Norm()+q.Sub(a).Norm()); d > 1e-9 {
			t.Fatalf("from %v to %v: a capsule from %v to %v", a, b, p, q)
		}
	}
}

// One turn, written in every way there is, in degrees and in radians, is one turn.
func TestOrientationsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 50 {
		axis := spatial.Vec3{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		axis = axis.Unit(axis)
		angle := rng.Float64() * 3
		q := spatial.FromAxisAngle(axis, angle)
		x, y, z := q.Axes()
		pitch := math.Asin(min(max(z[0], -1), 1)) // of the turns about x, y and z, in this order, each about the turned axis
		roll, yaw := math.Atan2(-z[1], z[2]), math.Atan2(-y[0], x[0])
		for _, deg := range []bool{false, true} {
			unit, compiler := 1.0, `angle="radian"`
			if deg {
				unit, compiler = 180/math.Pi, ""
			}
			m := mustParse(t, fmt.Sprintf(`<mujoco><compiler %s/><worldbody><body>
				<site name="quat" quat="%v %v %v %v"/><site name="axis" axisangle="%v %v %v %v"/>
				<site name="axes" xyaxes="%v %v %v %v %v %v"/><site name="euler" euler="%v %v %v"/></body></worldbody></mujoco>`, compiler,
				3*q[0], 3*q[1], 3*q[2], 3*q[3], axis[0], axis[1], axis[2], angle*unit,
				2*x[0], 2*x[1], 2*x[2], y[0]+x[0], y[1]+x[1], y[2]+x[2], roll*unit, pitch*unit, yaw*unit))
			for _, s := range m.Sites {
				if d := s.Quat.Inv().Mul(q).Log().Norm(); d > 1e-7 {
					t.Errorf("%s, degrees %v: %g rad away from %v", s.Name, deg, d, q)
				}
			}
		}
	}
}

// Where mass comes from: shapes, <inertial>, or what the compiler is told.
func TestMassRules(t *testing.T) {
	// A box of 2 x 2 x 2 m weighs 8 t at the density of water.
	both := `<body name="b"><inertial pos="0 0 0" mass="3" diaginertia="1 1 1"/><geom type="box" size="1 1 1"/><geom type="box" size="1 1 1" group="4" mass="5"/></body>`
	bare := strings.Replace(both, `<inertial pos="0 0 0" mass="3" diaginertia="1 1 1"/>`, "", 1)
	for _, c := range []struct {
		compiler, body string
		kg             float64
	}{
		{``, both, 3},
		{``, bare, 8005},
		{`inertiafromgeom="true"`, both, 8005},
		{`inertiafromgeom="false"`, bare, 0},
		{`inertiagrouprange="4 5"`, bare, 5},
		{`inertiagrouprange="2 3" inertiafromgeom="true"`, both, 3},
		{`boundmass="7"`, both, 7},
		{`settotalmass="10"`, both, 10},
		{``, strings.Replace(bare, "<geom", `<geom density="500"`, 1), 4005},
		{``, strings.Replace(bare, "<geom", `<geom mass="0"`, 1), 5},
	} {
		m := mustParse(t, "<mujoco><compiler "+c.compiler+"/><worldbody>"+c.body+"</worldbody></mujoco>")
		if math.Abs(m.TotalMassKg()-c.kg) > 1e-9*c.kg {
			t.Errorf("%s %s: %g kg, want %g", c.compiler, c.body, m.TotalMassKg(), c.kg)
		}
	}
}

// A frame turned around a body's shapes turns its inertia with them: the moment about any turned axis stays.
func TestFrameTurnsInertia(t *testing.T) {
	const shapes = `<geom type="capsule" size="0.1 0.3" pos="0.2 0 0.1"/><geom type="cylinder" size="0.2 0.05" euler="20 30 40"/><geom type="ellipsoid" size="0.1 0.2 0.3" pos="0 -0.2 0"/>`
	rng := rand.New(rand.NewPCG(3, 3))
	about := func(b *Body, axis spatial.Vec3) (s float64) {
		for i := range axis {
			for k := range axis {
				s += axis[i] * b.InertiaKgM2[i][k] * axis[k]
			}
		}
		return s
	}
	plain := mustParse(t, world("<body>"+shapes+"</body>")).Bodies[1]
	for range 20 {
		axis := spatial.Vec3{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		axis = axis.Unit(axis)
		deg := 180 * rng.Float64()
		turn := spatial.FromAxisAngle(axis, deg*math.Pi/180)
		text := fmt.Sprintf(`<body><frame pos="1 2 3" axisangle="%v %v %v %v">%s</frame></body>`, axis[0], axis[1], axis[2], deg, shapes)
		turned := mustParse(t, world(text)).Bodies[1]
		if d := turned.ComM.Sub(turn.Rotate(plain.ComM).Add(spatial.Vec3{1, 2, 3})).Norm(); d > 1e-9 || math.Abs(turned.MassKg/plain.MassKg-1) > 1e-12 {
			t.Fatalf("centre off by %g, %g kg of %g", d, turned.MassKg, plain.MassKg)
		}
		probe := spatial.Vec3{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		if a, b := about(&plain, probe), about(&turned, turn.Rotate(probe)); math.Abs(a-b) > 1e-9*a {
			t.Errorf("about %v: %g, turned %g", probe, a, b)
		}
	}
}

// A class may be given in several places: what stands nearer to the element wins, and only for what it gives.
func TestDefaultsByDistance(t *testing.T) {
	m := mustParse(t, `<mujoco><default><geom size="1 2 3" friction="0.5" euler="90 0 0"/></default>
	<default><default class="c"><geom size="4" quat="1 0 0 0"/></default></default>
	<worldbody><body><frame childclass="c"><geom name="frame" type="box"/></frame><geom name="own" type="box" class="c" size="5 6"/>
	<geom name="plain" type="box"/></body></worldbody></mujoco>`)
	want := map[string]Geom{
		"frame": {SizeM: spatial.Vec3{4, 2, 3}, Quat: spatial.Identity()},
		"own":   {SizeM: spatial.Vec3{5, 6, 3}, Quat: spatial.Identity()},
		"plain": {SizeM: spatial.Vec3{1, 2, 3}, Quat: spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, math.Pi/2)},
	}
	for _, g := range m.Geoms {
		if w := want[g.Name]; g.SizeM != w.SizeM || g.Friction != 0.5 || g.Quat.Inv().Mul(w.Quat).Log().Norm() > 1e-12 {
			t.Errorf("%s: size %v, friction %g, %v; want %v, %v", g.Name, g.SizeM, g.Friction, g.Quat, w.SizeM, w.Quat)
		}
	}
}
