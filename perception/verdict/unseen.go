package verdict

import (
	"cmp"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/sight"
)

// pair names a part of both sides, and of either.
type pair struct{ both, left, right string }

// unseen names what is hidden: the whole person, then both sides at once by the
// name of the pair, then one side. A foot is not told again with its leg.
func unseen(e *Evidence) []human.Unseen {
	out := []human.Unseen{}
	tell := func(part string, spans []sight.Span) {
		for _, s := range spans {
			if s.LengthS() >= toldS {
				out = append(out, human.Unseen{Part: part, FromS: s.FromS, ToS: s.ToS})
			}
		}
	}
	// above is what is told already.
	sides := func(p pair, left, right, aboveLeft, aboveRight []sight.Span) {
		both := overlap(left, right)
		tell(p.both, minus(both, overlap(aboveLeft, aboveRight)))
		tell(p.left, minus(minus(left, both), aboveLeft))
		tell(p.right, minus(minus(right, both), aboveRight))
	}
	for _, r := range e.Returns {
		tell("person", []sight.Span{r.Span})
	}
	h := &e.Hidden
	sides(pair{"legs", "left leg", "right leg"}, h[sight.LeftLeg], h[sight.RightLeg], nil, nil)
	sides(pair{"feet", "left foot", "right foot"}, e.feet(sight.LeftLeg, sight.LeftFoot), e.feet(sight.RightLeg, sight.RightFoot), h[sight.LeftLeg], h[sight.RightLeg])
	sides(pair{"arms", "left arm", "right arm"}, h[sight.LeftArm], h[sight.RightArm], nil, nil)
	tell("shoulders", overlap(h[sight.LeftShoulder], h[sight.RightShoulder]))
	return out
}

// feet is where a foot is hidden, with or without its leg.
func (e *Evidence) feet(leg, foot sight.Part) []sight.Span {
	all := append(slices.Clone(e.Hidden[leg]), e.Hidden[foot]...)
	slices.SortFunc(all, func(a, b sight.Span) int { return cmp.Compare(a.FromS, b.FromS) })
	var out []sight.Span
	for _, s := range all {
		if k := len(out) - 1; k >= 0 && s.FromS <= out[k].ToS {
			out[k].ToS = max(out[k].ToS, s.ToS)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// overlap is where both lists hold.
func overlap(a, b []sight.Span) (out []sight.Span) {
	for _, s := range a {
		for _, t := range b {
			if o := (sight.Span{FromS: max(s.FromS, t.FromS), ToS: min(s.ToS, t.ToS)}); o.ToS > o.FromS {
				out = append(out, o)
			}
		}
	}
	slices.SortFunc(out, func(s, t sight.Span) int { return cmp.Compare(s.FromS, t.FromS) })
	return out
}

// minus is where a holds and b does not.
func minus(a, b []sight.Span) (out []sight.Span) {
	for _, s := range a {
		rest := []sight.Span{s}
		for _, t := range b {
			var next []sight.Span
			for _, r := range rest {
				if t.ToS <= r.FromS || t.FromS >= r.ToS {
					next = append(next, r)
					continue
				}
				if t.FromS > r.FromS {
					next = append(next, sight.Span{FromS: r.FromS, ToS: t.FromS})
				}
				if t.ToS < r.ToS {
					next = append(next, sight.Span{FromS: t.ToS, ToS: r.ToS})
				}
			}
			rest = next
		}
		out = append(out, rest...)
	}
	return out
}
