package retarget

import "math"

// swingS is the width of the smoothing of a foot's path where it swings freely.
const swingS = 0.06

// paths fills in the foot targets: still in stance, and between stances along the person's own path, bent at both
// ends so that it meets the stances.
func (pl *planner) paths() {
	o, n := pl.out, len(pl.out.targets)
	for s := 0; s < 2; s++ {
		for _, st := range o.stances[s] {
			for t := st.from; t < st.to; t++ {
				o.targets[t].foot[s] = footTarget{at: st.at, yaw: st.yaw, on: true, steer: 1, grip: 1}
				o.contacts[t][s] = true
			}
		}
	}
	for s := 0; s < 2; s++ { // only now: a swing keeps clear of where the other foot stands
		for i := 0; i+1 < len(o.stances[s]); i++ {
			pl.swing(s, o.stances[s][i], o.stances[s][i+1])
		}
	}
	buf, buf2, soft := make([]float64, n), make([]float64, n), make([]float64, n)
	for s := 0; s < 2; s++ { // take the corner off lift-off and touch-down, then put the stances back exactly
		for c := 0; c < 3; c++ {
			gaussEach(n, 0.02*pl.fps, func(t int) *float64 { return &o.targets[t].foot[s].at[c] }, buf, buf2)
		}
		for _, st := range o.stances[s] {
			for t := st.from; t < st.to; t++ {
				o.targets[t].foot[s].at = st.at
			}
		}
		for c := 0; c < 2; c++ { // far from the floor's places, a foot may cut its corners, as an arm may
			for t := range soft {
				soft[t] = o.targets[t].foot[s].at[c]
			}
			gauss(soft, swingS*pl.fps, buf2)
			for t := range soft {
				ft := &o.targets[t].foot[s]
				ft.at[c] = soft[t] + (ft.at[c]-soft[t])*ft.grip
			}
		}
	}
}

func (pl *planner) swing(s int, a, b stance) {
	o, leg := pl.out, pl.r.an.LegLengthM()
	dur := float64(b.from - a.to + 1)
	// How fast the bends at the ends fade; long swings keep the person's path in between.
	calm := [2]float64{1, 1}
	if a.to < pl.lead[0] {
		calm[0] = pl.calm[0]
	}
	if b.from >= pl.lead[0]+len(pl.pf.intents) {
		calm[1] = pl.calm[1]
	}
	fadeA, fadeB := math.Min(dur, liftS*pl.fps*calm[0]), math.Min(dur, liftS*pl.fps*calm[1])
	edgeA, edgeB := math.Min(dur/2.2, 0.3*pl.fps*calm[0]), math.Min(dur/2.2, 0.3*pl.fps*calm[1])
	errA, errB := a.at.Sub(pl.raw(a.to-1, s)), b.at.Sub(pl.raw(b.from, s))
	yawB := a.yaw + angleDiff(b.yaw, a.yaw)
	inLead := func(t int) bool { return t < pl.lead[0] || t >= pl.lead[0]+len(pl.pf.intents) }
	for t := a.to; t < b.from; t++ {
		x, y := float64(t-a.to+1), float64(b.from-t)
		ft := &o.targets[t].foot[s]
		wa, wb := 1-smoothstep(x/fadeA), 1-smoothstep(y/fadeB)
		ft.at = pl.raw(t, s).Add(errA.Scale(wa)).Add(errB.Scale(wb))
		if math.Min(fadeA, fadeB) >= dur-1e-9 { // one short swing: the two bends share the way
			ft.at = pl.raw(t, s).Add(errA.Lerp(errB, smoothstep(x/dur)))
		}
		lift := pl.inMotion(t).foot[s][2] * o.scale
		if inLead(t) && inLead(a.to) && inLead(b.from) {
			lift = 0 // an inserted step is only as high as it must be
		}
		window := smoothstep(x/edgeA) * smoothstep(y/edgeB)
		ft.at[2] = math.Max(lift, clearance*leg) * window
		ft.grip = 1 - smoothstep(math.Min(x, y)/(0.25*pl.fps))
		ft.yaw = a.yaw + (yawB-a.yaw)*smoothstep(x/dur)
		// A foot high enough that no corner of a tilted sole reaches the floor may tilt.
		ft.steer = 1 - 0.95*smoothstep((ft.at[2]-pl.r.an.Legs[s].HalfSizeM[0])/(0.25*leg))
		// Keep clear of the other foot.
		if other := o.targets[t].foot[1-s]; other.on {
			v := ft.at.Sub(other.at)
			v[2] = 0
			sign := 1.0
			if s == 1 {
				sign = -1
			}
			w := pl.apart(v.Scale(sign), (ft.yaw+other.yaw)/2, ft.yaw-other.yaw).Scale(sign)
			ft.at[0], ft.at[1] = other.at[0]+w[0], other.at[1]+w[1]
		}
	}
}
