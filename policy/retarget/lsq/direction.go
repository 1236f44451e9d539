package lsq

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

// Segment wants the way from one point of a limb to another, farther out, to point somewhere.
type Segment struct {
	Model    *kin.Model
	From, To anatomy.Point
	// Limb are the velocity indices on the path to To that may help: a trunk that leans to point an arm is no likeness.
	Limb   []int
	Want   spatial.Vec3 // unit, world
	Around bool         // where it points the opposite way, take any way round that has a slope
	Gain   float64
}

// opposite is the cosine beyond which a direction is the opposite of the wanted one.
const opposite = -0.9

// Unit of the residual.
func (s Segment) Unit() Unit { return Direction }

// Weight of a unit squared.
func (s Segment) Weight() float64 { return s.Gain }

// Residual is the difference of the two unit vectors.
func (s Segment) Residual(d *kin.Data) (spatial.Vec3, int) {
	v := s.To.At(d).Sub(s.From.At(d))
	dir := v.Scale(1 / math.Max(v.Norm(), 1e-6))
	if s.Around && dir.Dot(s.Want) < opposite {
		return s.Want.Cross(dir).Cross(dir).Unit(spatial.Vec3{dir[1], dir[2], dir[0]}).Scale(-1), 3
	}
	return s.Want.Sub(dir), 3
}

// Dofs are those of the limb.
func (s Segment) Dofs() []int { return s.Limb }

// Column is the velocity of the unit vector.
func (s Segment) Column(d *kin.Data, dof int) spatial.Vec3 {
	from, to := s.From.At(d), s.To.At(d)
	v := to.Sub(from)
	inv := 1 / math.Max(v.Norm(), 1e-6)
	dir := v.Scale(inv)
	var c spatial.Vec3
	if physique.Moves(s.Model.Path(s.From.Body), dof) { // moves both ends: only its turning counts
		c = d.DofAng[dof].Cross(v)
	} else {
		c = d.DofLin[dof].Add(d.DofAng[dof].Cross(to))
	}
	return c.Sub(dir.Scale(dir.Dot(c))).Scale(inv)
}
