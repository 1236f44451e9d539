package lsq

import (
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Place wants a point of a body at a place of the world.
type Place struct {
	Model *kin.Model
	Body  int
	Local spatial.Vec3 // m, body frame
	Want  spatial.Vec3 // m, world
	PerM  float64      // units (leg lengths) in a metre
	Gain  float64
}

// Unit of the residual.
func (p Place) Unit() Unit { return Legs }

// Weight of a unit squared.
func (p Place) Weight() float64 { return p.Gain }

// Residual is the way from the point to the place.
func (p Place) Residual(d *kin.Data) (spatial.Vec3, int) {
	return p.Want.Sub(d.Point(p.Body, p.Local)).Scale(p.PerM), 3
}

// Dofs are those that move the body.
func (p Place) Dofs() []int { return p.Model.Path(p.Body) }

// Column is the point's velocity.
func (p Place) Column(d *kin.Data, dof int) spatial.Vec3 {
	return d.DofLin[dof].Add(d.DofAng[dof].Cross(d.Point(p.Body, p.Local))).Scale(p.PerM)
}

// Height wants a point of a body at a height above the floor.
type Height struct {
	Model *kin.Model
	Body  int
	Local spatial.Vec3 // m, body frame
	WantM float64
	PerM  float64 // units (leg lengths) in a metre
	Gain  float64
}

// Unit of the residual.
func (h Height) Unit() Unit { return Legs }

// Weight of a unit squared.
func (h Height) Weight() float64 { return h.Gain }

// Residual is by how much the point is too low.
func (h Height) Residual(d *kin.Data) (spatial.Vec3, int) {
	return spatial.Vec3{(h.WantM - d.Point(h.Body, h.Local)[2]) * h.PerM}, 1
}

// Dofs are those that move the body.
func (h Height) Dofs() []int { return h.Model.Path(h.Body) }

// Column is the point's velocity upwards.
func (h Height) Column(d *kin.Data, dof int) spatial.Vec3 {
	return spatial.Vec3{(d.DofLin[dof][2] + d.DofAng[dof].Cross(d.Point(h.Body, h.Local))[2]) * h.PerM}
}
