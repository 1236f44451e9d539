// Package mujoco is the one place where the physics engine is called: a thin
// wrapper of MuJoCo 4.0's C library.
//
// A Model is a compiled MJCF scene, a Data one simulation of it, and a Batch
// many simulations of one model on the library's own threads. Fields of the
// engine's structures are handed out as slices that view its memory: reading a
// joint angle costs no cgo call, and the slices die with the object they came
// from. Vectors are world frame, metres, radians and seconds; quaternions are
// w, x, y, z as everywhere in MuJoCo.
//
// What is not here: what a robot is, servos, rewards, episodes (sim/worlds,
// sim/eval, sim/plant), and pictures (sim/render).
//
// Concurrency: a Model is read-only after load and may be shared once nobody
// edits its fields any more; a Data or a Batch belongs to one goroutine. The
// Batch uses its own threads inside a call and none between calls.
//
// The engine's errors come back as Go errors. Its default habits, writing
// MUJOCO_LOG.TXT into the working directory and ending the process, are
// switched off before the first call.
//
// Without the build tag mujoco every constructor returns ErrNotBuilt.
package mujoco

import (
	"errors"
	"fmt"
)

// ErrNotBuilt says that this program was built without the physics engine.
var ErrNotBuilt = errors.New("mujoco: this program was built without physics; rebuild with `-tags mujoco` (make build does)")

// Kind names a kind of element that has a name in the MJCF file (mjtObj).
type Kind int32

// The kinds this project looks up; the numbers are the engine's (mjtype.h).
const (
	Body     Kind = 1
	Joint    Kind = 3
	Geom     Kind = 5
	Site     Kind = 6
	Camera   Kind = 7
	Actuator Kind = 19
	Sensor   Kind = 20
	Keyframe Kind = 24
)

// String returns the MJCF word for the kind.
func (k Kind) String() string {
	switch k {
	case Body:
		return "body"
	case Joint:
		return "joint"
	case Geom:
		return "geom"
	case Site:
		return "site"
	case Camera:
		return "camera"
	case Actuator:
		return "actuator"
	case Sensor:
		return "sensor"
	case Keyframe:
		return "key"
	}
	return fmt.Sprintf("object kind %d", int32(k))
}

// StateSpec selects parts of a simulation's state (mjtState bits).
type StateSpec int32

// Parts of the state, and the two sets that matter: FullPhysics is what the
// physics needs, Integration adds controls, applied forces and the solver's
// warm start, without which a restored run differs in the last bits.
const (
	StateTime        StateSpec = 1 << 0
	StateQPos        StateSpec = 1 << 1
	StateQVel        StateSpec = 1 << 2
	StateWarmstart   StateSpec = 1 << 5
	StateCtrl        StateSpec = 1 << 6
	StateQFrcApplied StateSpec = 1 << 7
	StateXFrcApplied StateSpec = 1 << 8
	StateFullPhysics StateSpec = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<13 | 1<<14
	StateIntegration StateSpec = StateFullPhysics | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<11 | 1<<12
)

// Stage says how far a forward computation goes (mjtStage).
type Stage int32

// The stages, each including the ones before it.
const (
	StageNone Stage = iota
	StagePos
	StageVel
	StageAcc
)

// Warning indexes the engine's warning counters (mjtWarning). The Bad ones
// mean that a number was not finite and that the engine has reset the
// simulation by itself.
type Warning int

// The counters.
const (
	WarnInertia Warning = iota
	WarnContactFull
	WarnConstraintFull
	WarnBadQPos
	WarnBadQVel
	WarnBadQAcc
	WarnBadCtrl
	NumWarnings
)

// String names the counter in words a person can act on.
func (w Warning) String() string {
	switch w {
	case WarnInertia:
		return "nearly singular inertia matrix"
	case WarnContactFull:
		return "contact list full"
	case WarnConstraintFull:
		return "constraint list full"
	case WarnBadQPos:
		return "position not finite or huge"
	case WarnBadQVel:
		return "velocity not finite or huge"
	case WarnBadQAcc:
		return "acceleration not finite or huge"
	case WarnBadCtrl:
		return "control not finite"
	}
	return fmt.Sprintf("warning %d", int(w))
}

// Diverged reports whether the counter means that the state was thrown away.
func (w Warning) Diverged() bool { return w >= WarnBadQPos && w <= WarnBadCtrl }

// Cone is the shape of the friction cone (mjtCone).
type Cone int32

// A pyramid is cheaper and gives a contact less grip along its diagonals; an
// ellipse gives the same in all directions, as Coulomb's law has it.
const (
	Pyramidal Cone = 0
	Elliptic  Cone = 1
)

// Feature is a part of the engine that can be switched off (mjtDisableBit).
type Feature int32

// The features that cost time and that training can do without: the sensors of
// the MJCF, and the search for constraint islands, of which one robot has one.
const (
	Sensors Feature = 1 << 13
	Islands Feature = 1 << 18
)

// Sizes are the dimensions of a model.
type Sizes struct {
	NQ, NV, NU, NBody, NJnt, NGeom, NSite, NSensor, NSensorData, NKey int
}

// Contact is one contact point as the solver saw it.
type Contact struct {
	Geom1, Geom2 int        // geom ids; -1 for none
	DistM        float64    // distance between the surfaces, negative when they overlap
	PosM         [3]float64 // world
	NormalForceN float64    // 0 for a contact that carries nothing
}

// BatchConfig sizes a Batch.
type BatchConfig struct {
	Worlds  int
	Threads int // including the caller's; 0: one per logical CPU
}

// MaxFeet is the most feet a Period can watch.
const MaxFeet = 8
