// Package rig binds a robot's description to its kinematic model: the tree of
// its MJCF file, its standing pose, and the hinge of each described joint.
//
// A Rig is immutable and may be shared. Not here: which limbs the robot has
// (models/kin/anatomy), physics (sim/scene).
package rig

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Rig is a described robot as kinematics sees it.
type Rig struct {
	Kin       *kin.Model
	StandQPos []float64     // positions of the stand keyframe
	Hinges    []*mjcf.Joint // of each described joint, in the description's order
}

// New reads the model of a description. The error lists every joint that the
// model has no hinge for.
func New(d *robot.Description) (*Rig, error) {
	tree, err := mjcf.Parse(d.Name, []byte(d.MJCF))
	if err != nil {
		return nil, fmt.Errorf("robot %s: %w", d.Name, err)
	}
	r := &Rig{}
	if r.Kin, err = kin.New(tree); err != nil {
		return nil, fmt.Errorf("robot %s: %w", d.Name, err)
	}
	var ok bool
	if r.StandQPos, ok = tree.KeyframeQPos(d.StandKeyframe); !ok {
		return nil, fmt.Errorf("robot %s: stand_keyframe %q is no <key> with qpos in the model", d.Name, d.StandKeyframe)
	}
	var faults []error
	for _, j := range d.Joints {
		i := tree.JointIndex(j.Name)
		if i < 0 || tree.Joints[i].Kind != mjcf.Hinge {
			faults = append(faults, fmt.Errorf("robot %s: joint %q of robot.yaml is no hinge of the model", d.Name, j.Name))
			continue
		}
		r.Hinges = append(r.Hinges, &tree.Joints[i])
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return r, nil
}
