// Package gait measures what feet do: how high and how far each ankle is lifted,
// and whether left and right do alike. Means over all joints and frames hide a
// foot that is hardly raised; these figures do not.
//
// A lift is the time in which an ankle is above its own standing height by more
// than a small share of the leg's length. Its height is the highest point of
// that time, its step the way on the floor from its begin to its end. Lengths
// are given in metres and in leg lengths, in which a robot compares with a person.
//
// All functions are pure; a Walker may be shared. What is not here: sliding and contact
// (models/metrics).
package gait

import (
	"fmt"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Path is where the ankles are over time.
type Path struct {
	FPS   float64
	Ankle [2][]spatial.Vec3 // left, right; m, world, z up; by frame
	LegM  float64           // hip to sole of the straight leg, m
}

// Lift is one lift of a foot.
type Lift struct {
	FromS   float64 `json:"from_s"`
	ToS     float64 `json:"to_s"`
	HeightM float64 `json:"height_m"` // of the ankle above where it stands
	StepM   float64 `json:"step_m"`   // way on the floor
}

// Foot sums up the lifts of one foot.
type Foot struct {
	Lifts       []Lift  `json:"lifts"`
	HeightM     float64 `json:"height_m"`    // mean over the lifts; 0 without any
	HeightLegs  float64 `json:"height_legs"` // the same in leg lengths
	StepM       float64 `json:"step_m"`
	StepLegs    float64 `json:"step_legs"`
	LongestStep float64 `json:"longest_step_m"`
}

// Figures are what the feet of one body did.
type Figures struct {
	LegM  float64 `json:"leg_m"`
	Left  Foot    `json:"left"`
	Right Foot    `json:"right"`
	// Symmetry is the smaller mean lift height over the larger one: 1 where both
	// feet are lifted alike, 0 where one is not lifted at all, null where neither is.
	Symmetry *float64 `json:"symmetry"`
}

// Thresholds as shares of the leg's length: a lift begins where the ankle is
// higher than liftShare and lasts while it is above restShare. The gap keeps
// noise from cutting one lift into many.
const (
	liftShare = 0.04
	restShare = 0.02
)

// Measure finds the lifts. The path needs 2 frames and as many of either foot, a
// rate and a leg's length above 0.
func Measure(p Path) (*Figures, error) {
	n := len(p.Ankle[0])
	if n < 2 || len(p.Ankle[1]) != n {
		return nil, fmt.Errorf("gait: %d frames of the left ankle, %d of the right; legal: as many of both, 2 and more", n, len(p.Ankle[1]))
	}
	if !(p.FPS > 0) || !(p.LegM > 0) || math.IsInf(p.FPS+p.LegM, 0) {
		return nil, fmt.Errorf("gait: %g frames a second, leg of %g m; legal: above 0", p.FPS, p.LegM)
	}
	f := &Figures{LegM: p.LegM, Left: p.foot(0), Right: p.foot(1)}
	if high := max(f.Left.HeightM, f.Right.HeightM); high > 0 {
		s := min(f.Left.HeightM, f.Right.HeightM) / high
		f.Symmetry = &s
	}
	return f, nil
}

func (p *Path) foot(side int) Foot {
	at := p.Ankle[side]
	floor := standing(at)
	out := Foot{Lifts: []Lift{}}
	for t := 0; t < len(at); t++ {
		if at[t][2]-floor <= liftShare*p.LegM {
			continue
		}
		from, to, top := t, t, 0.0
		for from > 0 && at[from-1][2]-floor > restShare*p.LegM {
			from--
		}
		for ; to < len(at) && at[to][2]-floor > restShare*p.LegM; to++ {
			top = max(top, at[to][2]-floor)
		}
		// The frames that stand, before and after.
		a, b := at[max(from-1, 0)], at[min(to, len(at)-1)]
		out.Lifts = append(out.Lifts, Lift{FromS: float64(from) / p.FPS, ToS: float64(to-1) / p.FPS, HeightM: top, StepM: math.Hypot(b[0]-a[0], b[1]-a[1])})
		t = to
	}
	for _, l := range out.Lifts {
		out.HeightM += l.HeightM
		out.StepM += l.StepM
		out.LongestStep = max(out.LongestStep, l.StepM)
	}
	k := max(1, float64(len(out.Lifts)))
	out.HeightM, out.StepM = out.HeightM/k, out.StepM/k
	out.HeightLegs, out.StepLegs = out.HeightM/p.LegM, out.StepM/p.LegM
	return out
}

// standing is the height of a standing ankle: low among all frames, but not the
// lowest, which may be an outlier.
func standing(at []spatial.Vec3) float64 {
	z := make([]float64, len(at))
	for t := range at {
		z[t] = at[t][2]
	}
	slices.Sort(z)
	return z[len(z)/20]
}

// Person gives the ankles' path of a human motion.
func Person(m *human.Motion) Path {
	p := Path{FPS: m.FPS}
	sides := [2][3]human.Joint{{human.LHip, human.LKnee, human.LAnkle}, {human.RHip, human.RKnee, human.RAnkle}}
	for s, j := range sides {
		for t := range m.Frames {
			at := &m.Frames[t].Positions
			p.Ankle[s] = append(p.Ankle[s], at[j[2]])
			p.LegM += (at[j[0]].Sub(at[j[1]]).Norm() + at[j[1]].Sub(at[j[2]]).Norm()) / float64(2*len(m.Frames))
		}
	}
	if len(m.Frames) > 0 {
		p.LegM += max(0, min(standing(p.Ankle[0]), standing(p.Ankle[1])))
	}
	return p
}

// What a reader must be told.
const (
	clearShare = 0.25 // a symmetry or a height off the truth's by more is said
	oddShare   = 0.6  // symmetry below which a motion without truth is doubtful
)

// words says how often and how high f is lifted.
func (f *Foot) words() string {
	height := fmt.Sprintf("by %.0f %% of the leg's length", 100*f.HeightLegs)
	switch n := len(f.Lifts); n {
	case 0:
		return "not at all"
	case 1:
		return "once " + height
	default:
		return fmt.Sprintf("%d times %s", n, height)
	}
}

// Against says in sentences where f differs from what it should be: feet that are
// lifted much less or more, sides that differ although they should not. Heights
// are compared in leg lengths. whose and wants begin the halves of the sentences,
// as in "The pose" and "the exact motion".
func (f *Figures) Against(want *Figures, whose, wants string) []string {
	var out []string
	for _, side := range []struct {
		name string
		a, b *Foot
	}{{"left", &f.Left, &want.Left}, {"right", &f.Right, &want.Right}} {
		if a, b := side.a.HeightLegs, side.b.HeightLegs; math.Abs(a-b) > clearShare*max(a, b) {
			out = append(out, fmt.Sprintf("%s lifts the %s foot %s, %s %s.", whose, side.name, side.a.words(), wants, side.b.words()))
		}
	}
	if f.Symmetry != nil && want.Symmetry != nil && *want.Symmetry-*f.Symmetry > clearShare {
		out = append(out, fmt.Sprintf("%s lifts left and right unequally (%.0f and %.0f mm, ratio %.2f), %s does not (%.0f and %.0f mm, ratio %.2f).",
			whose, 1e3*f.Left.HeightM, 1e3*f.Right.HeightM, *f.Symmetry, wants, 1e3*want.Left.HeightM, 1e3*want.Right.HeightM, *want.Symmetry))
	}
	return out
}

// Odd says in a sentence that both feet are lifted but unequally, which is often
// a misread video; "" where they are not.
func (f *Figures) Odd(whose string) string {
	if len(f.Left.Lifts) == 0 || len(f.Right.Lifts) == 0 || *f.Symmetry >= oddShare {
		return ""
	}
	return fmt.Sprintf("%s lifts left and right unequally: %.0f and %.0f mm, ratio %.2f. If the person lifted both alike, the video was misread.",
		whose, 1e3*f.Left.HeightM, 1e3*f.Right.HeightM, *f.Symmetry)
}
