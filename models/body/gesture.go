package body

import (
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Gesture says how a positive turn of joint j looks to a person who stands behind the
// robot: where the end of the limb goes, or, where it hardly goes anywhere, how it turns.
// It is seen from the pose in which all joints are at zero (or as near to it as they get).
// A joint of a robot that is read differently by its maker is still told rightly, since it
// follows from the model alone.
func (b *Body) Gesture(j int) string {
	d, q := b.Kin.NewData(), slices.Clone(b.StandQPos)
	rest := make([]float64, len(b.Joints))
	for i := range rest {
		rest[i] = min(max(0, b.Joints[i].MinRad), b.Joints[i].MaxRad)
	}
	b.PutJoints(q, rest)
	b.Kin.Forward(d, q)
	dof := b.Joints[j].QVel
	axis := d.DofAng[dof]
	anchor := d.BodyPos[b.Kin.DofBody(dof)]
	tip, far := anchor, 0.0
	for k := range b.Kin.Tree.Bodies {
		if at := d.BodyCom[k]; slices.Contains(b.Kin.Path(k), dof) && at.Sub(anchor).Norm() > far {
			tip, far = at, at.Sub(anchor).Norm()
		}
	}
	way := d.DofLin[dof].Add(axis.Cross(tip))
	if way.Norm() > swing*far && way.Norm() > 0 {
		return "its end moves " + directions(way)
	}
	return turning(axis)
}

// swing is how far the end of a limb must move, as a share of its length for each radian,
// to be seen as moving and not as turning in its place.
const swing = 0.3

// directions names the one or two axes along which way mostly points: x is forward, y to
// the robot's left, z up.
func directions(way spatial.Vec3) string {
	names := [3][2]string{{"forward", "backward"}, {"to the robot's left", "to the robot's right"}, {"up", "down"}}
	order := []int{0, 1, 2}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, math.Abs(way[b])-math.Abs(way[a]))) })
	var words []string
	for _, k := range order[:2] {
		if share := way[k] / way.Norm(); share > 0.4 {
			words = append(words, names[k][0])
		} else if share < -0.4 {
			words = append(words, names[k][1])
		}
	}
	return strings.Join(words, " and ")
}

// turning says how something turns about an axis.
func turning(axis spatial.Vec3) string {
	seen := [3]string{"from the front", "from the robot's left", "from above"}
	k := 0
	for i := range axis {
		if math.Abs(axis[i]) > math.Abs(axis[k]) {
			k = i
		}
	}
	if axis[k] > 0 {
		return "it turns counter-clockwise, seen " + seen[k]
	}
	return "it turns clockwise, seen " + seen[k]
}
