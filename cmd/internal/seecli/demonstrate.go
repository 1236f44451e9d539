package seecli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/mocap"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/calib"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// demonstrateFlags are the choices of one film.
type demonstrateFlags struct {
	calibs       string // file to add the camera to
	opt          demonstrator.Options
	chosen       demonstrator.Choices
	out, motion  string
	from, to     time.Duration
	list, asJSON bool
}

// Demonstrate is the command.
func Demonstrate() *cobra.Command {
	var x demonstrateFlags
	c := &cobra.Command{
		Use:   "demonstrate MOTION -o clip.mp4",
		Short: "Film the built-in demonstrator, with the exact truth beside the clip",
		Long: `Film a person made of simple shapes who performs a known motion, and write the
exact truth (clip.truth.human.npz) beside the clip, with what is known of its pictures
(clip.truth.scene.npz: time stamps, camera, which joints are to be seen). The motion is a
built-in one, or with --motion any human motion or BVH file, done by the same body.

--camera takes distance (m), height (m), azimuth (degrees, to the person's left)
and fov (vertical, degrees); --look takes shirt, trousers, shoes, hair and skin
(#rrggbb), light (1 is a bright room), backlight (0 to 1) and background
(` + strings.Join(demonstrator.Backgrounds(), ", ") + `).

What makes clips hard: --second takes does (` + strings.Join(demonstrator.Roles(), ", ") + `), clothes (other,
alike) and height (m) of another person; --prop takes ` + strings.Join(demonstrator.Props(), ", ") + ` (after a colon:
metres to the person's left); --move takes shake (degrees), sway (m), pan (degrees) and
follow=1 of the camera; --picture takes left, top, right, bottom (shares that are cut
away), rotate (90, 180, 270: stored turned, as phones do; unflagged=1: and not told),
aspect (of a pixel), noise (of 255), crf (40 is poor) and uneven=1 (time stamps with
gaps).`,
		Example: `  mitori demonstrate wave -o wave.mp4
  mitori demonstrate march -o march.mp4 --height 1.6 --camera distance=3,azimuth=20 --look shirt=#a03030,background=garden
  mitori demonstrate --motion walk.bvh --from 2s --to 9s -o walk.mp4 --second does=before --move shake=1
  mitori demonstrate --list`,
		Args: cobra.MaximumNArgs(1),
		RunE: x.run,
	}
	f := c.Flags()
	f.StringVarP(&x.out, "output", "o", "", "video to write (mp4)")
	f.BoolVar(&x.list, "list", false, "list the motions")
	f.BoolVar(&x.asJSON, "json", false, "print machine-readable results")
	f.StringVar(&x.motion, "motion", "", "do the motion of this file (*.human.npz, or what import reads) instead of a built-in one")
	f.DurationVar(&x.from, "from", 0, "begin at this time of --motion, as in 2s")
	f.DurationVar(&x.to, "to", 0, "end at this time of --motion, as in 7.5s (default: its end)")
	f.Float64Var(&x.opt.HeightM, "height", 0, "height of the person in metres (default 1.72)")
	f.Float64Var(&x.opt.FPS, "fps", 0, "frames per second (default 30)")
	f.StringVar(&x.chosen.Size, "size", "", "picture size in pixels (default 576x720)")
	f.Uint64Var(&x.opt.Seed, "seed", 0, "small natural variation of a built-in motion; 0: exactly as authored")
	f.StringToStringVar(&x.chosen.Camera, "camera", nil, "distance=3.6,height=0.95,azimuth=0,fov=38")
	f.StringToStringVar(&x.chosen.Look, "look", nil, "shirt=#2f7f86,light=1,backlight=0,background=room,...")
	f.StringToStringVar(&x.chosen.Second, "second", nil, "another person: does=before,clothes=other,height=1.65")
	f.StringSliceVar(&x.chosen.Props, "prop", nil, "things that stand about: table,pillar:0.3")
	f.StringToStringVar(&x.chosen.Move, "move", nil, "of the camera: shake=1,sway=0.02,pan=20,follow=1")
	f.StringToStringVar(&x.chosen.Picture, "picture", nil, "bottom=0.4,rotate=90,aspect=2,noise=20,crf=34,uneven=1")
	f.StringVar(&x.calibs, "calib-out", "", "add this camera's exact calibration to a file (TOML), for extract --calib")
	f.BoolVar(&x.opt.Shadows, "shadows", false, "draw real shadows (slower)")
	return c
}

