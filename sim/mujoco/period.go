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

// Period is the fast path of training and evaluation: one control period of
// every world in one call, with the actuators switching to their new target
// part way through, and what the reward and the metrics need gathered on the
// way. All slices are views of memory shared with the engine's threads.
type Period struct {
	SubSteps int // engine steps in a period

	// In, one row for each world.
	CtrlOld, CtrlNew []float64 // Worlds x NU: targets before and after the switch
	SwitchAt         []int32   // Worlds: first sub-step that sees CtrlNew; 0: all of them do

	// SpeedRadPerS holds two speeds for each world: full torque up to the first,
	// none from the second on, when the servo moves the way it pulls. 0: no limit.
	SpeedRadPerS []float64

	// Out, one row for each world.
	Poses          []float64 // Worlds x len(track) x 7: world position, wxyz, after the period
	FootForceN     []float64 // Worlds x len(feet): normal force, mean over the sub-steps
	FootSlideMPerS []float64 // Worlds x len(feet): sliding speed while loaded, mean over the sub-steps
	FootPosM       []float64 // Worlds x len(feet) x 3: centre of the sole after the period, world
	FootVelMPerS   []float64 // Worlds x len(feet) x 3: its velocity, world
	TorqueNm       []float64 // Worlds x NU: mean actuator torque
	TorqueSqNm2    []float64 // Worlds x NU: mean square of the actuator torque
	TorqueSat      []float64 // Worlds x NU: share of the sub-steps at the torque limit
	OtherContact   []int32   // Worlds: contacts not with a foot in the last sub-step

	b   *Batch
	c   *C.mit_period
	own []unsafe.Pointer
}

// NewPeriod prepares periods of sub engine steps. track are the body ids whose
// poses are wanted, feet the geom ids of the feet. A batch has one Period.
func (b *Batch) NewPeriod(sub int, track, feet []int) (*Period, error) {
	if sub < 1 {
		return nil, fmt.Errorf("mujoco: period of %d steps; legal: 1 and more", sub)
	}
	if len(feet) > MaxFeet {
		return nil, fmt.Errorf("mujoco: %d feet; legal: up to %d", len(feet), MaxFeet)
	}
	for _, id := range track {
		if id < 0 || id >= b.model.NBody {
			return nil, fmt.Errorf("mujoco: body id %d; legal: 0 to %d", id, b.model.NBody-1)
		}
	}
	for _, id := range feet {
		if id < 0 || id >= b.model.NGeom {
			return nil, fmt.Errorf("mujoco: geom id %d; legal: 0 to %d", id, b.model.NGeom-1)
		}
	}
	if b.period != nil {
		b.period.free()
	}
	p := &Period{SubSteps: sub, b: b}
	n, nu := b.Worlds, b.model.NU
	p.c = (*C.mit_period)(p.alloc(int(C.sizeof_mit_period)))
	p.c.nsub, p.c.nu = C.int(sub), C.int(nu)
	p.c.ntrack, p.c.nfoot = C.int(len(track)), C.int(len(feet))
	p.CtrlOld, p.c.ctrl_old = p.floats(n * nu)
	p.CtrlNew, p.c.ctrl_new = p.floats(n * nu)
	p.Poses, p.c.pose = p.floats(n * len(track) * 7)
	p.FootForceN, p.c.foot_force = p.floats(n * len(feet))
	p.FootSlideMPerS, p.c.foot_slide = p.floats(n * len(feet))
	p.FootPosM, p.c.foot_pos = p.floats(3 * n * len(feet))
	p.FootVelMPerS, p.c.foot_vel = p.floats(3 * n * len(feet))
	p.SpeedRadPerS, p.c.speed = p.floats(2 * n)
	p.TorqueNm, p.c.torque = p.floats(n * nu)
	p.TorqueSqNm2, p.c.torque_sq = p.floats(n * nu)
	p.TorqueSat, p.c.torque_sat = p.floats(n * nu)
	p.SwitchAt, p.c.switch_at = p.ints(n)
	p.OtherContact, p.c.other_contact = p.ints(n)
	var ids []int32
	ids, p.c.track = p.ints(len(track))
	for i, id := range track {
		ids[i] = int32(id)
	}
	ids, p.c.foot_geom = p.ints(len(feet))
	for i, id := range feet {
		ids[i] = int32(id)
	}
	b.period = p
	return p, nil
}

// alloc takes zeroed C memory that lives as long as the Period.
func (p *Period) alloc(bytes int) unsafe.Pointer {
	m := C.calloc(1, C.size_t(bytes+8))
	p.own = append(p.own, m)
	return m
}

func (p *Period) floats(n int) ([]float64, *C.double) {
	m := p.alloc(8 * n)
	return unsafe.Slice((*float64)(m), n), (*C.double)(m)
}

func (p *Period) ints(n int) ([]int32, *C.int) {
	m := p.alloc(4 * n)
	return unsafe.Slice((*int32)(m), n), (*C.int)(m)
}

func (p *Period) free() {
	for _, m := range p.own {
		C.free(m)
	}
	*p = Period{}
}

// Run advances worlds (nil: all) by one period.
func (p *Period) Run(worlds []int) error {
	ids, nid := p.b.ids(worlds)
	return p.b.result("run a period", C.mit_run_period(p.b.p, ids, nid, p.c))
}

// Refresh recomputes Poses, FootPosM and FootVelMPerS from the states, as after editing State.
func (p *Period) Refresh(worlds []int) error {
	ids, nid := p.b.ids(worlds)
	return p.b.result("compute poses", C.mit_refresh_poses(p.b.p, ids, nid, p.c))
}
