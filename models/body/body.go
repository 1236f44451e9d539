// Package body binds a robot's description to what follows from it, once: the kinematic model of its MJCF file, where
// each described joint lives in that model's vectors and how far it may turn, the standing pose, and which bodies are
// legs, feet, arms, trunk and head. Whatever works with a robot (retargeting, the verdict, training, evaluation, the
// emulator, robotd) takes a Body, so that all of them see the same robot; it is the only package that parses a robot's
// model.
//
// Vectors are of two kinds. Position vectors (length NQ) and velocity vectors (NV) are the model's, in MuJoCo's layout
// (see models/kin). Joint vectors have one number for each joint of robot.yaml, in its order; Joint says where each
// lives in the other kind.
//
// A Body is immutable, together with all that its fields point to, and may be shared between goroutines. Not here:
// reading files of other makers, motion, physics (sim/scene builds the engine's counterpart from a Body and refuses a
// file that the two read differently).
package body

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Body is one robot.
type Body struct {
	Desc *robot.Description
	Kin  *kin.Model
	Root Root
	// Joints are the described joints, in the order of the description.
	Joints []Joint
	// StandQPos (NQ) is the standing keyframe as the file has it; StandRad are its joint angles in the description's
	// order. Anatomy's Ref is the same pose with the root over the origin and the soles on the floor.
	StandQPos, StandRad []float64

	anatomy     *anatomy.Anatomy
	notHumanoid error
}

// Root is the body that the rest hangs from, named by the description.
type Root struct {
	Body       int // of the kinematic model
	Free       bool
	QPos, QVel int // first of the seven positions and six velocities of its free joint; -1 on a fixed base
}

// Limb is what a joint belongs to.
type Limb int

// The limbs. Other joints are of hands, or of robots that are no humanoids.
const (
	Other Limb = iota
	Leg
	Arm
	Waist
	Neck
)

// String returns the limb in one word.
func (l Limb) String() string { return [...]string{"other", "leg", "arm", "waist", "neck"}[l] }

// Joint is a described joint in the kinematic model.
type Joint struct {
	Hinge      *mjcf.Joint
	QPos, QVel int // index into position and velocity vectors
	// MinRad and MaxRad are what the description and the model both allow.
	MinRad, MaxRad float64
	Limb           Limb
}

// Load binds the robot of that name or path (see robot.Load). Files that do not fit each other are
// infile.ErrUnusable.
func Load(nameOrPath string) (*Body, error) {
	d, err := robot.Load(nameOrPath)
	if err != nil {
		return nil, err
	}
	b, err := New(d)
	if err != nil {
		return nil, infile.Refuse(nameOrPath, err)
	}
	return b, nil
}

// New binds a description, which must not change afterwards. The error lists everything in which description and model
// do not fit each other. A robot that is no humanoid is no error: see Humanoid.
func New(d *robot.Description) (*Body, error) {
	tree, err := mjcf.Parse(d.Name, []byte(d.MJCF))
	if err != nil {
		return nil, fmt.Errorf("robot %s: %w", d.Name, err)
	}
	b := &Body{Desc: d}
	if b.Kin, err = kin.New(tree); err != nil {
		return nil, fmt.Errorf("robot %s: %w", d.Name, err)
	}
	if err := errors.Join(b.bindRoot(), b.bindJoints(), b.bindStand()); err != nil {
		return nil, err
	}
	if b.anatomy, err = anatomy.Derive(b.Kin, b.StandQPos); err != nil {
		b.notHumanoid = fmt.Errorf("robot %s: %w", d.Name, err)
		return b, nil
	}
	b.nameLimbs()
	return b, nil
}

// Humanoid returns the robot's anatomy. The error wraps anatomy.ErrNotHumanoid and says what is missing.
func (b *Body) Humanoid() (*anatomy.Anatomy, error) { return b.anatomy, b.notHumanoid }

// Tree returns the parsed model: bodies, joints, shapes, sites and actuators.
func (b *Body) Tree() *mjcf.Model { return b.Kin.Tree }

