package plan

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
)

// A foot this near to where the standing robot has it goes there with its last step, without one of its own.
const (
	closeLegs = 0.08 // of the leg
	closeRad  = 0.2
)

// leadSteps joins the first and last stances with quiet standing, by a step where the feet stand elsewhere.
func (pl *planner) leadSteps() {
	o, n := pl.out, len(pl.out.Targets)
	stand := pl.r.StandFeet
	for s := 0; s < 2; s++ {
		st := &o.Stances[s]
		begin := Stance{From: 0, At: stand[s]}
		if len(*st) > 0 && (*st)[0].From == pl.lead[0] { // on the floor when the motion starts
			if !o.StepIn || s != pl.moved {
				(*st)[0].From = 0
				continue
			}
			begin.To = pl.frames(HoldS + shiftS*pl.calm[0])
			(*st)[0].From = begin.To + pl.frames(stepS*pl.calm[0])
		} else { // in the air when the motion starts: lift it just before
			begin.To = pl.lead[0] - pl.frames(liftS*pl.calm[0])
		}
		*st = append([]Stance{begin}, *st...)
	}
	// At the end the robot shall stand as at the start, at the place that the feet have reached.
	last := n - pl.lead[1]
	keep := 0 // the foot that stays
	if fin := pl.person.Intents[len(pl.person.Intents)-1].On; !fin[0] || fin[1] && len(o.Stances[1]) < len(o.Stances[0]) {
		keep = 1 // the one that stands; of two, the one that moved less
	}
	k, f := &o.Stances[keep], &o.Stances[1-keep]
	hold := &(*k)[len(*k)-1]
	hold.To = n
	o.End.Yaw = hold.Yaw
	o.End.At = hold.At.Sub(stand[keep].Yawed(hold.Yaw))
	want := Stance{To: n, At: o.End.Apply(stand[1-keep]), Yaw: o.End.Yaw}
	tail := &(*f)[len(*f)-1]
	switch {
	case tail.To < last: // in the air: put it down
		want.From = last + pl.frames(liftS*pl.calm[1])
		*f = append(*f, want)
	case len(*f) > 1 && math.Abs(curve.AngleDiff(tail.Yaw, want.Yaw)) < closeRad &&
		tail.At.Sub(want.At).Norm() < closeLegs*pl.r.An.LegLengthM():
		// Close enough: the last step of the motion itself goes there.
		tail.At, tail.Yaw, tail.To = want.At, want.Yaw, n
	case tail.At.Sub(want.At).Norm() < 1e-6 && tail.Yaw == want.Yaw:
		tail.To = n
	default:
		tail.To = last + pl.frames((settleS+shiftS)*pl.calm[1])
		want.From = tail.To + pl.frames(stepS*pl.calm[1])
		*f = append(*f, want)
		o.StepOut = true
	}
}
