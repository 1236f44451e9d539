package capture

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const heightM = 1.62

// stepper makes a person who steps on the spot, lifts one arm and looks about: joint positions and nothing else.
func stepper() *human.Motion {
	m := &human.Motion{FPS: 50, Frames: make([]human.Pose, 120), Meta: human.Meta{SubjectHeightM: heightM}}
	leg := bvh.LegShare * heightM
	for t := range m.Frames {
		p := &m.Frames[t]
		a := 2 * math.Pi * float64(t) / 60
		q := &p.Positions
		pelvis := spatial.Vec3{0, 0, leg + 0.06}
		q[human.Pelvis], q[human.Chest], q[human.Head] = pelvis, pelvis.Add(spatial.Vec3{0, 0, 0.45}), pelvis.Add(spatial.Vec3{0, 0, 0.68})
		look := spatial.FromYaw(0.5 * math.Sin(a))
		q[human.Nose] = q[human.Head].Add(look.Rotate(spatial.Vec3{0.065 * heightM, 0, 0.01 * heightM}))
		for s := range 2 {
			y := 1 - 2*float64(s)
			hip, shoulder := human.LHip, human.LShoulder
			if s == 1 {
				hip, shoulder = human.RHip, human.RShoulder
			}
			bend := 0.9 * math.Max(0, math.Sin(a)*y)
			thigh := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, -bend).Rotate(spatial.Vec3{0, 0, -leg / 2})
			q[hip] = pelvis.Add(spatial.Vec3{0, 0.09 * y, 0})
			q[hip+1] = q[hip].Add(thigh)
			q[hip+2] = q[hip+1].Add(spatial.Vec3{0, 0, -leg / 2})
			q[hip+3] = q[hip+2].Add(spatial.Vec3{-0.045 * heightM, 0, -0.039 * heightM})
			q[hip+4] = q[hip+2].Add(spatial.Vec3{0.107 * heightM, 0, -0.039 * heightM})
			arm := spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, y*(0.4+0.4*math.Sin(a)))
			q[shoulder] = q[human.Chest].Add(spatial.Vec3{0, 0.18 * y, 0})
			q[shoulder+1] = q[shoulder].Add(arm.Rotate(spatial.Vec3{0, 0, -0.3}))
			q[shoulder+2] = q[shoulder+1].Add(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, -0.8).Rotate(arm.Rotate(spatial.Vec3{0, 0, -0.25})))
			q[shoulder+3] = q[shoulder+2].Add(q[shoulder+2].Sub(q[shoulder+1]).Scale(0.3))
		}
		for j := range p.Rotations {
			p.Rotations[j], p.Confidence[j] = spatial.Identity(), 1
		}
	}
	return m
}

// points takes the joints of a motion for points with the given names; those without a name are left out.
func points(m *human.Motion, name func(human.Joint) string, place func(spatial.Vec3) spatial.Vec3) *Points {
	p := &Points{FPS: m.FPS, UnitM: 1}
	var which []human.Joint
	for j := range human.Joint(human.NumJoints) {
		if n := name(j); n != "" {
			p.Names, which = append(p.Names, n), append(which, j)
		}
	}
	for t := range m.Frames {
		row := make([]spatial.Vec3, len(which))
		for i, j := range which {
			row[i] = place(m.Frames[t].Positions[j])
		}
		p.Frames = append(p.Frames, row)
	}
	return p
}

func same(v spatial.Vec3) spatial.Vec3 { return v }

// motion goes the whole way from points to a person.
func (p *Points) motion(t *testing.T, o bvh.Options) (*human.Motion, []string) {
	t.Helper()
	f, _, tall, err := p.File(o.Map, o.HeightM)
	if err != nil {
		t.Fatal(err)
	}
	if o.HeightM == 0 {
		o.HeightM = tall
	}
	o.Map = nil
	m, notes, err := f.Motion("x", o)
	if err != nil {
		t.Fatal(err)
	}
	return m, notes
}

