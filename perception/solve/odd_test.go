package solve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Whatever a network may report, the result is a valid motion with still feet
// and the person's size, or an error.
func TestOddInputGivesAValidMotion(t *testing.T) {
	var r *rand.Rand // anew for each case: maps have no order
	for name, spoil := range map[string]func(in *landmark.Clip){
		"ten frames": func(in *landmark.Clip) { in.Frames = in.Frames[:10] },
		"ten frames in nine seconds": func(in *landmark.Clip) {
			in.Frames = in.Frames[:10]
			for i := range in.Frames {
				in.Frames[i].TimeS = float64(i)
			}
		},
		"upper body only": func(in *landmark.Clip) {
			for i := range in.Frames {
				for j := landmark.LKnee; j <= landmark.RToe; j++ {
					in.Frames[i].Landmarks[j].Visibility = 0.02
					in.Frames[i].Landmarks[j].SetPx([2]float64{270 + 30*r.NormFloat64(), 760 + 30*r.NormFloat64()})
				}
			}
		},
		"nothing visible": func(in *landmark.Clip) {
			for i := range in.Frames {
				hide(&in.Frames[i])
			}
		},
		"one point": func(in *landmark.Clip) {
			for i := range in.Frames {
				for j := range landmark.Num {
					in.Frames[i].Landmarks[j].SetPx([2]float64{100, 100})
					in.Frames[i].WorldM[j] = spatial.Vec3{}
				}
			}
		},
		"noise": func(in *landmark.Clip) {
			for i := range in.Frames {
				for j := range landmark.Num {
					in.Frames[i].Landmarks[j].SetPx([2]float64{540 * r.Float64(), 720 * r.Float64()})
					in.Frames[i].WorldM[j] = spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
				}
			}
		},
		"upside down": func(in *landmark.Clip) {
			for i := range in.Frames {
				for j := range landmark.Num {
					in.Frames[i].Landmarks[j].YPx = 720 - in.Frames[i].Landmarks[j].Px()[1]
					in.Frames[i].WorldM[j][1] *= -1
				}
			}
		},
		"far away": func(in *landmark.Clip) {
			for i := range in.Frames {
				for j := range landmark.Num {
					p := &in.Frames[i].Landmarks[j]
					p.SetPx([2]float64{300 + p.XPx/100, 300 + p.YPx/100})
				}
			}
		},
	} {
		in, _ := film(squatter(), defaultCamera(), 2, 30, typical, 1)
		r = rand.New(rand.NewPCG(2, 2))
		spoil(in)
		m, rep, err := Solve(in, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := metrics.Plausible(m)
		if name == "upside down" {
			p.SinkMaxM = 0 // no leg reaches the floor that its foot asks for
		}
		if p.BoneSpreadMm > 1e-6 || p.FootSlideMaxMPerS > 0.02 || p.SinkMaxM > 0.01 {
			t.Errorf("%s: bones %.2g mm, slide %.2g m/s, sink %.2g m", name, p.BoneSpreadMm, p.FootSlideMaxMPerS, p.SinkMaxM)
		}
		if rep.HeightM != assumedHeightM || !m.Meta.HeightAssumed {
			t.Errorf("%s: height %g, assumed %v", name, rep.HeightM, m.Meta.HeightAssumed)
		}
		shin := m.Frames[0].Positions[human.LKnee].Sub(m.Frames[0].Positions[human.LAnkle]).Norm()
		if ratio := shin / (0.241 * assumedHeightM); math.Abs(ratio-1) > 0.25 {
			t.Errorf("%s: shank of %.2f m", name, shin)
		}
	}
}

// The fit's time grows with the length of the clip, not faster.
func TestLongClip(t *testing.T) {
	if testing.Short() {
		t.Skip("solves a minute of video")
	}
	in, truth := film(stepper(), defaultCamera(), 60, 30, typical, 1)
	m, _ := solved(t, in, Options{HeightM: 1.68, FocalPx: 648})
	if c := compare(t, m, truth); c.MPJPEMm > 50 {
		t.Errorf("MPJPE %.0f mm", c.MPJPEMm)
	}
}

func BenchmarkSolve(b *testing.B) {
	in, _ := film(stepper(), defaultCamera(), 10, 30, typical, 1)
	for b.Loop() {
		if _, _, err := Solve(in, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(in.Frames)*b.N)/b.Elapsed().Seconds(), "frames/s")
}

// hide makes every landmark invisible.
func hide(f *landmark.Frame) {
	for j := range f.Landmarks {
		f.Landmarks[j].Visibility = 0
	}
}
