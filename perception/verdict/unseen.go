package verdict

import (
	"sort"

	"github.com/mitori-robotics/mitori/models/human"
)

// pairs are the parts of both sides, in the order in which they are told.
var pairs = [...]struct {
	left, right       Part
	both, lone, other string
}{
	{LeftLeg, RightLeg, "legs", "left leg", "right leg"},
	{LeftFoot, RightFoot, "feet", "left foot", "right foot"},
	{LeftArm, RightArm, "arms", "left arm", "right arm"},
}

// unseen names what is hidden: the whole person, then both sides at once by the
// name of the pair, then one side. Feet that are hidden together with their legs
// are not told again.
func unseen(e *Evidence) []human.Unseen {
	out := []human.Unseen{}
	tell := func(part string, spans []Span) {
		for _, s := range spans {
			if s.LengthS() >= toldS {
				out = append(out, human.Unseen{Part: part, FromS: s.FromS, ToS: s.ToS})
			}
		}
	}
	for _, r := range e.Returns {
		tell("person", []Span{r.Span})
	}
	for _, p := range pairs {
		left, right := e.Hidden[p.left], e.Hidden[p.right]
		if p.left == LeftFoot {
			left, right = minus(left, e.Hidden[LeftLeg]), minus(right, e.Hidden[RightLeg])
		}
		both := overlap(left, right)
		tell(p.both, both)
		tell(p.lone, minus(left, both))
		tell(p.other, minus(right, both))
	}
	return out
}

// overlap is where both lists hold.
func overlap(a, b []Span) (out []Span) {
	for _, s := range a {
		for _, t := range b {
			if o := (Span{max(s.FromS, t.FromS), min(s.ToS, t.ToS)}); o.ToS > o.FromS {
				out = append(out, o)
			}
		}
	}
	sort.Slice(out, func(i, k int) bool { return out[i].FromS < out[k].FromS })
	return out
}

// minus is where a holds and b does not.
func minus(a, b []Span) (out []Span) {
	for _, s := range a {
		rest := []Span{s}
		for _, t := range b {
			var next []Span
			for _, r := range rest {
				if t.ToS <= r.FromS || t.FromS >= r.ToS {
					next = append(next, r)
					continue
				}
				if t.FromS > r.FromS {
					next = append(next, Span{r.FromS, t.FromS})
				}
				if t.ToS < r.ToS {
					next = append(next, Span{t.ToS, r.ToS})
				}
			}
			rest = next
		}
		out = append(out, rest...)
	}
	return out
}
