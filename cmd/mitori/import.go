package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/mocap"
)

func newImportCmd() *cobra.Command {
	var output string
	var names string
	var o mocap.Options
	c := &cobra.Command{
		Use:   "import FILE -o X.human.npz",
		Short: "Turn motion capture into a human motion",
		Long: `Turn motion capture into a human motion for 'mitori retarget'. By the end of the name:

  .bvh          skeletons of CMU, LAFAN1, Mixamo, MotionBuilder, Biovision, Poser and
                DAZ, Xsens, SMPL and SMPL-X, 3ds Max Biped, Blender, VRM, Bandai-Namco
  .trc, .c3d    points named like joints (OpenPose, HALPE, SMPL; Pose2Sim, OpenSim)
  .npz          joint positions (joints, joint_names, fps), or SMPL, SMPL-H and SMPL-X
                poses as AMASS keeps them (poses, trans, mocap_framerate)
  .json, .txt   DeepMimic's humanoid

Joints with other names are given with --map, a list as below or a file with one such
pair a line (# begins a comment). Up is found from where the person stands; which way
the skeleton faces and how its joints' axes lie makes no difference.`,
		Example: `  mitori import walk.bvh -o walk.human.npz --height 1.68
  mitori import rig.bvh --up z --map l_elbow=ArmB_L,r_elbow=ArmB_R,head=spine.006
  mitori import trial.trc -o trial.human.npz`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if output == "" {
				output = strings.TrimSuffix(args[0], filepath.Ext(args[0])) + ".human.npz"
			}
			if err := cli.NotOver(output, args[0]); err != nil {
				return err
			}
			m, notes, err := mocap.Load(args[0], names, o)
			if err != nil {
				return err
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
	c.Flags().Float64Var(&o.HeightM, "height", 0, "standing height of the person in m (default: the points' own; 1.75, marked as assumed, for skeletons without a size)")
	c.Flags().Float64Var(&o.FPS, "fps", 0, "frames per second of an .npz that does not say")
	c.Flags().StringVar(&o.Up, "up", "", "axis of the file that is up: x, y, z, -x, -y or -z (default: found from the skeleton)")
	c.Flags().StringVar(&names, "map", "", "joints with unknown names: l_elbow=NAME,head=NAME, or a file of such lines")
	return c
}
