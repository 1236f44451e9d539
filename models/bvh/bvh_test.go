package bvh

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// skeleton writes a BVH of a person in a T pose, 18 units high, with the given root channels per frame.
func skeleton(frames ...string) string {
	var b strings.Builder
	b.WriteString("HIERARCHY\nROOT Hips\n{\n OFFSET 0 0 0\n CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n")
	n := 6
	rot := " CHANNELS 3 Zrotation Xrotation Yrotation\n"
	open := func(name string, x, y, z float64) {
		fmt.Fprintf(&b, "JOINT mixamorig:%s\n{\n OFFSET %g %g %g\n%s", name, x, y, z, rot)
		n += 3
	}
	end := func(x, y, z float64) { fmt.Fprintf(&b, "End Site\n{\n OFFSET %g %g %g\n}\n", x, y, z) }
	shut := func(k int) { b.WriteString(strings.Repeat("}\n", k)) }
	for s, side := range []string{"Left", "Right"} {
		x := 1 - 2*float64(s)
		open(side+"UpLeg", x, 0, 0)
		open(side+"Leg", 0, -4, 0)
		open(side+"Foot", 0, -4, 0)
		end(0, -0.8, 1.5)
		shut(3)
	}
	open("Spine", 0, 5, 0)
	open("Head", 0, 2, 0)
	end(0, 1, 0)
	shut(1)
	for s, side := range []string{"Left", "Right"} {
		x := 1 - 2*float64(s)
		open(side+"Arm", 2*x, 0, 0)
		open(side+"ForeArm", 3*x, 0, 0)
		open(side+"Hand", 2.5*x, 0, 0)
		end(x, 0, 0)
		shut(3)
	}
	shut(2)
	fmt.Fprintf(&b, "MOTION\nFrames: %d\nFrame Time: 0.02\n", len(frames))
	for _, f := range frames {
		b.WriteString(f + strings.Repeat(" 0", n-6) + "\n")
	}
	return b.String()
}

func TestTPoseBecomesAPerson(t *testing.T) {
	f, err := Read(strings.NewReader(skeleton("5 8.8 7 0 0 90", "5 8.8 7 0 0 90", "5 8.8 7 0 0 90")))
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := f.Motion("t.bvh", Options{HeightM: 1.8})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(m.FPS-50) > 1e-9 || m.Meta.HeightAssumed || m.Meta.SubjectHeightM != 1.8 {
		t.Errorf("fps %g, meta %+v", m.FPS, m.Meta)
	}
	p := &m.Frames[0]
	unit := 0.491 * 1.8 / 8               // a leg is 8 units
	want := map[human.Joint]spatial.Vec3{ // the turn of 90 degrees and the place are taken out
		human.Pelvis: {0, 0, 8.8 * unit}, human.LHip: {0, unit, 8.8 * unit}, human.LWrist: {0, 7.5 * unit, 13.8 * unit},
		human.RElbow: {0, -5 * unit, 13.8 * unit}, human.LToe: {1.5 * unit, unit, 0}, human.Head: {0, 0, 15.8 * unit}}
	for j, w := range want {
		if d := p.Positions[j].Sub(w).Norm(); d > 0.02 { // the floor lies below the heel, which is estimated
			t.Errorf("%v at %v, want %v", j, p.Positions[j], w)
		}
	}
	if z := p.Rotations[human.LShoulder].Rotate(spatial.Vec3{0, 0, -1}); z.Sub(spatial.Vec3{0, 1, 0}).Norm() > 1e-9 {
		t.Errorf("the left upper arm points to %v, want left", z)
	}
	if r := p.Rotations[human.Chest].Log().Norm(); r > 1e-9 {
		t.Errorf("an upright chest is turned by %g rad", r)
	}
	for k, c := range p.Contacts {
		if c != 1 {
			t.Errorf("contact %d of a standing person is %g", k, c)
		}
	}
}

