package spatial_test

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Lean 30 degrees forwards, then turn left by 90: the tilt stays, the heading is the turn.
func ExampleQuat_TiltRad() {
	lean := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, math.Pi/6)
	q := spatial.FromYaw(math.Pi / 2).Mul(lean)
	fmt.Printf("tilt %.1f, heading %.1f degrees\n", q.TiltRad()*180/math.Pi, q.YawRad()*180/math.Pi)
	down := spatial.GravityInBase(q)
	fmt.Printf("down, as the leaning body sees it: %.3f %.3f %.3f\n", down[0], down[1], down[2])
	// Output:
	// tilt 30.0, heading 90.0 degrees
	// down, as the leaning body sees it: 0.500 0.000 -0.866
}
