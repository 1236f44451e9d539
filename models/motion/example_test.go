package motion_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// A clip is written as the NPZ file that whole-body trackers of other projects load, too.
func ExampleClip_Archive() {
	c := &motion.Clip{FPS: 50, JointNames: []string{"hip", "knee"}, BodyNames: []string{"trunk"}, Meta: motion.Meta{Schema: 1}}
	for t := range 5 {
		f := motion.NewFrame(2, 1)
		f.JointPosRad[1] = 0.1 * float64(t)
		f.BodyQuat[0] = spatial.Identity()
		c.Frames = append(c.Frames, f)
	}
	a, err := c.Archive()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a["joint_pos"].Shape, a["body_quat_w"].Shape, c.Seconds())
	// Output:
	// [5 2] [5 1 4] 0.08
}
