package main

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
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
	f.Float64Var(&x.CutoffHz, "cutoff", 0, "cut-off of the smoothing filter in Hz (default 6)")
}

func newExtractCmd() *cobra.Command {
	var (
		look      extract.Choices
		out, film string
		showFaces bool
		asJSON    bool
		anyway    bool
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
				if err := cli.NotOver(written, args[0]); err != nil {
					return err
				}
			}
			o, err := look.Options(args[0])
			if err != nil {
				return err
			}
			progress := cli.NewProgress(c.ErrOrStderr())
			run := &pipeline.Run{Tell: show.Progress(progress)}
			e, err := pipeline.Do(c.Context(), run, extract.Stage(o))
			progress.End()
			if err != nil {
				return err
			}
			if no := e.Refusal(o.Video, anyway); no != nil {
				return errors.Join(show.Extraction(c.OutOrStdout(), e, o, "", "", asJSON), no)
			}
			if err := e.Motion.Save(out); err != nil {
				return err
			}
			if film != "" {
				if err := extract.Overlay(c.Context(), film, o.Video, e.Track.Frames, overlay.Options{ShowFaces: showFaces}); err != nil {
					return err
				}
			}
			return show.Extraction(c.OutOrStdout(), e, o, out, film, asJSON)
		},
	}
	f := c.Flags()
	lookFlags(f, &look)
	f.StringVarP(&out, "output", "o", "", "motion to write (default: the video's name with .human.npz, in this folder)")
	f.StringVar(&film, "overlay", "", "also film the video with the skeleton drawn in (mp4)")
	f.BoolVar(&showFaces, "show-faces", false, "show heads and surroundings in the overlay as they were filmed")
	f.BoolVar(&asJSON, "json", false, "print machine-readable results")
	f.BoolVar(&anyway, "anyway", false, "write a motion that is refused, too; its file says so")
	return c
}
