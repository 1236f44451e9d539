// Package scene compiles a robot description for the physics engine and finds
// in the compiled model what simulation needs to know of a robot: where each
// joint of the canonical order lives, which body is the root, which geoms are
// the feet and the floor, and how the robot stands.
//
// Not here: anything that moves (sim/worlds, sim/plant, sim/eval). A Scene
// belongs to whoever made it; its model must not be edited once shared.
package scene

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/mitori-robotics/mitori/models/robot"
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
	Robot    *robot.Description
	Model    *mujoco.Model
	Joints   []Joint // canonical order
	RootBody int
	RootQPos int    // first of the seven position numbers of the root's free joint
	RootDof  int    // first of its six velocity numbers
	Feet     [2]int // geoms: left, right
	Floor    int    // geom
	StandKey int

	StandQPos []float64 // the standing keyframe
	StandRad  []float64 // its joint angles, canonical order
	MassKg    float64
}

// Compile loads the robot's model. timestepS 0 keeps the file's own.
func Compile(d *robot.Description, timestepS float64) (*Scene, error) {
	m, err := mujoco.LoadPhysics(d.Name+" scene", []byte(d.MJCF), nil)
	if err != nil {
		return nil, err
	}
	if timestepS > 0 {
		m.SetTimestepS(timestepS)
	}
	s := &Scene{Robot: d, Model: m}
	if err := s.find(); err != nil {
		m.Close()
		return nil, fmt.Errorf("scene: robot %s: %w", d.Name, err)
	}
	return s, nil
}

// Close frees the model.
func (s *Scene) Close() { s.Model.Close() }

func (s *Scene) find() error {
	m := s.Model
	steps := []func() error{s.findRoot, s.findJoints, s.findStand, s.findFeet}
	for _, f := range steps {
		if err := f(); err != nil {
			return err
		}
	}
	mass, err := m.Field("body_mass")
	if err != nil {
		return err
	}
	for _, v := range mass {
		s.MassKg += v
	}
	return nil
}

// Numbers of the engine's enumerations (mjtJoint, mjtTrn, mjtGain, mjtBias,
// mjtGeom) that the search below compares with.
const (
	jointFree  = 0
	jointHinge = 3
	trnJoint   = 0
	gainFixed  = 0
	biasAffine = 1
	geomPlane  = 0
)

func (s *Scene) findRoot() error {
	m := s.Model
	var err error
	if s.RootBody, err = m.ID(mujoco.Body, s.Robot.RootBody); err != nil {
		return err
	}
	f, err := ints(m, "body_jntadr", "body_jntnum", "jnt_type", "jnt_qposadr", "jnt_dofadr")
	if err != nil {
		return err
	}
	j := f[0][s.RootBody]
	if f[1][s.RootBody] != 1 || f[2][j] != jointFree {
		return fmt.Errorf("root body %q has no free joint; it needs exactly one", s.Robot.RootBody)
	}
	s.RootQPos, s.RootDof = int(f[3][j]), int(f[4][j])
	return nil
}

func (s *Scene) findJoints() error {
	m := s.Model
	f, err := ints(m, "jnt_type", "jnt_qposadr", "jnt_dofadr", "actuator_trntype", "actuator_trnid", "actuator_gaintype", "actuator_biastype")
	if err != nil {
		return err
	}
	var faults []error
	for i := range s.Robot.Joints {
		name := s.Robot.Joints[i].Name
		id, err := m.ID(mujoco.Joint, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if f[0][id] != jointHinge {
			faults = append(faults, fmt.Errorf("joint %q is not a hinge", name))
			continue
		}
		j := Joint{ID: id, QPos: int(f[1][id]), Dof: int(f[2][id]), Actuator: -1}
		for a := range m.NU {
			if f[3][a] == trnJoint && int(f[4][2*a]) == id {
				if f[5][a] != gainFixed || f[6][a] != biasAffine {
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
	if m.NU != len(s.Robot.Joints) && len(faults) == 0 {
		faults = append(faults, fmt.Errorf("the model has %d actuators for %d joints of the description; legal: one each", m.NU, len(s.Robot.Joints)))
	}
	return errors.Join(faults...)
}

func (s *Scene) findStand() error {
	m := s.Model
	var err error
	if s.StandKey, err = m.ID(mujoco.Keyframe, s.Robot.StandKeyframe); err != nil {
		return err
	}
	keys, err := m.Field("key_qpos")
	if err != nil {
		return err
	}
	s.StandQPos = append([]float64(nil), keys[s.StandKey*m.NQ:(s.StandKey+1)*m.NQ]...)
	for _, j := range s.Joints {
		s.StandRad = append(s.StandRad, s.StandQPos[j.QPos])
	}
	return nil
}

// findFeet takes for feet the two colliding geoms that are lowest in the
// standing pose, on different bodies, so that no robot has to name them.
func (s *Scene) findFeet() error {
	m := s.Model
	f, err := ints(m, "geom_type", "geom_bodyid", "geom_contype", "geom_conaffinity")
	if err != nil {
		return err
	}
	size, err := m.Field("geom_size")
	if err != nil {
		return err
	}
	d, err := mujoco.NewData(m)
	if err != nil {
		return err
	}
	defer d.Close()
	copy(d.QPos, s.StandQPos)
	if err := d.Kinematics(); err != nil {
		return err
	}
	s.Floor = -1
	type low struct {
		geom int
		z    float64
	}
	var geoms []low
	for g := range m.NGeom {
		if f[2][g] == 0 && f[3][g] == 0 {
			continue
		}
		if f[1][g] == 0 {
			if f[0][g] == geomPlane && s.Floor < 0 {
				s.Floor = g
			}
			continue
		}
		// Lowest corner of the box around the geom; exact for boxes, near enough to rank others.
		z := d.GeomXPos[3*g+2]
		for k := range 3 {
			z -= math.Abs(d.GeomXMat[9*g+6+k]) * size[3*g+k]
		}
		geoms = append(geoms, low{g, z})
	}
	if s.Floor < 0 {
		return errors.New("the model has no colliding floor; a plane in the world body is needed")
	}
	sort.SliceStable(geoms, func(a, b int) bool { return geoms[a].z < geoms[b].z })
	for i := 1; i < len(geoms); i++ {
		a, b := geoms[0].geom, geoms[i].geom
		if f[1][a] == f[1][b] {
			continue
		}
		if d.GeomXPos[3*a+1] < d.GeomXPos[3*b+1] {
			a, b = b, a
		}
		s.Feet = [2]int{a, b}
		return nil
	}
	return errors.New("the model has no two bodies with colliding geoms; two feet are needed")
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
