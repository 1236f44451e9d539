//go:build mujoco && cgo

package mujoco

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Data is one simulation of a model. The slices view the engine's memory: they
// are written by Step and Forward, and are gone after Close.
type Data struct {
	Model *Model

	QPos, QVel             []float64 // NQ, NV; a free joint is position, wxyz; world linear, local angular velocity
	QAcc, QAccWarmstart    []float64 // NV
	Ctrl                   []float64 // NU
	QFrcApplied            []float64 // NV, generalised force from outside
	XFrcApplied            []float64 // NBody x 6, force then torque at the centre of mass, world
	XPos, XQuat, XMat      []float64 // NBody x 3, x 4, x 9
	XIPos, SubtreeCoM      []float64 // NBody x 3
	CVel                   []float64 // NBody x 6, rotation then translation about the tree's centre of mass
	SiteXPos, SiteXMat     []float64 // NSite x 3, x 9
	GeomXPos, GeomXMat     []float64 // NGeom x 3, x 9
	SensorData             []float64 // NSensorData
	ActuatorForce          []float64 // NU
	QFrcActuator, QFrcBias []float64 // NV
	QFrcPassive            []float64 // NV
	QFrcInverse            []float64 // NV, result of Inverse

	p        *C.mjData
	err      *C.char
	poisoned bool
}

// NewData makes a simulation at the model's default state.
func NewData(m *Model) (*Data, error) {
	msg := (*C.char)(C.calloc(1, C.MIT_ERR))
	p := C.mit_make_data(m.p, msg)
	if p == nil {
		defer C.free(unsafe.Pointer(msg))
		return nil, fmt.Errorf("mujoco: cannot make a simulation: %s", C.GoString(msg))
	}
	m.refs++
	d := &Data{Model: m, p: p, err: msg}
	view := func(at *C.mjtNum, n int) []float64 { return unsafe.Slice((*float64)(at), n) }
	d.QPos, d.QVel = view(p.qpos, m.NQ), view(p.qvel, m.NV)
	d.QAcc, d.QAccWarmstart = view(p.qacc, m.NV), view(p.qacc_warmstart, m.NV)
	d.Ctrl, d.QFrcApplied = view(p.ctrl, m.NU), view(p.qfrc_applied, m.NV)
	d.XFrcApplied = view(p.xfrc_applied, 6*m.NBody)
	d.XPos, d.XQuat, d.XMat = view(p.xpos, 3*m.NBody), view(p.xquat, 4*m.NBody), view(p.xmat, 9*m.NBody)
	d.XIPos, d.SubtreeCoM = view(p.xipos, 3*m.NBody), view(p.subtree_com, 3*m.NBody)
	d.CVel = view(p.cvel, 6*m.NBody)
	d.SiteXPos, d.SiteXMat = view(p.site_xpos, 3*m.NSite), view(p.site_xmat, 9*m.NSite)
	d.GeomXPos, d.GeomXMat = view(p.geom_xpos, 3*m.NGeom), view(p.geom_xmat, 9*m.NGeom)
	d.SensorData, d.ActuatorForce = view(p.sensordata, m.NSensorData), view(p.actuator_force, m.NU)
	d.QFrcActuator, d.QFrcBias = view(p.qfrc_actuator, m.NV), view(p.qfrc_bias, m.NV)
	d.QFrcPassive, d.QFrcInverse = view(p.qfrc_passive, m.NV), view(p.qfrc_inverse, m.NV)
	return d, nil
}

// Close frees the simulation.
func (d *Data) Close() {
	if d.p == nil {
		return
	}
	C.mj_deleteData(d.p)
	C.free(unsafe.Pointer(d.err))
	d.p, d.err = nil, nil
	d.Model.release()
}

// Pointer returns the mjData for another cgo package (sim/render).
func (d *Data) Pointer() unsafe.Pointer { return unsafe.Pointer(d.p) }

// TimeS returns the simulated time.
func (d *Data) TimeS() float64 { return float64(d.p.time) }

// SetTimeS sets the simulated time.
func (d *Data) SetTimeS(s float64) { d.p.time = C.mjtNum(s) }

// call turns a guarded call's result into an error. After an error the engine's
// internal stack mark is lost, so the data must be reset before its next use.
func (d *Data) call(what string, rc C.int) error {
	if rc == 0 {
		return nil
	}
	d.poisoned = true
	return fmt.Errorf("mujoco: cannot %s: %s; the simulation must be reset", what, C.GoString(d.err))
}

func (d *Data) usable(what string) error {
	if d.poisoned {
		return fmt.Errorf("mujoco: cannot %s: the engine raised an error before and the simulation was not reset", what)
	}
	return nil
}

