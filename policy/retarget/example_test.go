package retarget_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget"
)

// standing is a person of 1.7 m who stands still for a second: a file of human.Load in the place of this function is
// the usual case.
func standing() *human.Motion {
	var p human.Pose
	place := func(left, right human.Joint, y, x, z float64) {
		p.Positions[left], p.Positions[right] = spatial.Vec3{x, y, z}, spatial.Vec3{x, -y, z}
	}
	place(human.Pelvis, human.Pelvis, 0, 0, 0.92)
	place(human.Chest, human.Chest, 0, 0, 1.38)
	place(human.Head, human.Head, 0, 0, 1.6)
	place(human.Nose, human.Nose, 0, 0.1, 1.6)
	place(human.LHip, human.RHip, 0.1, 0, 0.9)
	place(human.LKnee, human.RKnee, 0.1, 0.02, 0.49)
	place(human.LAnkle, human.RAnkle, 0.1, 0, 0.08)
	place(human.LHeel, human.RHeel, 0.1, -0.06, 0)
	place(human.LToe, human.RToe, 0.1, 0.15, 0)
	place(human.LShoulder, human.RShoulder, 0.19, 0, 1.38)
	place(human.LElbow, human.RElbow, 0.22, 0, 1.1)
	place(human.LWrist, human.RWrist, 0.23, 0.02, 0.86)
	for j := range p.Rotations {
		p.Rotations[j], p.Confidence[j] = spatial.Identity(), 1
	}
	p.Contacts = [4]float64{1, 1, 1, 1}
	m := &human.Motion{FPS: 30}
	for range 31 {
		m.Frames = append(m.Frames, p)
	}
	return m
}

// A person's motion becomes a reference motion for a robot, and a report says what had to be changed.
func Example() {
	robot, err := body.Load("kata20")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := retarget.New(robot)
	if err != nil {
		fmt.Println(err)
		return
	}
	clip, report, err := r.Retarget(standing(), retarget.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d joints at %g frames/s\n", len(clip.JointNames), clip.FPS)
	fmt.Printf("%d joints outside their limits, %s\n", report.JointLimitViolations, report.Likeness.Verdict)
	// Output:
	// 20 joints at 50 frames/s
	// 0 joints outside their limits, the motion
}
