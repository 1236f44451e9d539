package busemu

import (
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// ForRobot describes the buses of robot d in its order, with one servo for each joint
// with the ids, signs and offsets of the description, as a person would have
// commissioned them: return delay 0, the bus's baud rate.
func ForRobot(d *robot.Description) ([]LineConfig, error) {
	var lines []LineConfig
	for _, b := range d.Buses {
		baud, ok := dxl.BaudFromRate(b.Baud)
		if !ok {
			return nil, fmt.Errorf("busemu: %s: bus %q: no servo knows %d bits/s; legal: 9600, 57600, 115200, 1000000, 2000000, 3000000, 4000000, 4500000", d.Name, b.Name, b.Baud)
		}
		c := LineConfig{Name: b.Name, WireBaud: b.Baud}
		for _, i := range d.JointsOn(b.Name) {
			j := &d.Joints[i]
			c.Servos = append(c.Servos, ServoConfig{
				ID: dxl.ID(j.ID), Joint: i, Sign: j.Sign, OffsetRad: j.OffsetRad, Type: d.ServoOf(i).Entry, Baud: baud,
			})
		}
		if d.IMU.Bus == b.Name {
			c.HubID, c.HubBaud = dxl.ID(d.IMU.ID), baud
		}
		lines = append(lines, c)
	}
	return lines, nil
}

// Observer turns the truth into a verdict: did the robot fall, by the rule of models/fall? A trunk that is held
// cannot fall.
type Observer struct {
	rule    fall.Rule
	truth   Truth
	started bool
	lastS   float64
	verdict record.Verdict
}

// Look takes in the state of the world; held says that the trunk is not on its own.
// The first look defines the standing height. It returns what it looked at.
func (o *Observer) Look(w *World, held bool) *Truth {
	w.Truth(&o.truth)
	t, v := &o.truth, &o.verdict
	if !o.started {
		o.started = true
		o.rule = fall.Of(t.TrunkHeightM)
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
	if !v.Fell && o.rule.Fallen(t.TrunkHeightM, t.TiltRad) {
		v.Fell, v.FellAtS = true, t.SimS
	}
	return t
}

// Verdict is what was seen so far; what the bus alone knows (torque, packets, lost
// time) is left to whoever serves it.
func (o *Observer) Verdict() record.Verdict { return o.verdict }

// Gantry decides when a robot hangs and when it stands, as a careful operator would:
// it is let go after all torque has been on for a while, and caught when any goes off.
type Gantry struct {
	After time.Duration // how long all torque must have been on
	since time.Duration
	loose bool
	armed bool
}

// Watch looks at the servos and holds or lets go of the trunk. It reports whether the
// trunk is held.
func (g *Gantry) Watch(w *World) (held bool) {
	switch all := w.AllTorque(); {
	case !all:
		if g.loose {
			w.Hold(true)
		}
		g.loose, g.armed = false, false
	case !g.armed:
		g.armed, g.since = true, w.Now()
	case !g.loose && w.Now()-g.since >= g.After:
		g.loose = true
		w.Hold(false)
	}
	return !g.loose
}
