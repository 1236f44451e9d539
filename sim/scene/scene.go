// Package scene compiles a robot for the physics engine: the counterpart of models/body on MuJoCo's side. Indices of
// bodies and joints are the same on both sides; Compile proves it for each model, by comparing what the engine made of
// the file with the Body, and refuses one that the two read differently. What only the engine has is found
// here: actuators, the floor, the keyframe.
//
// Not here: anything that moves (sim/worlds, sim/plant, sim/eval). A Scene belongs to whoever made it; its model must
// not be edited once shared.
package scene

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// Joint says where a joint of the canonical order lives in the model.
type Joint struct {
	ID       int // mjModel joint
	QPos     int // index into qpos
	Dof      int // index into qvel
	Actuator int // index into ctrl
}

// Scene is a compiled robot. Indices are the engine's.
type Scene struct {
	Body     *body.Body
	Model    *mujoco.Model
	Joints   []Joint // canonical order
	RootBody int
	RootQPos int    // first of the seven position numbers of the root's free joint
	RootDof  int    // first of its six velocity numbers
	Feet     [2]int // geoms: what the left and the right foot stand on, of several the lowest
	Floor    int    // geom
	Ground   []int  // geoms: the floor and every sole, between which the friction of walking acts
	StandKey int

	StandQPos []float64 // the standing keyframe
	StandRad  []float64 // its joint angles, canonical order
	MassKg    float64

	geomID []int // the engine's number of each geom of the Body's tree; -1: it has no use for it
}

// Compile loads the robot's model into the engine. timestepS 0 keeps the file's own.
func Compile(b *body.Body, timestepS float64) (*Scene, error) {
	m, err := mujoco.LoadPhysics(b.Desc.Name+" scene", []byte(b.Desc.MJCF), nil)
	if err != nil {
		return nil, err
	}
	if timestepS > 0 {
		m.SetTimestepS(timestepS)
	}
	s := &Scene{Body: b, Model: m, StandQPos: b.StandQPos, StandRad: b.StandRad,
		RootBody: b.Root.Body, RootQPos: b.Root.QPos, RootDof: b.Root.QVel}
	if err := s.find(); err != nil {
		m.Close()
		return nil, fmt.Errorf("scene: robot %s: %w", b.Desc.Name, err)
	}
	return s, nil
}

// Close frees the model.
func (s *Scene) Close() { s.Model.Close() }

func (s *Scene) find() error {
	for _, f := range []func() error{s.findRoot, s.agree, s.findJoints, s.findFeet} {
		if err := f(); err != nil {
			return err
		}
	}
	var err error
	if s.StandKey, err = s.Model.ID(mujoco.Keyframe, s.Body.Desc.StandKeyframe); err != nil {
		return err
	}
	mass, err := s.Model.Field("body_mass")
	for _, v := range mass {
		s.MassKg += v
	}
	return err
}

// Numbers of the engine's enumerations (mjtTrn, mjtGain, mjtBias, mjtGeom) that the search below compares with.
const (
	trnJoint   = 0
	gainFixed  = 0
	biasAffine = 1
	geomPlane  = 0
)

func (s *Scene) findRoot() error {
	if !s.Body.Root.Free {
		return fmt.Errorf("root body %q has no free joint; it needs exactly one", s.Body.Desc.RootBody)
	}
	return nil
}

// findJoints finds the position servo of each joint.
func (s *Scene) findJoints() error {
	m := s.Model
	f, err := ints(m, "actuator_trntype", "actuator_trnid", "actuator_gaintype", "actuator_biastype")
	if err != nil {
		return err
	}
	var faults []error
	for i := range s.Body.Joints {
		own := &s.Body.Joints[i]
		name := own.Hinge.Name
		j := Joint{ID: s.Body.Tree().JointIndex(name), QPos: own.QPos, Dof: own.QVel, Actuator: -1}
		for a := range m.NU {
			if f[0][a] == trnJoint && int(f[1][2*a]) == j.ID {
				if f[2][a] != gainFixed || f[3][a] != biasAffine {
					faults = append(faults, fmt.Errorf("the actuator of joint %q is no <position> servo", name))
				}
				j.Actuator = a
			}
		}
		if j.Actuator < 0 {
			faults = append(faults, fmt.Errorf("joint %q has no <position> actuator", name))
		}
		s.Joints = append(s.Joints, j)
	}
	if n := len(s.Body.Joints); m.NU != n && len(faults) == 0 {
		faults = append(faults, fmt.Errorf("the model has %d actuators for %d joints of the description; legal: one each", m.NU, n))
	}
	return errors.Join(faults...)
}

// findFeet takes the feet from the anatomy and finds the floor that they stand on.
func (s *Scene) findFeet() error {
	f, err := ints(s.Model, "geom_type", "geom_bodyid", "geom_contype", "geom_conaffinity")
	if err != nil {
		return err
	}
	s.Floor = -1
	for g := range s.Model.NGeom {
		if f[0][g] == geomPlane && f[1][g] == 0 && (f[2][g] != 0 || f[3][g] != 0) {
			s.Floor = g
			break
		}
	}
	if s.Floor < 0 {
		return errors.New("the model has no colliding floor; a plane in the world body is needed")
	}
	s.Ground = append(s.Ground, s.Floor)
	an, err := s.Body.Humanoid()
	if err != nil {
		return err
	}
	for side := range an.Legs {
		l := &an.Legs[side]
		if len(l.SoleGeoms) == 0 {
			return fmt.Errorf("foot %q has no colliding geom to stand on", s.Body.Tree().Bodies[l.Foot].Name)
		}
		for _, own := range l.SoleGeoms {
			s.Ground = append(s.Ground, s.geomID[own])
		}
		s.Feet[side] = s.geomID[l.SoleGeoms[0]]
	}
	return nil
}

// ints fetches integer fields of the model.
func ints(m *mujoco.Model, names ...string) ([][]int32, error) {
	out := make([][]int32, len(names))
	for i, n := range names {
		v, err := m.IntField(n)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
