package plan

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
)

// swingS is the width of the smoothing of a foot's path where it swings freely.
const swingS = 0.06

// paths fills in the foot targets: still in stance, and between stances along the person's own path, bent at both
// ends so that it meets the stances.
func (pl *planner) paths() {
	o, n := pl.out, len(pl.out.Targets)
	for s := 0; s < 2; s++ {
		for _, st := range o.Stances[s] {
			for t := st.From; t < st.To; t++ {
				o.Targets[t].Foot[s] = FootTarget{At: st.At, Yaw: st.Yaw, On: true, Level: 1, Grip: 1}
				o.Contacts[t][s] = true
			}
		}
	}
	for s := 0; s < 2; s++ { // only now: a swing keeps clear of where the other foot stands
		for i := 0; i+1 < len(o.Stances[s]); i++ {
			pl.swing(s, o.Stances[s][i], o.Stances[s][i+1])
		}
	}
	var smooth curve.Gauss
	soft := make([]float64, n)
	for s := 0; s < 2; s++ { // take the corner off lift-off and touch-down, then put the stances back exactly
		for c := 0; c < 3; c++ {
			smooth.Each(n, 0.02*pl.fps, func(t int) *float64 { return &o.Targets[t].Foot[s].At[c] })
		}
		for _, st := range o.Stances[s] {
			for t := st.From; t < st.To; t++ {
				o.Targets[t].Foot[s].At = st.At
			}
		}
		for c := 0; c < 2; c++ { // far from the floor's places, a foot may cut its corners, as an arm may
			for t := range soft {
				soft[t] = o.Targets[t].Foot[s].At[c]
			}
			smooth.Smooth(soft, swingS*pl.fps)
			for t := range soft {
				ft := &o.Targets[t].Foot[s]
				ft.At[c] = soft[t] + (ft.At[c]-soft[t])*ft.Grip
			}
		}
	}
}

func (pl *planner) swing(s int, a, b Stance) {
	o, leg := pl.out, pl.r.An.LegLengthM()
	dur := float64(b.From - a.To + 1)
	// How fast the bends at the ends fade; long swings keep the person's path in between.
	calm := [2]float64{1, 1}
	if a.To < pl.lead[0] {
		calm[0] = pl.calm[0]
	}
	if b.From >= pl.lead[0]+len(pl.person.Intents) {
		calm[1] = pl.calm[1]
	}
	fadeA, fadeB := math.Min(dur, liftS*pl.fps*calm[0]), math.Min(dur, liftS*pl.fps*calm[1])
	edgeA, edgeB := math.Min(dur/2.2, 0.3*pl.fps*calm[0]), math.Min(dur/2.2, 0.3*pl.fps*calm[1])
	errA, errB := a.At.Sub(pl.raw(a.To-1, s)), b.At.Sub(pl.raw(b.From, s))
	yawB := a.Yaw + curve.AngleDiff(b.Yaw, a.Yaw)
	inLead := func(t int) bool { return t < pl.lead[0] || t >= pl.lead[0]+len(pl.person.Intents) }
	for t := a.To; t < b.From; t++ {
		x, y := float64(t-a.To+1), float64(b.From-t)
		ft := &o.Targets[t].Foot[s]
		wa, wb := 1-curve.MinJerk(x/fadeA), 1-curve.MinJerk(y/fadeB)
		ft.At = pl.raw(t, s).Add(errA.Scale(wa)).Add(errB.Scale(wb))
		if math.Min(fadeA, fadeB) >= dur-1e-9 { // one short swing: the two bends share the way
			ft.At = pl.raw(t, s).Add(errA.Lerp(errB, curve.MinJerk(x/dur)))
		}
		lift := pl.out.Intent(t).Foot[s][2] * o.ScaleM
		if inLead(t) && inLead(a.To) && inLead(b.From) {
			lift = 0 // an inserted step is only as high as it must be
		}
		window := curve.MinJerk(x/edgeA) * curve.MinJerk(y/edgeB)
		ft.At[2] = math.Max(lift, clearance*leg) * window
		ft.Grip = 1 - curve.MinJerk(math.Min(x, y)/(0.25*pl.fps))
		ft.Yaw = a.Yaw + (yawB-a.Yaw)*curve.MinJerk(x/dur)
		// A foot high enough that no corner of a tilted sole reaches the floor may tilt.
		ft.Level = 1 - 0.95*curve.MinJerk((ft.At[2]-pl.r.An.Legs[s].HalfSizeM[0])/(0.25*leg))
		// Keep clear of the other foot.
		if other := o.Targets[t].Foot[1-s]; other.On {
			v := ft.At.Sub(other.At)
			v[2] = 0
			sign := 1.0
			if s == 1 {
				sign = -1
			}
			w := pl.apart(v.Scale(sign), (ft.Yaw+other.Yaw)/2, ft.Yaw-other.Yaw).Scale(sign)
			ft.At[0], ft.At[1] = other.At[0]+w[0], other.At[1]+w[1]
		}
	}
}
