package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/perception/overlay"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/track"
)

// lookFlags adds the flags that extract shares with commands that contain it.
func lookFlags(f *pflag.FlagSet, x *extract.Choices) {
	f.StringVar(&x.Model, "model", "full", "pose network: lite, full or heavy")
	f.StringVar(&x.ModelFile, "model-file", "", "description (.yaml) of a pose network of your own, instead of --model")
	f.StringVar(&x.Mirror, "mirror-pass", "never", "which pictures the network sees mirrored: never any, every second one (alternate), or each a second time (both, half the speed)")
	f.StringVar(&x.Runtime, "runtime", "auto", "what computes it: auto, onnxruntime or opencv")
	f.StringVar(&x.Person, "person", "best", "who to follow where there are several: "+track.ChoiceText)
	f.DurationVar(&x.From, "from", 0, "begin at this time of the video, as in 2s")
	f.DurationVar(&x.To, "to", 0, "end before this time of the video, as in 7.5s (default: its end)")
	f.Float64Var(&x.HeightM, "height", 0, "height of the person in metres (default: 1.70 is assumed)")
	cameraFlags(f, &x.Camera)
	f.StringSliceVar(&x.Calib, "calib", nil, "calibration of several cameras: Qualisys, TOML or OpenCV YAML (several files: commas)")
	f.StringVar(&x.Sync, "sync", "motion", "clocks of several cameras: motion, none, or the seconds to add for each video, as in 0,0.37")
	f.Float64Var(&x.CutoffHz, "cutoff", 0, "cut-off of the smoothing filter in Hz (default 6)")
}

// cameraFlags adds the flags that say what is known of the camera.
func cameraFlags(f *pflag.FlagSet, c *extract.CameraChoices) {
	f.Float64Var(&c.FovDeg, "fov", 0, "field of view over the height of the upright picture in degrees (default: from the file, or estimated)")
	f.Float64Var(&c.FocalPx, "focal", 0, "focal length in pixels of the upright picture, instead of --fov")
	f.Float64Var(&c.HeightM, "camera-height", 0, "height of the camera over the floor in metres (default: estimated)")
	f.Func("camera-pitch", "how far the camera looks down, in degrees; negative: up (default: estimated)", func(text string) error {
		deg, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		c.PitchDeg = &deg
		return nil
	})
}

// extractFlags are the choices of one extraction.
type extractFlags struct {
	look                      extract.Choices
	out, film                 string
	showFaces, asJSON, anyway bool
	causal                    bool
	live                      liveFlags
}

func newExtractCmd() *cobra.Command {
	var x extractFlags
	c := &cobra.Command{
		Use:   "extract VIDEO... -o X.human.npz",
		Short: "Turn the video of a person into a human motion",
		Long: `Turn the video of a person into a human motion: joint positions in metres, gravity
up, feet on the floor. One still camera, one person, whole body.

The verdict says whether the motion is what the person did: good, doubtful (parts of
it are guesses; the warnings say which) or refused (exit code 3, nothing is written
unless --anyway is given).

Nothing but the motion is stored. --overlay also films the video with the skeleton
drawn in; only that person's body is shown there, no head and no surroundings,
unless --show-faces is given.

Several videos of one moment, from cameras that a calibration knows (--calib), make one
motion: depth and size are measured, not guessed. Clocks are aligned by the motion.
Cameras that do not fit the calibration are named and left out. Videos belong to the
cameras whose names are in theirs, else in the calibration's order.

With --live VIDEO is a source that does not wait: a camera (0, /dev/video0), a stream
(rtsp://..., http://...), - for frames through standard input, or a file at its own
pace. -o then is - (standard output), a file, or unix:PATH (a socket for any number of
readers); each picture gives one record (docs/formats/live.md). It ends by Ctrl-C.`,
		Example: `  mitori extract squat.mp4 -o squat.human.npz --height 1.82
  mitori extract left.mp4 right.mp4 back.mp4 --calib room.toml -o squat.human.npz
  mitori extract --live 0 -o - | python3 reader.py
  mitori extract party.mp4 --from 2s --to 7s --person left@3.2s --overlay party.overlay.mp4`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return x.run(c, args) },
	}
	f := c.Flags()
	lookFlags(f, &x.look)
	f.StringVarP(&x.out, "output", "o", "", "motion to write (default: the video's name with .human.npz, in this folder)")
	f.StringVar(&x.film, "overlay", "", "also film the video with the skeleton drawn in (mp4)")
	f.BoolVar(&x.showFaces, "show-faces", false, "show heads and surroundings in the overlay as they were filmed")
	f.BoolVar(&x.asJSON, "json", false, "print machine-readable results")
	f.BoolVar(&x.causal, "causal", false, "go through the video as through a camera, without looking ahead (for comparison)")
	x.live.add(f)
	f.BoolVar(&x.anyway, "anyway", false, "write a motion that is refused, too; its file says so")
	return c
}

// inTime refuses what poses as they arrive cannot wait for.
func (x *extractFlags) inTime() error {
	if (x.causal || x.live.on) && x.look.Mirror == posenet.Alternate.String() {
		return fault.Usage("--mirror-pass alternate needs the pictures that come later; legal with --causal and --live: never, both")
	}
	return nil
}

func (x *extractFlags) run(c *cobra.Command, clips []string) error {
	if err := x.live.stray(c.Flags()); err != nil {
		return err
	}
	if x.live.on {
		if len(clips) > 1 {
			return fault.Usage("--live takes one source, not %d", len(clips))
		}
		return x.watch(c, clips[0])
	}
	out, clip := x.out, clips[0]
	if base := filepath.Base(clip); out == "" {
		out = strings.TrimSuffix(base, filepath.Ext(base)) + ".human.npz"
	}
	if err := x.inTime(); err != nil {
		return err
	}
	if x.causal && x.film != "" {
		return fault.Usage("--causal and --overlay exclude each other: the causal form keeps no landmarks")
	}
	if x.causal && len(clips) > 1 {
		return fault.Usage("--causal goes through one video; give one")
	}
	for _, written := range []string{out, x.film} {
		if err := cli.NotOver(written, append(x.look.Calib, clips...)...); err != nil {
			return err
		}
	}
	o, err := x.look.Options(clips...)
	if err != nil {
		return err
	}
	stage := extract.Stage(o)
	if x.causal {
		stage = extract.Causal(o)
	}
	e, err := alone(c, stage)
	if err != nil {
		return err
	}
	if no := e.Refusal(clip, x.anyway); no != nil {
		return errors.Join(show.Extraction(c.OutOrStdout(), e, o, "", "", x.asJSON), no)
	}
	if err := e.Motion.Save(out); err != nil {
		return err
	}
	if x.film != "" {
		if err := extract.Overlay(c.Context(), x.film, clip, e.Track.Frames, overlay.Options{ShowFaces: x.showFaces}); err != nil {
			return err
		}
	}
	return show.Extraction(c.OutOrStdout(), e, o, out, x.film, x.asJSON)
}
