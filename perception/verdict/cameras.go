package verdict

import (
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/perception/multiview"
	"github.com/mitori-robotics/mitori/perception/sight"
)

const (
	// loneShare of the limbs' landmarks must be seen by two cameras.
	loneShare = 0.6
	// unsureSync: below this certainty, any offset between clocks fits as well.
	unsureSync = 0.1
	// endsEarlyS before the motion's end, or after its begin, a camera has no person.
	endsEarlyS = 0.5
)

// Cameras is what is known where several cameras saw the person; nil for one.
type Cameras struct {
	multiview.Report
	// Given tells that somebody gave the offsets of the clocks.
	SyncGiven bool
	// Sways are the cameras that move within a second, by name, as shares of the person's
	// height.
	Sways map[string]float64
	// Nobody are the videos in which there is nobody.
	Nobody []string
}

// cameras judges how the views agree.
func cameras(e *Evidence) (out []finding) {
	c := e.Cameras
	if c == nil {
		return nil
	}
	out = append(out, c.misfits()...)
	for i := range c.Cameras {
		v := &c.Cameras[i]
		if len(v.Moved) > 0 {
			var spans []sight.Span
			for _, m := range v.Moved {
				spans = append(spans, sight.Span{FromS: m[0], ToS: m[1]})
			}
			out = append(out, finding{Doubtful, fmt.Sprintf("camera %s does not fit the others from %s, though it does otherwise: it was moved, and is left out there", v.Camera, list(spans))})
		}
		if s := c.Sways[v.Camera]; s > swayDoubtful {
			out = append(out, finding{Doubtful, fmt.Sprintf("camera %s moves by up to %.0f %% of the person's height within a second; put it on a stand", v.Camera, 100*s)})
		}
		if v.Used && (v.ToS < e.Span.ToS-endsEarlyS || v.FromS > e.Span.FromS+endsEarlyS) {
			out = append(out, finding{Good, fmt.Sprintf("camera %s shows the person from %.1f to %.1f s only", v.Camera, v.FromS, v.ToS)})
		}
		if v.Used && i > 0 && !c.SyncGiven && v.Certainty < unsureSync {
			out = append(out, finding{Good, fmt.Sprintf("the person moves too little to align the clock of camera %s; an offset of %.2f s is assumed (--sync gives offsets)", v.Camera, v.OffsetS)})
		}
	}
	for _, name := range c.Nobody {
		out = append(out, finding{Doubtful, fmt.Sprintf("nobody is seen in %s; it is left out", name)})
	}
	if c.SeenByTwo < loneShare {
		out = append(out, finding{Doubtful, fmt.Sprintf("only %.0f %% of the limbs are seen by two cameras; the rest is guessed: place the cameras so that each limb is seen by two", 100*c.SeenByTwo)})
	}
	if c.UpFrom != "calibration" {
		out = append(out, finding{Good, c.upText()})
	}
	return out
}

func (c *Cameras) upText() string {
	switch {
	case c.UpOffDeg > 0:
		return fmt.Sprintf("the person stands %.0f degrees off the calibration's up, so the vertical was taken from %s", c.UpOffDeg, c.upSource())
	case c.UpFrom == "axis":
		return "the calibration does not say where up is; it is taken from the axis of its world along which the person stands"
	}
	return "the calibration does not say where up is; it is taken from how the person stands"
}

func (c *Cameras) upSource() string {
	if c.UpFrom == "axis" {
		return "another axis of its world"
	}
	return "how they stand"
}

// Refusal is why the views cannot be joined, empty where they can.
func (c *Cameras) Refusal() string {
	for _, f := range c.misfits() {
		if f.grade == Refused {
			return f.text
		}
	}
	return ""
}

// misfits judges cameras that are not where the calibration says.
func (c *Cameras) misfits() (out []finding) {
	var names, wrong []string
	for i := range c.Cameras {
		v := &c.Cameras[i]
		names = append(names, fmt.Sprintf("%s (%s)", v.Camera, v.Video))
		if !v.Used {
			wrong = append(wrong, fmt.Sprintf("camera %s does not fit the others: what it sees in %s is %.2f m off at the person; it was moved after the calibration, or this is the calibration of another camera. It is left out; calibrate anew", v.Camera, v.Video, v.MisfitM))
		}
	}
	if len(c.Order) > 0 {
		var pairs []string
		for i, name := range c.Order {
			if was := &c.Cameras[i]; was.Camera != name {
				pairs = append(pairs, fmt.Sprintf("%s was filmed by camera %s, not %s", was.Video, name, was.Camera))
			}
		}
		return []finding{{Refused, fmt.Sprintf("the videos are not those of the calibration's cameras: it seems that %s; give them in the calibration's order", strings.Join(pairs, ", "))}}
	}
	if !c.Agree {
		return []finding{{Refused, fmt.Sprintf("the cameras %s do not fit one another, and which of them is wrong cannot be told: one was moved after the calibration, or this is the calibration of others; calibrate anew", strings.Join(names, ", "))}}
	}
	for _, text := range wrong {
		out = append(out, finding{Doubtful, text})
	}
	return out
}
