package live_test

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/live"
	"github.com/mitori-robotics/mitori/perception/solve"
)

// A camera gives 30 pictures a second; the person walks out of the picture after
// two. In a program the tracker is a track.Tracker.
func ExampleWatcher() {
	w := live.New(&puppet{goneFromS: 2, goneToS: 9}, live.Options{
		Options:   solve.Options{HeightM: 1.75},
		LagFrames: solve.DefaultLagFrames,
	})
	poses, nobody := 0, 0
	var last solve.Pose
	for i := range 75 {
		pose, err := w.Push(picture(float64(i) / 30))
		switch {
		case err == nil:
			poses++
			last = pose
		case errors.Is(err, landmark.ErrNoPerson):
			nobody++
		case !live.Waiting(err):
			fmt.Println(err)
			return
		}
	}
	hand, head := last.Positions[human.LHand], last.Positions[human.Head]
	fmt.Printf("%d poses, the last of %.2f s, then nobody in %d pictures\n", poses, last.TimeS, nobody)
	fmt.Printf("hands up: %v\n", hand[2] > head[2])
	// Output:
	// 26 poses, the last of 1.97 s, then nobody in 13 pictures
	// hands up: true
}
