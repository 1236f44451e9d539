// Package lsq assembles and solves the least-squares problems that joint angles are found by. A wish is a Term: what
// there is less what there should be (its residual), how that changes with the joints (its Jacobian, column by column),
// and how much it counts (its weight). A new wish is a new file with a Term in it; solvers need not know.
//
//	minimise  sum of  weight |residual - Jacobian step|^2
//
// Dense takes all joints of one frame, with joint limits; Band takes the joints of one limb over all frames. Velocity
// indices are those of models/kin. Terms are values; Dense and Band own scratch space and belong to one goroutine. Not
// here: which terms make a robot's motion, and their weights (policy/retarget/wholebody, policy/retarget/arms).
package lsq

import (
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Term is one wish about the pose of one frame, of up to three numbers.
type Term interface {
	// Unit is that of the residual.
	Unit() Unit
	// Weight is what one unit squared counts.
	Weight() float64
	// Residual is the wanted less the present value, in the first rows numbers.
	Residual(d *kin.Data) (r spatial.Vec3, rows int)
	// Dofs are the velocity indices that the value depends on, rising.
	Dofs() []int
	// Column is the derivative of the present value by one of them.
	Column(d *kin.Data, dof int) spatial.Vec3
}

// Unit is what a residual counts in.
type Unit string

// The units. Lengths count in leg lengths and angles in rad, so that weights compare directly.
const (
	Legs      Unit = "leg lengths"
	Rad       Unit = "rad"
	Direction Unit = "rad, as the difference of unit vectors"
	Metres    Unit = "m"
)
