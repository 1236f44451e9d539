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

// Batch is many simulations ("worlds") of one model, stepped on the engine's
// own threads. Results are bit-identical for any number of threads.
//
// All slices are live views of the engine's memory, one row for each world.
type Batch struct {
	Worlds, Threads int
	NState          int       // numbers in a state row
	State           []float64 // Worlds x NState, in the order of StateIntegration

	model    Sizes
	p        *C.mjBatch
	warnings []C.mjWarningStat
	status   []C.int
	scratch  []C.int
	period   *Period
}

// NewBatch makes worlds at the model's default state. The batch keeps its own
// copy of the model.
func NewBatch(m *Model, c BatchConfig) (*Batch, error) {
	if c.Worlds < 1 {
		return nil, fmt.Errorf("mujoco: batch of %d worlds; legal: 1 and more", c.Worlds)
	}
	msg := (*C.char)(C.calloc(1, C.MIT_ERR))
	defer C.free(unsafe.Pointer(msg))
	p := C.mit_make_batch(m.p, C.int(c.Worlds), C.int(c.Threads), msg)
	if p == nil {
		return nil, fmt.Errorf("mujoco: cannot make a batch of %d worlds: %s", c.Worlds, C.GoString(msg))
	}
	b := &Batch{Worlds: c.Worlds, Threads: int(C.mjb_nthread(p)), NState: int(C.mjb_nstate(p)), model: m.Sizes, p: p}
	b.State = unsafe.Slice((*float64)(C.mjb_state(p)), b.Worlds*b.NState)
	b.warnings = unsafe.Slice(C.mjb_warning(p), b.Worlds*int(NumWarnings))
	b.status = unsafe.Slice((*C.int)(unsafe.Pointer(C.mjb_status(p))), b.Worlds)
	return b, nil
}

// Close frees the batch and ends its threads.
func (b *Batch) Close() {
	if b.p == nil {
		return
	}
	C.mjb_deleteBatch(b.p)
	if b.period != nil {
		b.period.free()
	}
	b.p, b.State = nil, nil
}

// Component returns where one part of the state lies in a row: State[w*NState +
// offset] and the size-1 numbers after it.
func (b *Batch) Component(bit StateSpec) (offset, size int, err error) {
	var n C.int
	p := C.mjb_stateComponent(b.p, C.int(bit), &n)
	if p == nil {
		return 0, 0, fmt.Errorf("mujoco: state has no single part %#x; legal: one bit of StateIntegration", int32(bit))
	}
	off := (uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(&b.State[0]))) / unsafe.Sizeof(float64(0))
	return int(off), int(n), nil
}

// ids hands the worlds to C; nil means all of them.
func (b *Batch) ids(worlds []int) (*C.int, C.int) {
	if worlds == nil {
		return nil, C.int(b.Worlds)
	}
	b.scratch = b.scratch[:0]
	for _, w := range worlds {
		if w < 0 || w >= b.Worlds {
			panic("mujoco: world index outside the batch")
		}
		b.scratch = append(b.scratch, C.int(w))
	}
	if len(worlds) == 0 {
		b.scratch = append(b.scratch, 0)[:1]
		return &b.scratch[0], 0
	}
	return &b.scratch[0], C.int(len(worlds))
}

// result names the first world that failed, if any did. An error is one that
// the engine raised; a state that stopped being finite is a warning instead.
func (b *Batch) result(what string, failed C.int) error {
	if failed == 0 {
		return nil
	}
	for w, s := range b.status {
		if s != 0 {
			return fmt.Errorf("mujoco: cannot %s: world %d of %d (%d failed): %s", what, w, b.Worlds, int(failed), b.Err(w))
		}
	}
	return fmt.Errorf("mujoco: cannot %s: %d of %d worlds failed", what, int(failed), b.Worlds)
}

// Err returns the message of the world's last call, "" when it went well.
func (b *Batch) Err(world int) string { return C.GoString(C.mjb_error(b.p, C.int(world))) }

// Failed reports whether the world's last call raised an error.
func (b *Batch) Failed(world int) bool { return b.status[world] != 0 }

// Step advances worlds (nil: all) by n engine steps, then computes up to stage.
func (b *Batch) Step(worlds []int, n int, stage Stage) error {
	ids, nid := b.ids(worlds)
	return b.result("step", C.mjb_step(b.p, ids, nid, C.int(n), C.int(stage)))
}

// Forward computes up to stage without moving time.
func (b *Batch) Forward(worlds []int, stage Stage) error {
	ids, nid := b.ids(worlds)
	return b.result("compute", C.mjb_forward(b.p, ids, nid, C.int(stage)))
}

