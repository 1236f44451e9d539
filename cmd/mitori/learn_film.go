package main

import (
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/overlay"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/sim/film"
)

const filmHeightPx = 576

// film puts the person with the seen skeleton beside the robot under robotd, on
// one clock, and makes the sheet of moments for the report.
func (l *learner) film(ctx context.Context) error {
	info := l.seen.Track.Info
	crop := personCrop(l.seen.Track.Frames, info.WidthPx, info.HeightPx)
	scale := math.Min(1, filmHeightPx/float64(crop.Dy()))
	o := overlay.Options{ShowFaces: l.showFaces, HeightPx: int(scale * float64(info.HeightPx))}
	// The pictures go into the side by side; the overlay alone was not asked for,
	// and is made where no file of the user's can be.
	room, err := l.filmRoom()
	if err != nil {
		return err
	}
	defer os.RemoveAll(room)
	name := filepath.Join(room, "overlay.mp4")
	if err := writeOverlay(ctx, name, l.video, l.seen.Track.Frames, o); err != nil {
		return err
	}
	w, h := o.Size(info)
	person := l.personClip(name, scaled(crop, float64(h)/float64(info.HeightPx), w, h))
	robot := film.Pane{
		Label: l.body.Desc.Name + " under robotd", QPos: l.flight.qpos, PeriodS: l.flight.periodS, RootQPos: l.body.Root.QPos,
		Fell: l.flight.fell, FallS: l.flight.fallS,
	}
	azimuth := viewDeg(l.seen.Motion, l.retarget.Mirror)
	pane := int(filmHeightPx*float64(crop.Dx())/float64(crop.Dy())) &^ 1
	if err := film.SideBySide(ctx, l.path("side_by_side.mp4"), person, l.body.Desc.MJCF, robot, film.Options{HeightPx: filmHeightPx, PaneWidthPx: pane, AzimuthDeg: azimuth}); err != nil {
		return err
	}
	clip := l.policy.motion.clip
	moments := film.Moments(clip.Meta.LeadInS, clip.Seconds()-clip.Meta.LeadOutS, 6)
	sheet, err := film.Sheet(ctx, l.body.Desc.MJCF, []film.Pane{{Clip: &person}, robot}, moments, film.Options{HeightPx: filmHeightPx / 2, PaneWidthPx: pane / 2 &^ 1, AzimuthDeg: azimuth})
	if err != nil {
		return err
	}
	l.sheet = sheet
	l.say("film", "side_by_side.mp4 and moments.png written")
	return atomicfile.WriteBytes(l.path("moments.png"), sheet)
}

// filmRoom makes an empty folder for pictures on their way, and clears away what
// a film that was killed left behind: such a folder, and half a side by side.
func (l *learner) filmRoom() (string, error) {
	room := l.path(".mitori-film")
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return "", fmt.Errorf("film: %w", err)
	}
	for _, e := range entries {
		half := strings.HasPrefix(e.Name(), ".side_by_side.mp4.") && strings.HasSuffix(e.Name(), ".part")
		if !half && e.Name() != filepath.Base(room) {
			continue
		}
		if err := os.RemoveAll(l.path(e.Name())); err != nil {
			return "", fmt.Errorf("film: left over from an earlier run: %w", err)
		}
	}
	return room, os.Mkdir(room, 0o700)
}

// viewDeg is the heading of a view of the robot like the camera's of the person.
// An extracted motion has the camera on its +x side; a robot's motion begins with
// the robot facing +x, whichever way the person faced.
func viewDeg(m *human.Motion, mirrored bool) float64 {
	p := &m.Frames[0].Positions
	left := p[human.LHip].Sub(p[human.RHip]).Add(p[human.LShoulder].Sub(p[human.RShoulder]))
	facing := math.Atan2(-left[0], left[1]) * 180 / math.Pi
	if mirrored {
		facing = -facing
	}
	if facing >= 180-1e-9 {
		facing -= 360 // a heading of 0 would mean the default
	}
	return 180 - facing
}

// personClip puts the overlay on the robot's clock: the motion begins after the
// lead-in, and where the robot had to be slower than the person, so is the video.
func (l *learner) personClip(name string, crop image.Rectangle) film.Clip {
	clip := l.policy.motion.clip
	c := film.Clip{Video: name, StartS: clip.Meta.LeadInS, CropPx: [4]int{crop.Min.X, crop.Min.Y, crop.Dx(), crop.Dy()}}
	if at := clip.Meta.SourceS; len(at) > 0 {
		c.Time = func(second float64) float64 {
			return at[max(0, min(int(math.Round(second*clip.FPS)), len(at)-1))]
		}
	}
	return c
}

// personCrop is the part of the pictures in which the person moves, with room
// around, between upright 3:5 and square; a small person in a wide picture would
// not be seen on a phone.
func personCrop(frames []track.Frame, widthPx, heightPx int) image.Rectangle {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i := range frames {
		if !frames[i].Found {
			continue
		}
		for _, m := range frames[i].Landmarks {
			x0, x1 = math.Min(x0, m.XPx), math.Max(x1, m.XPx)
			y0, y1 = math.Min(y0, m.YPx), math.Max(y1, m.YPx)
		}
	}
	whole := image.Rect(0, 0, widthPx, heightPx)
	if x1 <= x0 || y1 <= y0 {
		return whole
	}
	h := math.Min(1.25*math.Max(y1-y0, x1-x0), float64(heightPx))
	w := math.Min(math.Max(math.Min(1.25*(x1-x0), h), 0.6*h), float64(widthPx))
	cx := math.Min(math.Max((x0+x1)/2, w/2), float64(widthPx)-w/2)
	cy := math.Min(math.Max((y0+y1)/2, h/2), float64(heightPx)-h/2)
	return image.Rect(int(cx-w/2), int(cy-h/2), int(cx+w/2), int(cy+h/2)).Intersect(whole)
}

// scaled maps a rectangle of the video to the overlay's even pixels.
func scaled(r image.Rectangle, s float64, widthPx, heightPx int) image.Rectangle {
	even := func(v int) int { return int(float64(v)*s) &^ 1 }
	out := image.Rect(even(r.Min.X), even(r.Min.Y), even(r.Max.X), even(r.Max.Y))
	return out.Intersect(image.Rect(0, 0, widthPx, heightPx))
}
