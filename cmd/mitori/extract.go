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
)

// lookFlags adds the flags that extract shares with commands that contain it.
func lookFlags(f *pflag.FlagSet, x *extract.Choices) {
	f.StringVar(&x.Model, "model", "full", "pose network: lite, full or heavy")
	f.StringVar(&x.Runtime, "runtime", "auto", "what computes it: auto, onnxruntime or opencv")
	f.StringVar(&x.Person, "person", "best", "who to follow where there are several: best, left, right or centre")
	f.DurationVar(&x.From, "from", 0, "begin at this time of the video, as in 2s")
	f.DurationVar(&x.To, "to", 0, "end before this time of the video, as in 7.5s (default: its end)")
	f.Float64Var(&x.HeightM, "height", 0, "height of the person in metres (default: 1.70 is assumed)")
	cameraFlags(f, &x.Camera)
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
}

func newExtractCmd() *cobra.Command {
	var x extractFlags
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
		RunE: func(c *cobra.Command, args []string) error { return x.run(c, args[0]) },
	}
	f := c.Flags()
	lookFlags(f, &x.look)
	f.StringVarP(&x.out, "output", "o", "", "motion to write (default: the video's name with .human.npz, in this folder)")
	f.StringVar(&x.film, "overlay", "", "also film the video with the skeleton drawn in (mp4)")
	f.BoolVar(&x.showFaces, "show-faces", false, "show heads and surroundings in the overlay as they were filmed")
	f.BoolVar(&x.asJSON, "json", false, "print machine-readable results")
	f.BoolVar(&x.causal, "causal", false, "go through the video as through a camera, without looking ahead (for comparison)")
	f.BoolVar(&x.anyway, "anyway", false, "write a motion that is refused, too; its file says so")
	return c
}

func (x *extractFlags) run(c *cobra.Command, clip string) error {
	out := x.out
	if base := filepath.Base(clip); out == "" {
		out = strings.TrimSuffix(base, filepath.Ext(base)) + ".human.npz"
	}
	if x.causal && x.film != "" {
		return fault.Usage("--causal and --overlay exclude each other: the causal form keeps no landmarks")
	}
	for _, written := range []string{out, x.film} {
		if err := cli.NotOver(written, clip); err != nil {
			return err
		}
	}
	o, err := x.look.Options(clip)
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
