package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/overlay"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/perception/video"
)

// extractOptions say which person of which video becomes a motion, and how.
type extractOptions struct {
	Video  string
	Window video.Window
	Track  track.Options
	Solve  solve.Options
}

// extraction is a motion and how it came about.
type extraction struct {
	Motion *human.Motion
	Track  track.Result
	Report *solve.Report
	// Verdict tells whether the motion is what the person did.
	Verdict verdict.Verdict
	// WallS is the time from opening the video to the solved motion; TrackS
	// (loading the networks, decoding, tracking) and SolveS are its parts.
	WallS, TrackS, SolveS float64
	// Causal is set where the causal form was used.
	Causal *causalLatency
}

// FPS is the number of frames tracked per second, start of the networks
// included.
func (e *extraction) FPS() float64 { return float64(len(e.Track.Frames)) / e.TrackS }

// extractMotion runs the pose networks over a video and solves the motion.
func extractMotion(ctx context.Context, o extractOptions, progress func(done, total int)) (*extraction, error) {
	start := time.Now()
	tracked, err := track.Video(ctx, video.File(o.Video), o.Track, o.Window, progress)
	if err != nil {
		return nil, err
	}
	e := &extraction{Track: tracked, TrackS: time.Since(start).Seconds()}
	solving := time.Now()
	err = untilInterrupted(ctx, 0, func() (err error) {
		e.Motion, e.Report, err = solve.Solve(tracked.Clip(), o.Solve)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Video, err)
	}
	e.SolveS = time.Since(solving).Seconds()
	if err := e.sign(o); err != nil {
		return nil, err
	}
	e.judge()
	e.WallS = time.Since(start).Seconds()
	return e, nil
}

// sign writes into the motion what it was made of.
func (e *extraction) sign(o extractOptions) (err error) {
	m := &e.Motion.Meta
	m.Source, m.Tool = filepath.Base(o.Video), "mitori"
	m.Model, m.Runtime = "blazepose-"+o.Track.Model.String(), o.Track.Runtime.String()
	m.SourceSHA256, err = fileSHA256(o.Video)
	return err
}

// writeOverlay films the video with the tracked skeleton drawn in and, unless
// faces are wanted, with only that person's body shown.
func writeOverlay(ctx context.Context, name, clip string, frames []track.Frame, o overlay.Options) error {
	src, err := video.Open(clip)
	if err != nil {
		return err
	}
	defer src.Close()
	if o.ShowFaces || o.Heads != nil {
		return overlay.Write(ctx, name, src, frames, o)
	}
	rt, err := posenet.ParseRuntime("auto")
	if err != nil {
		return err
	}
	heads, err := track.NewHeadFinder(rt)
	if err != nil {
		return err
	}
	o.Heads = heads.Find
	return errors.Join(overlay.Write(ctx, name, src, frames, o), heads.Close())
}

func fileSHA256(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// extractFlags are the flags that extract shares with commands that contain it.
type extractFlags struct {
	model, runtime, person string
	from, to               time.Duration
	heightM, cutoffHz      float64
}

func (x *extractFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&x.model, "model", "full", "pose network: lite, full or heavy")
	f.StringVar(&x.runtime, "runtime", "auto", "what computes it: auto, onnxruntime or opencv")
	f.StringVar(&x.person, "person", "best", "who to follow where there are several: best, left, right or centre")
	f.DurationVar(&x.from, "from", 0, "begin at this time of the video, as in 2s")
	f.DurationVar(&x.to, "to", 0, "end before this time of the video, as in 7.5s (default: its end)")
	f.Float64Var(&x.heightM, "height", 0, "height of the person in metres (default: 1.70 is assumed)")
	f.Float64Var(&x.cutoffHz, "cutoff", 0, "cut-off of the smoothing filter in Hz (default 6)")
}

// options checks the flags.
func (x *extractFlags) options(clip string) (extractOptions, error) {
	o := extractOptions{
		Video:  clip,
		Window: video.Window{FromS: x.from.Seconds(), ToS: x.to.Seconds()},
		Track:  track.Options{Person: track.Choice(x.person)},
		Solve:  solve.Options{HeightM: x.heightM, CutoffHz: x.cutoffHz},
	}
	var err error
	if o.Track.Model, err = posenet.ParseLandmarkModel(x.model); err != nil {
		return o, usageError("--model: %w", err)
	}
	if err := o.Track.Check(); err != nil {
		return o, usageError("--person: %w", err)
	}
	if err := o.Window.Check(); err != nil {
		return o, usageError("--from, --to: %w", err)
	}
	switch x.runtime {
	case "auto", "onnxruntime", "opencv":
	default:
		return o, usageError("--runtime %q: legal: auto, onnxruntime, opencv", x.runtime)
	}
	o.Track.Runtime, err = posenet.ParseRuntime(x.runtime)
	return o, err
}