// away is the largest distance of a joint in mm, and which; joints that the points do not give may be left out.
func away(a, b *human.Motion, but ...human.Joint) (mm float64, where string) {
	if len(a.Frames) != len(b.Frames) {
		return math.Inf(1), fmt.Sprintf("%d and %d frames", len(a.Frames), len(b.Frames))
	}
	for t := range a.Frames {
	joints:
		for j := range a.Frames[t].Positions {
			for _, x := range but {
				if human.Joint(j) == x {
					continue joints
				}
			}
			if d := 1000 * a.Frames[t].Positions[j].Sub(b.Frames[t].Positions[j]).Norm(); d > mm {
				mm, where = d, fmt.Sprintf("%v in frame %d", human.Joint(j), t)
			}
		}
	}
	return mm, where
}

// The same points by other names, in other axes and units, in another order are the same person.
func TestPointsAreAPerson(t *testing.T) {
	want := stepper()
	pose2sim := map[human.Joint]string{human.Pelvis: "Hip", human.Chest: "Neck", human.Head: "Head", human.Nose: "Nose",
		human.LShoulder: "LShoulder", human.LElbow: "LElbow", human.LWrist: "LWrist", human.RShoulder: "RShoulder", human.RElbow: "RElbow", human.RWrist: "RWrist",
		human.LHip: "LHip", human.LKnee: "LKnee", human.LAnkle: "LAnkle", human.LHeel: "LHeel", human.LToe: "LBigToe",
		human.RHip: "RHip", human.RKnee: "RKnee", human.RAnkle: "RAnkle", human.RHeel: "RHeel", human.RToe: "RBigToe"}
	smpl := map[human.Joint]string{human.Pelvis: "pelvis", human.Head: "head",
		human.LShoulder: "left_shoulder", human.LElbow: "left_elbow", human.LWrist: "left_wrist", human.RShoulder: "right_shoulder", human.RElbow: "right_elbow",
		human.RWrist: "right_wrist", human.LHip: "left_hip", human.LKnee: "left_knee", human.LAnkle: "left_ankle", human.LToe: "left_foot",
		human.RHip: "right_hip", human.RKnee: "right_knee", human.RAnkle: "right_ankle", human.RToe: "right_foot"}
	yUp := func(v spatial.Vec3) spatial.Vec3 { return spatial.Vec3{v[0] + 3, v[2], -v[1] - 7} }
	for _, c := range []struct {
		name  string
		names func(human.Joint) string
		place func(spatial.Vec3) spatial.Vec3
		unitM float64
		but   []human.Joint
	}{
		{"our names", human.Joint.String, same, 1, nil},
		{"HALPE, y up", func(j human.Joint) string { return pose2sim[j] }, yUp, 1, []human.Joint{human.LHand, human.RHand}},
		{"SMPL, y up, mm", func(j human.Joint) string { return smpl[j] }, func(v spatial.Vec3) spatial.Vec3 { return yUp(v).Scale(1000) }, 1e-3,
			[]human.Joint{human.LHand, human.RHand, human.Nose}},
		{"turned", human.Joint.String, func(v spatial.Vec3) spatial.Vec3 { return v.Yawed(2) }, 1, nil},
	} {
		p := points(want, c.names, c.place)
		p.UnitM = c.unitM
		got, notes := p.motion(t, bvh.Options{})
		if mm, where := away(want, got, c.but...); mm > 12 { // heels are placed by proportion, the floor by heels
			t.Errorf("%s: %.1f mm away, %s", c.name, mm, where)
		}
		if len(notes) > 1 {
			t.Errorf("%s: notes %q", c.name, notes)
		}
		if h := got.Meta.SubjectHeightM; math.Abs(h-heightM) > 0.02 {
			t.Errorf("%s: %.2f m tall, want %.2f", c.name, h, heightM)
		}
		rng := rand.New(rand.NewPCG(3, 3))
		order := rng.Perm(len(p.Names))
		q := &Points{FPS: p.FPS, UnitM: p.UnitM, Names: make([]string, len(order))}
		for i, k := range order {
			q.Names[i] = p.Names[k]
		}
		for _, row := range points(want, c.names, c.place).Frames {
			r := make([]spatial.Vec3, len(order))
			for i, k := range order {
				r[i] = row[k]
			}
			q.Frames = append(q.Frames, r)
		}
		other, _ := q.motion(t, bvh.Options{})
		if mm, where := away(got, other); mm > 1e-6 {
			t.Errorf("%s: in another order %g mm away, %s", c.name, mm, where)
		}
	}
}

