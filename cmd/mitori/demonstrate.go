package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/perception/calib"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

func newDemonstrateCmd() *cobra.Command {
	var (
		opt          demonstrator.Options
		out          string
		list, asJSON bool
		camera, look map[string]string
		size, calibs string
	)
	c := &cobra.Command{
		Use:   "demonstrate MOTION -o clip.mp4",
		Short: "Film the built-in demonstrator, with the exact truth beside the clip",
		Long: `Film a person made of simple shapes who performs a known motion, and write the
exact truth (clip.truth.human.npz) beside the clip.

--camera takes distance (m), height (m), azimuth (degrees, to the person's left)
and fov (vertical, degrees); --look takes shirt, trousers, shoes, hair and skin
(#rrggbb), light (1 is a bright room) and background (` + strings.Join(demonstrator.Backgrounds(), ", ") + `).`,
		Example: `  mitori demonstrate wave -o wave.mp4
  mitori demonstrate march -o march.mp4 --height 1.6 --camera distance=3,azimuth=20 --look shirt=#a03030,background=garden
  mitori demonstrate --list`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				all := show.Demonstrations(demonstrator.Motions())
				return say(c, asJSON, all, all.Print)
			}
			if len(args) == 0 {
				return fault.Usage("name a motion, as in: mitori demonstrate wave -o wave.mp4 (--list shows them)")
			}
			m, err := demonstrator.Find(args[0])
			if err != nil {
				return fault.Usage("%w", err)
			}
			if out == "" {
				return fault.Usage("name the video to write with -o, as in: -o %s.mp4", m.Name)
			}
			if err := opt.Choose(size, camera, look); err != nil {
				return fault.Usage("%w", err)
			}
			done, err := demonstrator.Record(c.Context(), m, opt, out, cli.NewProgress(c.ErrOrStderr()).Frames("drawing"))
			if err != nil {
				return err
			}
			if err := addCamera(calibs, done.Video, opt); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(done)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d frames; truth: %s\n", done.Video, done.Frames, done.Truth)
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&out, "output", "o", "", "video to write (mp4)")
	f.BoolVar(&list, "list", false, "list the motions")
	f.BoolVar(&asJSON, "json", false, "print machine-readable results")
	f.Float64Var(&opt.HeightM, "height", 0, "height of the person in metres (default 1.72)")
	f.Float64Var(&opt.FPS, "fps", 0, "frames per second (default 30)")
	f.StringVar(&size, "size", "", "picture size in pixels (default 576x720)")
	f.Uint64Var(&opt.Seed, "seed", 0, "small natural variation of the motion; 0: exactly as authored")
	f.StringToStringVar(&camera, "camera", nil, "distance=3.6,height=0.95,azimuth=0,fov=38")
	f.StringToStringVar(&look, "look", nil, "shirt=#2f7f86,light=1,background=room,...")
	f.StringVar(&calibs, "calib-out", "", "add this camera's exact calibration to a file (TOML), for extract --calib")
	f.BoolVar(&opt.Shadows, "shadows", false, "draw real shadows (slower)")
	return c
}

// addCamera adds the camera of a film to a calibration, under the name of the film.
func addCamera(file, film string, o demonstrator.Options) error {
	if file == "" {
		return nil
	}
	c, err := o.Calibrated(strings.TrimSuffix(filepath.Base(film), filepath.Ext(film)))
	if err != nil {
		return err
	}
	return calib.Add(file, c)
}
