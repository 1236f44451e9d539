package seecli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/show"
	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/board"
	"github.com/mitori-robotics/mitori/perception/calib"
)

// Cameras is the command with all its own.
func Cameras() *cobra.Command {
	c := &cobra.Command{
		Use:   "cameras",
		Short: "Calibrate several cameras, and look into calibrations",
	}
	c.AddCommand(newCalibrateCamerasCmd(), newShowCamerasCmd())
	return c
}

// calibrateFlags are the choices of one calibration.
type calibrateFlags struct {
	board  string
	square float64
	places []string
	out    string
	asJSON bool
}

func newCalibrateCamerasCmd() *cobra.Command {
	var f calibrateFlags
	c := &cobra.Command{
		Use:   "calibrate NAME=PHOTOS... -o room.toml",
		Short: "Find lenses and places of cameras from photos of a checkerboard",
		Long: `Find the lens of each camera from photos of a checkerboard, and its place from one more
photo of the board lying on the floor, where all cameras see it and nobody moves it.

PHOTOS is a file, a folder or a pattern (quoted). Ten photos of a camera or more, with the
board in all corners of the picture and tilted in all directions, taken as the videos are:
the same size, zoom and focus. For the places, a board with an even and an odd number
of inner corners, as one of the others looks the same when it is turned by half a turn.

The result is the TOML of Pose2Sim and Anipose; its world has z up and the board's first
corner as the origin. Without --place it knows lenses only, which is not enough for extract.`,
		Example: `  mitori cameras calibrate left='photos/left/*.jpg' right='photos/right/*.jpg' --board 4x7 --square 60 \
    --place left=floor_left.jpg --place right=floor_right.jpg -o room.toml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	fl := c.Flags()
	fl.StringVar(&f.board, "board", "", "inner corners of the board, along and down, as in 4x7")
	fl.Float64Var(&f.square, "square", 0, "side of a square in millimetres")
	fl.StringArrayVar(&f.places, "place", nil, "NAME=PHOTO of the board on the floor, one for each camera")
	fl.StringVarP(&f.out, "output", "o", "", "calibration to write (TOML)")
	fl.BoolVar(&f.asJSON, "json", false, "print machine-readable results")
	return c
}

func (f *calibrateFlags) run(c *cobra.Command, args []string) error {
	b, jobs, err := f.jobs(args)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := cli.NotOver(f.out, append(j.Lens, j.Place)...); err != nil {
			return err
		}
	}
	p := cli.NewProgress(c.ErrOrStderr())
	var set camera.Set
	var found []board.Calibrated
	for _, j := range jobs {
		done, err := board.Calibrate(c.Context(), b, j, p.Frames("photos of "+j.Camera))
		if err != nil {
			p.End()
			return err
		}
		found = append(found, done)
		set.Cameras = append(set.Cameras, done.Camera)
		set.ErrorPx = max(set.ErrorPx, done.ErrorPx)
	}
	p.End()
	if len(f.places) > 0 {
		set.Up = spatial.Vec3{0, 0, 1}
	}
	if err := calib.Save(f.out, &set); err != nil {
		return err
	}
	return show.Cameras(c.OutOrStdout(), found, f.out, f.asJSON)
}

// jobs reads the command line.
func (f *calibrateFlags) jobs(args []string) (b calib.Board, jobs []board.Photos, err error) {
	if f.out == "" {
		return b, nil, fault.Usage("name the calibration to write with -o, as in: -o room.toml")
	}
	if n, err := fmt.Sscanf(f.board, "%dx%d", &b.Columns, &b.Rows); n != 2 || err != nil {
		return b, nil, fault.Usage("--board %q: legal: the numbers of inner corners, as in 4x7", f.board)
	}
	b.SquareM = f.square / 1000
	if err := b.Check(); err != nil {
		return b, nil, fault.Usage("--board, --square: %w", err)
	}
	for _, a := range args {
		name, pattern, is := strings.Cut(a, "=")
		if !is || name == "" || strings.ContainsAny(name, "\"\n[]") {
			return b, nil, fault.Usage("%q: legal: NAME=PHOTOS, as in left='photos/left/*.jpg'", a)
		}
		if slices.ContainsFunc(jobs, func(j board.Photos) bool { return j.Camera == name }) {
			return b, nil, fault.Usage("camera %s is named twice", name)
		}
		photos, err := photosOf(pattern)
		if err != nil {
			return b, nil, err
		}
		jobs = append(jobs, board.Photos{Camera: name, Lens: photos})
	}
	for _, a := range f.places {
		name, photo, _ := strings.Cut(a, "=")
		i := slices.IndexFunc(jobs, func(j board.Photos) bool { return j.Camera == name })
		if i < 0 || photo == "" || jobs[i].Place != "" {
			return b, nil, fault.Usage("--place %q: legal: NAME=PHOTO, once for each camera", a)
		}
		jobs[i].Place = photo
	}
	if n := len(f.places); n > 0 && n < len(jobs) {
		return b, nil, fault.Usage("--place for %d of %d cameras; all or none", n, len(jobs))
	}
	return b, jobs, nil
}

// photosOf lists the photos of a pattern, a folder or a file.
func photosOf(pattern string) ([]string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s: no such photos", pattern)
	}
	if len(names) > 1 {
		return names, nil
	}
	var inside []string
	for _, end := range []string{"jpg", "jpeg", "png", "JPG", "JPEG", "PNG"} {
		more, err := filepath.Glob(filepath.Join(names[0], "*."+end))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pattern, err)
		}
		inside = append(inside, more...)
	}
	if len(inside) > 0 {
		slices.Sort(inside)
		return inside, nil
	}
	return names, nil
}

func newShowCamerasCmd() *cobra.Command {
	var asJSON bool
	var out string
	c := &cobra.Command{
		Use:   "show FILE...",
		Short: "Say what a calibration holds; -o writes it as TOML",
		Long: `Say what a calibration holds: Qualisys (.qca.txt), the TOML of Pose2Sim and Anipose, or
OpenCV's YAML (one file for each camera, or EasyMocap's intri.yml and extri.yml).`,
		Example: `  mitori cameras show Calib.qca.txt -o Calib.toml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := cli.NotOver(out, args...); err != nil {
				return err
			}
			set, err := calib.Load(args...)
			if err != nil {
				return err
			}
			if out != "" {
				if err := calib.Save(out, &set); err != nil {
					return err
				}
			}
			text := show.Calibration{Set: set}
			return cli.Say(c.OutOrStdout(), asJSON, text, text.Print)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "also write it as TOML")
	c.Flags().BoolVar(&asJSON, "json", false, "print machine-readable results")
	return c
}
