package selftest

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/trace"
)

// moment is one sample of a move.
type moment struct {
	goal, pos, cur float64 // of the joint that moves, before this tick's goal
	leg            int
	resting        bool
	dt             float64
	stale          bool // not yet mended
	missing        bool // it was not read, or came late
}

// seen is what was seen of one joint's move.
type seen struct {
	plan    Plan
	moments []moment
	lowRad  []float64 // of each joint
	highRad []float64
	lastNs  int64
	goal    float64 // of the tick before
	leg     int     // -1: it has not left its place
}

func newSeen(joints int, p Plan) *seen {
	s := &seen{plan: p, lowRad: make([]float64, joints), highRad: make([]float64, joints), goal: p.AtRad, leg: -1}
	for j := range joints {
		s.lowRad[j], s.highRad[j] = math.Inf(1), math.Inf(-1)
	}
	return s
}

// add takes in a sample of the move of joint j.
func (s *seen) add(x *trace.Sample, j int) {
	for k, q := range x.Robot.PosRad {
		if x.Robot.Fresh[k] {
			s.lowRad[k], s.highRad[k] = min(s.lowRad[k], q), max(s.highRad[k], q)
		}
	}
	dt := float64(x.MonoNs-s.lastNs) / 1e9
	if len(s.moments) == 0 {
		dt = 0
	}
	resting := s.track(s.goal)
	m := moment{goal: s.goal, pos: x.Robot.PosRad[j], cur: x.Robot.CurrentA[j], leg: s.leg, resting: resting, dt: dt}
	if n := len(s.moments); !x.Robot.Fresh[j] && n > 0 { // what did not come is taken to lie between its neighbours
		m.pos, m.cur, m.stale = s.moments[n-1].pos, s.moments[n-1].cur, true
	}
	m.missing = !x.Robot.Fresh[j] || x.Skipped > lateTicks
	s.moments = append(s.moments, m)
	s.mend()
	s.goal, s.lastNs = x.GoalRad[j], x.MonoNs
}

// lateTicks is how many skipped ticks make a sample one that came late.
const lateTicks = 1

// missing is the share of the move that was not seen.
func (s *seen) missing() float64 {
	n := 0
	for i := range s.moments {
		if s.moments[i].missing {
			n++
		}
	}
	return float64(n) / float64(max(len(s.moments), 1))
}

// nearRad is how near a goal is to a stop of the plan when it is there: goals are whole
// counts, and the plan is not.
const nearRad = 0.0025

// track follows the goal along the plan's legs and reports whether it rests at the end of
// one. A goal that stands still in between, since a tick was late, is no rest.
func (s *seen) track(goal float64) (resting bool) {
	stops := s.plan.stops()
	at := func(leg int) bool { return math.Abs(goal-stops[leg+1]) < nearRad }
	if s.leg < 0 && math.Abs(goal-stops[0]) < nearRad {
		return true
	}
	if s.leg >= 0 && at(s.leg) {
		return true
	}
	if n := len(s.moments); s.leg < 0 || n > 0 && s.moments[n-1].resting {
		for s.leg++; s.leg < legs-1 && math.Abs(stops[s.leg+1]-stops[s.leg]) < 2*nearRad; s.leg++ {
		}
		s.leg = min(s.leg, legs-1)
	}
	return at(s.leg)
}

// mend draws a line through the places that were missed before the latest moment.
func (s *seen) mend() {
	last := len(s.moments) - 1
	first := last
	for first > 0 && s.moments[first-1].stale {
		first--
	}
	if s.moments[last].stale || first == last || first == 0 {
		return
	}
	from, to, n := s.moments[first-1].pos, s.moments[last].pos, float64(last-first+1)
	for i := first; i < last; i++ {
		s.moments[i].pos, s.moments[i].stale = from+(to-from)*float64(i-first+1)/n, false
	}
}

// movedRad is how far joint k went to and fro.
func (s *seen) movedRad(k int) float64 { return max(0, s.highRad[k]-s.lowRad[k]) }

// atRest is how far behind its goal the joint was at the end of a leg, its place there and
// the current that it drew.
func (s *seen) atRest(leg int) (errRad, posRad, currentA float64, ok bool) {
	for i := len(s.moments) - 1; i >= 0; i-- {
		if m := &s.moments[i]; m.leg == leg && m.resting {
			return m.goal - m.pos, m.pos, m.cur, true
		}
	}
	return 0, 0, 0, false
}

// against is how well the joint went where it was told: 1 as told, -1 the other way.
func (s *seen) against() float64 {
	var sum, all float64
	for i := range s.moments {
		m := &s.moments[i]
		sum += (m.goal - s.plan.AtRad) * (m.pos - s.moments[0].pos)
		all += math.Abs((m.goal - s.plan.AtRad) * (m.pos - s.moments[0].pos))
	}
	if all == 0 {
		return 0
	}
	return sum / all
}

// lagRad is the mean distance between goal and place while the goal moves, and how much of
// it the servo's load explains.
func (s *seen) lagRad(servo Servo) (lag, load float64) {
	n := 0
	for i := range s.moments {
		if m := &s.moments[i]; !m.resting {
			lag, load, n = lag+math.Abs(m.goal-m.pos), load+math.Abs(m.cur), n+1
		}
	}
	return lag / float64(max(n, 1)), load / float64(max(n, 1)) * servo.NmPerA / servo.StiffNmPerRad
}

const (
	// noticedRad is how far a joint must have gone to be said to have moved.
	noticedRad = 0.006
	// lastRad is the end of a leg, in which a joint that is free moves with its goal.
	lastRad = 0.03
)

// stopped reports whether the joint stood still while its goal went the last part of a leg.
func (s *seen) stopped(leg int) bool {
	stops := s.plan.stops()
	way := math.Abs(stops[leg+1] - stops[leg])
	_, end, _, ok := s.atRest(leg)
	if !ok || way < 2*lastRad {
		return false
	}
	for i := range s.moments {
		if m := &s.moments[i]; m.leg == leg && math.Abs(stops[leg+1]-m.goal) <= lastRad {
			return math.Abs(end-m.pos) < lastRad/3
		}
	}
	return false
}

// lostRad is how far the motor turned in vain when the joint's direction changed: the play
// between it and the joint. How fast it turns follows from what its controller asks of it
// and from what it gives to the joint (its current): load, friction and inertia take their
// share of the error, and make no motor turn.
func (s *seen) lostRad(servo Servo) (lost float64) {
	for leg := 1; leg < legs; leg++ {
		_, from, _, ok := s.atRest(leg - 1)
		turned := 0.0
		for i := range s.moments {
			m := &s.moments[i]
			if !ok || m.leg != leg {
				continue
			}
			if m.missing { // nobody knows how this change of direction went
				break
			}
			speed := (servo.StiffNmPerRad*(m.goal-m.pos) - servo.NmPerA*m.cur) / servo.DampNmSPerRad
			turned += speed * m.dt
			if way := m.pos - from; math.Abs(way) >= noticedRad {
				lost = max(lost, math.Abs(turned)-math.Abs(way))
				break
			}
		}
	}
	return lost
}
