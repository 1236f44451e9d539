package bvh_test

import (
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/models/bvh"
)

// A file of two joints; File.Motion makes a person of one that has a person's joints.
func ExampleRead() {
	f, err := bvh.Read(strings.NewReader(`HIERARCHY
ROOT Hips { OFFSET 0 90 0 CHANNELS 3 Xposition Yposition Zposition
  JOINT Spine { OFFSET 0 20 0 CHANNELS 1 Xrotation End Site { OFFSET 0 30 0 } } }
MOTION
Frames: 2
Frame Time: 0.02
0 90 0 0
1 90 0 15
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, j := range f.Joints {
		fmt.Println(j.Name)
	}
	fmt.Println(len(f.Values), "frames of", f.FrameS, "s")
	// Output:
	// Hips
	// Spine
	// Spine/end
	// 2 frames of 0.02 s
}