// Reset returns worlds to keyframe key, or to the default state for key < 0.
func (b *Batch) Reset(worlds []int, key int, stage Stage) error {
	ids, nid := b.ids(worlds)
	if nid == 0 {
		return nil
	}
	// One entry for each world of the batch serves both readings of "per
	// simulation": by position in the list and by world.
	keys := make([]C.int, b.Worlds)
	for i := range keys {
		keys[i] = C.int(key)
	}
	return b.result("reset", C.mjb_reset(b.p, ids, nid, &keys[0], C.int(stage)))
}

// Warnings returns how often each warning was raised in a world.
func (b *Batch) Warnings(world int) (w [NumWarnings]int) {
	for i := range w {
		w[i] = int(b.warnings[world*int(NumWarnings)+i].number)
	}
	return w
}

// ClearWarnings sets the counters of a world to zero.
func (b *Batch) ClearWarnings(world int) {
	for i := range int(NumWarnings) {
		b.warnings[world*int(NumWarnings)+i] = C.mjWarningStat{}
	}
}

// Diverged reports whether a world's numbers stopped being finite since its
// warnings were cleared. The engine has then put it back to the default state.
func (b *Batch) Diverged(world int) bool {
	row := b.warnings[world*int(NumWarnings):]
	for w := WarnBadQPos; w <= WarnBadCtrl; w++ {
		if row[w].number != 0 {
			return true
		}
	}
	return false
}

// Output has a float field of mjData copied out after every call, and returns
// its storage (Worlds x size).
func (b *Batch) Output(name string) (values []float64, size int, err error) {
	return b.storage(name, "mjData", func(c *C.char, n, e *C.int) unsafe.Pointer { return C.mjb_output(b.p, c, n, e) })
}

// Expand gives every world its own values of a float field of mjModel, and
// returns their storage (Worlds x size), filled with the model's values. This
// is how dynamics are randomised. Call SetConst after masses or inertias.
func (b *Batch) Expand(name string) (values []float64, size int, err error) {
	return b.storage(name, "mjModel", func(c *C.char, n, e *C.int) unsafe.Pointer { return C.mjb_expand(b.p, c, n, e) })
}

func (b *Batch) storage(name, owner string, get func(*C.char, *C.int, *C.int) unsafe.Pointer) ([]float64, int, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var n, elem C.int
	p := get(c, &n, &elem)
	if p == nil || n == 0 {
		return nil, 0, fmt.Errorf("mujoco: the batch has no field %q of %s", name, owner)
	}
	if elem != 8 {
		return nil, 0, fmt.Errorf("mujoco: field %q of %s has elements of %d bytes; legal: float64", name, owner, int(elem))
	}
	return unsafe.Slice((*float64)(p), b.Worlds*int(n)), int(n), nil
}

// SetConst recomputes the derived constants of worlds (0.1 to 0.2 ms each).
func (b *Batch) SetConst(worlds []int) error {
	ids, nid := b.ids(worlds)
	return b.result("derive constants", C.mjb_setConst(b.p, ids, nid))
}

// Rollout advances worlds by n engine steps, with the controls of every step
// given (for each world of the list n x NU), and records the FullPhysics state
// after each step (for each world n x StateSize). states may be nil.
func (b *Batch) Rollout(worlds []int, n int, ctrl, states []float64) error {
	ids, nid := b.ids(worlds)
	if len(ctrl) != int(nid)*n*b.model.NU {
		panic("mujoco: Rollout needs worlds x n x NU controls")
	}
	buf := func(s []float64) unsafe.Pointer {
		if len(s) == 0 {
			return nil
		}
		return C.malloc(C.size_t(8 * len(s)))
	}
	cbuf, sbuf := buf(ctrl), buf(states)
	defer C.free(cbuf)
	defer C.free(sbuf)
	if cbuf != nil {
		copy(unsafe.Slice((*float64)(cbuf), len(ctrl)), ctrl)
	}
	rec := (*C.mjBatchRecord)(C.calloc(1, C.sizeof_mjBatchRecord))
	defer C.free(unsafe.Pointer(rec))
	nrec := C.int(0)
	if states != nil {
		if want := int(nid) * n * int(C.mj_stateSize(C.mjb_model(b.p), C.int(StateFullPhysics))); len(states) != want {
			panic("mujoco: Rollout needs worlds x n x StateSize(StateFullPhysics) numbers for states")
		}
		rec.spec, rec.buf, nrec = C.int(StateFullPhysics), sbuf, 1
	}
	err := b.result("roll out", C.mjb_rollout(b.p, ids, nid, C.int(n), (*C.mjtNum)(cbuf), C.int(StateCtrl), rec, nrec))
	if states != nil {
		copy(states, unsafe.Slice((*float64)(sbuf), len(states)))
	}
	return err
}
