package feasible_test

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/feasible"
)

// wave is a robot that stands and swings its left arm so many times a second: a file of motion.Load in the place of this
// function is the usual case.
func wave(b *body.Body, timesPerS float64) (*motion.Clip, error) {
	an, err := b.Humanoid()
	if err != nil {
		return nil, err
	}
	c := &motion.Clip{FPS: 50, JointNames: b.Desc.JointNames(), BodyNames: []string{b.Desc.RootBody}}
	shoulder := b.Desc.JointIndex("l_shoulder_pitch")
	for t := range 101 {
		f := motion.NewFrame(len(c.JointNames), 1)
		copy(f.JointPosRad, b.StandRad)
		f.JointPosRad[shoulder] += 0.3 * math.Sin(2*math.Pi*timesPerS*float64(t)/c.FPS)
		copy(f.BodyPosM[0][:], an.Ref[b.Root.QPos:])
		copy(f.BodyQuat[0][:], an.Ref[b.Root.QPos+3:])
		f.Contacts = [2]float64{1, 1}
		c.Frames = append(c.Frames, f)
	}
	return c, nil
}

// What the servos can do is known before anything is trained.
func ExampleChecker() {
	b, err := body.Load("kata20")
	if err != nil {
		fmt.Println(err)
		return
	}
	checker, err := feasible.New(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, timesPerS := range []float64{0.5, 5} {
		clip, err := wave(b, timesPerS)
		if err != nil {
			fmt.Println(err)
			return
		}
		v, err := checker.Check(clip)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%g times a second: %s\n", timesPerS, v.Verdict)
	}
	// Output:
	// 0.5 times a second: feasible
	// 5 times a second: infeasible
}
