package main

import (
	"context"
	"math"
	"os"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/perception/overlay"
	"github.com/mitori-robotics/mitori/sim/film"
)

// film puts the person with the seen skeleton beside the robot under robotd, on
// one clock, and makes the sheet of moments for the report.
func (l *learner) film(ctx context.Context) error {
	const person = "person.overlay.mp4"
	name := l.path(person)
	if err := writeOverlay(ctx, name, l.video, l.seen.Track.Frames, overlay.Options{ShowFaces: l.showFaces, HeightPx: filmHeightPx}); err != nil {
		return err
	}
	// The pictures go into the side by side; the overlay alone is not asked for.
	defer os.Remove(name)
	clip := l.policy.motion.clip
	lead := clip.Meta.LeadInS
	seconds := clip.Seconds() - lead - clip.Meta.LeadOutS
	info := l.seen.Track.Info
	aspect := float64(info.WidthPx) / float64(info.HeightPx)
	robot := film.Pane{
		Label: l.desc.Name + " under robotd", QPos: l.flight.qpos, PeriodS: l.flight.periodS, RootQPos: l.rootQPos,
		Fell: l.flight.fell, FallS: l.flight.fallS,
	}
	video := film.Clip{Video: name, StartS: lead}
	if l.seen.Motion.Seconds() > 0 && seconds > 0 {
		video.Rate = l.seen.Motion.Seconds() / seconds
	}
	o := film.Options{HeightPx: filmHeightPx, PaneWidthPx: paneWidth(aspect)}
	if err := film.SideBySide(ctx, l.path("side_by_side.mp4"), video, l.desc.MJCF, robot, o); err != nil {
		return err
	}
	sheet, err := film.Sheet(ctx, l.desc.MJCF, []film.Pane{{Clip: &video}, robot}, film.Moments(lead, lead+seconds, 6),
		film.Options{HeightPx: filmHeightPx / 2, PaneWidthPx: paneWidth(aspect) / 2 &^ 1})
	if err != nil {
		return err
	}
	l.sheet = sheet
	l.say("film", "side_by_side.mp4 and moments.png written")
	return atomicfile.WriteBytes(l.path("moments.png"), sheet)
}

const filmHeightPx = 576

// paneWidth gives the person's pane about the shape of the video, within what
// two panes on a phone can bear.
func paneWidth(aspect float64) int {
	return int(math.Min(math.Max(aspect, 0.6), 1.0)*filmHeightPx) &^ 1
}