// The head looks where nose and ears say, the feet point where heel and toes do.
func TestHeadsLook(t *testing.T) {
	want := stepper()
	got, _ := points(want, human.Joint.String, same).motion(t, bvh.Options{})
	most := 0.0
	for k := range got.Frames {
		ahead := got.Frames[k].Rotations[human.Head].Rotate(spatial.Vec3{1, 0, 0})
		q := &want.Frames[k].Positions
		most = max(most, ahead.AngleRad(q[human.Nose].Sub(q[human.Head]))*180/math.Pi)
	}
	if most > 12 {
		t.Errorf("the head looks up to %.0f degrees away from the nose", most)
	}
}

func TestGapsAreBridgedAndMarked(t *testing.T) {
	want := stepper()
	p := points(want, human.Joint.String, same)
	nan := spatial.Vec3{math.NaN(), math.NaN(), math.NaN()}
	for k := 30; k < 40; k++ {
		p.Frames[k][human.LElbow] = nan
	}
	for k := 100; k < 120; k++ {
		p.Frames[k][human.RWrist] = nan
	}
	f, invented, tall, err := p.File(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, notes, err := f.Motion("x", bvh.Options{HeightM: tall})
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "l_elbow 8.3 %") || !strings.Contains(notes[0], "r_wrist 16.7 %") {
		t.Errorf("notes %q", notes)
	}
	for k := range m.Frames {
		if got, want := invented(k, human.LElbow), k >= 30 && k < 40; got != want {
			t.Errorf("frame %d: the elbow is invented: %v", k, got)
		}
		if invented(k, human.LKnee) {
			t.Errorf("frame %d: the knee is invented", k)
		}
	}
	a, b := p.Frames[29][human.LElbow], p.Frames[40][human.LElbow]
	if d := p.Frames[35][human.LElbow].Sub(a.Lerp(b, 6.0/11)).Norm(); d > 1e-12 {
		t.Errorf("the bridge is %g m off its straight line", d)
	}
	for k := range p.Frames {
		if k < 80 {
			p.Frames[k][human.Head] = nan
		}
	}
	for k := range p.Frames {
		p.Frames[k][human.RHand] = nan
	}
	if _, _, _, err := p.File(nil, 0); err == nil || strings.Contains(err.Error(), "r_hand") || !strings.Contains(err.Error(), "head (seen in 33 %)") {
		t.Errorf("a head that is hardly seen: %v", err)
	}
}

// Points that a person can do without are left out where they are hardly seen.
func TestHandsMayBeMissing(t *testing.T) {
	want := stepper()
	p := points(want, human.Joint.String, same)
	for k := range p.Frames {
		p.Frames[k][human.LHand] = spatial.Vec3{math.NaN(), 0, 0}
		if k%4 > 0 {
			p.Frames[k][human.RToe] = spatial.Vec3{0, math.NaN(), 0}
		}
	}
	got, notes := p.motion(t, bvh.Options{})
	if said := strings.Join(notes, "; "); !strings.Contains(said, "left out: l_hand (seen in 0 %), r_toe (seen in 25 %)") {
		t.Errorf("notes %q", notes)
	}
	if mm, where := away(want, got, human.LHand, human.RHand, human.RToe, human.RHeel); mm > 14 {
		t.Errorf("%.0f mm, %s", mm, where)
	}
}