func newExtractCmd() *cobra.Command {
	var (
		flags     extractFlags
		out, film string
		showFaces bool
		asJSON    bool
		anyway    bool
		causal    bool
	)
	c := &cobra.Command{
		Use:   "extract VIDEO -o X.human.npz",
		Short: "Turn the video of a person into a human motion",
		Long: `Turn the video of a person into a human motion: joint positions in metres, gravity
up, feet on the floor. One still camera, one person, whole body.

The verdict says whether the motion is what the person did: good, doubtful (parts of
it are guesses; the warnings say which) or refused (exit code 3, nothing is written
unless --anyway is given).

Nothing but the motion is stored. --overlay also films the video with the skeleton
drawn in; only that person's body is shown there, no head and no surroundings,
unless --show-faces is given.`,
		Example: `  mitori extract squat.mp4 -o squat.human.npz --height 1.82
  mitori extract party.mp4 --from 2s --to 7s --person left --overlay party.overlay.mp4`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				base := filepath.Base(args[0])
				out = strings.TrimSuffix(base, filepath.Ext(base)) + ".human.npz"
			}
			for _, written := range []string{out, film} {
				if err := notOver(written, args[0]); err != nil {
					return err
				}
			}
			o, err := flags.options(args[0])
			if err != nil {
				return err
			}
			run := extractMotion
			if causal {
				run = extractCausal
			}
			e, err := run(c.Context(), o, stageProgress(c.ErrOrStderr(), "pose"))
			if err != nil {
				return err
			}
			if no := e.refusal(o.Video, anyway); no != nil {
				return errors.Join(reportExtraction(c.OutOrStdout(), e, o, "", "", asJSON), no)
			}
			if err := e.Motion.Save(out); err != nil {
				return err
			}
			if film != "" {
				if err := writeOverlay(c.Context(), film, o.Video, e.Track.Frames, overlay.Options{ShowFaces: showFaces}); err != nil {
					return err
				}
			}
			return reportExtraction(c.OutOrStdout(), e, o, out, film, asJSON)
		},
	}
	flags.add(c)
	f := c.Flags()
	f.StringVarP(&out, "output", "o", "", "motion to write (default: the video's name with .human.npz, in this folder)")
	f.StringVar(&film, "overlay", "", "also film the video with the skeleton drawn in (mp4)")
	f.BoolVar(&showFaces, "show-faces", false, "show heads and surroundings in the overlay as they were filmed")
	f.BoolVar(&asJSON, "json", false, "print machine-readable results")
	f.BoolVar(&causal, "causal", false, "go through the video as through a camera, without looking ahead (for comparison)")
	c.MarkFlagsMutuallyExclusive("causal", "overlay")
	f.BoolVar(&anyway, "anyway", false, "write a motion that is refused, too; its file says so")
	return c
}

// reportExtraction says what was found; out and film are empty where nothing was
// written.
func reportExtraction(w io.Writer, e *extraction, o extractOptions, out, film string, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Video string `json:"video"`
			verdict.Verdict
			Output        string         `json:"output,omitempty"`
			Overlay       string         `json:"overlay,omitempty"`
			Frames        int            `json:"frames"`
			FramesMissed  int            `json:"frames_missed"`
			FPS           float64        `json:"fps"`
			VideoFPS      float64        `json:"video_fps"`
			Model         string         `json:"model"`
			Runtime       string         `json:"runtime"`
			WallS         float64        `json:"wall_s"`
			TrackS        float64        `json:"track_s"`
			SolveS        float64        `json:"solve_s"`
			TrackingStats track.Stats    `json:"tracking"`
			Solve         *solve.Report  `json:"solve"`
			Causal        *causalLatency `json:"causal,omitempty"`
		}{o.Video, e.Verdict, out, film, e.Track.Stats.Frames, e.Track.Stats.Missed, e.FPS(), e.Track.Info.FPS,
			o.Track.Model.String(), o.Track.Runtime.String(), e.WallS, e.TrackS, e.SolveS, e.Track.Stats, e.Report, e.Causal})
	}
	printExtractVerdict(w, e.Verdict)
	if out == "" {
		return nil
	}
	fmt.Fprintf(w, "%s: %d frames, %d without the person, tracked at %.0f frames/s (%s, %s), solved in %.1f s\n",
		out, e.Track.Stats.Frames, e.Track.Stats.Missed, e.FPS(), o.Track.Model, o.Track.Runtime, e.SolveS)
	if l := e.Causal; l != nil {
		fmt.Fprintf(w, "causal: %d frames (%.0f ms) behind the picture; a picture takes %.1f ms (p50), %.1f ms (p95)\n",
			l.LagFrames, l.LagMs, l.P50Ms, l.P95Ms)
	}
	if film != "" {
		fmt.Fprintf(w, "%s: overlay\n", film)
	}
	return nil
}

// stageProgress shows a counter with rate and time left on a terminal, and a
// line at every quarter otherwise.
func stageProgress(w io.Writer, what string) func(done, total int) {
	f, ok := w.(*os.File)
	live := ok && term.IsTerminal(int(f.Fd()))
	start, quarter := time.Now(), 0
	return func(done, total int) {
		if total <= 0 || done <= 0 {
			return
		}
		rate := float64(done) / time.Since(start).Seconds()
		leftS := float64(max(0, total-done)) / rate
		switch {
		case live:
			fmt.Fprintf(w, "\r%s: frame %d of %d, %.0f frames/s, %.0f s left \x1b[K", what, done, total, rate, leftS)
			if done >= total {
				fmt.Fprintln(w)
			}
		case 4*done/total > quarter:
			quarter = 4 * done / total
			fmt.Fprintf(w, "%s: frame %d of %d, %.0f frames/s\n", what, done, total, rate)
		}
	}
}
