package extract

import (
	"cmp"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
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
}

// Options checks the choices for a video. A wrong one is a usage error; a runtime that
// is not there is a failure.
func (c *Choices) Options(clip string) (Options, error) {
	o := Options{
		Video:  clip,
		Window: video.Window{FromS: c.From.Seconds(), ToS: c.To.Seconds()},
		Track:  track.Options{Person: track.Choice(c.Person)},
		Solve:  solve.Options{HeightM: c.HeightM, CutoffHz: c.CutoffHz},
	}
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
