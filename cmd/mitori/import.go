package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/infile"
)

// maxBVHBytes is what an hour at 120 frames a second takes.
const maxBVHBytes = 512 << 20

func newImportCmd() *cobra.Command {
	var output string
	var names string
	var o bvh.Options
	c := &cobra.Command{
		Use:   "import X.bvh -o X.human.npz",
		Short: "Turn motion capture into a human motion",
		Long: `Turn motion capture in a BVH file into a human motion for 'mitori retarget'.

Joint names of CMU, LAFAN1, Mixamo, MotionBuilder, Biovision, Poser and DAZ, Xsens,
SMPL and SMPL-X, 3ds Max Biped, Blender, VRM and Bandai-Namco are known, with any
prefix. Others are named with --map, a list as below or a file with one such pair
a line (# begins a comment). Up is found from where the person stands; which way the
skeleton faces and how its joints' axes lie makes no difference.`,
		Example: `  mitori import walk.bvh -o walk.human.npz --height 1.68
  mitori import rig.bvh --up z --map l_elbow=ArmB_L,r_elbow=ArmB_R,head=spine.006`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !strings.EqualFold(filepath.Ext(args[0]), ".bvh") {
				return fault.Usage("import: %s: unknown kind of file; legal: *.bvh", args[0])
			}
			if output == "" {
				output = strings.TrimSuffix(args[0], filepath.Ext(args[0])) + ".human.npz"
			}
			var err error
			if o.Map, err = readMap(names); err != nil {
				return err
			}
			if err := cli.NotOver(output, args[0]); err != nil {
				return err
			}
			in, err := infile.Open(args[0], maxBVHBytes)
			if err != nil {
				return err
			}
			defer in.Close()
			f, err := bvh.Read(in)
			if err != nil {
				return infile.Refuse(args[0], err)
			}
			m, notes, err := f.Motion(filepath.Base(args[0]), o)
			switch {
			case errors.Is(err, bvh.ErrOption):
				return fault.Usage("%s: %w", args[0], err)
			case errors.Is(err, bvh.ErrAmbiguous):
				return fault.Refuse("%s: %w", args[0], err)
			case err != nil:
				return infile.Refuse(args[0], err)
			}
			if err := m.Save(output); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d frames at %.0f a second, %.2f s\n", output, len(m.Frames), m.FPS, m.Seconds())
			for _, n := range notes {
				fmt.Fprintf(c.OutOrStdout(), "  note: %s\n", n)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "file to write (default: beside the input, *.human.npz)")
	c.Flags().Float64Var(&o.HeightM, "height", 0, "standing height of the person in m (default: 1.75, marked as assumed)")
	c.Flags().StringVar(&o.Up, "up", "", "axis of the file that is up: x, y, z, -x, -y or -z (default: found from the skeleton)")
	c.Flags().StringVar(&names, "map", "", "joints with unknown names: l_elbow=NAME,head=NAME, or a file of such lines")
	return c
}

// readMap reads the pairs of --map: a list, or the name of a file.
func readMap(arg string) (map[string]string, error) {
	if arg == "" {
		return nil, nil
	}
	where, pairs := "--map", strings.Split(arg, ",")
	if !strings.Contains(arg, "=") {
		text, err := infile.Read(arg, maxMapBytes)
		if err != nil {
			return nil, fmt.Errorf("import: --map %s: %w (a list looks like l_elbow=NAME,head=NAME)", arg, err)
		}
		where, pairs = arg, strings.Split(string(text), "\n")
	}
	out := map[string]string{}
	for i, p := range pairs {
		if p, _, _ = strings.Cut(p, "#"); strings.TrimSpace(p) == "" {
			continue
		}
		key, name, ok := strings.Cut(p, "=")
		key, name = strings.TrimSpace(key), strings.TrimSpace(name)
		if !ok || key == "" || name == "" {
			return nil, fault.Usage("import: %s: pair %d is %q; expected JOINT=NAME, for example l_elbow=LeftForeArm", where, i+1, strings.TrimSpace(p))
		}
		if _, twice := out[key]; twice {
			return nil, fault.Usage("import: %s: %q is there twice", where, key)
		}
		out[key] = name
	}
	return out, nil
}

// maxMapBytes bounds a map file; a full one has under 1 KiB.
const maxMapBytes = 64 << 10
