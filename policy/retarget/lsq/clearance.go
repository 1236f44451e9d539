package lsq

import (
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Clearance wants a body away from another one that it touches or nearly touches.
type Clearance struct {
	Model  *kin.Model
	Body   int
	At     spatial.Vec3 // m, world: the body's nearest point
	Away   spatial.Vec3 // unit, world: the way out
	GapM   float64      // that there is, negative where the two are inside each other
	LeastM float64      // that there shall be
	Gain   float64
}

// Unit of the residual.
func (c Clearance) Unit() Unit { return Metres }

// Weight of a unit squared.
func (c Clearance) Weight() float64 { return c.Gain }

// Residual is by how much the gap is too small.
func (c Clearance) Residual(*kin.Data) (spatial.Vec3, int) {
	return spatial.Vec3{c.LeastM - c.GapM}, 1
}

// Dofs are those that move the body.
func (c Clearance) Dofs() []int { return c.Model.Path(c.Body) }

// Column is how fast the gap grows.
func (c Clearance) Column(d *kin.Data, dof int) spatial.Vec3 {
	return spatial.Vec3{c.Away.Dot(d.DofLin[dof].Add(d.DofAng[dof].Cross(c.At)))}
}
