package guard_test

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/actuators/guard"
)

// A wild command becomes the nearest one that the joint may be given.
func ExampleGuard_Apply() {
	knee := guard.Joint{MinRad: 0, MaxRad: 2, GentleRadPerS: 1, FullRadPerS: 6, AccelRadPerS2: 100}
	g, err := guard.New([]guard.Joint{knee}, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	out := []float64{0}
	if _, open := g.Apply(out, []float64{1}, guard.Full); !open {
		fmt.Println("closed until it knows the measured pose")
	}
	g.Seed([]float64{0.5})
	for range 3 {
		g.Apply(out, []float64{1000}, guard.Full)
		fmt.Printf("%.2f ", out[0])
	}
	g.Apply(out, []float64{math.NaN()}, guard.Full)
	fmt.Printf("%.2f\n%+v\n", out[0], g.Counts())
	// Output:
	// closed until it knows the measured pose
	// 0.51 0.53 0.56 0.58
	// {NotFinite:1 Range:3 Speed:3 Accel:4}
}
