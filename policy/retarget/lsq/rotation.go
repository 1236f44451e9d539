package lsq

import (
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Rotation wants a frame fixed to a body turned in a certain way. Its Jacobian is exact where the wish is met; farther
// off it leaves out a factor of the second order, as Gauss-Newton on rotations does.
type Rotation struct {
	Model *kin.Model
	Body  int
	Local spatial.Quat // from the frame to the body
	Want  spatial.Quat // from the frame to the world
	Gain  float64
}

// Unit of the residual.
func (r Rotation) Unit() Unit { return Rad }

// Weight of a unit squared.
func (r Rotation) Weight() float64 { return r.Gain }

// Residual is the rotation vector from the present to the wanted orientation, world axes.
func (r Rotation) Residual(d *kin.Data) (spatial.Vec3, int) {
	return r.Want.Mul(d.BodyRot[r.Body].Mul(r.Local).Inv()).Normalize().Log(), 3
}

// Dofs are those that move the body.
func (r Rotation) Dofs() []int { return r.Model.Path(r.Body) }

// Column is the body's angular velocity.
func (r Rotation) Column(d *kin.Data, dof int) spatial.Vec3 { return d.DofAng[dof] }
