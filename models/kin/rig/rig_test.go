package rig

import (
	"strings"
	"testing"

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
func TestHingesAreInTheOrderOfTheDescription(t *testing.T) {
	d := load(t)
	d.Joints[3], d.Joints[8] = d.Joints[8], d.Joints[3] // the description's order, not the model's
	r, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Hinges) != len(d.Joints) || len(r.StandQPos) != r.Kin.Tree.NQ {
		t.Fatalf("%d hinges, %d positions", len(r.Hinges), len(r.StandQPos))
	}
	for i, j := range d.Joints {
		if h := r.Hinges[i]; h.Name != j.Name || h != &r.Kin.Tree.Joints[r.Kin.Tree.JointIndex(j.Name)] {
			t.Errorf("joint %d is %s, its hinge %s", i, j.Name, h.Name)
		} else if q := r.StandQPos[h.QPos]; q < j.MinRad || q > j.MaxRad {
			t.Errorf("%s stands at %g rad, range %g to %g", j.Name, q, j.MinRad, j.MaxRad)
		}
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(d *robot.Description)
		want []string
	}{
		"no XML":       {func(d *robot.Description) { d.MJCF = "<mujoco" }, []string{"robot kata20"}},
		"no keyframe":  {func(d *robot.Description) { d.StandKeyframe = "sit" }, []string{"robot kata20", `"sit"`, "stand_keyframe"}},
		"other joints": {func(d *robot.Description) { d.Joints[2].Name, d.Joints[5].Name = "tail", "root" }, []string{`"tail"`, `"root"`, "no hinge"}},
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
