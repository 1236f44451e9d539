package busemu

import (
	"math"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// motor is what is broken between a servo's controller, its motor and its encoder.
type motor struct {
	joint    int     // that it moves
	dead     bool    // no current
	reversed bool    // the wrong way round
	weak     float64 // share of its strength that is lost
	playRad  float64 // between motor and encoder
}

// whole reports that nothing is broken.
func (m *motor) whole(own int) bool {
	return m.joint == own && !m.dead && !m.reversed && m.weak == 0 && m.playRad == 0
}

// breakMotors makes a fault of motors true.
func (l *Line) breakMotors(f *Fault) {
	for _, s := range l.servos {
		mine := s.id() == f.ID || f.ID == 0
		switch m := &s.motor; {
		case f.Kind == FaultDead && mine:
			m.dead = true
		case f.Kind == FaultReversed && mine:
			m.reversed = true
		case f.Kind == FaultWeak && mine:
			m.weak = 1 - f.V/100
		case f.Kind == FaultLoose && mine:
			m.playRad = f.V * math.Pi / 180
		case f.Kind == FaultCrossed && s.id() == f.ID:
			m.joint = l.jointOf(dxl.ID(f.V), m.joint)
		case f.Kind == FaultCrossed && s.id() == dxl.ID(f.V):
			m.joint = l.jointOf(f.ID, m.joint)
		}
	}
}

// jointOf is the joint of the servo of that id, otherwise where there is none.
func (l *Line) jointOf(id dxl.ID, otherwise int) int {
	for _, s := range l.servos {
		if s.id() == id {
			return s.cfg.Joint
		}
	}
	return otherwise
}

// spoil changes what the bridge does where something is broken. A controller that does not
// see what its motor does works on what it sees, within a step as if that stood still.
func (s *Servo) spoil(d *Drive) {
	m := &s.motor
	if m.whole(s.cfg.Joint) || !d.On {
		return
	}
	if m.dead {
		*d = Drive{}
		return
	}
	left := 1 - m.weak
	d.MaxDuty *= left
	d.DutyPerRad, d.DutyPerRadPerS, d.Duty = d.DutyPerRad*left, d.DutyPerRadPerS*left, d.Duty*left
	if m.joint == s.cfg.Joint && !m.reversed && m.playRad == 0 {
		return
	}
	d.Duty += d.DutyPerRad * (d.GoalRad - s.jointRad(s.seenRad))
	d.DutyPerRad, d.DutyPerRadPerS = 0, 0
	if m.reversed {
		d.Duty = -d.Duty
	}
}

// felt is the angle that the encoder shows where there is play before it.
func (m *motor) felt(angle, shown float64) float64 {
	if m.playRad == 0 {
		return angle
	}
	return max(angle-m.playRad/2, min(angle+m.playRad/2, shown))
}
