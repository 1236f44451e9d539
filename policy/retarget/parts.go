package retarget

import (
	"context"
	"math"
	"sort"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/policy/feasible"
	"github.com/mitori-robotics/mitori/policy/retarget/likeness"
)

// How parts are looked for.
const (
	leastPartS = 1.5 // a shorter one is no motion
	partGapS   = 0.2 // kept from what is bad, to either side
	partTries  = 20  // retargetings, at most
	mostParts  = 3
)

// Part is a stretch of a person's motion, in seconds after its first frame, whole tenths.
type Part struct{ FromS, ToS float64 }

// Parts looks for the longest stretches of a motion that the robot can do by themselves: each was cut out, retargeted
// and judged, and neither the robot's servos and feet nor the likeness had an objection. None may be found. It ends
// early, with what it has, when the context does.
func (r *Retargeter) Parts(ctx context.Context, m *human.Motion, o Options) []Part {
	var good []Part
	todo := []Part{{0, math.Floor(10*m.Seconds()) / 10}}
	for try := 0; try < partTries && len(todo) > 0 && len(good) < mostParts && ctx.Err() == nil; try++ {
		sort.SliceStable(todo, func(i, j int) bool { return todo[i].seconds() > todo[j].seconds() })
		p := todo[0]
		todo = todo[1:]
		bad, ok := r.objections(m, p, o)
		if ok && len(bad) == 0 {
			good = append(good, p)
			continue
		}
		todo = append(todo, p.without(bad)...)
	}
	sort.Slice(good, func(i, j int) bool { return good[i].FromS < good[j].FromS })
	return good
}

func (p Part) seconds() float64 { return p.ToS - p.FromS }

// objections retargets a part and returns the stretches of the person's motion (s) that speak against it; ok is false
// where it cannot be judged, or is bad as a whole.
func (r *Retargeter) objections(m *human.Motion, p Part, o Options) (bad [][2]float64, ok bool) {
	cut, err := m.Part(p.FromS, p.ToS)
	if err != nil {
		return nil, false
	}
	clip, rep, err := r.Retarget(cut, o)
	if err != nil {
		return nil, false
	}
	v, err := r.check.Check(clip)
	if err != nil {
		return nil, false
	}
	bad = append(personSpans(clip, v), rep.Likeness.CutsS()...)
	for i := range bad {
		bad[i][0] += p.FromS
		bad[i][1] += p.FromS
	}
	fine := rep.Likeness.Verdict != likeness.Lost && v.Verdict != feasible.Infeasible
	return bad, fine || len(bad) > 0
}

// personSpans maps what makes a clip infeasible to the person's time.
func personSpans(c *motion.Clip, v *feasible.Verdict) (out [][2]float64) {
	at := func(s float64) float64 {
		return c.Meta.SourceS[max(0, min(int(math.Round(s*c.FPS)), len(c.Meta.SourceS)-1))]
	}
	for _, f := range v.Findings {
		for _, s := range f.SpansS {
			out = append(out, [2]float64{at(s[0]), at(s[1])})
		}
	}
	return out
}

// without returns what is left of a part, in pieces that are long enough.
func (p Part) without(bad [][2]float64) (out []Part) {
	sort.Slice(bad, func(i, j int) bool { return bad[i][0] < bad[j][0] })
	from := p.FromS
	add := func(to float64) {
		piece := Part{math.Max(0, math.Ceil(10*from-1e-6)/10), math.Floor(10*to+1e-6) / 10}
		if piece.seconds() >= leastPartS {
			out = append(out, piece)
		}
	}
	for _, b := range bad {
		add(math.Min(b[0]-partGapS, p.ToS))
		from = math.Max(from, b[1]+partGapS)
	}
	add(p.ToS)
	return out
}
