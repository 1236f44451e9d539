package body

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/robot"
)

func load(t *testing.T) *robot.Description {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every described joint is bound to its own hinge, and stands within its range.
func TestJointsAreInTheOrderOfTheDescription(t *testing.T) {
	d := load(t)
	d.Joints[3], d.Joints[8] = d.Joints[8], d.Joints[3] // the description's order, not the model's
	b, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	tree := b.Tree()
	if len(b.Joints) != len(d.Joints) || len(b.StandRad) != len(d.Joints) || len(b.StandQPos) != tree.NQ {
		t.Fatalf("%d joints, %d angles, %d positions", len(b.Joints), len(b.StandRad), len(b.StandQPos))
	}
	for i, j := range d.Joints {
		own := b.Joints[i]
		if own.Hinge != &tree.Joints[tree.JointIndex(j.Name)] || own.QPos != own.Hinge.QPos || own.QVel != own.Hinge.QVel {
			t.Errorf("joint %d is %s, its hinge %s", i, j.Name, own.Hinge.Name)
		} else if q := b.StandQPos[own.QPos]; q != b.StandRad[i] || q < j.MinRad || q > j.MaxRad {
			t.Errorf("%s stands at %g rad, range %g to %g", j.Name, q, j.MinRad, j.MaxRad)
		}
	}
	q := make([]float64, tree.NQ)
	b.PutJoints(q, b.StandRad)
	copy(q, b.StandQPos[:7])
	if !slices.Equal(q, b.StandQPos) {
		t.Errorf("the root's and the joints' numbers give %v; the keyframe is %v", q, b.StandQPos)
	}
}

// A joint may do what the description and the model both allow.
func TestLimitsAreTheNarrowerOnes(t *testing.T) {
	d := load(t)
	knee := d.JointIndex("l_knee")
	d.Joints[knee].MinRad, d.Joints[knee].MaxRad = -9, 1
	d.MJCF = regexp.MustCompile(`(<joint [^>]*name="l_knee"[^>]*range=")[^"]*`).ReplaceAllString(d.MJCF, "${1}0.1 1.5")
	b, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	if j := b.Joints[knee]; j.MinRad != 0.1 || j.MaxRad != 1 {
		t.Errorf("the knee reaches %g to %g rad; the model says 0.1 to 1.5, the description -9 to 1", j.MinRad, j.MaxRad)
	}
}

func TestLimbs(t *testing.T) {
	b, err := New(load(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range b.Desc.Joints {
		want := Leg
		switch {
		case strings.Contains(j.Name, "shoulder"), strings.Contains(j.Name, "elbow"):
			want = Arm
		}
		if got := b.Joints[i].Limb; got != want {
			t.Errorf("%s is of the %v; want %v", j.Name, got, want)
		}
	}
}

// What cannot walk is bound all the same: a bench of servos has limits and a pose too.
func TestNoHumanoid(t *testing.T) {
	d := load(t)
	d.MJCF, d.RootBody = `<mujoco><worldbody><body name="post"><geom size="0.1"/><body name="arm" pos="0 0 1">
	 <joint name="turn" range="-90 90"/><geom size="0.1"/></body></body></worldbody><keyframe><key name="stand" qpos="0.5"/></keyframe></mujoco>`, "post"
	d.Joints = []robot.Joint{{Name: "turn", MinRad: -1, MaxRad: 1}}
	b, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	if b.Root.Free || b.Root.QPos != -1 || b.StandRad[0] != 0.5 || b.Joints[0].Limb != Other {
		t.Errorf("%+v, %+v stands at %v", b.Root, b.Joints[0], b.StandRad)
	}
	if a, err := b.Humanoid(); a != nil || !errors.Is(err, anatomy.ErrNotHumanoid) || !strings.Contains(err.Error(), "free joint") {
		t.Errorf("a post is a humanoid: %v, %v", a, err)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(d *robot.Description)
		want []string
	}{
		"no XML":        {func(d *robot.Description) { d.MJCF = "<mujoco" }, []string{"robot kata20"}},
		"no keyframe":   {func(d *robot.Description) { d.StandKeyframe = "sit" }, []string{"robot kata20", `"sit"`, "stand_keyframe"}},
		"no root":       {func(d *robot.Description) { d.RootBody = "pelvis" }, []string{"root_body", `"pelvis"`}},
		"another root":  {func(d *robot.Description) { d.RootBody = "l_foot" }, []string{"root_body", `"l_foot"`, `"torso"`}},
		"other joints":  {func(d *robot.Description) { d.Joints[2].Name, d.Joints[5].Name = "tail", "root" }, []string{`"tail"`, `"root"`, "no hinge"}},
		"outside":       {func(d *robot.Description) { d.Joints[0].MinRad = 0.1 }, []string{"standing pose", "l_hip_yaw", "0.1"}},
		"nothing left":  {func(d *robot.Description) { d.Joints[0].MinRad, d.Joints[0].MaxRad = 5, 6 }, []string{"l_hip_yaw", "nothing is in both"}},
		"a second body": {func(d *robot.Description) { d.MJCF = withBall(d.MJCF) }, []string{`"ball"`, "one free joint"}},
	} {
		d := load(t)
		c.edit(d)
		_, err := New(d)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v; want %q in it", name, err, w)
			}
		}
	}
}

// withBall puts a toy beside the robot.
func withBall(mjcf string) string {
	mjcf = strings.Replace(mjcf, "</worldbody>", `<body name="ball" pos="1 0 0.1"><freejoint/><geom size="0.1"/></body></worldbody>`, 1)
	return strings.Replace(mjcf, `<key name="stand" qpos="`, `<key name="stand" qpos="0 0 0 1 0 0 0 `, 1)
}

func TestLoadNamesWhatIsMissing(t *testing.T) {
	if _, err := Load("kata21"); !errors.Is(err, robot.ErrUnknown) {
		t.Errorf("%v", err)
	}
}
