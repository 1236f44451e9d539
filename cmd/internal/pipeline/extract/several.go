package extract

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/calib"
	"github.com/mitori-robotics/mitori/perception/multiview"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Several are the other cameras that filmed the same moment, and where all stand.
type Several struct {
	Videos []string // beside Options.Video, which is the first
	Set    camera.Set
	// OffsetsS are added to the times of each video, the first included; nil finds them
	// by the person's motion.
	OffsetsS []float64
}

// Views is what came of several cameras.
type Views struct {
	multiview.Report
	// RawBoneMm is how much the triangulated limbs vary in length (standard deviation over
	// time) before the skeleton makes them constant.
	RawBoneMm map[string]float64 `json:"raw_bone_mm"`
}

// lateS is how much longer the other videos are looked at where a part of the first is
// chosen: their clocks are not known yet.
const lateS = 2.5

// heightSlack: a height that somebody gave and that the cameras contradict by this share is told.
const heightSlack = 0.06

// leastSightings: a video with fewer frames of the person is left out.
const leastSightings = 10

func sightings(t *track.Result) (n int) {
	for i := range t.Frames {
		if t.Frames[i].Found {
			n++
		}
	}
	return n
}

// seenBy is one tracked video.
type seenBy struct {
	name  string
	track track.Result
}

func runSeveral(ctx context.Context, o Options, sum string, progress func(done, total int)) (*Result, error) {
	start := time.Now()
	seen, nobody, err := trackAll(ctx, o, progress)
	if err != nil {
		return nil, err
	}
	r := &Result{Track: seen[0].track, TrackS: time.Since(start).Seconds()}
	for i := range seen {
		r.tracked += len(seen[i].track.Frames)
	}
	solving := time.Now()
	var fused *multiview.Fused
	var first camera.Camera
	err = interrupt.Work(ctx, 0, func() (err error) {
		if fused, first, err = fuse(&o, seen, nobody); err != nil {
			return err
		}
		err = r.solveSeveral(&o, fused, &first)
		if why := (&verdict.Cameras{Report: fused.Report}).Refusal(); err != nil && why != "" {
			return fault.Refuse("%s: there is no motion to be had: %s", o.Video, why)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	r.SolveS = time.Since(solving).Seconds()
	r.sign(o, sum)
	r.judgeSeveral(&o, fused, &first, seen, nobody)
	r.WallS = time.Since(start).Seconds()
	return r, nil
}

// trackAll follows the person in every video; nobody are those where there is none.
func trackAll(ctx context.Context, o Options, progress func(done, total int)) (seen []seenBy, nobody map[int]string, err error) {
	all := append([]string{o.Video}, o.Several.Videos...)
	nobody = map[int]string{}
	before := 0
	for i, name := range all {
		w := o.Window
		if i > 0 {
			w.FromS = max(0, w.FromS-lateS)
			if w.ToS > 0 {
				w.ToS += lateS
			}
		}
		t, err := track.Video(ctx, video.File(name), o.Track, w, func(done, total int) {
			progress(before+done, total*len(all))
		})
		if err == nil && sightings(&t) < leastSightings {
			err = fmt.Errorf("%s: %w for long enough", name, landmark.ErrNoPerson)
		}
		switch {
		case errors.Is(err, landmark.ErrNoPerson) && i > 0:
			nobody[i] = name
			continue
		case err != nil: // the first video is the one that films and reports show
			return nil, nil, err
		}
		before += len(t.Frames)
		seen = append(seen, seenBy{name, t})
	}
	if len(seen) < 2 {
		return nil, nil, fmt.Errorf("%w in %d of %d videos; two must show them", landmark.ErrNoPerson, len(nobody), len(all))
	}
	return seen, nobody, nil
}

// fuse joins the views of the cameras that belong to them.
func fuse(o *Options, seen []seenBy, nobody map[int]string) (*multiview.Fused, camera.Camera, error) {
	all := append([]string{o.Video}, o.Several.Videos...)
	sizes := make([][2]int, len(all))
	next := 0
	for i := range all {
		info := seen[min(next, len(seen)-1)].track.Info
		if _, none := nobody[i]; !none {
			next++
		}
		sizes[i] = [2]int{info.WidthPx, info.HeightPx}
	}
	cameras, err := calib.Match(&o.Several.Set, all, sizes)
	if err != nil {
		return nil, camera.Camera{}, fault.Refuse("--calib: %w", err)
	}
	opt := multiview.Options{Up: o.Several.Set.Up}
	var views []multiview.View
	next = 0
	for i := range all {
		if _, none := nobody[i]; none {
			continue
		}
		views = append(views, multiview.View{Name: filepath.Base(all[i]), Camera: cameras[i], Clip: seen[next].track.Clip()})
		if o.Several.OffsetsS != nil {
			opt.OffsetsS = append(opt.OffsetsS, o.Several.OffsetsS[i])
		}
		next++
	}
	f, err := multiview.Fuse(views, opt)
	return f, views[0].Camera, err
}

// solveSeveral makes the motion, in the axes of the first camera.
func (r *Result) solveSeveral(o *Options, f *multiview.Fused, first *camera.Camera) error {
	clip, focalPx, up := f.Before(first)
	opt := solve.Options{CutoffHz: o.Solve.CutoffHz, FPS: f.FPS, FocalPx: focalPx, UpInCamera: &up}
	m, rep, raw, err := solve.Triangulated(clip, opt)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Video, err)
	}
	r.Motion, r.Report = m, rep
	r.Views = &Views{Report: f.Report, RawBoneMm: map[string]float64{}}
	for k, v := range raw {
		r.Views.RawBoneMm[k] = 1000 * v
	}
	return nil
}

// judgeSeveral weighs what the views report together.
func (r *Result) judgeSeveral(o *Options, f *multiview.Fused, first *camera.Camera, seen []seenBy,
	nobody map[int]string) {
	clip, _, _ := f.Before(first)
	joined := track.Result{Info: r.Track.Info}
	joined.Info.WidthPx, joined.Info.HeightPx = clip.WidthPx, clip.HeightPx
	for i := range clip.Frames {
		joined.Frames = append(joined.Frames, track.Frame{Frame: clip.Frames[i]})
	}
	e := verdict.Gather(&joined, r.Report, r.Motion)
	e.Cameras = &verdict.Cameras{Report: f.Report, SyncGiven: o.Several.OffsetsS != nil, Sways: map[string]float64{}}
	for i := range seen {
		own := verdict.Gather(&seen[i].track, r.Report, r.Motion)
		e.Cameras.Sways[f.Report.Cameras[i].Camera] = own.SwayMost
	}
	for i := range 1 + len(o.Several.Videos) {
		if name, none := nobody[i]; none {
			e.Cameras.Nobody = append(e.Cameras.Nobody, filepath.Base(name))
		}
	}
	px := 0.0
	for i := range f.Report.Cameras {
		px += f.Report.Cameras[i].ReprojPx / float64(len(f.Report.Cameras))
	}
	r.Report.MeanReprojPx = px
	r.conclude(verdict.Judge(e))
	given, found := o.Solve.HeightM, r.Report.HeightM
	if given != 0 && !(given/found < 1+heightSlack && found/given < 1+heightSlack) {
		r.Verdict.Warnings = append(r.Verdict.Warnings, fmt.Sprintf("the cameras measure a person of %.2f m, "+
			"--height says %.2f m: is the size of the calibration's board right?", found, given))
		r.Motion.Meta.Warnings = r.Verdict.Warnings
	}
}
