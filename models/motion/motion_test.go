package motion

import (
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func sample() *Clip {
	c := &Clip{FPS: 50, JointNames: []string{"a", "b"}, BodyNames: []string{"root", "x", "y"}, Meta: Meta{Schema: 1, Robot: "toy"}}
	for t := range 4 {
		f := NewFrame(2, 3)
		f.JointPosRad[1] = float64(t)
		for b := range 3 {
			f.BodyPosM[b] = spatial.Vec3{float64(b), float64(t), 1.0 / 3}
			f.BodyQuat[b] = spatial.FromYaw(float64(t + b))
			f.BodyVelMPerS[b], f.BodyAngVel[b] = spatial.Vec3{0, 1, 0}, spatial.Vec3{0, 0, 1}
		}
		f.Contacts[1] = 1
		c.Frames = append(c.Frames, f)
	}
	return c
}

func TestRoundTripIsExact(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.motion.npz")
	if err := sample().Save(name); err != nil {
		t.Fatal(err)
	}
	got, err := Load(name)
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Fatalf("%v\n%+v", err, got)
	}
}

// fps is a list of one in files; files of earlier versions have a scalar.
func TestBothFormsOfTheRateAreRead(t *testing.T) {
	a, err := sample().Archive()
	if err != nil {
		t.Fatal(err)
	}
	if s := a["fps"].Shape; len(s) != 1 || s[0] != 1 {
		t.Errorf("fps has shape %v; want (1,)", s)
	}
	a["fps"] = npz.Scalar(50)
	if c, err := FromArchive(a); err != nil || c.FPS != 50 {
		t.Errorf("a scalar: %v", err)
	}
	for _, bad := range []npz.Array{npz.Floats([]float64{50, 50}, 2), npz.Floats([]float64{}, 0), npz.Floats([]float64{50}, 1, 1)} {
		a["fps"] = bad
		if _, err := FromArchive(a); err == nil {
			t.Errorf("fps of shape %v was read", bad.Shape)
		}
	}
}

func TestBadFilesAreRefused(t *testing.T) {
	for what, breakIt := range map[string]func(npz.Archive){
		"joint_vel":    func(a npz.Archive) { delete(a, "joint_vel") },
		"joint_pos":    func(a npz.Archive) { a["joint_names"] = npz.Strings([]string{"a"}) },
		"unit":         func(a npz.Archive) { a["body_quat_w"].Data[1] = 5 },
		"schema 9":     func(a npz.Archive) { a["meta"] = npz.String(`{"schema":9}`) },
		"meta is not":  func(a npz.Archive) { a["meta"] = npz.String(`{`) },
		"fps is 1e-07": func(a npz.Archive) { a["fps"].Data[0] = 1e-7 },
		"contacts":     func(a npz.Archive) { a["contacts"].Data[1] = math.Inf(1) },
		"0 bodies":     func(a npz.Archive) { a["body_names"] = npz.Strings(nil) },
		"fps":          func(a npz.Archive) { a["fps"].Data[0] = -1 },
	} {
		a, err := sample().Archive()
		if err != nil {
			t.Fatal(err)
		}
		breakIt(a)
		if _, err := FromArchive(a); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Text where numbers belong and numbers where text belongs, in every member.
func TestOtherKindsAreRefused(t *testing.T) {
	good, err := sample().Archive()
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
		if _, err := FromArchive(bad); err == nil || !strings.Contains(err.Error(), member) {
			t.Errorf("%s: %v", member, err)
		}
	}
}
