package obs

import (
	"fmt"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Reference is a reference motion at the policy's rate, in the spec's joint order.
type Reference struct {
	Frames []RefFrame // at least 2; frame k is k periods after the start

	phaseFrom float64 // of frame 0; above 0 in a blend that goes on from another reference
}

// RefFrame is one instant of a Reference. Its slices must not be changed.
type RefFrame struct {
	JointPosRad, JointVelRadPerS []float64
	RootPosM                     spatial.Vec3
	RootQuat                     spatial.Quat // worldFromRoot
	RootLinVelMPerS              spatial.Vec3 // world axes
	RootAngVelRadPerS            spatial.Vec3 // root axes
	Gravity                      spatial.Vec3 // down, in root axes
	Contacts                     [2]float64   // left, right foot on the floor, 0..1
}

// maxSteps bounds the memory of a Reference: an hour at 100 Hz.
const maxSteps = 360000

// NewReference resamples a clip, linearly between its frames, and appends its last pose at rest when the clip ends
// between two periods. Joints are matched by name.
func NewReference(clip *motion.Clip, spec *Spec) (*Reference, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if err := clip.Validate(); err != nil {
		return nil, err
	}
	order := make([]int, spec.Joints())
	for j, name := range spec.JointNames {
		if order[j] = slices.Index(clip.JointNames, name); order[j] < 0 {
			return nil, fmt.Errorf("obs: the reference motion has no joint %q; it has %q", name, clip.JointNames)
		}
	}
	if clip.Seconds()/spec.PeriodS > maxSteps {
		return nil, fmt.Errorf("obs: the reference motion of %.0f s has more than %d policy periods of %g s", clip.Seconds(), maxSteps, spec.PeriodS)
	}
	steps := int(math.Ceil(clip.Seconds()/spec.PeriodS - 1e-9))
	r := &Reference{Frames: make([]RefFrame, max(steps+1, 2))}
	for k := range r.Frames {
		at := min(float64(k)*spec.PeriodS*clip.FPS, float64(len(clip.Frames)-1))
		i := min(int(at), len(clip.Frames)-2)
		r.Frames[k] = between(&clip.Frames[i], &clip.Frames[i+1], at-float64(i), order)
	}
	return r, nil
}

func between(a, b *motion.Frame, t float64, order []int) RefFrame {
	f := RefFrame{JointPosRad: make([]float64, len(order)), JointVelRadPerS: make([]float64, len(order))}
	for j, from := range order {
		f.JointPosRad[j] = a.JointPosRad[from] + t*(b.JointPosRad[from]-a.JointPosRad[from])
		f.JointVelRadPerS[j] = a.JointVelRadPerS[from] + t*(b.JointVelRadPerS[from]-a.JointVelRadPerS[from])
	}
	f.RootPosM = a.BodyPosM[0].Lerp(b.BodyPosM[0], t)
	f.RootQuat = a.BodyQuat[0].Normalize().Slerp(b.BodyQuat[0].Normalize(), t)
	f.RootLinVelMPerS = a.BodyVelMPerS[0].Lerp(b.BodyVelMPerS[0], t)
	f.RootAngVelRadPerS = f.RootQuat.Inv().Rotate(a.BodyAngVel[0].Lerp(b.BodyAngVel[0], t))
	f.Gravity = spatial.GravityInBase(f.RootQuat)
	for i := range f.Contacts {
		f.Contacts[i] = a.Contacts[i] + t*(b.Contacts[i]-a.Contacts[i])
	}
	return f
}

// Slowed is the same motion at a share of its speed, 0 to 1: as many more frames, linearly between those of r, whose
// speeds are that much lower.
func (r *Reference) Slowed(share float64) *Reference {
	last := len(r.Frames) - 1
	s := &Reference{Frames: make([]RefFrame, int(math.Ceil(float64(last)/share-1e-9))+1), phaseFrom: r.phaseFrom}
	for k := range s.Frames {
		at := min(float64(k)*share, float64(last))
		i := min(int(at), last-1)
		s.Frames[k] = slowed(&r.Frames[i], &r.Frames[i+1], at-float64(i), share)
	}
	return s
}

func slowed(a, b *RefFrame, t, share float64) RefFrame {
	n := len(a.JointPosRad)
	f := RefFrame{JointPosRad: make([]float64, n), JointVelRadPerS: make([]float64, n)}
	for j := range n {
		f.JointPosRad[j] = a.JointPosRad[j] + t*(b.JointPosRad[j]-a.JointPosRad[j])
		f.JointVelRadPerS[j] = share * (a.JointVelRadPerS[j] + t*(b.JointVelRadPerS[j]-a.JointVelRadPerS[j]))
	}
	f.RootPosM = a.RootPosM.Lerp(b.RootPosM, t)
	f.RootQuat = a.RootQuat.Slerp(b.RootQuat, t)
	f.RootLinVelMPerS = a.RootLinVelMPerS.Lerp(b.RootLinVelMPerS, t).Scale(share)
	f.RootAngVelRadPerS = a.RootAngVelRadPerS.Lerp(b.RootAngVelRadPerS, t).Scale(share)
	f.Gravity = spatial.GravityInBase(f.RootQuat)
	for i := range f.Contacts {
		f.Contacts[i] = a.Contacts[i] + t*(b.Contacts[i]-a.Contacts[i])
	}
	return f
}

// At gives the frame at a step; before the start and after the end it is the first and the last one. The speeds of
// those frames do not hold there: see Resting.
func (r *Reference) At(step int) *RefFrame { return &r.Frames[min(max(step, 0), len(r.Frames)-1)] }

// Resting says whether the reference stands still at a step because the step lies before the start or after the end.
func (r *Reference) Resting(step int) bool { return step < 0 || step >= len(r.Frames) }

// Phase is the time in the clip, from 0 at its start to 1 at its end and after.
func (r *Reference) Phase(step int) float64 {
	at := min(max(float64(step)/float64(len(r.Frames)-1), 0), 1)
	return r.phaseFrom + (1-r.phaseFrom)*at
}
