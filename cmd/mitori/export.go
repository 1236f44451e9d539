package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/mocap"
	"github.com/mitori-robotics/mitori/models/human"
)

func newExportCmd() *cobra.Command {
	var output, unit string
	c := &cobra.Command{
		Use:   "export X.human.npz -o FILE",
		Short: "Write a human motion for other programs",
		Long: `Write a human motion for other programs. By the end of the name:

  .bvh   skeleton in a T pose, y up, facing z: Blender, MotionBuilder, Maya, Unreal.
         In metres, as Blender takes it; --unit cm for programs that expect centimetres
  .trc   joints as points, mm, y up: OpenSim, Pose2Sim, Mokka
  .npz   joints (frames, joints, 3), joint_names and fps, m, z up: NumPy`,
		Example: `  mitori export march.human.npz -o march.bvh
  mitori export march.human.npz -o march.trc`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if output == "" {
				return fault.Usage("name the file to write with -o, as in: -o motion.bvh")
			}
			if err := cli.NotOver(output, args[0]); err != nil {
				return err
			}
			m, err := human.Load(args[0])
			if err != nil {
				return err
			}
			if err := mocap.Save(output, m, unit); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d frames at %.0f a second, %.2f s\n", output, len(m.Frames), m.FPS, m.Seconds())
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "file to write: *.bvh, *.trc or *.npz")
	c.Flags().StringVar(&unit, "unit", "m", "unit of length of a *.bvh: m or cm")
	return c
}
