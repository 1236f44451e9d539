package bvh

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// What is built turns as it was told to, whatever the angles.
func TestBuiltJointsTurnAsTold(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	f, err := Build([]Bone{{Name: "Hips", Parent: -1}, {Name: "A", Parent: 0, Offset: spatial.Vec3{0, 1, 0}}, {Name: "B", Parent: 1, Offset: spatial.Vec3{1, 0, 0}, Moves: true},
		{Name: "C", Parent: 2, Offset: spatial.Vec3{0, 0, 2}, Fixed: true}}, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	var wantPos [][]spatial.Vec3
	var wantRot [][]spatial.Quat
	for k := range 2000 {
		var at [4]spatial.Vec3
		turn := [4]spatial.Quat{spatial.Identity(), spatial.Identity(), spatial.Identity(), spatial.Identity()}
		for i := range 3 {
			at[i] = spatial.Vec3{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
			turn[i] = spatial.Quat{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}.Normalize()
			if k%3 == 0 { // where two of the angles mean the same
				turn[i] = spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, math.Pi/2).Mul(spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, rng.Float64()*6))
			}
		}
		f.Append(at[:], turn[:])
		pos, rot := []spatial.Vec3{at[0]}, []spatial.Quat{turn[0]}
		for i, offset := range []spatial.Vec3{{0, 1, 0}, at[2], {0, 0, 2}} {
			pos, rot = append(pos, pos[i].Add(rot[i].Rotate(offset))), append(rot, rot[i].Mul(turn[i+1]))
		}
		wantPos, wantRot = append(wantPos, pos), append(wantRot, rot)
	}
	pos, rot := make([]spatial.Vec3, 4), make([]spatial.Quat, 4)
	for k := range wantPos {
		f.Pose(k, pos, rot)
		for i := range pos {
			if d := pos[i].Sub(wantPos[k][i]).Norm(); d > 1e-6 {
				t.Fatalf("frame %d, joint %d is %g away", k, i, d)
			}
			if d := math.Abs(rot[i].Dot(wantRot[k][i])); d < 1-1e-9 {
				t.Fatalf("frame %d, joint %d is turned otherwise: %v, want %v", k, i, rot[i], wantRot[k][i])
			}
		}
	}
}

// A motion that is written and read again is the same motion, in any unit.
func TestWrittenMotionsAreReadBack(t *testing.T) {
	for seed := range uint64(4) {
		want, _ := imported(t, walker(rand.New(rand.NewPCG(seed, 9))).write(plainStyle("")), Options{HeightM: 1.68})
		for _, unitM := range []float64{1, 0.01} {
			f, err := FromHuman(want, unitM)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := f.Write(&b); err != nil {
				t.Fatal(err)
			}
			back, err := Read(&b)
			if err != nil {
				t.Fatal(err)
			}
			got, notes, err := back.Motion("x", Options{HeightM: 1.68})
			if err != nil {
				t.Fatal(err)
			}
			if len(notes) != 0 {
				t.Errorf("notes: %q", notes)
			}
			if m, _, where := differs(want, got); m > 0.004 {
				t.Errorf("seed %d, unit %g m: %.1f mm away, %s", seed, unitM, 1000*m, where)
			}
			// The file's own unit: the pelvis is as high as the person's, measured in it.
			pos, rot := make([]spatial.Vec3, len(back.Joints)), make([]spatial.Quat, len(back.Joints))
			back.Pose(3, pos, rot)
			if high := want.Frames[3].Positions[human.Pelvis][2] / unitM; math.Abs(pos[0][1]-high) > 1e-3*high {
				t.Errorf("unit %g m: the pelvis is %g high, want %g", unitM, pos[0][1], high)
			}
		}
	}
}

func TestUnitsAreBounded(t *testing.T) {
	m, _ := imported(t, walker(rand.New(rand.NewPCG(1, 9))).write(plainStyle("")), Options{})
	if _, err := FromHuman(m, 0); err == nil {
		t.Error("a unit of nothing was taken")
	}
	if _, err := Build([]Bone{{Name: "A", Parent: 3}}, 0.1); err == nil {
		t.Error("a parent that comes later was taken")
	}
}
