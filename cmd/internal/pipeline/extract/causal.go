package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/perception/live"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Latency is what the causal form took for a picture.
type Latency struct {
	LagFrames int     `json:"lag_frames"`
	LagMs     float64 `json:"lag_ms"`
	// P50Ms and P95Ms are the time from a picture to its pose: network and solver.
	P50Ms float64 `json:"p50_ms"`
	P95Ms float64 `json:"p95_ms"`
}

// Causal is the stage in its causal form: it plays a video picture by picture, as a
// camera would: one goroutine, no look ahead, nothing filled backwards.
func Causal(o Options) pipeline.Stage[*Result] { return stage(o, "causal", runCausal) }

func runCausal(ctx context.Context, o Options, sum string, progress func(done, total int)) (*Result, error) {
	start := time.Now()
	nets, err := track.LoadNetworks(o.Track)
	if err != nil {
		return nil, err
	}
	tracker, err := track.New(nets, o.Track.Person)
	if err != nil {
		return nil, errors.Join(err, nets.Close())
	}
	e, err := playCausal(ctx, o, tracker, progress)
	if err := errors.Join(err, tracker.Close(), nets.Close()); err != nil {
		return nil, err
	}
	e.WallS = time.Since(start).Seconds()
	e.TrackS = e.WallS
	e.sign(o, sum)
	return e, nil
}

// playCausal runs the video through tracker and solver.
func playCausal(ctx context.Context, o Options, tracker *track.Tracker, progress func(done, total int)) (*Result, error) {
	src, err := video.Open(o.Video)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	w := live.New(tracker, live.Options{Options: o.solving(src.Info()), LagFrames: solve.DefaultLagFrames})
	e := &Result{Causal: &Latency{LagFrames: solve.DefaultLagFrames}}
	e.Track.Info = src.Info()
	var poses []solve.Pose
	var tookMs []float64
	err = throughWindow(ctx, src, o.Window, func(f *video.Frame) error {
		began := time.Now()
		pose, err := w.Push(f)
		switch {
		case err == nil:
			poses = append(poses, pose)
			tookMs = append(tookMs, 1000*time.Since(began).Seconds())
		case !live.Waiting(err):
			return err
		}
		e.Track.Stats.Frames++
		progress(e.Track.Stats.Frames, src.Info().Frames)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(poses) < 2 {
		return nil, fmt.Errorf("%s: %d poses: the causal form needs the person in the picture for 2 s", o.Video, len(poses))
	}
	e.Motion, e.Report = live.Join(poses, w.FPS()), w.Report()
	e.Track.Frames = make([]track.Frame, e.Track.Stats.Frames) // their number alone
	e.Track.Stats.Missed = e.Report.FramesMissed
	slices.Sort(tookMs)
	e.Causal.LagMs = 1000 * float64(e.Causal.LagFrames) / w.FPS()
	e.Causal.P50Ms, e.Causal.P95Ms = tookMs[len(tookMs)/2], tookMs[len(tookMs)*95/100]
	e.Verdict = verdict.Verdict{Grade: verdict.Doubtful, Warnings: []string{"the causal form is not judged"}}
	return e, nil
}

// throughWindow calls visit for every picture of the window of src.
func throughWindow(ctx context.Context, src video.Source, w video.Window, visit func(*video.Frame) error) error {
	if w.FromS > 0 {
		if err := src.SeekS(w.FromS); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if w.ToS > 0 && f.TimeS >= w.ToS {
			f.Release()
			return nil
		}
		if w.Contains(f.TimeS) {
			err = visit(f)
		}
		f.Release()
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
