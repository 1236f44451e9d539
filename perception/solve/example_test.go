package solve

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/human"
)

// Somebody of 1.80 m lifts the right foot for a moment. The landmarks are those of a made person before a made camera;
// in a program track.Video finds them.
func ExampleSolve() {
	seen, _ := film(balancer(), defaultCamera(), 5, 30, typical, 1)
	motion, report, err := Solve(seen, Options{HeightM: 1.80})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d poses of somebody of %.2f m\n", len(motion.Frames), report.HeightM)
	for _, at := range []int{15, 90} {
		p := motion.Frames[at]
		fmt.Printf("after %.1f s: left foot on the floor %v, right foot %v\n", float64(at)/motion.FPS,
			p.Contacts[human.LToeContact] > 0.5, p.Contacts[human.RToeContact] > 0.5)
	}
	// Output:
	// 151 poses of somebody of 1.80 m
	// after 0.5 s: left foot on the floor true, right foot true
	// after 3.0 s: left foot on the floor true, right foot false
}
