package solve

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// marcher lifts one knee after the other, clearly, on the spot.
func marcher() *actor {
	return &actor{
		heightM: 1.72,
		pelvis:  func(float64) spatial.Vec3 { return spatial.Vec3{0.02, 0, standing - 0.008} },
		lean:    func(float64) float64 { return 0.02 },
		arm:     func(float64, int) (float64, float64) { return 0.2, 0.3 },
		foot: func(t float64, side int) (spatial.Vec3, float64) {
			p, _ := stillFeet(t, side)
			up := pulse(t, 0.8+1.2*float64(side), 1.8+1.2*float64(side))
			p[0], p[2] = 0.08*up, 0.16*up
			return p, 0
		},
	}
}

// flattenThighs does what the network does: a thigh points at the camera a tenth as
// much as it truly does.
func flattenThighs(in *landmark.Clip, habit spatial.Quat) {
	for i := range in.Frames {
		w := &in.Frames[i].WorldM
		for side := range 2 {
			thighM := habit.Inv().Rotate(w[landmark.LKnee+side].Sub(w[landmark.LHip+side]))
			shift := habit.Rotate(spatial.Vec3{0, 0, -0.9 * thighM[2]})
			for _, j := range [4]landmark.Index{landmark.LKnee, landmark.LAnkle, landmark.LHeel, landmark.LToe} {
				w[j+side] = w[j+side].Add(shift)
			}
		}
	}
}

// deepest is the largest bend of a knee, degrees.
func deepest(m *human.Motion, hip human.Joint) float64 {
	most := 0.0
	for i := range m.Frames {
		p := &m.Frames[i].Positions
		most = math.Max(most, p[hip+1].Sub(p[hip]).AngleRad(p[hip+2].Sub(p[hip+1]))*180/math.Pi)
	}
	return most
}

// A knee that is lifted towards the camera is found bent, left and right, from low and
// from high, although the network hardly sees the thigh point anywhere.
func TestLiftedKneesAreFound(t *testing.T) {
	for _, c := range []struct{ heightM, pitchRad float64 }{{0.4, -0.14}, {0.95, 0}, {1.6, 0.18}} {
		cam := defaultCamera()
		cam.heightM, cam.pitchRad = c.heightM, c.pitchRad
		a := marcher()
		in, truth := film(a, cam, 3.6, 30, typical, 40)
		flattenThighs(in, cam.habit(cam.see(spatial.Vec3{0, 0, standing * a.heightM})))
		up := cam.upInCamera()
		m, _ := solved(t, in, Options{HeightM: a.heightM, FocalPx: cam.focalPx, UpInCamera: &up})
		for _, hip := range hipJoints {
			got, want := deepest(m, hip), deepest(truth, hip)
			t.Logf("camera %g m: %s bends by %.0f degrees, truly %.0f", c.heightM, hip+1, got, want)
			if math.Abs(got-want) > 12 {
				t.Errorf("camera %g m: %s bends by %.0f degrees, truly %.0f", c.heightM, hip+1, got, want)
			}
		}
	}
}

// From behind, the network turns short feet round; standing feet do not follow.
func TestFeetSeenFromBehindPointAhead(t *testing.T) {
	a := squatter()
	a.yaw = math.Pi
	cam := defaultCamera()
	in, truth := film(a, cam, 3, 30, typical, 41)
	for i := range in.Frames {
		w := &in.Frames[i].WorldM
		for side := range 2 {
			heel, toe := &w[landmark.LHeel+side], &w[landmark.LToe+side]
			toe[2] = heel[2] - 0.3*(toe[2]-heel[2]) // towards the camera, and short
		}
	}
	up := cam.upInCamera()
	m, _ := solved(t, in, Options{HeightM: a.heightM, FocalPx: cam.focalPx, UpInCamera: &up})
	var off []float64
	for i := range m.Frames {
		for _, h := range hipJoints {
			dir := func(m *human.Motion) spatial.Vec3 {
				return m.Frames[i].Positions[h+4].Sub(m.Frames[i].Positions[h+3])
			}
			off = append(off, dir(m).AngleRad(dir(truth))*180/math.Pi)
		}
	}
	if e := median(off); e > 15 {
		t.Errorf("feet point %.0f degrees off", e)
	}
}