// Step advances the simulation by n engine steps.
func (d *Data) Step(n int) error {
	if err := d.usable("step"); err != nil {
		return err
	}
	return d.call("step", C.mit_step(d.Model.p, d.p, C.int(n), d.err))
}

// Forward computes everything that follows from the state, without moving time.
func (d *Data) Forward() error {
	if err := d.usable("compute"); err != nil {
		return err
	}
	return d.call("compute", C.mit_forward(d.Model.p, d.p, d.err))
}

// Kinematics computes body, site and geom poses only (about 2 us).
func (d *Data) Kinematics() error {
	if err := d.usable("compute poses"); err != nil {
		return err
	}
	return d.call("compute poses", C.mit_kinematics(d.Model.p, d.p, d.err))
}

// Inverse computes QFrcInverse, the generalised force that explains QAcc.
func (d *Data) Inverse() error {
	if err := d.usable("compute inverse dynamics"); err != nil {
		return err
	}
	return d.call("compute inverse dynamics", C.mit_inverse(d.Model.p, d.p, d.err))
}

// TransitionFD linearises one engine step by finite differences of size eps:
// a is (2 NV x 2 NV) and b (2 NV x NU), row-major, of the tangent state
// (position difference, velocity). Models with activations are not supported.
func (d *Data) TransitionFD(a, b []float64, eps float64, centred bool) error {
	n := 2 * d.Model.NV
	if len(a) != n*n || len(b) != n*d.Model.NU {
		panic("mujoco: TransitionFD needs (2 NV)^2 and 2 NV x NU numbers")
	}
	if d.Model.p.na != 0 {
		return fmt.Errorf("mujoco: cannot linearise a model with %d actuator activations; legal: 0", int(d.Model.p.na))
	}
	if err := d.usable("linearise"); err != nil {
		return err
	}
	flag := C.int(0)
	if centred {
		flag = 1
	}
	var pb *C.double
	if len(b) > 0 {
		pb = (*C.double)(&b[0])
	}
	return d.call("linearise", C.mit_transition_fd(d.Model.p, d.p, C.double(eps), flag, (*C.double)(&a[0]), pb, d.err))
}

// Reset returns to keyframe key, or to the model's default state for key < 0,
// and clears warnings. It also makes a simulation usable again after an error.
func (d *Data) Reset(key int) error {
	if key >= d.Model.NKey {
		return fmt.Errorf("mujoco: keyframe %d of %d; legal: 0 to %d, or below 0 for the default state", key, d.Model.NKey, d.Model.NKey-1)
	}
	if key < 0 {
		C.mj_resetData(d.Model.p, d.p)
	} else {
		C.mj_resetDataKeyframe(d.Model.p, d.p, C.int(key))
	}
	d.poisoned = false
	return nil
}

// State copies the parts of the state named by spec into dst.
func (d *Data) State(dst []float64, spec StateSpec) {
	if len(dst) != d.Model.StateSize(spec) {
		panic("mujoco: State needs StateSize(spec) numbers")
	}
	C.mj_getState(d.Model.p, d.p, (*C.mjtNum)(&dst[0]), C.int(spec))
}

// SetState writes back what State copied out.
func (d *Data) SetState(src []float64, spec StateSpec) {
	if len(src) != d.Model.StateSize(spec) {
		panic("mujoco: SetState needs StateSize(spec) numbers")
	}
	C.mj_setState(d.Model.p, d.p, (*C.mjtNum)(&src[0]), C.int(spec))
}

// Contacts appends the contacts of the last step to dst.
func (d *Data) Contacts(dst []Contact) []Contact {
	n := int(d.p.ncon)
	if n == 0 {
		return dst
	}
	for i, c := range unsafe.Slice(d.p.contact, n) {
		o := Contact{Geom1: int(c.geom[0]), Geom2: int(c.geom[1]), DistM: float64(c.dist)}
		for k := range o.PosM {
			o.PosM[k] = float64(c.pos[k])
		}
		if c.efc_address >= 0 {
			o.NormalForceN = float64(C.mit_contact_force(d.Model.p, d.p, C.int(i)))
		}
		dst = append(dst, o)
	}
	return dst
}

// Warnings returns how often each warning was raised since the last Reset.
func (d *Data) Warnings() (w [NumWarnings]int) {
	for i := range w {
		w[i] = int(d.p.warning[i].number)
	}
	return w
}

// Field returns a live view of another float field of mjData by the engine's
// name. Fields of contacts and constraints move at every step and have none.
func (d *Data) Field(name string) ([]float64, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	n, kind := C.int(0), C.int(-1)
	p := C.mit_data_field(d.Model.p, d.p, c, &n, &kind)
	if kind != 0 {
		return nil, fmt.Errorf("mujoco: mjData has no float field %q; the names are those of mjdata.h", name)
	}
	return unsafe.Slice((*float64)(p), int(n)), nil
}
