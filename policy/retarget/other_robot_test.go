package retarget

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
)

// tall describes a robot of another make: 1 m high, a waist and a neck joint, legs without hip yaw, arms of three
// joints, the zero pose with raised forearms, names that mean nothing.
func tall(t *testing.T) *robot.Description {
	t.Helper()
	var b strings.Builder
	p := func(format string, a ...any) { fmt.Fprintf(&b, format, a...) }
	d := &robot.Description{Name: "tall", RootBody: "q0", StandKeyframe: "home", PolicyRateHz: 50,
		ServoTypes: map[string]robot.ServoType{"s": {StallTorqueNm: 25, NoLoadSpeedRadPerS: 6, CountsPerTurn: 4096, StiffnessNmPerRad: 100}}}
	var stand []float64
	joint := func(axis string, lo, hi, at float64) string {
		name := fmt.Sprintf("j%d", len(d.Joints))
		d.Joints = append(d.Joints, robot.Joint{Name: name, MinRad: lo, MaxRad: hi, Servo: "s", ID: len(d.Joints)})
		stand = append(stand, at)
		return fmt.Sprintf(`<joint name=%q axis=%q range="%g %g" armature="0.05"/>`, name, axis, lo, hi)
	}
	p(`<mujoco model="tall"><compiler angle="radian"/><default><geom type="capsule" size="0.03"/></default><worldbody>
	<body name="q0" pos="0 0 0.6"><freejoint/><geom type="box" size="0.06 0.09 0.05" mass="3"/>
	<body name="q1" pos="0 0 0.08">%s<geom type="box" size="0.06 0.11 0.12" pos="0 0 0.12" mass="5"/>
	<body name="q2" pos="0 0 0.27">%s<geom type="sphere" size="0.07" pos="0 0 0.06" mass="1"/></body>`, joint("0 0 1", -1, 1, 0), joint("0 0 1", -1, 1, 0))
	for _, y := range []float64{1, -1} {
		p(`<body pos="0 %g 0.22">%s<geom type="sphere" size="0.03" mass="0.3"/><body>%s<geom fromto="0 0 0 0 %g -0.17" mass="0.5"/>
		<body pos="0 %g -0.18">%s<geom fromto="0 0 0 0.16 0 0" mass="0.4"/></body></body></body>`,
			y*0.15, joint("0 1 0", -3, 1, 0), joint("1 0 0", min(-0.3, -0.3-2*(1-y)), max(0.3, 0.3+2*(1+y)/2*1), 0), y*0.01, y*0.01, joint("0 1 0", -1, 1.55, 1.2))
	}
	p(`</body>`)
	for _, y := range []float64{1, -1} {
		p(`<body pos="0 %g -0.06">%s<geom type="sphere" size="0.04" mass="0.8"/><body>%s<geom fromto="0 0 0 0 0 -0.23" mass="1.2"/>
		<body pos="0 0 -0.24">%s<geom fromto="0 0 0 0 0 -0.21" mass="0.8"/><body pos="0 0 -0.22">%s<geom type="sphere" size="0.03" mass="0.2"/>
		<body>%s<geom type="box" size="0.10 0.05 0.01" pos="0.03 0 -0.05" mass="0.4"/></body></body></body></body></body>`,
			y*0.09, joint("1 0 0", -0.7, 0.7, 0), joint("0 1 0", -1.9, 0.8, -0.3), joint("0 1 0", 0, 2.4, 0.6), joint("0 1 0", -1.2, 1, -0.3), joint("1 0 0", -0.6, 0.6, 0))
	}
	p(`</body></worldbody><keyframe><key name="home" qpos="0 0 0.59 1 0 0 0`)
	// The keyframe lists joints in the order of the tree: waist, neck, arms, legs, as they were made.
	for _, v := range stand {
		p(" %g", v)
	}
	p(`"/></keyframe></mujoco>`)
	d.MJCF = b.String()
	return d
}

// TestAnotherRobotNeedsNoTable retargets the same persons to a robot of another make.
func TestAnotherRobotNeedsNoTable(t *testing.T) {
	if testing.Short() {
		t.Skip("retargets every motion; leave out -short to run it")
	}
	b, err := body.New(tall(t))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	if !r.robot.HasWaist || len(r.robot.An.Neck) != 1 || !r.robot.An.HasArms {
		t.Fatalf("anatomy: waist %v, neck %v, arms %v", r.robot.An.Waist, r.robot.An.Neck, r.robot.An.HasArms)
	}
	small := kata(t)
	for name, m := range motions(small) {
		c, rep := retargeted(t, r, m, Options{})
		sound(t, r, name, c, rep)
		if (name == "arms" || name == "squat" || name == "march") && rep.DirectionErrorDeg > 15 {
			t.Errorf("%s: directions are %.1f degrees off", name, rep.DirectionErrorDeg)
		}
	}
}

func TestUnusableRobotsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *robot.Description)
		want   string
	}{
		"no such keyframe":    {func(d *robot.Description) { d.StandKeyframe = "sit" }, `"sit"`},
		"no such joint":       {func(d *robot.Description) { d.Joints[3].Name = "tail" }, `"tail"`},
		"stands past a limit": {func(d *robot.Description) { d.Joints[10].MaxRad = -1 }, "standing pose"},
		"broken model":        {func(d *robot.Description) { d.MJCF = d.MJCF[:200] }, "XML"},
		"no knees":            {func(d *robot.Description) { d.MJCF = strings.ReplaceAll(d.MJCF, "0 1 0", "0 0 1") }, "no knee"},
	} {
		d := tall(t)
		c.change(d)
		b, err := body.New(d)
		if err == nil {
			_, err = New(b)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