// PutJoints writes a joint vector (rad, the description's order) into a position vector.
func (b *Body) PutJoints(qpos, jointsRad []float64) {
	if len(qpos) != b.Kin.Tree.NQ || len(jointsRad) != len(b.Joints) {
		panic("body: PutJoints: a vector has the wrong length")
	}
	for i := range b.Joints {
		qpos[b.Joints[i].QPos] = jointsRad[i]
	}
}

// bindRoot finds the root and refuses whatever else floats: its mass would count as the robot's.
func (b *Body) bindRoot() error {
	tree, d := b.Kin.Tree, b.Desc
	r := Root{Body: tree.BodyIndex(d.RootBody), QPos: -1, QVel: -1}
	if r.Body <= 0 {
		return fmt.Errorf("robot %s: root_body %q is no body of the model", d.Name, d.RootBody)
	}
	for i := range tree.Joints {
		j := &tree.Joints[i]
		if j.Kind != mjcf.Free {
			continue
		}
		if j.Body != r.Body {
			return fmt.Errorf("robot %s: body %q has a free joint, but root_body of robot.yaml is %q; "+
				"legal: one free joint, the root's",
				d.Name, tree.Bodies[j.Body].Name, d.RootBody)
		}
		r.Free, r.QPos, r.QVel = true, j.QPos, j.QVel
	}
	b.Root = r
	return nil
}

// bindJoints finds the hinge of every described joint.
func (b *Body) bindJoints() error {
	tree, d := b.Kin.Tree, b.Desc
	var faults []error
	for _, j := range d.Joints {
		i := tree.JointIndex(j.Name)
		if i < 0 || tree.Joints[i].Kind != mjcf.Hinge {
			faults = append(faults, fmt.Errorf("robot %s: joint %q of robot.yaml is no hinge of the model", d.Name, j.Name))
			continue
		}
		h := &tree.Joints[i]
		own := Joint{Hinge: h, QPos: h.QPos, QVel: h.QVel, MinRad: j.MinRad, MaxRad: j.MaxRad}
		if h.Limited {
			own.MinRad, own.MaxRad = max(own.MinRad, h.RangeRad[0]), min(own.MaxRad, h.RangeRad[1])
		}
		if own.MinRad >= own.MaxRad {
			faults = append(faults, fmt.Errorf("robot %s: joint %q reaches %g to %g rad in robot.yaml and %g to %g in the model; "+
				"nothing is in both",
				d.Name, j.Name, j.MinRad, j.MaxRad, h.RangeRad[0], h.RangeRad[1]))
		}
		b.Joints = append(b.Joints, own)
	}
	return errors.Join(faults...)
}

// bindStand reads the standing keyframe.
func (b *Body) bindStand() error {
	var ok bool
	if b.StandQPos, ok = b.Kin.Tree.KeyframeQPos(b.Desc.StandKeyframe); !ok {
		return fmt.Errorf("robot %s: stand_keyframe %q is no <key> with qpos in the model", b.Desc.Name, b.Desc.StandKeyframe)
	}
	var faults []error
	for i := range b.Joints {
		j := &b.Joints[i]
		q := b.StandQPos[j.QPos]
		if q < j.MinRad || q > j.MaxRad {
			faults = append(faults, fmt.Errorf("robot %s: the standing pose has joint %s at %g rad; legal: %g to %g",
				b.Desc.Name, j.Hinge.Name, q, j.MinRad, j.MaxRad))
		}
		b.StandRad = append(b.StandRad, q)
	}
	return errors.Join(faults...)
}

// nameLimbs notes which limb each joint belongs to.
func (b *Body) nameLimbs() {
	limb := make([]Limb, b.Kin.Tree.NV)
	mark := func(dofs []int, l Limb) {
		for _, i := range dofs {
			limb[i] = l
		}
	}
	a := b.anatomy
	mark(a.Waist, Waist)
	mark(a.Neck, Neck)
	for s := range a.Legs {
		mark(a.Legs[s].Dofs, Leg)
		mark(a.Arms[s].Dofs, Arm)
	}
	for i := range b.Joints {
		b.Joints[i].Limb = limb[b.Joints[i].QVel]
	}
}
