// Package selftest moves a robot's joints one after the other, a few degrees and slowly,
// and says which part is broken: dead, weak, loose, reversed, crossed, blocked or slipped,
// badly wired.
//
// A [Mover] is the controller that makes the moves: they pass the loop and its guard like
// every other command. A [Session] is the operator: it takes in the loop's samples, asks
// the loop for what comes next, and judges each joint by what was seen ([Verdict]). Both
// see joints and nothing of a bus.
//
// What cannot be told: a servo's encoder shows where its shaft is, so that a sign, an id or
// a gear behind the shaft that is wrong in both directions looks right from inside. A
// person who looks on can tell ([Session].Watch); without one, [Blind] says so.
//
// What is not here: running the loop, and people's terminals. A Mover belongs to the loop,
// but for Select; a Session belongs to one goroutine.
package selftest

import (
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/sensed"
)

const (
	stepRad    = 0.1  // to each side, 6 degrees
	speedRadPS = 0.3  // of the moves, rad/s
	marginRad  = 0.02 // to the ends of a range
	rest       = 400 * time.Millisecond
	legs       = 4 // up, down, up, back
	leastRad   = 0.05
)

// Plan is the move of one joint: from its place up, down, up and back, with a rest after
// each.
type Plan struct {
	AtRad          float64
	UpRad, DownRad float64 // how far to each side
}

// PlanFor plans the move of a joint that rests at atRad.
func PlanFor(l guard.Joint, atRad float64) Plan {
	return Plan{
		AtRad: atRad,
		UpRad: max(0, min(stepRad, l.MaxRad-marginRad-atRad)), DownRad: max(0, min(stepRad, atRad-l.MinRad-marginRad)),
	}
}

// SpanRad is the way between the two ends.
func (p *Plan) SpanRad() float64 { return p.UpRad + p.DownRad }

// stops are where the legs end.
func (p *Plan) stops() [legs + 1]float64 {
	up, down := p.AtRad+p.UpRad, p.AtRad-p.DownRad
	return [legs + 1]float64{p.AtRad, up, down, up, p.AtRad}
}

// at is where the joint is to be after a time; over says that the move has ended.
func (p *Plan) at(t time.Duration) (rad float64, leg int, resting, over bool) {
	stops := p.stops()
	for leg := range legs {
		way := stops[leg+1] - stops[leg]
		takes := time.Duration(math.Abs(way) / speedRadPS * float64(time.Second))
		if t < takes {
			return stops[leg] + math.Copysign(speedRadPS*t.Seconds(), way), leg, false, false
		}
		if t -= takes; t < rest {
			return stops[leg+1], leg, true, false
		}
		t -= rest
	}
	return p.AtRad, legs - 1, true, true
}

// Hang makes the pose in which the robot was found the one that it is armed in and settles
// to, as far as its range goes: a self-test moves nothing but the joint under test.
func Hang(cfg *loop.Config, foundRad []float64) {
	for j, l := range cfg.Limits {
		q := min(max(foundRad[j], l.MinRad), l.MaxRad)
		cfg.StandRad[j], cfg.SettleRad[j] = q, q
	}
}

// Mover is a loop.Controller that moves one selected joint for each time it is activated.
type Mover struct {
	period time.Duration // between two Acts
	limits []guard.Joint
	next   atomic.Int32 // joint

	holdRad []float64
	plan    Plan
	joint   int
	t       time.Duration
	moving  bool
	played  bool // this activation's move has been made
}

// NewMover returns the controller for joints with those limits that decides once a period.
func NewMover(limits []guard.Joint, period time.Duration) (*Mover, error) {
	if len(limits) == 0 || period <= 0 {
		return nil, errors.New("selftest: no joints, or no period")
	}
	return &Mover{period: period, limits: limits, holdRad: make([]float64, len(limits))}, nil
}

// Select says which joint is to move at the next activation. Any goroutine may.
func (m *Mover) Select(joint int) { m.next.Store(int32(joint)) }

// Enter implements loop.Controller.
func (m *Mover) Enter(holdRad []float64) {
	copy(m.holdRad, holdRad)
	m.moving, m.played = false, false
}

// Act implements loop.Controller.
func (m *Mover) Act(dst []float64, _ *sensed.Robot, play bool) (standing bool, err error) {
	copy(dst, m.holdRad)
	if !play {
		m.played = false
	}
	if play && !m.moving && !m.played {
		m.joint, m.t, m.moving, m.played = int(m.next.Load()), 0, true, true
		m.plan = PlanFor(m.limits[m.joint], m.holdRad[m.joint])
	}
	if m.moving {
		m.t += m.period
		var over bool
		dst[m.joint], _, _, over = m.plan.at(m.t)
		m.moving = !over
	}
	return !m.moving, nil
}

// Stop implements loop.Controller: the joint goes back at once, as fast as the guard lets it.
func (m *Mover) Stop() { m.moving = false }

// Phase implements loop.Controller.
func (m *Mover) Phase() float64 {
	if !m.moving {
		return 0
	}
	whole := time.Duration(4*m.plan.SpanRad()/speedRadPS*float64(time.Second)) + legs*rest
	return min(1, m.t.Seconds()/whole.Seconds())
}
