package busemu

import (
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// ForRobot describes the bus of robot d, one servo for each joint in its order, with
// the ids, signs and offsets of the description, as a person would have commissioned
// them: return delay 0, the bus's baud rate.
func ForRobot(d *robot.Description, plant Plant) (LineConfig, error) {
	c := LineConfig{Plant: plant}
	if len(d.Buses) != 1 {
		return c, fmt.Errorf("busemu: %s has %d servo buses; one is emulated", d.Name, len(d.Buses))
	}
	baud, ok := dxl.BaudFromRate(d.Buses[0].Baud)
	if !ok {
		return c, fmt.Errorf("busemu: %s: no servo knows %d bits/s; legal: 9600, 57600, 115200, 1000000, 2000000, 3000000, 4000000, 4500000", d.Name, d.Buses[0].Baud)
	}
	for i, j := range d.Joints {
		c.Servos = append(c.Servos, ServoConfig{
			ID: dxl.ID(j.ID), Joint: i, Sign: j.Sign, OffsetRad: j.OffsetRad,
			Model: uint16(d.ServoOf(i).ModelNumber), Baud: baud,
		})
	}
	c.HubID, c.HubBaud = dxl.ID(d.IMU.ID), baud
	return c, nil
}

// Observer turns the truth into a verdict: did the robot fall? A trunk that is held
// cannot fall.
type Observer struct {
	standM  float64
	truth   Truth
	started bool
	lastS   float64
	verdict record.Verdict
}

const (
	// A trunk below this share of its standing height, or tilted further than this, has
	// fallen.
	fallenHeight = 0.5
	fallenTilt   = 1.0
)

// Look takes in the state of the world; held says that the trunk is not on its own.
// The first look defines the standing height. It returns what it looked at.
func (o *Observer) Look(l *Line, held bool) *Truth {
	l.Truth(&o.truth)
	t, v := &o.truth, &o.verdict
	if !o.started {
		o.started = true
		o.standM = t.TrunkHeightM
		v.StandHeightM, v.MinHeightM, o.lastS = t.TrunkHeightM, t.TrunkHeightM, t.SimS
	}
	dt := t.SimS - o.lastS
	o.lastS, v.SimS, v.TrunkHeightM, v.TiltRad = t.SimS, t.SimS, t.TrunkHeightM, t.TiltRad
	if held {
		return t
	}
	v.FreeS += dt
	v.MinHeightM = min(v.MinHeightM, t.TrunkHeightM)
	v.MaxTiltRad = max(v.MaxTiltRad, t.TiltRad)
	if !v.Fell && (t.TrunkHeightM < fallenHeight*o.standM || t.TiltRad > fallenTilt) {
		v.Fell, v.FellAtS = true, t.SimS
	}
	return t
}

// Verdict is what was seen so far; what the bus alone knows (torque, packets, lost
// time) is left to whoever serves it.
func (o *Observer) Verdict() record.Verdict { return o.verdict }

// AllTorque reports whether every servo is powered and has its torque on.
func (l *Line) AllTorque() bool { return len(l.servos) > 0 && l.TorqueOn() == len(l.servos) }

// Gantry decides when a robot hangs and when it stands, as a careful operator would:
// it is let go after all torque has been on for a while, and caught when any goes off.
type Gantry struct {
	After time.Duration // how long all torque must have been on
	since time.Duration
	loose bool
	armed bool
}

// Watch looks at the line and holds or lets go of the trunk. It reports whether the
// trunk is held.
func (g *Gantry) Watch(l *Line) (held bool) {
	switch all := l.AllTorque(); {
	case !all:
		if g.loose {
			l.Hold(true)
		}
		g.loose, g.armed = false, false
	case !g.armed:
		g.armed, g.since = true, l.Now()
	case !g.loose && l.Now()-g.since >= g.After:
		g.loose = true
		l.Hold(false)
	}
	return !g.loose
}
