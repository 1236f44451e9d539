package anatomy

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func derive(t *testing.T, text string) (*Anatomy, *kin.Model) {
	t.Helper()
	tree, err := mjcf.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := kin.New(tree)
	if err != nil {
		t.Fatal(err)
	}
	ref, ok := tree.KeyframeQPos("stand")
	if !ok {
		ref = tree.ZeroQPos()
	}
	a, err := Derive(m, ref)
	if err != nil {
		t.Fatal(err)
	}
	return a, m
}

func TestKata20HasTheProportionsOfItsDrawing(t *testing.T) {
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	a, m := derive(t, desc.MJCF)
	if name := m.Tree.Bodies[a.Root].Name; name != "torso" || a.Chest != a.Root || len(a.Waist) != 0 {
		t.Errorf("root %q, chest %d, waist %v", name, a.Chest, a.Waist)
	}
	for s := range a.Legs {
		l, arm := a.Legs[s], a.Arms[s]
		side := [...]string{"l", "r"}[s]
		if name := m.Tree.Bodies[l.Foot].Name; name != side+"_foot" {
			t.Errorf("foot %v is %q", Side(s), name)
		}
		if len(l.Dofs) != 6 || len(arm.Dofs) != 4 || !arm.HasElbow {
			t.Errorf("%v: %d leg joints, %d arm joints", Side(s), len(l.Dofs), len(arm.Dofs))
		}
		for what, v := range map[string][2]float64{
			"thigh": {l.ThighM, 0.11}, "shank": {l.ShankM, 0.11}, "ankle": {l.AnkleHeightM, 0.032},
			"half sole": {l.HalfSizeM[0], 0.062}, "half width": {l.HalfSizeM[1], 0.036},
			"upper arm": {arm.UpperM, 0.09},
		} {
			if math.Abs(v[0]-v[1]) > 1e-5 {
				t.Errorf("%v %s is %g m, drawn as %g", Side(s), what, v[0], v[1])
			}
		}
		// The forearm ends somewhere in the hand, whose middle is drawn at 0.092 m.
		if arm.ForeM < 0.092 || arm.ForeM > 0.12 {
			t.Errorf("%v forearm is %g m", Side(s), arm.ForeM)
		}
		if len(l.Sole) != 4 {
			t.Errorf("sole has %d corners", len(l.Sole))
		}
	}
	d := m.NewData()
	m.Forward(d, a.Ref)
	for s := range a.Legs {
		for _, c := range a.Legs[s].Sole {
			if z := d.Point(a.Legs[s].Foot, c)[2]; math.Abs(z) > 1e-4 {
				t.Errorf("a sole corner stands at %g m", z)
			}
		}
	}
}

// TestNamesDoNotMatter renames everything: the result must be the same.
func TestNamesDoNotMatter(t *testing.T) {
	desc, _ := robot.Load("kata20")
	a, _ := derive(t, desc.MJCF)
	text := desc.MJCF
	for i, w := range []string{"hip_yaw", "hip_roll", "hip_pitch", "knee", "ankle_pitch", "ankle_roll", "shoulder_pitch",
		"shoulder_roll", "shoulder_yaw", "elbow", "thigh", "shank", "ankle", "foot", "upper_arm", "forearm", "hand", "torso", "l_", "r_"} {
		text = strings.ReplaceAll(text, `"`+w, `"x`+string(rune('a'+i)))
		text = strings.ReplaceAll(text, w+`"`, `z`+string(rune('a'+i))+`"`)
		text = strings.ReplaceAll(text, w+`_link"`, `w`+string(rune('a'+i))+`"`)
	}
	text = strings.ReplaceAll(text, `class="z`, `class="`)
	text = strings.NewReplacer(`class="zn"`, `class="foot"`, `class="n"`, `class="foot"`).Replace(text)
	b, _ := derive(t, text)
	for s := range a.Legs {
		if a.Legs[s].Knee != b.Legs[s].Knee || a.Legs[s].Foot != b.Legs[s].Foot || a.Arms[s].Elbow != b.Arms[s].Elbow || a.Arms[s].Shoulder != b.Arms[s].Shoulder {
			t.Errorf("%v: renaming changes the anatomy", Side(s))
		}
	}
}

