package robot_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/robot"
)

// A robot that ships is found by its name, any other by the path of its robot.yaml.
func ExampleLoad() {
	d, err := robot.Load("kata20")
	if err != nil {
		fmt.Println(err)
		return
	}
	j := d.Joints[d.JointIndex("l_knee")]
	fmt.Printf("%s: %d joints, %g decisions a second\n", d.Name, len(d.Joints), d.PolicyRateHz)
	fmt.Printf("%s turns from %.2f to %.2f rad\n", j.Name, j.MinRad, j.MaxRad)
	// Output:
	// kata20: 20 joints, 50 decisions a second
	// l_knee turns from -0.05 to 2.30 rad
}
