package track

import (
	"context"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/scene"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Camera says whether the camera moved, and what was done about it.
type Camera struct {
	// Moved is set where the surroundings moved in the picture; FarPx is how far
	// they got from where they were in the first one at most.
	Moved bool    `json:"moved"`
	FarPx float64 `json:"far_px"`
	// Taken is set where that was taken out: Clip is as a camera would see it that
	// stayed where the first one was. RestPx is what is still moved then, in nine of
	// ten pictures less: near things move otherwise than far ones where the camera
	// did not only turn.
	Taken  bool    `json:"taken"`
	RestPx float64 `json:"rest_px"`
}

const (
	// movedShare of the picture's longer side is more than a camera on a stand moves.
	// [rendered and recorded clips from stands: 0.001 at most]
	movedShare = 0.005
	movedS     = 1.0 // over this time, for what shifts tell
	// knownShare of the pictures must be placed for the rest to be carried over, and
	// no more than holdFrames of them in a row.
	knownShare = 0.95
	holdFrames = 5
	// restQuantile of the pictures are less moved than Camera.RestPx.
	restQuantile = 0.9
)

// steady follows the camera where it moved: the video is read once more then.
func (v *run) steady(ctx context.Context, r *Result) error {
	first := slices.IndexFunc(r.Frames, func(f Frame) bool { return f.Found })
	long := float64(max(r.Info.WidthPx, r.Info.HeightPx))
	if first < 0 || !moves(r.Frames, movedShare*long) {
		return nil
	}
	r.Camera.Moved = true
	if !v.info.Seekable {
		return nil
	}
	views, err := v.views(ctx, r.Frames[first:])
	if err != nil {
		return err
	}
	for i, f := range r.Frames[first:] {
		if f.Found && views[i].Known {
			r.Camera.FarPx = math.Max(r.Camera.FarPx, f.farPx(&views[i].ToFirst))
		}
	}
	rest, ok := bridged(views)
	if !ok {
		return nil
	}
	r.Camera.Taken, r.Camera.RestPx = true, rest
	for i := range views {
		r.Frames[first+i].toFirst = views[i].ToFirst
	}
	return nil
}

// moves tells whether the surroundings move by more than so many pixels.
func moves(frames []Frame, mostPx float64) bool {
	for i := range frames {
		if frames[i].Scene.FarPx > mostPx {
			return true
		}
		var x, y, x0, x1, y0, y1 float64
		for k := i + 1; k < len(frames) && frames[k].TimeS <= frames[i].TimeS+movedS; k++ {
			x, y = x+frames[k].Scene.ShiftPx[0], y+frames[k].Scene.ShiftPx[1]
			x0, x1, y0, y1 = math.Min(x0, x), math.Max(x1, x), math.Min(y0, y), math.Max(y1, y)
		}
		if math.Hypot(x1-x0, y1-y0) > mostPx {
			return true
		}
	}
	return false
}

// views places the pictures of some frames in the first of them.
func (v *run) views(ctx context.Context, frames []Frame) ([]scene.View, error) {
	out := make([]scene.View, len(frames))
	half := 0.5 / v.info.FPS
	w := video.Window{FromS: max(0, frames[0].TimeS-half), ToS: frames[len(frames)-1].TimeS + half}
	var s scene.Steady
	i := 0
	err := each(ctx, v.open, w, func(f *video.Frame) error {
		for i < len(frames) && frames[i].TimeS < f.TimeS-half {
			i++
		}
		if i < len(frames) && frames[i].TimeS < f.TimeS+half {
			out[i] = s.Next(f, people(frames, i), frames[i].Scene.ShiftPx)
			i++
		}
		return nil
	})
	return out, err
}

// people are the boxes around whoever was seen in about the time of frame i.
func people(frames []Frame, i int) []scene.Box {
	out := []scene.Box{frames[i].box()}
	for k := range frames {
		if math.Abs(frames[k].TimeS-frames[i].TimeS) > surveyS {
			continue
		}
		for j := range frames[k].others {
			out = append(out, boxAround(&frames[k].others[j].marks))
		}
	}
	return out
}

// bridged fills in views that are not known with the one before, where they are few,
// and tells what rest the others leave.
func bridged(views []scene.View) (restPx float64, ok bool) {
	var rests []float64
	gap := 0
	for i := range views {
		if views[i].Known {
			rests, gap = append(rests, views[i].RestPx), 0
			continue
		}
		if gap++; i == 0 || gap > holdFrames {
			return 0, false
		}
		views[i].ToFirst = views[i-1].ToFirst
	}
	slices.Sort(rests)
	return rests[int(restQuantile*float64(len(rests)-1))], float64(len(rests)) >= knownShare*float64(len(views))
}

// farPx is how far a camera's motion moves the person's middle in the picture.
func (f *Frame) farPx(w *scene.Warp) float64 {
	b := f.body()
	x, y := w.At(b.CentreXPx, b.CentreYPx)
	return math.Hypot(x-b.CentreXPx, y-b.CentreYPx)
}

// asFirst is a frame as the camera of the first picture would have seen it. Lines of
// sight to the person stay what they are when a camera turns, and with them the
// network's view; only a roll turns the body in its square.
func (f *Frame) asFirst() landmark.Frame {
	out := f.Frame
	if !out.Found {
		return out
	}
	b := f.body()
	scale, turn := f.toFirst.Local(b.CentreXPx, b.CentreYPx)
	sin, cos := math.Sincos(turn)
	for k := range out.Landmarks {
		m := &out.Landmarks[k]
		m.XPx, m.YPx = f.toFirst.At(m.XPx, m.YPx)
		m.ZPx *= scale
		p := out.WorldM[k]
		out.WorldM[k] = spatial.Vec3{cos*p[0] - sin*p[1], sin*p[0] + cos*p[1], p[2]}
	}
	return out
}
