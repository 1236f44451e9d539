package metrics

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Limbs are the errors that a mean over all joints hides: which way the feet point,
// whether bends come out too straight or too deep, whether a foot that leaves the
// floor is seen to.
type Limbs struct {
	// FootMedianDeg and FootP95Deg: angle between heel-to-toe here and in the truth,
	// both feet.
	FootMedianDeg float64 `json:"foot_median_deg"`
	FootP95Deg    float64 `json:"foot_p95_deg"`
	// Bias is signed: above 0 is bent more than the truth. P95 is of the absolute
	// error; both sides together.
	KneeBiasDeg  float64 `json:"knee_bias_deg"`
	KneeP95Deg   float64 `json:"knee_p95_deg"`
	ElbowBiasDeg float64 `json:"elbow_bias_deg"`
	ElbowP95Deg  float64 `json:"elbow_p95_deg"`
	// FootLift is how high the toe rises over where it stands, divided by the truth's:
	// left, right; 1 is right, 0 is a foot that stays down. 1 where the truth's stays down.
	FootLift [2]float64 `json:"foot_lift"`
	// ContactF1 is the harmonic mean of precision and recall of feet on the floor,
	// 1 where nobody claims any.
	ContactF1 float64 `json:"contact_f1"`
}

// footLifted is the rise of a toe, in lengths of the foot, above which the truth counts as lifted.
const footLifted = 0.15

func limbs(a, b []human.Pose) Limbs {
	var feet []float64
	for t := range a {
		for _, s := range [2]human.Joint{human.LHeel, human.RHeel} {
			feet = append(feet, deg(angleBetween(sole(&a[t], s), sole(&b[t], s))))
		}
	}
	l := Limbs{FootMedianDeg: share(feet, 0.5), FootP95Deg: share(feet, 0.95), ContactF1: contactF1(a, b)}
	l.KneeBiasDeg, l.KneeP95Deg = bends(a, b, human.LKnee)
	l.ElbowBiasDeg, l.ElbowP95Deg = bends(a, b, human.LElbow)
	for side, toe := range [2]human.Joint{human.LToe, human.RToe} {
		l.FootLift[side] = 1
		if want := rise(b, toe); want > footLifted*sole(&b[0], toe-1).Norm() {
			l.FootLift[side] = rise(a, toe) / want
		}
	}
	return l
}

// sole points from the heel to the toe, which follows it.
func sole(p *human.Pose, heel human.Joint) spatial.Vec3 {
	return p.Positions[heel+1].Sub(p.Positions[heel])
}

// bends compares the bends of a joint of the left side and of its right partner, degrees.
func bends(a, b []human.Pose, left human.Joint) (bias, p95 float64) {
	var off []float64
	for t := range a {
		for _, j := range [2]human.Joint{left, left.Mirror()} {
			e := deg(bend(&a[t], j) - bend(&b[t], j))
			bias += e / float64(2*len(a))
			off = append(off, math.Abs(e))
		}
	}
	return bias, share(off, 0.95)
}

// rise is how high a joint gets over where it stands: low among all frames, but not the
// lowest, which may be an outlier.
func rise(p []human.Pose, j human.Joint) float64 {
	z := make([]float64, len(p))
	for t := range p {
		z[t] = p[t].Positions[j][2]
	}
	return slices.Max(z) - share(z, 0.05)
}

func contactF1(a, b []human.Pose) float64 {
	both, one := 0, 0
	for t := range a {
		for side := range 2 {
			switch x, y := stands(&a[t], side), stands(&b[t], side); {
			case x && y:
				both++
			case x || y:
				one++
			}
		}
	}
	if both+one == 0 {
		return 1
	}
	return float64(2*both) / float64(2*both+one)
}

// stands tells whether heel or toe of a side (0: left) touches the floor.
func stands(p *human.Pose, side int) bool {
	return max(p.Contacts[2*side], p.Contacts[2*side+1]) >= 0.5
}

// share is the value below which a share of x lies; it sorts x.
func share(x []float64, of float64) float64 {
	slices.Sort(x)
	return x[int(of*float64(len(x)-1))]
}
