package soak

import (
	"math"
	"time"

	"github.com/mitori-robotics/mitori/sim/busemu"
)

// The witness stands between the servos and their physics: it sees every motor bridge
// and every joint at each step of the plant, whatever the product believes.

// joints is a set of joints, one bit each.
type joints uint32

const everyJoint = ^joints(0)

// moment is what the witness saw in one step of the plant.
type moment struct {
	at   time.Duration // on the plant's clock
	on   joints        // carry torque
	held joints        // of those, driven elsewhere than where they are
}

const (
	// maxStepRad is the largest commanded step: two degrees.
	maxStepRad = 2 * math.Pi / 180
	// dampedRad is how far from where it is a damped joint may be driven.
	dampedRad = 1.5 * math.Pi / 180
	// stepsPerTick is how many steps of the plant a command lasts.
	stepsPerTick = int(period / plantStep)
)

// jump is a command that went too far.
type jump struct {
	at    time.Duration
	joint int
	rad   float64
}

// witness is a plant that remembers.
type witness struct {
	busemu.Plant
	sense busemu.Sense
	now   time.Duration
	seen  []moment
	jumps []jump
	goals [stepsPerTick][]float64 // of the latest steps, a ring; where torque is off, where the joint was
	steps int
	moved time.Duration // when the goal of a joint with torque last changed
	// blind are joints whose angle the servo itself does not know: what it is told is judged
	// by what it could know.
	blind joints
}

func newWitness(p busemu.Plant, n int) *witness {
	w := &witness{Plant: p, sense: busemu.Sense{Joints: make([]busemu.Joint, n)}, seen: make([]moment, 0, 8192)}
	for i := range w.goals {
		w.goals[i] = make([]float64, n)
	}
	return w
}

// Advance implements busemu.Plant.
func (w *witness) Advance(steps int, drives []busemu.Drive) {
	w.Sense(&w.sense)
	m := moment{at: w.now}
	row, last := w.goals[w.steps%stepsPerTick], w.goals[(w.steps+stepsPerTick-1)%stepsPerTick]
	for j := range drives {
		d, q := &drives[j], w.sense.Joints[j].PosRad
		goal := q
		if d.On {
			goal = d.GoalRad
			m.on |= 1 << j
			if math.Abs(goal-q) > dampedRad {
				m.held |= 1 << j
			}
			w.compare(j, goal, q)
			if goal != last[j] {
				w.moved = w.now
			}
		}
		row[j] = goal
	}
	w.seen = append(w.seen, m)
	w.steps++
	w.Plant.Advance(steps, drives)
	w.now += time.Duration(steps) * w.Step()
}

// compare looks for a step. A command that leads towards where the joint is drives it
// less than the one before, and is none: what counts is how far it goes beyond both.
func (w *witness) compare(j int, goal, q float64) {
	if w.steps == 0 || w.blind>>j&1 == 1 {
		return
	}
	for _, ago := range []int{1, min(stepsPerTick, w.steps)} {
		was := w.goals[(w.steps-ago+stepsPerTick)%stepsPerTick][j]
		beyond := max(goal-max(was, q), min(was, q)-goal)
		if beyond > maxStepRad {
			w.jumps = append(w.jumps, jump{w.now, j, beyond})
			return
		}
	}
}

// firstOn is when torque first went on, at any joint.
func (w *witness) firstOn() (at time.Duration, ever bool) {
	for _, m := range w.seen {
		if m.on != 0 {
			return m.at, true
		}
	}
	return 0, false
}

// lastOn is when one of the joints last carried torque.
func (w *witness) lastOn(of joints) (at time.Duration, ever bool) {
	for i := len(w.seen) - 1; i >= 0; i-- {
		if m := &w.seen[i]; m.on&of != 0 {
			return m.at, true
		}
	}
	return 0, false
}

// lastHeld is when one of the joints was last driven elsewhere than where it was.
func (w *witness) lastHeld(of joints) (at time.Duration, ever bool) {
	for i := len(w.seen) - 1; i >= 0; i-- {
		if m := &w.seen[i]; m.held&of != 0 {
			return m.at, true
		}
	}
	return 0, false
}

// onAt says which joints carried torque at an instant.
func (w *witness) onAt(t time.Duration) joints {
	for i := len(w.seen) - 1; i >= 0; i-- {
		if w.seen[i].at <= t {
			return w.seen[i].on
		}
	}
	return 0
}

// again is when torque came back after all joints had been without, if it did.
func (w *witness) again(of joints) (at time.Duration, ever bool) {
	was, gone := joints(0), false
	for _, m := range w.seen {
		on := m.on & of
		gone = gone || was != 0 && on == 0
		if gone && on != 0 {
			return m.at, true
		}
		was = on
	}
	return 0, false
}
