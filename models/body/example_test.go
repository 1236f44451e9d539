package body_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
)

// Load a robot, see what it is made of, and find out where its left foot stands.
func ExampleLoad() {
	b, err := body.Load("kata20")
	if err != nil {
		fmt.Println(err)
		return
	}
	legs := 0
	for _, j := range b.Joints {
		if j.Limb == body.Leg {
			legs++
		}
	}
	fmt.Printf("%s: %.1f kg, %d joints, %d of them in the legs\n", b.Desc.Name, b.Kin.MassKg, len(b.Joints), legs)

	a, err := b.Humanoid()
	if err != nil {
		fmt.Println(err)
		return
	}
	pose := b.Kin.NewData()
	b.Kin.Forward(pose, b.StandQPos)
	left := a.Legs[anatomy.Left]
	fmt.Printf("%s stands %.0f mm left of the middle\n", b.Tree().Bodies[left.Foot].Name, 1000*pose.BodyPos[left.Foot][1])
	// Output:
	// kata20: 3.2 kg, 20 joints, 12 of them in the legs
	// l_foot stands 45 mm left of the middle
}
