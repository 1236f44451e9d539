package human

import (
	"errors"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func sample() *Motion {
	m := &Motion{FPS: 29.97, Frames: make([]Pose, 3), Meta: Meta{Schema: 1, Source: "a.mp4", SubjectHeightM: 1.7}}
	for t := range m.Frames {
		for j := range NumJoints {
			m.Frames[t].Positions[j] = spatial.Vec3{float64(t), float64(j), 0.25}
			m.Frames[t].Rotations[j] = spatial.FromYaw(float64(t) / 10)
			m.Frames[t].Confidence[j] = 0.5
		}
		m.Frames[t].Contacts[RToeContact] = 1
	}
	return m
}

func TestRoundTrip(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.human.npz")
	want := sample()
	if err := want.Save(name); err != nil {
		t.Fatal(err)
	}
	got, err := Load(name)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n%+v\n%+v", err, got, want)
	}
}

func TestBadFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.human.npz")
	if err := sample().Save(name); err != nil {
		t.Fatal(err)
	}
	for what, breakIt := range map[string]func(npz.Archive){
		"l_knee":     func(a npz.Archive) { a["joint_names"].Text[LKnee] = "left_knee" },
		"positions":  func(a npz.Archive) { delete(a, "positions") },
		"unit":       func(a npz.Archive) { a["rotations"].Data[0] = 3 },
		"not finite": func(a npz.Archive) { a["positions"].Data[5] = math.NaN() },
		"fps":        func(a npz.Archive) { a["fps"].Data[0] = 0 },
		"schema 7":   func(a npz.Archive) { a["meta"] = npz.String(`{"schema":7}`) },
		"confidence": func(a npz.Archive) {
			x := a["confidence"]
			x.Shape = []int{1}
			x.Data = x.Data[:1]
			a["confidence"] = x
		},
		"fps is 1e-07":  func(a npz.Archive) { a["fps"].Data[0] = 1e-7 },
		"fps is NaN":    func(a npz.Archive) { a["fps"].Data[0] = math.NaN() },
		"fps is 1001":   func(a npz.Archive) { a["fps"].Data[0] = 1001 },
		"twice":         func(a npz.Archive) { a["joint_names"].Text[LKnee] = "r_knee" },
		"contact 1":     func(a npz.Archive) { a["contacts"].Data[1] = math.NaN() },
		"a.human.npz: ": func(a npz.Archive) { delete(a, "fps") },
	} {
		a, err := npz.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		breakIt(a)
		bad := filepath.Join(dir, "bad", "a.human.npz")
		if err := npz.Save(bad, a); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(bad); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Text where numbers belong and numbers where text belongs, in every member.
func TestOtherKindsAreRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.human.npz")
	if err := sample().Save(name); err != nil {
		t.Fatal(err)
	}
	good, err := npz.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	for member, arr := range good {
		n := max(len(arr.Data), len(arr.Text))
		other := npz.Array{Shape: arr.Shape, Text: make([]string, n), Dtype: "U"}
		if arr.Dtype == "U" {
			other = npz.Array{Shape: arr.Shape, Data: make([]float64, n)}
		}
		bad := maps.Clone(good)
		bad[member] = other
		if err := npz.Save(name, bad); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(name); !errors.Is(err, infile.ErrUnusable) || !strings.Contains(err.Error(), member) {
			t.Errorf("%s: %v", member, err)
		}
	}
}

// Two frames can claim an hour; an hour and a frame is too much.
func TestLengthIsBounded(t *testing.T) {
	m := sample()
	m.FPS, m.Frames = 1, slices.Repeat(m.Frames[:1], 3601)
	if err := m.Validate(); err != nil {
		t.Errorf("an hour: %v", err)
	}
	m.Frames = append(m.Frames, m.Frames[0])
	if err := m.Validate(); err == nil || !strings.Contains(err.Error(), "3601 s") {
		t.Errorf("more than an hour: %v", err)
	}
}

func TestTopology(t *testing.T) {
	for j := range Joint(NumJoints) {
		if j.Mirror().Mirror() != j {
			t.Errorf("%s: mirror of mirror is %s", j, j.Mirror().Mirror())
		}
		if p := j.Parent(); p >= j {
			t.Errorf("%s: parent %s comes later", j, p)
		} else if p >= 0 && j.Mirror().Parent() != p.Mirror() {
			t.Errorf("%s: mirrored parent differs", j)
		}
		if a, b := j.String(), j.Mirror().String(); a != b && a[1:] != b[1:] {
			t.Errorf("%s mirrors to %s", a, b)
		}
	}
}
