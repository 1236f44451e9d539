package loop_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/body"
)

// A robot without a policy is armed, stands for two seconds, and sits down. The driver is a robot of ideal joints in
// memory; a program has a real one, and Run in the place of the calls of Tick: time is an argument, so that nothing here
// takes any.
func Example() {
	b, err := body.Load("kata20")
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := limits.Derive(b.Desc, limits.ShapeOf(b), 100, 1)
	l, err := loop.New(cfg, drivertest.NewFake(len(b.Desc.Joints)), nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	last := l.Mode()
	for tick := range int64(1500) {
		switch tick {
		case 10:
			l.Request(mode.Arm)
		case 500:
			l.Stop()
		}
		l.Tick(loop.Instant{Tick: tick, WallNs: tick * 10_000_000})
		if l.Mode() != last {
			last = l.Mode()
			fmt.Println(last)
		}
		if l.Finished() {
			break
		}
	}
	fmt.Println("torque off:", l.Result().TorqueOff)
	// Output:
	// arming
	// hold
	// settle
	// disarmed
	// torque off: true
}
