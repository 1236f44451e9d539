package busemu

import (
	"errors"
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// World is one robot's physics, its clock, and the lines that its servos hang on. It
// belongs to one goroutine.
type World struct {
	Lines []*Line // in the order of the configurations
	// Untimed makes reboots and power-ups instant, for masters that do not let time
	// pass while they wait (lockstep).
	Untimed bool

	plant  Plant
	drives []Drive
	sense  Sense
	now    time.Duration // since the world was made, on the plant's clock
	owed   time.Duration // less than one plant step
	period time.Duration // of lockstep; see turn.go
	onPass func(w *World)
}

// NewWorld builds the lines of one robot around its plant. All servos are powered and
// have booted, unless a line says PowerOff.
func NewWorld(plant Plant, lines ...LineConfig) (*World, error) {
	if plant == nil || len(lines) == 0 {
		return nil, errors.New("busemu: a world needs a plant and at least one line")
	}
	joints := 0
	for _, c := range lines {
		for _, s := range c.Servos {
			if s.Joint < 0 || s.ID > dxl.MaxID || s.Sign != 1 && s.Sign != -1 {
				return nil, fmt.Errorf("busemu: servo %d: joint %d, sign %g; legal: id 0..%d, joint >= 0, sign +-1", s.ID, s.Joint, s.Sign, dxl.MaxID)
			}
			if s.Type.Protocol != servos.Dynamixel2 {
				return nil, fmt.Errorf("busemu: servo %d: type %q speaks %q; lines speak %s", s.ID, s.Type.Name, s.Type.Protocol, servos.Dynamixel2)
			}
			joints = max(joints, s.Joint+1)
		}
	}
	w := &World{plant: plant, drives: make([]Drive, joints), sense: Sense{Joints: make([]Joint, joints)}}
	plant.Sense(&w.sense)
	for _, c := range lines {
		w.Lines = append(w.Lines, newLine(w, c))
	}
	for _, l := range w.Lines {
		if l.hub != nil && l.hub.mem[dxl.HubServoPower] == 0 {
			w.power(false)
		}
	}
	w.measure(0)
	return w, nil
}

// Now is the world's clock: how much time the plant has lived.
func (w *World) Now() time.Duration { return w.now }

// Hold fixes the trunk (true) or lets go of it.
func (w *World) Hold(on bool) { w.plant.Hold(on) }

// Truth reports the state of the world.
func (w *World) Truth(dst *Truth) { w.plant.Truth(dst) }

// Inject adds a fault to the line that it names, to all if it names none; its times
// are on the world's clock.
func (w *World) Inject(f Fault) error {
	known := f.Bus == ""
	for _, l := range w.Lines {
		if f.Bus == "" || f.Bus == l.name {
			known = true
			l.Inject(f)
		}
	}
	if !known {
		return fmt.Errorf("busemu: fault on bus %q; legal: %s", f.Bus, w.names())
	}
	return nil
}

func (w *World) names() (s string) {
	for i, l := range w.Lines {
		if i > 0 {
			s += ", "
		}
		s += l.name
	}
	return s
}

// ClearFaults ends all faults of all lines.
func (w *World) ClearFaults() {
	for _, l := range w.Lines {
		l.faults = l.faults[:0]
	}
}

// TorqueOn counts the servos whose torque is on.
func (w *World) TorqueOn() int {
	n := 0
	for _, l := range w.Lines {
		for _, s := range l.servos {
			if s.powered && s.torqueOn() {
				n++
			}
		}
	}
	return n
}

// AllTorque reports whether every servo is powered and has its torque on.
func (w *World) AllTorque() bool {
	n := 0
	for _, l := range w.Lines {
		n += len(l.servos)
	}
	return n > 0 && w.TorqueOn() == n
}

// Advance lets d pass: whole plant steps, the rest is owed.
func (w *World) Advance(d time.Duration) {
	w.owed += d
	step := w.plant.Step()
	for w.owed >= step {
		w.owed -= step
		w.step(step)
	}
}

func (w *World) step(step time.Duration) {
	dt := step.Seconds()
	for _, l := range w.Lines {
		l.apply()
	}
	clear(w.drives)
	for _, l := range w.Lines {
		for _, s := range l.servos {
			s.watch(w.now, w.sense.Joints[s.cfg.Joint].PosRad)
			d := &w.drives[s.motor.joint]
			s.plan(d, dt)
			s.spoil(d)
		}
	}
	w.plant.Advance(1, w.drives)
	w.now += step
	w.plant.Sense(&w.sense)
	w.measure(dt)
}

// measure lets every device sense, and lose or regain its supply.
func (w *World) measure(dt float64) {
	fed := true
	for _, l := range w.Lines {
		fed = fed && (l.hub == nil || l.hub.mem[dxl.HubServoPower] == 1)
	}
	for _, l := range w.Lines {
		l.measure(dt, fed)
	}
}

func (w *World) boot() time.Duration {
	if w.Untimed {
		return 0
	}
	return bootTime
}

// power is a hub's switch: it feeds the servos of all lines.
func (w *World) power(on bool) {
	for _, l := range w.Lines {
		for _, s := range l.servos {
			if on && !s.powered {
				s.powerUp(w.now, w.boot(), w.sense.Joints[s.cfg.Joint].PosRad)
			} else if !on {
				s.powerDown()
			}
		}
	}
}