func TestFaultsAreNamed(t *testing.T) {
	good := skeleton("0 0 0 0 0 0", "0 0 0 0 0 0")
	for name, c := range map[string]struct{ text, want string }{
		"empty":         {"", "too early"},
		"other format":  {"<mujoco/>", `legal: "HIERARCHY"`},
		"bad number":    {strings.Replace(good, "OFFSET 0 5 0", "OFFSET 0 five 0", 1), `"five"`},
		"bad channel":   {strings.Replace(good, "Xposition", "Wposition", 1), `"Wposition"`},
		"many channels": {strings.Replace(good, "CHANNELS 3", "CHANNELS 99", 1), "99 channels"},
		"unknown word":  {strings.Replace(good, "JOINT", "BONE", 1), `"BONE"`},
		"cut off":       {good[:len(good)-20], "frame 2 of 2 is cut off"},
		"frame time":    {strings.Replace(good, "0.02", "0", 1), "frame time"},
		"no frames":     {strings.Replace(good, "Frames: 2", "Frames: 0", 1), "0 frames"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		} else if name == "cut off" && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut off: %v does not wrap ErrUnexpectedEOF", err)
		}
	}
	f, err := Read(strings.NewReader(strings.ReplaceAll(good, "LeftForeArm", "Tentacle")))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Motion("x", Options{}); err == nil || !strings.Contains(err.Error(), "l_elbow") || !strings.Contains(err.Error(), "Tentacle") {
		t.Errorf("unknown skeleton: %v", err)
	}
	f, _ = Read(strings.NewReader(good))
	if _, _, err := f.Motion("x", Options{HeightM: 9}); err == nil || !strings.Contains(err.Error(), "legal") {
		t.Errorf("height 9 m: %v", err)
	}
}

// TestRealRecordingWalks reads a capture of a walk: bones keep their lengths, feet take turns on the floor, the body
// moves forward.
func TestRealRecordingWalks(t *testing.T) {
	in, err := os.Open("../../../shared/data/mocap/01_01.bvh")
	if err != nil {
		t.Skip("no recording: ", err)
	}
	defer in.Close()
	f, err := Read(in)
	if err != nil {
		t.Fatal(err)
	}
	m, notes, err := f.Motion("01_01.bvh", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Frames) != 2751 || m.Meta.StartS != f.FrameS || math.Abs(m.FPS-120) > 1 {
		t.Errorf("%d frames at %g from %g s: the T pose before the motion is no part of it", len(m.Frames), m.FPS, m.Meta.StartS)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "first frame") {
		t.Errorf("notes %q", notes)
	}
	thigh := func(k int) float64 {
		return m.Frames[k].Positions[human.LHip].Sub(m.Frames[k].Positions[human.LKnee]).Norm()
	}
	on := [2]int{}
	for k := range m.Frames {
		if math.Abs(thigh(k)-thigh(0)) > 1e-9 {
			t.Fatalf("frame %d: the thigh is %g m, was %g", k, thigh(k), thigh(0))
		}
		for s := range on {
			if m.Frames[k].Contacts[2*s]+m.Frames[k].Contacts[2*s+1] > 0 {
				on[s]++
			}
		}
	}
	if z := m.Frames[0].Positions[human.Head][2]; z < 1.3 || z > 1.8 {
		t.Errorf("the head is %g m high", z)
	}
	for s := range on {
		if share := float64(on[s]) / float64(len(m.Frames)); share < 0.3 || share > 0.99 {
			t.Errorf("foot %d is on the floor in %.2f of the frames", s, share)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(skeleton("0 0 0 0 0 0", "1 2 3 4 5 6"))
	f.Add("HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 1 Xrotation End Site { OFFSET 1 1 1 } } MOTION Frames: 2 Frame Time: 0.1\n1\n2")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		if m, _, err := b.Motion("fuzz", Options{}); err == nil && m.Validate() != nil {
			t.Fatal("an invalid motion is returned")
		}
	})
}
