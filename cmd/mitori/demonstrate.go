package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

func newDemonstrateCmd() *cobra.Command {
	var (
		opt          demonstrator.Options
		out          string
		list, asJSON bool
		camera, look map[string]string
		size         string
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
				return listMotions(c.OutOrStdout(), asJSON)
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
			if err := setCamera(&opt.Camera, camera); err != nil {
				return fault.Usage("%w", err)
			}
			if err := setLook(&opt.Look, look); err != nil {
				return fault.Usage("%w", err)
			}
			if size != "" {
				if n, err := fmt.Sscanf(size, "%dx%d", &opt.WidthPx, &opt.HeightPx); n != 2 || err != nil {
					return fault.Usage("--size %q: legal: WIDTHxHEIGHT in pixels, as in 576x720", size)
				}
			}
			if err := opt.Check(); err != nil {
				return fault.Usage("%w", err)
			}
			done, err := demonstrator.Record(c.Context(), m, opt, out, cli.NewProgress(c.ErrOrStderr()).Frames("drawing"))
			if err != nil {
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
	f.BoolVar(&opt.Shadows, "shadows", false, "draw real shadows (slower)")
	return c
}

func listMotions(w io.Writer, asJSON bool) error {
	type item struct {
		Name        string  `json:"name"`
		Seconds     float64 `json:"seconds"`
		Description string  `json:"description"`
	}
	var items []item
	for _, m := range demonstrator.Motions() {
		items = append(items, item{m.Name, m.Seconds, m.Description})
	}
	if asJSON {
		return json.NewEncoder(w).Encode(items)
	}
	for _, m := range items {
		fmt.Fprintf(w, "%-18s %.1f s  %s\n", m.Name, m.Seconds, m.Description)
	}
	return nil
}

// setNumbers fills the named numbers from key=value pairs.
func setNumbers(flag string, given map[string]string, into map[string]*float64) error {
	for _, k := range slices.Sorted(maps.Keys(given)) {
		dst, ok := into[k]
		if !ok {
			return fmt.Errorf("%s: unknown key %q; legal: %s", flag, k, strings.Join(slices.Sorted(maps.Keys(into)), ", "))
		}
		v, err := strconv.ParseFloat(given[k], 64)
		if err != nil {
			return fmt.Errorf("%s: %s is %q; legal: a number", flag, k, given[k])
		}
		*dst = v
	}
	return nil
}

func setCamera(c *demonstrator.Camera, given map[string]string) error {
	return setNumbers("--camera", given, map[string]*float64{
		"distance": &c.DistanceM, "height": &c.HeightM, "azimuth": &c.AzimuthDeg, "fov": &c.FovDeg,
	})
}

func setLook(l *demonstrator.Look, given map[string]string) error {
	texts := map[string]*string{
		"shirt": &l.Shirt, "trousers": &l.Trousers, "shoes": &l.Shoes, "hair": &l.Hair, "skin": &l.Skin,
		"background": &l.Background,
	}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		switch dst, ok := texts[k]; {
		case ok:
			*dst = given[k]
		case k == "light":
			v, err := strconv.ParseFloat(given[k], 64)
			if err != nil {
				return fmt.Errorf("--look: light is %q; legal: a number, as in light=0.8", given[k])
			}
			l.Light = v
		default:
			legal := append(slices.Sorted(maps.Keys(texts)), "light")
			return fmt.Errorf("--look: unknown key %q; legal: %s", k, strings.Join(legal, ", "))
		}
	}
	return nil
}