func TestUnknownPointsAreNamed(t *testing.T) {
	p := points(stepper(), func(j human.Joint) string {
		if j == human.LElbow {
			return "XYZ"
		}
		return j.String()
	}, same)
	_, _, _, err := p.File(nil, 0)
	if !errors.Is(err, ErrUnnamed) || !strings.Contains(err.Error(), "l_elbow") || !strings.Contains(err.Error(), "XYZ") {
		t.Errorf("%v", err)
	}
	got, _ := p.motion(t, bvh.Options{Map: map[string]string{"l_elbow": "xyz"}})
	if mm, where := away(stepper(), got); mm > 12 {
		t.Errorf("%.0f mm, %s", mm, where)
	}
	for key, name := range map[string]string{"l_elbow": "nowhere", "tail": "XYZ"} {
		if _, _, _, err := p.File(map[string]string{key: name}, 0); !errors.Is(err, bvh.ErrOption) {
			t.Errorf("%s=%s: %v", key, name, err)
		}
	}
}

func TestTRCIsReadBack(t *testing.T) {
	want := stepper()
	var b bytes.Buffer
	if err := WriteTRC(&b, want, "x.trc"); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	p, err := ReadTRC(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := p.motion(t, bvh.Options{})
	if mm, where := away(want, got); mm > 12 {
		t.Errorf("%.1f mm, %s", mm, where)
	}
	if got.FPS != want.FPS || len(p.Frames) != len(want.Frames) {
		t.Errorf("%g frames/s, %d frames", got.FPS, len(p.Frames))
	}
	for _, c := range [][3]string{
		{"Units", "\tmm\t", "\tfurlong\t"},
		{"DataRate", "\n50\t", "\n0\t"},
		{"not a TRC", "PathFileType", "Something"},
		{"no number", "\t0.020000\t", "\t0.020000\tx"},
		{"legal: number, time", "\n2\t", "\t1\t2\t3\n2\t"},
	} {
		if _, err := ReadTRC(strings.NewReader(strings.Replace(text, c[1], c[2], 1))); err == nil || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%s: %v", c[0], err)
		}
	}
	if p, err = ReadTRC(strings.NewReader(text[:len(text)*2/3])); err == nil && len(p.Notes) == 0 {
		t.Error("a file that is cut off is taken without a word")
	}
}

func TestJointArraysAreReadBack(t *testing.T) {
	want := stepper()
	p, err := ReadJoints(Joints(want), 0)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := p.motion(t, bvh.Options{})
	if mm, where := away(want, got); mm > 12 {
		t.Errorf("%.1f mm, %s", mm, where)
	}
	a := Joints(want)
	delete(a, "fps")
	if _, err := ReadJoints(a, 0); !errors.Is(err, ErrNoRate) {
		t.Errorf("without a rate: %v", err)
	}
	if p, err := ReadJoints(a, 25); err != nil || p.FPS != 25 {
		t.Errorf("with a given rate: %v", err)
	}
	delete(a, "joint_names")
	a["joints"] = npz.Floats(make([]float64, 3*10*3), 3, 10, 3)
	if _, err := ReadJoints(a, 25); !errors.Is(err, ErrUnnamed) {
		t.Errorf("ten joints without names: %v", err)
	}
}

func FuzzReadTRC(f *testing.F) {
	var b bytes.Buffer
	m := stepper()
	m.Frames = m.Frames[:3]
	if err := WriteTRC(&b, m, "x.trc"); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ReadTRC(bytes.NewReader(text))
		if err != nil {
			return
		}
		if _, _, _, err := p.File(nil, 0); err == nil && len(p.Frames) < 2 {
			t.Error("a motion of less than two frames")
		}
	})
}
