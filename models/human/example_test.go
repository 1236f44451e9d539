package human_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The joints of a human motion are fixed; a part of a motion is a motion.
func ExampleMotion_Part() {
	m := &human.Motion{FPS: 50, Meta: human.Meta{Schema: 1, Source: "example"}}
	for range 101 {
		p := human.Pose{}
		for j := range p.Rotations {
			p.Positions[j], p.Rotations[j], p.Confidence[j] = spatial.Vec3{0, 0, 1}, spatial.Identity(), 1
		}
		m.Frames = append(m.Frames, p)
	}
	part, err := m.Part(0.5, 1.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f s of %.2f s, from %.2f s on\n", part.Seconds(), m.Seconds(), part.Meta.StartS)
	fmt.Println(human.JointNames()[:4])
	// Output:
	// 1.00 s of 2.00 s, from 0.50 s on
	// [pelvis chest head nose]
}
