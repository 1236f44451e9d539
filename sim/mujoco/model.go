//go:build mujoco && cgo

package mujoco

/*
#cgo CFLAGS: -O2 -I${SRCDIR}/../../.deps/mujoco/include
#cgo LDFLAGS: -L${SRCDIR}/../../.deps/mujoco/lib -lmujoco -Wl,-rpath,${SRCDIR}/../../.deps/mujoco/lib -Wl,-rpath,$ORIGIN/../.deps/mujoco/lib -lpthread
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unsafe"
)

// Model is a compiled scene.
type Model struct {
	Sizes
	p *C.mjModel
	// refs counts the Data made from the model, so that Close cannot pull the
	// memory away from under them.
	refs int
	dead bool
}

// Version returns the version of the library that is linked.
func Version() string { return C.GoString(C.mj_versionString()) }

// Load compiles an MJCF scene held in memory. name is used in messages; assets
// holds further files that the scene names, by the name used there, or nil.
func Load(name string, xml []byte, assets map[string][]byte) (*Model, error) {
	return load(name, xml, assets, 0)
}

// LoadPhysics is Load without the geoms that no force depends on: the motion is
// the same and a step costs a tenth less. Geom numbers differ from Load's.
func LoadPhysics(name string, xml []byte, assets map[string][]byte) (*Model, error) {
	return load(name, xml, assets, 1)
}

func load(name string, xml []byte, assets map[string][]byte, physicsOnly C.int) (*Model, error) {
	if lib := int(C.mj_version()); lib != C.mjVERSION_HEADER {
		return nil, fmt.Errorf("mujoco: library version %d, but this program was compiled for %d; run `make deps` and rebuild", lib, C.mjVERSION_HEADER)
	}
	if len(xml) == 0 {
		return nil, fmt.Errorf("mujoco: %s is empty; an MJCF document is needed", name)
	}
	files := make([]string, 0, len(assets))
	for f := range assets {
		files = append(files, f)
	}
	sort.Strings(files)
	n := len(files)
	names := (*[1 << 20]*C.char)(C.calloc(C.size_t(n+1), C.size_t(unsafe.Sizeof(uintptr(0)))))
	data := (*[1 << 20]unsafe.Pointer)(C.calloc(C.size_t(n+1), C.size_t(unsafe.Sizeof(uintptr(0)))))
	sizes := (*[1 << 20]C.int)(C.calloc(C.size_t(n+1), C.sizeof_int))
	cname, cxml := C.CString(name), C.CBytes(xml)
	msg := (*C.char)(C.calloc(1, C.MIT_ERR))
	defer func() {
		for i := range n {
			C.free(unsafe.Pointer(names[i]))
			C.free(data[i])
		}
		for _, p := range []unsafe.Pointer{unsafe.Pointer(names), unsafe.Pointer(data), unsafe.Pointer(sizes), unsafe.Pointer(cname), cxml, unsafe.Pointer(msg)} {
			C.free(p)
		}
	}()
	for i, f := range files {
		names[i], data[i], sizes[i] = C.CString(f), C.CBytes(assets[f]), C.int(len(assets[f]))
	}
	p := C.mit_load(cname, cxml, C.int(len(xml)), C.int(n), &names[0], &data[0], &sizes[0], physicsOnly, msg)
	if p == nil {
		return nil, fmt.Errorf("mujoco: %s: %s", name, strings.TrimSpace(C.GoString(msg)))
	}
	return wrapModel(p), nil
}

func wrapModel(p *C.mjModel) *Model {
	return &Model{p: p, Sizes: Sizes{
		NQ: int(p.nq), NV: int(p.nv), NU: int(p.nu), NBody: int(p.nbody), NJnt: int(p.njnt), NGeom: int(p.ngeom),
		NSite: int(p.nsite), NSensor: int(p.nsensor), NSensorData: int(p.nsensordata), NKey: int(p.nkey),
	}}
}

// Close frees the model, once the last Data made from it is closed.
func (m *Model) Close() {
	m.dead = true
	if m.refs == 0 && m.p != nil {
		C.mj_deleteModel(m.p)
		m.p = nil
	}
}

func (m *Model) release() {
	m.refs--
	if m.dead {
		m.Close()
	}
}

// Pointer returns the mjModel for another cgo package (sim/render).
func (m *Model) Pointer() unsafe.Pointer { return unsafe.Pointer(m.p) }

// ID returns the index of a named element.
func (m *Model) ID(kind Kind, name string) (int, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	id := int(C.mj_name2id(m.p, C.int(kind), c))
	if id < 0 {
		return 0, fmt.Errorf("mujoco: the model has no %s named %q; it has %s", kind, name, m.list(kind))
	}
	return id, nil
}

// list names the elements of a kind, for messages.
func (m *Model) list(kind Kind) string {
	var b bytes.Buffer
	for id := 0; id < 64; id++ {
		c := C.mj_id2name(m.p, C.int(kind), C.int(id))
		if c == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(C.GoString(c))
	}
	if b.Len() == 0 {
		return "none"
	}
	return b.String()
}

// Name returns the name of an element, "" for one without.
func (m *Model) Name(kind Kind, id int) string {
	c := C.mj_id2name(m.p, C.int(kind), C.int(id))
	if c == nil {
		return ""
	}
	return C.GoString(c)
}

// Field returns a live view of a float field of mjModel by the engine's name,
// such as "body_mass" (NBody values) or "actuator_gainprm". Edit only before
// the model is shared, and call SetConst after masses or inertias.
func (m *Model) Field(name string) ([]float64, error) {
	p, n, err := m.field(name, 0)
	if err != nil || n == 0 {
		return nil, err
	}
	return unsafe.Slice((*float64)(p), n), nil
}

// IntField is Field for the integer fields, such as "jnt_qposadr".
func (m *Model) IntField(name string) ([]int32, error) {
	p, n, err := m.field(name, 1)
	if err != nil || n == 0 {
		return nil, err
	}
	return unsafe.Slice((*int32)(p), n), nil
}

// BoolField is Field for the fields of yes and no, such as "jnt_limited".
func (m *Model) BoolField(name string) ([]bool, error) {
	p, n, err := m.field(name, 2)
	if err != nil || n == 0 {
		return nil, err
	}
	return unsafe.Slice((*bool)(p), n), nil
}

func (m *Model) field(name string, want C.int) (unsafe.Pointer, int, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	n, kind := C.int(0), C.int(-1)
	p := C.mit_model_field(m.p, c, &n, &kind)
	if kind < 0 {
		return nil, 0, fmt.Errorf("mujoco: mjModel has no field %q of floats, integers or booleans; the names are those of mjmodel.h", name)
	}
	if kind != want {
		return nil, 0, fmt.Errorf("mujoco: field %q of mjModel has another type; use Field for floats, IntField for integers, BoolField for booleans", name)
	}
	return p, int(n), nil
}

// TimestepS returns the length of one engine step.
func (m *Model) TimestepS() float64 { return float64(m.p.opt.timestep) }

// SetTimestepS changes the length of one engine step.
func (m *Model) SetTimestepS(s float64) { m.p.opt.timestep = C.mjtNum(s) }

// SetSolver bounds the work of the contact solver; 0 leaves a value as it is.
func (m *Model) SetSolver(iterations, lineSearch int) {
	if iterations > 0 {
		m.p.opt.iterations = C.int(iterations)
	}
	if lineSearch > 0 {
		m.p.opt.ls_iterations = C.int(lineSearch)
	}
}

// SetCone chooses the shape of the friction cone, whatever the file says.
func (m *Model) SetCone(c Cone) { m.p.opt.cone = C.int(c) }

// Disable switches features off; the motion changes by rounding at most.
func (m *Model) Disable(f Feature) { m.p.opt.disableflags |= C.int(f) }

// SetConst recomputes the derived constants after an edit of masses or
// inertias. Works on a scratch Data, so no state is lost.
func (m *Model) SetConst() error {
	d, err := NewData(m)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.call("derive constants", C.mit_set_const(m.p, d.p, d.err))
}

// StateSize returns how many numbers spec holds for this model.
func (m *Model) StateSize(spec StateSpec) int { return int(C.mj_stateSize(m.p, C.int(spec))) }
