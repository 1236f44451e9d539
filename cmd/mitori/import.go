package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/infile"
)

// maxBVHBytes is what an hour at 120 frames a second takes.
const maxBVHBytes = 512 << 20

func newImportCmd() *cobra.Command {
	var output string
	var heightM float64
	c := &cobra.Command{
		Use:   "import X.bvh -o X.human.npz",
		Short: "Turn motion capture into a human motion",
		Long: `Turn motion capture in a BVH file into a human motion for 'mitori retarget'. The joint
names of the common sources are known; the skeleton is scaled to --height.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !strings.EqualFold(filepath.Ext(args[0]), ".bvh") {
				return usageError("import: %s: unknown kind of file; legal: *.bvh", args[0])
			}
			if output == "" {
				output = strings.TrimSuffix(args[0], filepath.Ext(args[0])) + ".human.npz"
			}
			if err := notOver(output, args[0]); err != nil {
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
			m, err := f.Motion(filepath.Base(args[0]), heightM)
			if err != nil {
				return infile.Refuse(args[0], err)
			}
			if err := m.Save(output); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d frames at %.0f a second, %.2f s\n", output, len(m.Frames), m.FPS, m.Seconds())
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "file to write (default: beside the input, *.human.npz)")
	c.Flags().Float64Var(&heightM, "height", 0, "standing height of the person in m (default: 1.75, marked as assumed)")
	return c
}