// waisted is a humanoid of another make: waist, neck, three-joint arms with a wrist, hips whose axes do not meet.
const waisted = `<mujoco><compiler angle="radian"/><default><geom type="capsule" size="0.03"/></default><worldbody><body name="p" pos="0 0 1"><freejoint/><geom size="0.1" type="sphere" mass="5"/>
 <body name="w" pos="0 0 0.1"><joint axis="0 0 1"/><geom fromto="0 0 0 0 0 0.3" mass="8"/>
  <body name="n" pos="0 0 0.35"><joint axis="0 0 1"/><geom type="sphere" size="0.08" pos="0 0 0.1" mass="2"/></body>
  <body name="a1" pos="0 0.2 0.3"><joint axis="0 1 0"/><joint axis="1 0 0"/><geom fromto="0 0 0 0 0 -0.3" mass="1"/>
   <body name="a2" pos="0 0 -0.3"><joint axis="0 1 0"/><geom fromto="0 0 0 0.2 0 0" mass="0.8"/><body name="a3" pos="0.25 0 0"><joint axis="1 0 0"/><geom type="sphere" size="0.05" pos="0.05 0 0" mass="0.3"/></body></body></body>
  <body name="b1" pos="0 -0.2 0.3"><joint axis="0 1 0"/><joint axis="1 0 0"/><geom fromto="0 0 0 0 0 -0.3" mass="1"/>
   <body name="b2" pos="0 0 -0.3"><joint axis="0 1 0"/><geom fromto="0 0 0 0.2 0 0" mass="0.8"/><body name="b3" pos="0.25 0 0"><joint axis="1 0 0"/><geom type="sphere" size="0.05" pos="0.05 0 0" mass="0.3"/></body></body></body></body>
 <body name="l1" pos="0 0.1 0"><joint axis="1 0 0"/><geom type="sphere" size="0.05" mass="1"/><body name="l2" pos="0 0.02 -0.03"><joint axis="0 1 0"/><geom fromto="0 0 0 0 0 -0.4" mass="3"/>
  <body name="l3" pos="0 0 -0.4"><joint axis="0 1 0"/><geom fromto="0 0 0 0 0 -0.4" mass="2"/><body name="l4" pos="0 0 -0.4"><joint axis="0 1 0"/><geom type="sphere" size="0.02" mass="0.1"/><body name="lsole"><geom type="box" size="0.1 0.05 0.02" pos="0.04 0 -0.06" mass="0.5"/></body></body></body></body></body>
 <body name="r1" pos="0 -0.1 0"><joint axis="1 0 0"/><geom type="sphere" size="0.05" mass="1"/><body name="r2" pos="0 -0.02 -0.03"><joint axis="0 1 0"/><geom fromto="0 0 0 0 0 -0.4" mass="3"/>
  <body name="r3" pos="0 0 -0.4"><joint axis="0 1 0"/><geom fromto="0 0 0 0 0 -0.4" mass="2"/><body name="r4" pos="0 0 -0.4"><joint axis="0 1 0"/><geom type="sphere" size="0.02" mass="0.1"/><body name="rsole"><geom type="box" size="0.1 0.05 0.02" pos="0.04 0 -0.06" mass="0.5"/></body></body></body></body></body>
 </body></worldbody></mujoco>`

func TestAnotherBuildIsUnderstood(t *testing.T) {
	a, m := derive(t, waisted)
	name := func(b int) string { return m.Tree.Bodies[b].Name }
	if name(a.Chest) != "w" || len(a.Waist) != 1 || a.Head < 0 || name(a.Head) != "n" || len(a.Neck) != 1 {
		t.Errorf("chest %q, waist %v, head %d, neck %v", name(a.Chest), a.Waist, a.Head, a.Neck)
	}
	l, arm := a.Legs[Left], a.Arms[Right]
	if name(l.Foot) != "l4" || name(l.Knee.Body) != "l3" || math.Abs(l.ThighM-0.4) > 0.02 || math.Abs(l.AnkleHeightM-0.08) > 1e-9 {
		t.Errorf("left leg %+v", l)
	}
	if name(arm.Elbow.Body) != "b2" || name(arm.End.Body) != "b3" || math.Abs(arm.ForeM-0.25) > 1e-9 || math.Abs(arm.UpperM-0.3) > 1e-6 {
		t.Errorf("right arm %+v", arm)
	}
}

func TestWhatIsNoHumanoidIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no free joint": `<mujoco><worldbody><body><joint/><geom size="1"/></body></worldbody></mujoco>`,
		"no legs":       `<mujoco><worldbody><body><freejoint/><geom size="1"/><body pos="1 0 0"><joint/><geom size="1"/></body></body></worldbody></mujoco>`,
		"no knees": `<mujoco><worldbody><body><freejoint/><geom size="0.1"/>
		 <body pos="0 0.3 -1"><joint/><joint axis="1 0 0"/><joint axis="0 0 1"/><geom size="0.1"/></body><body pos="0 -0.3 -1"><joint/><joint axis="1 0 0"/><joint axis="0 0 1"/><geom size="0.1"/></body></body></worldbody></mujoco>`,
	} {
		tree, err := mjcf.Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		m, err := kin.New(tree)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Derive(m, tree.ZeroQPos()); !errors.Is(err, ErrNotHumanoid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHullOfSquareWithInside(t *testing.T) {
	h := Hull([]spatial.Vec3{{0, 0}, {1, 1}, {1, 0}, {0.5, 0.5}, {0, 1}, {0.5, 0}})
	if len(h) != 4 {
		t.Fatalf("%v", h)
	}
	area := 0.0
	for i := range h {
		a, b := h[i], h[(i+1)%4]
		area += a[0]*b[1] - a[1]*b[0]
	}
	if math.Abs(area-2) > 1e-12 {
		t.Errorf("twice the area, counter-clockwise, is %g", area)
	}
}