func (x *demonstrateFlags) run(c *cobra.Command, args []string) error {
	if x.list {
		all := show.Demonstrations(append(demonstrator.Motions(), demonstrator.Trials()...))
		return cli.Say(c.OutOrStdout(), x.asJSON, all, all.Print)
	}
	if err := x.check(args); err != nil {
		return err
	}
	progress := cli.NewProgress(c.ErrOrStderr()).Frames("drawing")
	var done demonstrator.Recorded
	if x.motion != "" {
		truth, opt, err := x.mimic(c)
		if err != nil {
			return err
		}
		if done, err = demonstrator.RecordTruth(c.Context(), truth, opt, x.out, progress); err != nil {
			return err
		}
	} else {
		m, err := demonstrator.Find(args[0])
		if err != nil {
			return fault.Usage("%w", err)
		}
		if done, err = demonstrator.Record(c.Context(), m, x.opt, x.out, progress); err != nil {
			return err
		}
	}
	if err := addCamera(x.calibs, done.Video, x.opt); err != nil {
		return err
	}
	if x.asJSON {
		return json.NewEncoder(c.OutOrStdout()).Encode(done)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s: %d frames; truth: %s, %s\n", done.Video, done.Frames, done.Truth, done.Scene)
	return nil
}

// check finds what is wrong with the command line, and takes the choices.
func (x *demonstrateFlags) check(args []string) error {
	switch {
	case len(args) == 0 && x.motion == "":
		return fault.Usage("name a motion, as in: mitori demonstrate wave -o wave.mp4 (--list shows them), " +
			"or give a file with --motion")
	case len(args) > 0 && x.motion != "":
		return fault.Usage("%s and --motion exclude each other: a built-in motion, or one of a file", args[0])
	case x.motion == "" && (x.from != 0 || x.to != 0):
		return fault.Usage("--from and --to are times of --motion; built-in motions are short")
	case x.motion != "" && x.opt.Seed != 0:
		return fault.Usage("--seed varies built-in motions; one of a file is done as it is")
	}
	if len(args) > 0 {
		if _, err := demonstrator.Find(args[0]); err != nil {
			return fault.Usage("%w", err)
		}
	}
	if x.out == "" {
		return fault.Usage("name the video to write with -o, as in: -o clip.mp4")
	}
	if err := x.opt.Choose(x.chosen); err != nil {
		return fault.Usage("%w", err)
	}
	return cli.NotOver(x.out, x.motion)
}

// mimic reads --motion and has the demonstrator do it.
func (x *demonstrateFlags) mimic(c *cobra.Command) (*human.Motion, demonstrator.Options, error) {
	var m *human.Motion
	var err error
	if !strings.HasSuffix(strings.ToLower(x.motion), ".human.npz") {
		var notes []string
		m, notes, err = mocap.Load(x.motion, "", mocap.Options{Options: bvh.Options{HeightM: x.opt.HeightM}})
		for _, n := range notes {
			fmt.Fprintf(c.ErrOrStderr(), "note: %s\n", n)
		}
	} else {
		m, err = human.Load(x.motion)
	}
	if err != nil {
		return nil, x.opt, err
	}
	if x.from != 0 || x.to != 0 {
		to := m.Seconds()
		if x.to != 0 {
			to = x.to.Seconds()
		}
		if m, err = m.Part(x.from.Seconds(), to); err != nil {
			return nil, x.opt, fault.Usage("--from, --to: %w", err)
		}
	}
	truth, err := demonstrator.Mimic(m, x.opt)
	if err != nil {
		return nil, x.opt, err
	}
	opt, err := demonstrator.Surround(truth, x.opt)
	return truth, opt, err
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
