package obs_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// What a policy of this robot sees, term by term.
func ExampleDefaultSpec() {
	d, err := robot.Load("kata20")
	if err != nil {
		fmt.Println(err)
		return
	}
	spec := obs.DefaultSpec(d)
	fmt.Println(spec.Dim(), "numbers, every", spec.PeriodS, "s")
	for _, t := range spec.Terms()[:3] {
		fmt.Printf("%+v\n", t)
	}
	// Output:
	// 229 numbers, every 0.02 s
	// {Name:joint_error[0] At:0 Size:20}
	// {Name:joint_speed_error[0] At:20 Size:20}
	// {Name:gyro[0] At:40 Size:3}
}
