package episode_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/episode"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// swing is a motion of one joint: a ramp of n periods, 0.01 rad each.
func swing(n int) (obs.Spec, *obs.Reference, error) {
	spec := obs.Spec{Version: obs.Version, JointNames: []string{"knee"}, PeriodS: 0.02, Frames: 2, AheadS: []float64{0.04},
		SpeedScale: 0.1, GyroScale: 0.25, Action: obs.ActionMap{ScaleRad: 0.25,
			MinRad: []float64{-1}, MaxRad: []float64{1}, MaxStepRad: []float64{0.05}}}
	clip := &motion.Clip{FPS: 50, JointNames: spec.JointNames, BodyNames: []string{"root"}}
	for k := range n + 1 {
		f := motion.NewFrame(1, 1)
		f.JointPosRad[0], f.JointVelRadPerS[0] = 0.01*float64(k), 0.5
		f.BodyPosM[0], f.BodyQuat[0] = spatial.Vec3{0, 0, 0.3}, spatial.Identity()
		clip.Frames = append(clip.Frames, f)
	}
	ref, err := obs.NewReference(clip, &spec)
	return spec, ref, err
}

func Example() {
	spec, ref, err := swing(3)
	if err != nil {
		panic(err)
	}
	p, err := episode.New(spec)
	if err != nil {
		panic(err)
	}
	target, silent := make([]float64, 1), make([]float32, 1)
	for p.Begin(ref, 0, []float64{0}); !p.Ended(1); p.Next() {
		p.Act(target, silent) // a policy that says nothing plays the reference
		fmt.Printf("step %d: %.2f rad\n", p.Step(), target[0])
	}
	// Output:
	// step 0: 0.00 rad
	// step 1: 0.01 rad
	// step 2: 0.02 rad
	// step 3: 0.03 rad
}

// A robot that rests in the last pose and then plays again sees what it would have seen without the change: going to
// another moment leaves the policy's memory alone, and beginning clears it.
func TestGoToKeepsTheMemoryAndBeginClearsIt(t *testing.T) {
	spec, ref, err := swing(20)
	if err != nil {
		t.Fatal(err)
	}
	observe := func(prepare func(p *episode.Player)) []float32 {
		p, err := episode.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		prepare(p)
		x := make([]float32, spec.Dim())
		p.Observe(x, &obs.Measurement{JointPosRad: []float64{0.2}, JointVelRadPerS: []float64{0}})
		return x
	}
	past := func(p *episode.Player) {
		p.Begin(ref, 9, []float64{0.3})
		x, target := make([]float32, spec.Dim()), make([]float64, 1)
		p.Observe(x, &obs.Measurement{JointPosRad: []float64{0.7}, JointVelRadPerS: []float64{3}})
		p.Act(target, []float32{0.4})
	}
	kept := observe(func(p *episode.Player) { past(p); p.Rest(); p.GoTo(ref, 10) })
	straight := observe(func(p *episode.Player) { past(p); p.Next() })
	fresh := observe(func(p *episode.Player) { p.Begin(ref, 10, []float64{0.3}) })
	again := observe(func(p *episode.Player) { past(p); p.Begin(ref, 10, []float64{0.3}) })
	if !slices.Equal(kept, straight) {
		t.Errorf("going to step 10 gives %v, getting there %v", kept, straight)
	}
	if slices.Equal(straight, fresh) || !slices.Equal(fresh, again) {
		t.Errorf("an episode that begins sees %v, the first one %v, one that goes on %v", again, fresh, straight)
	}
}

// Where the reference rests its last pose is kept and its last speed is none.
func TestRestIsAfterTheEnd(t *testing.T) {
	spec, ref, err := swing(5)
	if err != nil {
		t.Fatal(err)
	}
	p, err := episode.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	p.Begin(ref, 5, []float64{0})
	if p.Moving() != 1 || !p.Ended(0) || p.Ended(1) || p.Phase() != 1 {
		t.Errorf("last frame: moving %v, ended %v, phase %v", p.Moving(), p.Ended(0), p.Phase())
	}
	p.Rest()
	if p.Moving() != 0 || p.Frame() != ref.At(5) {
		t.Errorf("at rest: moving %v, frame %+v", p.Moving(), p.Frame())
	}
}

func TestPlayingAllocatesNothing(t *testing.T) {
	spec, ref, err := swing(50)
	if err != nil {
		t.Fatal(err)
	}
	p, err := episode.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	x, target, hold, out := make([]float32, spec.Dim()), make([]float64, 1), []float64{0}, []float32{0.1}
	m := obs.Measurement{JointPosRad: []float64{0}, JointVelRadPerS: []float64{0}}
	if n := testing.AllocsPerRun(20, func() {
		p.Begin(ref, 0, hold)
		for !p.Ended(0) {
			p.Observe(x, &m)
			p.Act(target, out)
			p.Next()
		}
		p.Rest()
	}); n != 0 {
		t.Errorf("an episode allocates %g times", n)
	}
}
