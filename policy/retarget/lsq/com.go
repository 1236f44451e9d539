package lsq

import (
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// CentreOfMass wants the centre of mass above a point of the floor.
type CentreOfMass struct {
	Model  *kin.Model
	Active []int      // velocity indices that may change
	Want   [2]float64 // m, world
	PerM   float64    // units (leg lengths) in a metre
	Gain   float64
}

// Unit of the residual.
func (c CentreOfMass) Unit() Unit { return Legs }

// Weight of a unit squared.
func (c CentreOfMass) Weight() float64 { return c.Gain }

// Residual is the way over the floor.
func (c CentreOfMass) Residual(d *kin.Data) (spatial.Vec3, int) {
	return spatial.Vec3{(c.Want[0] - d.ComM[0]) * c.PerM, (c.Want[1] - d.ComM[1]) * c.PerM}, 2
}

// Dofs are all that may change.
func (c CentreOfMass) Dofs() []int { return c.Active }

// Column is the velocity of the centre of mass.
func (c CentreOfMass) Column(d *kin.Data, dof int) spatial.Vec3 {
	return c.Model.ComColumn(d, dof).Scale(c.PerM)
}
