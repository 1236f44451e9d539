package observe

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
)

// Times and sizes that tell a step from noise, tuned on recordings of walking and stepping. Shorter than these a
// person neither stands nor swings a leg.
const (
	onAbove, offBelow = 0.6, 0.4 // hysteresis on the probability of contact
	shortestSwingS    = 0.16
	shortestStanceS   = 0.10
	overlapS          = 0.06
	smallestLift      = 0.025 // leg lengths
	smallestStep      = 0.06  // leg lengths
)

// contacts decides for every frame which feet the person stands on: at least one always, as a servo robot does not
// fly.
func (perf *Performance) contacts(ps []pose, fps float64) {
	n := len(ps)
	known := false
	for t := range ps {
		known = known || ps[t].contact[0] > onAbove || ps[t].contact[1] > onAbove
	}
	lift := func(t, s int) float64 {
		q := &ps[t].pos
		return (q[legJoints[s][2]][2] - q[legJoints[1-s][2]][2]) / perf.LegM
	}
	for s := 0; s < 2; s++ {
		on := true
		for t := 0; t < n; t++ {
			c := ps[t].contact[s]
			if !known { // the file says nothing: height decides
				c = 1 - curve.Clamp(lift(t, s)/(0.5*liftFromFloor), 0, 1)
			}
			switch {
			case perf.Intents[t].LegLost[s]: // nobody saw it leave the floor
				on = true
			case lift(t, s) > liftFromFloor, c < offBelow:
				on = false
			case c > onAbove:
				on = true
			}
			perf.Intents[t].On[s] = on
		}
	}
	last := 0
	for t := range perf.Intents {
		in := &perf.Intents[t]
		if in.On[0] != in.On[1] {
			last = 0
			if in.On[1] {
				last = 1
			}
		}
		if !in.On[0] && !in.On[1] {
			perf.Flight++
			// The foot that stood last stands on, unless the other is clearly lower.
			s := last
			if lift(t, s) > smallestLift {
				s = 1 - s
			}
			in.On[s], last = true, s
		}
	}
	for s := 0; s < 2; s++ {
		perf.dropRuns(s, true, int(shortestStanceS*fps), nil)
		perf.dropRuns(s, false, int(shortestSwingS*fps), nil)
		// A swing that neither lifts nor moves the foot is noise.
		perf.dropRuns(s, false, n, func(a, b int) bool {
			peak := 0.0
			for t := a; t < b; t++ {
				peak = math.Max(peak, lift(t, s))
			}
			if peak > smallestLift || a == 0 || b == n {
				return peak <= smallestLift
			}
			return ps[b].footMove(&ps[a-1], s) < smallestStep*perf.LegM
		})
	}
	for t := range perf.Intents {
		if in := &perf.Intents[t]; !in.On[0] && !in.On[1] {
			in.On[0], in.On[1] = lift(t, 0) <= 0, lift(t, 0) > 0
		}
	}
}

// OverlapFrames is how long both feet stand at least while the weight goes over.
func OverlapFrames(fps float64) int { return int(overlapS*fps) + 1 }

// overlap lets both feet stand for a moment wherever the weight goes straight from one to the other.
func (perf *Performance) overlap(frames int) {
	n := len(perf.Intents)
	was := make([][2]bool, n)
	for t := range was {
		was[t] = perf.Intents[t].On
	}
	for t := 0; t+1 < n; t++ {
		for s := range was[t] {
			if was[t][s] && !was[t+1][s] && !was[t][1-s] && was[t+1][1-s] {
				for k := 0; k < frames; k++ {
					perf.Intents[min(t+1+k, n-1)].On[s] = true
					perf.Intents[max(t-k, 0)].On[1-s] = true
				}
			}
		}
	}
}

// footMove returns how far the foot moved against the other one since pose q.
func (p *pose) footMove(q *pose, s int) float64 {
	l, o := legJoints[s][2], legJoints[1-s][2]
	d := p.pos[l].Sub(p.pos[o]).Sub(q.pos[l].Sub(q.pos[o]))
	return math.Hypot(d[0], d[1])
}

// dropRuns flips runs of the given state that are not longer than limit frames and for which drop, if given, agrees.
// Runs of standing survive where the other foot is in the air.
func (perf *Performance) dropRuns(s int, state bool, limit int, drop func(a, b int) bool) {
	n := len(perf.Intents)
	for a := 0; a < n; {
		b := a
		for b < n && perf.Intents[b].On[s] == perf.Intents[a].On[s] {
			b++
		}
		if perf.Intents[a].On[s] == state && b-a <= limit && (drop == nil || drop(a, b)) {
			other := true
			for t := a; t < b; t++ {
				other = other && perf.Intents[t].On[1-s]
			}
			if !state || other {
				for t := a; t < b; t++ {
					perf.Intents[t].On[s] = !state
				}
			}
		}
		a = b
	}
}
