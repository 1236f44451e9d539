// Package pictures is the stage that shows what was learnt: the person with the seen
// skeleton beside the robot, on one clock, as a film and as a sheet of moments.
//
// It decodes the video once more, because the crop is known only when the person was
// followed to the end. Of the person only the body is shown unless faces are wanted.
// What is not here: drawing (perception/overlay, sim/film).
package pictures

import (
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/perform"
	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/perception/overlay"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/sim/film"
)

// Files that the stage leaves.
const (
	FilmFile  = "side_by_side.mp4"
	SheetFile = "moments.png"
)

const heightPx = 576

// Job is one film.
type Job struct {
	Video     string
	Seen      *extract.Result
	Mirrored  bool // the robot does with its left what the person does with their right
	ShowFaces bool
	Robot     *body.Body
	Clip      *motion.Clip
	Flight    *perform.Flight
	Folder    string // for the files
}

// Stage films and returns the sheet, a PNG.
func Stage(j Job) pipeline.Stage[[]byte] {
	return pipeline.Stage[[]byte]{Name: "film", Work: j.film} // no inputs: no flight is like another
}

func (j *Job) film(ctx context.Context, _ pipeline.Tell) ([]byte, error) {
	// The pictures go into the side by side; the overlay alone was not asked for,
	// and is made where no file of the user's can be.
	room, err := filmRoom(j.Folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(room) }()
	person, wide, err := j.person(ctx, filepath.Join(room, "overlay.mp4"))
	if err != nil {
		return nil, err
	}
	robot := film.Pane{
		Label: j.Robot.Desc.Name + " under robotd", QPos: j.Flight.QPos, PeriodS: j.Flight.PeriodS, RootQPos: j.Robot.Root.QPos,
		Fell: j.Flight.Fell, FallS: j.Flight.FallS,
	}
	look := film.Options{HeightPx: heightPx, PaneWidthPx: wide, AzimuthDeg: viewDeg(j.Seen.Motion, j.Mirrored)}
	if err := film.SideBySide(ctx, filepath.Join(j.Folder, FilmFile), person, j.Robot.Desc.MJCF, robot, look); err != nil {
		return nil, err
	}
	moments := film.Moments(j.Clip.Meta.LeadInS, j.Clip.Seconds()-j.Clip.Meta.LeadOutS, 6)
	look.HeightPx, look.PaneWidthPx = heightPx/2, wide/2&^1
	sheet, err := film.Sheet(ctx, j.Robot.Desc.MJCF, []film.Pane{{Clip: &person}, robot}, moments, look)
	if err != nil {
		return nil, err
	}
	return sheet, atomicfile.WriteBytes(filepath.Join(j.Folder, SheetFile), sheet)
}

// person films the person with the skeleton drawn in, as name, and returns the part of
// it that shows them, with the width of its pane.
func (j *Job) person(ctx context.Context, name string) (clip film.Clip, widePx int, err error) {
	info := j.Seen.Track.Info
	crop := personCrop(j.Seen.Track.Frames, info.WidthPx, info.HeightPx)
	scale := math.Min(1, heightPx/float64(crop.Dy()))
	o := overlay.Options{ShowFaces: j.ShowFaces, HeightPx: int(scale * float64(info.HeightPx))}
	if err := extract.Overlay(ctx, name, j.Video, j.Seen.Track.Frames, o); err != nil {
		return clip, 0, err
	}
	w, h := o.Size(info)
	clip = personClip(j.Clip, name, scaled(crop, float64(h)/float64(info.HeightPx), w, h))
	return clip, int(heightPx*float64(crop.Dx())/float64(crop.Dy())) &^ 1, nil
}

// filmRoom makes an empty folder for pictures on their way, and clears away what
// a film that was killed left behind: such a folder, and half a side by side.
func filmRoom(folder string) (string, error) {
	room := filepath.Join(folder, ".mitori-film")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", fmt.Errorf("film: %w", err)
	}
	for _, e := range entries {
		half := strings.HasPrefix(e.Name(), ".side_by_side.mp4.") && strings.HasSuffix(e.Name(), ".part")
		if !half && e.Name() != filepath.Base(room) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
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
func personClip(clip *motion.Clip, name string, crop image.Rectangle) film.Clip {
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
