//go:build mujoco && cgo

package demonstrator

import (
	"context"
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// The figure is there to be seen by the real pose network: found in every
// frame, surely, and with the joints where they are drawn.
func TestPoseNetworkSeesThePerson(t *testing.T) {
	runtime, err := posenet.ParseRuntime("auto")
	if err != nil {
		t.Skipf("no pose runtime: %v", err)
	}
	if _, err := assets.DepsDir(); err != nil {
		t.Skip(err)
	}
	nets, err := track.LoadNetworks(track.Options{Runtime: runtime, Model: posenet.Full, Person: track.Best})
	if err != nil {
		t.Fatal(err)
	}
	defer nets.Close()
	for _, m := range Motions() {
		t.Run(m.Name, func(t *testing.T) {
			see(t, nets, m, Options{FPS: 5})
		})
	}
	t.Run("another person elsewhere", func(t *testing.T) {
		see(t, nets, Motions()[0], Options{
			FPS: 5, HeightM: 1.55, Seed: 3, Camera: Camera{DistanceM: 3.1, HeightM: 1.3, AzimuthDeg: 20},
			Look: Look{Shirt: "#b5483a", Trousers: "#8a7f6a", Hair: "#c8a45a", Background: "garden", Light: 0.8},
		})
	})
}

func see(t *testing.T, nets *track.Networks, m Motion, opt Options) {
	opt, err := opt.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	truth, err := Perform(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	// Every third picture: drawing is what takes time.
	kept := truth.Frames[:0]
	for i := 0; i < len(truth.Frames); i += 3 {
		kept = append(kept, truth.Frames[i])
	}
	truth.Frames = kept
	tracker, err := track.New(nets, track.Best)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	sum, n := 0.0, 0
	bgr := make([]byte, 3*opt.WidthPx*opt.HeightPx)
	err = Film(context.Background(), truth, opt, func(i int, rgb []byte) error {
		for k := 0; k < len(rgb); k += 3 {
			bgr[k], bgr[k+1], bgr[k+2] = rgb[k+2], rgb[k+1], rgb[k]
		}
		f, err := tracker.Step(video.NewFrame(3*float64(i)/opt.FPS, opt.WidthPx, opt.HeightPx, bgr))
		if err != nil {
			return err
		}
		if !f.Found || f.Presence < 0.9 {
			t.Errorf("frame %d: found %v, presence %.3f", i, f.Found, f.Presence)
			return nil
		}
		for j, mark := range map[human.Joint]int{
			human.Nose: landmark.Nose, human.LShoulder: landmark.LShoulder, human.RShoulder: landmark.RShoulder,
			human.LElbow: landmark.LElbow, human.RElbow: landmark.RElbow, human.LWrist: landmark.LWrist,
			human.RWrist: landmark.RWrist, human.LHip: landmark.LHip, human.RHip: landmark.RHip,
			human.LKnee: landmark.LKnee, human.RKnee: landmark.RKnee, human.LAnkle: landmark.LAnkle, human.RAnkle: landmark.RAnkle,
		} {
			x, y := pinhole(opt, truth.Frames[i].Positions[j])
			sum += math.Hypot(f.Landmarks[mark].XPx-x, f.Landmarks[mark].YPx-y)
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tall := opt.HeightM * float64(opt.HeightPx) / 2 / math.Tan(rad(opt.Camera.FovDeg)/2) / opt.Camera.DistanceM
	mean := sum / float64(n) / tall
	t.Logf("landmarks are %.1f %% of the body height from the truth", 100*mean)
	// People are labelled to about 2 % of their height; joints of the network
	// lie a little elsewhere than ours (hips are further apart, for one).
	if mean > 0.025 {
		t.Errorf("landmarks are %.1f %% of the body height from the truth; want at most 2.5", 100*mean)
	}
}
