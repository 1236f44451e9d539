package metrics

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/rate"
)

// Plausibility judges one motion without a truth.
type Plausibility struct {
	Frames int `json:"frames"`
	// JitterMps3 is the mean third difference of the joint positions.
	JitterMps3 float64 `json:"jitter_mps3"`
	// FootSlide: horizontal speed of heels and toes while they are claimed to
	// touch the floor in this frame and the next.
	FootSlideMeanMPerS float64 `json:"foot_slide_mean_mps"`
	FootSlideMaxMPerS  float64 `json:"foot_slide_max_mps"`
	// FootSlideShare is the share of those instants above 1 cm/s.
	FootSlideShare float64 `json:"foot_slide_share"`
	// FloatMaxM and SinkMaxM are the largest heights of a touching foot over
	// the floor and of any foot below it.
	FloatMaxM float64 `json:"float_max_m"`
	SinkMaxM  float64 `json:"sink_max_m"`
	// AirShare is the share of frames without any contact.
	AirShare float64 `json:"air_share"`
	// BoneSpreadMm is the largest standard deviation of a bone's length.
	BoneSpreadMm float64 `json:"bone_spread_mm"`
	// SideAsymmetryMm is the largest difference of a left and a right bone.
	SideAsymmetryMm float64 `json:"side_asymmetry_mm"`
}

var footJoints = [human.NumContacts]human.Joint{human.LHeel, human.LToe, human.RHeel, human.RToe}

// Plausible judges a valid motion.
func Plausible(m *human.Motion) *Plausibility {
	p := &Plausibility{Frames: len(m.Frames)}
	p.motion(m)
	p.feet(m)
	p.bones(m)
	return p
}

func (p *Plausibility) motion(m *human.Motion) {
	f := m.Frames
	n := float64(max(1, (len(f)-3)*human.NumJoints))
	rate := m.FPS * m.FPS * m.FPS
	for t := 0; t+3 < len(f); t++ {
		for j := range human.NumJoints {
			d := f[t+3].Positions[j].Sub(f[t].Positions[j]).Sub(f[t+2].Positions[j].Sub(f[t+1].Positions[j]).Scale(3))
			p.JitterMps3 += d.Norm() * rate / n
		}
	}
}

func (p *Plausibility) feet(m *human.Motion) {
	f := m.Frames
	touching, slipping, flying := 0, 0, 0
	for t := range f {
		air := true
		for c, j := range footJoints {
			h := f[t].Positions[j][2]
			p.SinkMaxM = math.Max(p.SinkMaxM, -h)
			if f[t].Contacts[c] < 0.5 {
				continue
			}
			air = false
			p.FloatMaxM = math.Max(p.FloatMaxM, h)
			if t+1 < len(f) && f[t+1].Contacts[c] >= 0.5 {
				d := f[t+1].Positions[j].Sub(f[t].Positions[j])
				v := math.Hypot(d[0], d[1]) * m.FPS
				touching++
				p.FootSlideMeanMPerS += v
				p.FootSlideMaxMPerS = math.Max(p.FootSlideMaxMPerS, v)
				if v > 0.01 {
					slipping++
				}
			}
		}
		if air {
			flying++
		}
	}
	p.AirShare = rate.Rate{Hits: flying, Trials: len(f)}.Share()
	if touching > 0 {
		p.FootSlideMeanMPerS /= float64(touching)
		p.FootSlideShare = float64(slipping) / float64(touching)
	}
}

func (p *Plausibility) bones(m *human.Motion) {
	var mean [human.NumJoints]float64
	n := float64(len(m.Frames))
	for j := human.Joint(1); int(j) < human.NumJoints; j++ {
		var s, ss float64
		first := m.Frames[0].Positions[j].Sub(m.Frames[0].Positions[j.Parent()]).Norm()
		for t := range m.Frames {
			d := m.Frames[t].Positions[j].Sub(m.Frames[t].Positions[j.Parent()]).Norm() - first
			s += d
			ss += d * d
		}
		mean[j] = first + s/n
		p.BoneSpreadMm = math.Max(p.BoneSpreadMm, mm*math.Sqrt(math.Max(0, ss/n-s*s/n/n)))
	}
	for j := human.Joint(1); int(j) < human.NumJoints; j++ {
		p.SideAsymmetryMm = math.Max(p.SideAsymmetryMm, mm*math.Abs(mean[j]-mean[j.Mirror()]))
	}
}
