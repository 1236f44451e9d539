package extract

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/perception/calib"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Choices are Options as people write them.
type Choices struct {
	Model, Runtime, Person string
	From, To               time.Duration // of the video; a To of 0 is its end
	HeightM, CutoffHz      float64       // 0: what package solve assumes
	ModelFile              string        // description of a network of one's own; takes the place of Model
	Mirror                 string        // never (or empty), alternate or both
	Camera                 CameraChoices
	// Calib are the files of a calibration of several cameras; Sync how their clocks go
	// together: motion, none, or the seconds to add to the times of each video.
	Calib []string
	Sync  string
}

// CameraChoices say what is known of the camera; nil and 0 stand for nothing.
type CameraChoices struct {
	FovDeg   float64  // across the height of the upright picture
	FocalPx  float64  // in pixels of the upright picture
	PitchDeg *float64 // how far it looks down; negative: up
	HeightM  float64  // over the floor
}

// The legal ranges. A wider lens is no pinhole camera any more.
const (
	leastFovDeg, mostFovDeg   = 5.0, 130.0
	mostPitchDeg              = 85.0
	leastCameraM, mostCameraM = 0.02, 10.0
)

// check reports the first choice that is out of range, or against another one.
func (c *CameraChoices) check() error {
	switch {
	case c.FovDeg != 0 && c.FocalPx != 0:
		return fault.Usage("--fov and --focal exclude each other: both say how wide the camera sees")
	case c.FovDeg != 0 && !(c.FovDeg >= leastFovDeg && c.FovDeg <= mostFovDeg):
		return fault.Usage("--fov is %g degrees; legal: %g to %g", c.FovDeg, leastFovDeg, mostFovDeg)
	case c.FocalPx != 0 && !(c.FocalPx >= 50 && c.FocalPx <= 1e5):
		return fault.Usage("--focal is %g pixels; legal: 50 to 100000", c.FocalPx)
	case c.PitchDeg != nil && !(math.Abs(*c.PitchDeg) <= mostPitchDeg):
		return fault.Usage("--camera-pitch is %g degrees; legal: %g (up) to %g (down)", *c.PitchDeg, -mostPitchDeg, mostPitchDeg)
	case c.HeightM != 0 && !(c.HeightM >= leastCameraM && c.HeightM <= mostCameraM):
		return fault.Usage("--camera-height is %g m; legal: %g to %g", c.HeightM, leastCameraM, mostCameraM)
	}
	return nil
}

// add adds what is known to the options of solving. The focal length of a field of
// view follows when the size of the picture is known.
func (c *CameraChoices) add(o *solve.Options) {
	o.FocalPx, o.CameraHeightM = c.FocalPx, c.HeightM
	o.FovRad = c.FovDeg * math.Pi / 180
	if c.PitchDeg != nil {
		pitch := *c.PitchDeg * math.Pi / 180
		o.PitchRad = &pitch
	}
}

// Options checks the choices for the videos of one moment. A wrong one is a usage error;
// a runtime that is not there is a failure.
func (c *Choices) Options(clips ...string) (Options, error) {
	o := Options{
		Video:  clips[0],
		Window: video.Window{FromS: c.From.Seconds(), ToS: c.To.Seconds()},
		Track:  track.Options{Person: track.Choice(c.Person)},
		Solve:  solve.Options{HeightM: c.HeightM, CutoffHz: c.CutoffHz},
	}
	if err := c.Camera.check(); err != nil {
		return o, err
	}
	c.Camera.add(&o.Solve)
	var err error
	if o.Track.Model, err = posenet.ParseLandmarkModel(c.Model); err != nil {
		return o, fault.Usage("--model: %w", err)
	}
	if err := o.Track.Check(); err != nil {
		return o, fault.Usage("--person: %w", err)
	}
	if err := o.Window.Check(); err != nil {
		return o, fault.Usage("--from, --to: %w", err)
	}
	switch c.Runtime {
	case "auto", "onnxruntime", "opencv":
	default:
		return o, fault.Usage("--runtime %q: legal: auto, onnxruntime, opencv", c.Runtime)
	}
	if o.Track.Mirror, err = posenet.ParseMirroring(cmp.Or(c.Mirror, posenet.Never.String())); err != nil {
		return o, fault.Usage("--mirror-pass: %w", err)
	}
	if o.Track.Own, err = c.own(); err != nil {
		return o, err
	}
	if o.Several, err = c.several(clips); err != nil {
		return o, err
	}
	o.Track.Runtime, err = posenet.ParseRuntime(c.Runtime)
	return o, err
}

// own reads the description of an operator's network, nil if there is none. One that
// gives no depth is refused: the solver takes the direction of bones from the network.
func (c *Choices) own() (*posenet.Own, error) {
	if c.ModelFile == "" {
		return nil, nil
	}
	own, err := posenet.ReadOwn(c.ModelFile)
	if err == nil && own.Flat() {
		return nil, fault.Refuse("--model-file %s: the network %q gives no depth, which one camera alone needs; missing: an output of positions in space, described under world:", c.ModelFile, own.Name)
	}
	return own, err
}

// several is nil for one video.
func (c *Choices) several(clips []string) (*Several, error) {
	switch {
	case len(clips) == 1 && len(c.Calib) > 0:
		return nil, fault.Usage("--calib belongs to several videos of one moment; give them all")
	case len(clips) == 1:
		return nil, nil
	case len(c.Calib) == 0:
		return nil, fault.Usage("%d videos need the calibration of their cameras: --calib FILE (mitori cameras makes one)", len(clips))
	case len(clips) > maxVideos:
		return nil, fault.Usage("%d videos; legal: up to %d", len(clips), maxVideos)
	}
	s := &Several{Videos: clips[1:]}
	var err error
	if s.OffsetsS, err = offsets(c.Sync, len(clips)); err != nil {
		return nil, err
	}
	if s.Set, err = calib.Load(c.Calib...); err != nil {
		return nil, err
	}
	if err := calib.Belong(&s.Set, clips); err != nil {
		return nil, fault.Refuse("--calib: %w", err)
	}
	return s, nil
}

// Bounds of several videos.
const (
	maxVideos  = 8
	maxOffsetS = 3600.0
)

// offsets reads --sync.
func offsets(text string, videos int) ([]float64, error) {
	switch text {
	case "", "motion":
		return nil, nil
	case "none":
		return make([]float64, videos), nil
	}
	var out []float64
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(part), "s"), 64)
		if err != nil || !(math.Abs(v) <= maxOffsetS) {
			return nil, fault.Usage("--sync %q: %.20q is no offset; legal: motion, none, or seconds for each video, as in 0,0.37,-0.1", text, part)
		}
		out = append(out, v)
	}
	if len(out) != videos {
		return nil, fault.Usage("--sync %q: %d offsets for %d videos; legal: one for each, the first is 0", text, len(out), videos)
	}
	return out, nil
}
