package solve

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/metrics"
)

// inSpace is what several cameras make of an actor: places in the axes of one of them, with
// noise.
func inSpace(a *actor, c camera, seconds, noiseM float64) (*landmark.Clip, Options, *human.Motion) {
	clip, truth := film(a, c, seconds, 30, noise{}, 1)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range clip.Frames {
		f := &clip.Frames[i]
		seen := a.at(f.TimeS)
		for j := range landmark.Num {
			f.WorldM[j] = c.see(seen.marks[j])
			for k := range 3 {
				f.WorldM[j][k] += noiseM * r.NormFloat64()
			}
			f.Landmarks[j].XPx = c.focalPx*f.WorldM[j][0]/f.WorldM[j][2] + float64(c.widthPx)/2
			f.Landmarks[j].YPx = c.focalPx*f.WorldM[j][1]/f.WorldM[j][2] + float64(c.heightPx)/2
			f.Landmarks[j].Visibility = 0.9
		}
	}
	up := c.upInCamera()
	return clip, Options{FocalPx: c.focalPx, UpInCamera: &up}, truth
}

// Places in space give the person's own size, whatever it is, and the pose within what the
// noise allows, from any camera.
func TestTriangulated(t *testing.T) {
	for _, heightM := range []float64{1.1, 1.72, 2.0} {
		a := stepper()
		a.heightM = heightM
		for _, c := range []camera{defaultCamera(), {distanceM: 4, heightM: 1.8, pitchRad: 0.3, rollRad: 0.4, focalPx: 900, widthPx: 540, heightPx: 720}} {
			clip, opt, truth := inSpace(a, c, 4, 0.01)
			m, rep, raw, err := Triangulated(clip, opt)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(rep.HeightM/heightM-1) > 0.01 || rep.HeightAssumed || m.Meta.HeightAssumed {
				t.Errorf("%g m: measured %g", heightM, rep.HeightM)
			}
			k, err := metrics.Compare(m, truth)
			if err != nil {
				t.Fatal(err)
			}
			if most := 16.0; k.MPJPEMm > most || k.RootMeanM > 0.03 || k.ContactAgreement < 0.85 || k.HeadingMeanDeg > 4 {
				t.Errorf("%g m, camera %+v: MPJPE %.1f mm (at most %.1f), root %.3f m, contacts %.2f, heading %.1f deg", heightM, c, k.MPJPEMm, most, k.RootMeanM, k.ContactAgreement, k.HeadingMeanDeg)
			}
			p := metrics.Plausible(m)
			if p.BoneSpreadMm > 1e-6 || p.SinkMaxM > 0.01 || p.FootSlideMaxMPerS > 0.03 {
				t.Errorf("%g m: %+v", heightM, p)
			}
			if len(raw) != 8 || raw["l_thigh"] < 1e-4 || raw["l_thigh"] > 0.015 {
				t.Errorf("%g m: limbs vary by %v", heightM, raw)
			}
		}
	}
}

// Legs that no two cameras see leave the size to the trunk; nothing at all is an error.
func TestTriangulatedUnseen(t *testing.T) {
	clip, opt, _ := inSpace(stepper(), defaultCamera(), 2, 0.002)
	hide := func(from, to landmark.Index) {
		for i := range clip.Frames {
			for j := from; j < to; j++ {
				clip.Frames[i].Landmarks[j].Visibility = 0.05
			}
		}
	}
	hide(landmark.LKnee, landmark.Num)
	_, rep, _, err := Triangulated(clip, opt)
	if err != nil || math.Abs(rep.HeightM/stepper().heightM-1) > 0.02 {
		t.Errorf("by the trunk alone: %v, %+v", err, rep)
	}
	hide(0, landmark.Num)
	if _, _, _, err := Triangulated(clip, opt); err == nil || !strings.Contains(err.Error(), "two cameras") {
		t.Errorf("nothing seen: %v", err)
	}
	if _, _, _, err := Triangulated(clip, Options{}); err == nil {
		t.Error("without gravity")
	}
}
