// Package pace decides how much time a motion takes: where a joint would be too fast or a servo overloaded, that moment
// is slowed down, and only that.
//
// Rates says by how much each step between frames must be slower; Timing turns that into new moments of the person's
// motion at which to plan anew; Enforce slows a finished motion down, so that the speed limits hold whatever happened
// before. All functions are pure but for the feasible.Checker's scratch space: calls with the same one must not
// overlap. Rates are factors (2 = twice as slow), times s, speeds rad/s. Not here: how the motion looks at the new
// pace.
package pace

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// How the pace of the motion may change; tuned on kata20's demonstrations and clips of real people.
const (
	paceS      = 0.12 // to either side of a moment that must be slower
	joltS      = 0.04 // before the motion: jolts here come from its beginning
	enough     = 1    // frames: what more time would be won by is left to the finished motion
	leadHelp   = 0.8  // what remains of an excess after more time, if the time helped
	maxStretch = 2    // by which one pass may slow a moment down
	maxLeadS   = 3
)

// Timing says at which moments of the person's motion the robot's frames lie, and how long its leads are. It is a
// value.
type Timing struct {
	At    []float64  // by frame of the motion proper: the moment, in frames at the tempo asked for
	LeadS [2]float64 // lead-in and lead-out, at least
	leads [2]lead
}

// lead is what making the lead-in or lead-out longer has brought.
type lead struct {
	worst   float64 // rate before it was made longer last, 0 if it was not
	before  float64 // s
	settled bool
}

// Asked is the whole motion of n frames at the tempo asked for.
func Asked(n int) Timing {
	t := Timing{At: make([]float64, n), LeadS: [2]float64{plan.LeadS, plan.LeadS}}
	for k := range t.At {
		t.At[k] = float64(k)
	}
	return t
}

// Slower slows the moments down that have a rate above 1, of the steps of a plan made with this timing, and reports
// whether there were any.
func (x Timing) Slower(rates []float64, p *plan.Plan) (Timing, bool) {
	rate := append([]float64(nil), rates...)
	from, to := p.Lead[0], len(rate)+1-p.Lead[1]
	again := false
	for e, span := range [2][2]int{{0, from}, {to - 1, len(rate)}} {
		again = x.longer(e, rate[span[0]:span[1]]) || again
	}
	// The person may be in full motion where the clip begins or ends. That jolt does not go away with more time before
	// it; a slower beginning helps.
	for k := 1; k <= int(joltS*p.FPS); k++ {
		if t := from - k; t >= 0 {
			rate[from] = math.Max(rate[from], rate[t])
		}
		if t := to - 2 + k; t < len(rate) {
			rate[to-2] = math.Max(rate[to-2], rate[t])
		}
	}
	excess := 0.0
	for t := from; t < to-1; t++ {
		excess += math.Max(rate[t]-1, 0)
	}
	if excess < enough {
		return x, again
	}
	var at []float64
	for _, u := range slower(rate[from:to-1], p.FPS) {
		i := min(int(u), len(x.At)-2)
		at = append(at, x.At[i]+(x.At[i+1]-x.At[i])*(u-float64(i)))
	}
	x.At = at
	return x, true
}

// longer makes the lead-in (0) or lead-out (1) longer if its steps are too fast and reports whether it did. If the time
// before has not helped, that is taken back and it stays as it is.
func (x *Timing) longer(e int, rate []float64) bool {
	worst, excess := 0.0, 0.0
	for _, r := range rate {
		worst, excess = math.Max(worst, r), excess+math.Max(r-1, 0)
	}
	l := &x.leads[e]
	switch {
	case excess < enough || l.settled:
		return false
	case l.worst > 0 && worst-1 > leadHelp*(l.worst-1):
		x.LeadS[e], l.settled = l.before, true
		return true
	case x.LeadS[e] >= maxLeadS:
		return false
	}
	l.worst, l.before = worst, x.LeadS[e]
	x.LeadS[e] = math.Min(x.LeadS[e]*math.Min(worst*1.03, 1.5), maxLeadS)
	return true
}

// slower returns where, in old frames, the frames of a slowed-down sequence lie, so that no step has a rate above 1.
// rate holds what each step between old frames has. The pace changes smoothly around such steps, and only there.
func slower(rate []float64, fps float64) []float64 {
	n := len(rate)
	pace := smoothPace(rate, int(paceS*fps)+1)
	out := []float64{0}
	for u := 0.0; ; {
		i := int(u)
		u += 1 / math.Max(1, math.Max(pace[i], pace[min(i+1, n-1)]))
		if u >= float64(n)-1e-6 {
			return append(out, float64(n))
		}
		out = append(out, u)
	}
}

// smoothPace returns how many times slower each step shall be: at least its rate, and rising to that from reach steps
// away on either side.
func smoothPace(rate []float64, reach int) []float64 {
	n := len(rate)
	pace := make([]float64, n)
	for t := range pace {
		pace[t] = 1
		for k := max(0, t-reach); k <= min(n-1, t+reach); k++ {
			if rate[k] > 1 {
				near := curve.MinJerk(1 - math.Abs(float64(t-k))/float64(reach+1))
				pace[t] = math.Max(pace[t], 1+(math.Min(rate[k]*1.03, maxStretch)-1)*near)
			}
		}
	}
	var smooth curve.Gauss
	smooth.Smooth(pace, float64(reach)/6)
	for t := range pace {
		pace[t] = math.Max(pace[t], rate[t])
	}
	return pace
}

// Draft returns the rates of a draft: what the arms need (see policy/retarget/arms), the speeds of the other joints,
// and with a checker how slow the moments must be in which servos are overloaded.
func Draft(m physique.Motion, p *plan.Plan, armNeeds []float64, check *feasible.Checker) []float64 {
	out := append([]float64(nil), armNeeds...)
	raise(out, p.Robot, m.Q, p.FPS, p.Robot.IsArm)
	if check != nil {
		raiseForTorques(out, m, p, check)
	}
	return out
}
