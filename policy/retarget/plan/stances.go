package plan

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// raw returns where foot s would be at frame t if the person's path were copied as it is.
func (pl *planner) raw(t, s int) spatial.Vec3 {
	p := pl.first[s].Add(pl.out.Intent(t).Foot[s].Sub(pl.ref[s]).Scale(pl.out.ScaleM))
	p[2] = 0
	return p
}

// footRef is the person's foot in its first stance, or at the start if it never stands.
func (pl *planner) footRef(s int) spatial.Vec3 {
	var sum spatial.Vec3
	n := 0.0
	for t := range pl.person.Intents {
		in := &pl.person.Intents[t]
		if in.On[s] {
			sum = sum.Add(in.Foot[s])
			n++
		} else if n > 0 {
			break
		}
	}
	if n == 0 {
		return pl.person.Intents[0].Foot[s]
	}
	return sum.Scale(1 / n)
}

// placements finds the stances and where each foot stands in them.
func (pl *planner) placements() {
	o, stand, leg := pl.out, pl.r.StandFeet, pl.r.An.LegLengthM()
	// The robot starts in its own standing pose. If the person's first stance is much the same, the feet stay there;
	// otherwise the foot that does not bear the motion's start steps to the person's stance. The robot's own hip
	// width takes the place of the person's.
	fixed, moved, sign := 0, 1, 1.0
	if !pl.person.Intents[0].On[0] {
		fixed, moved, sign = 1, 0, -1
	}
	pl.ref = [2]spatial.Vec3{pl.footRef(0), pl.footRef(1)}
	ref := pl.ref[fixed].Sub(pl.ref[moved]).Scale(sign) // right to left
	wide := ref.Sub(spatial.Vec3{0, pl.person.Amplify * pl.person.HipRatio, 0}).Scale(o.ScaleM)
	wide[1] += stand[0].Sub(stand[1])[1]
	wide[2] = 0
	diff := wide.Sub(stand[0].Sub(stand[1]))
	pl.first = stand
	if math.Hypot(diff[0], diff[1]) > 0.2*leg {
		wide = pl.apart(wide, 0, 0)
		pl.first[moved] = stand[fixed].Sub(wide.Scale(sign))
		o.StepIn = pl.person.Intents[0].On[moved]
		pl.moved = moved
	}
	for s := 0; s < 2; s++ {
		base := 0.0
		for t := 0; t < len(pl.person.Intents); {
			if !pl.person.Intents[t].On[s] {
				t++
				continue
			}
			st := Stance{From: t + pl.lead[0]}
			var at spatial.Vec3
			yaw, m := 0.0, 0.0
			for ; t < len(pl.person.Intents) && pl.person.Intents[t].On[s]; t++ {
				in := &pl.person.Intents[t]
				at = at.Add(pl.raw(t+pl.lead[0], s))
				yaw += in.Heading + 0.5*in.FootYaw[s]
				m++
			}
			st.To = t + pl.lead[0]
			st.At, st.Yaw = at.Scale(1/m), yaw/m
			if len(o.Stances[s]) == 0 {
				base = st.Yaw
			}
			st.Yaw = curve.Deadzone(curve.AngleDiff(st.Yaw, base), 0.15)
			o.Stances[s] = append(o.Stances[s], st)
		}
	}
	pl.separate()
}

// apart keeps the vector from the right to the left foot within what feet can do: not through each other, not wider
// than the legs. twist is the angle between the feet: turned against each other they need more room.
func (pl *planner) apart(v spatial.Vec3, heading, twist float64) spatial.Vec3 {
	leg, sole := pl.r.An.LegLengthM(), pl.r.An.Legs[anatomy.Left].HalfSizeM
	l := v.Yawed(-heading)
	least := 2*sole[1] + 0.03*leg + sole[0]*math.Abs(math.Sin(twist))
	// One before the other, the lines of the feet may come closer, not cross.
	least *= 1 - 0.4*curve.MinJerk((math.Abs(l[0])/(2*sole[0])-1.05)/0.5)
	l[1] = math.Min(math.Max(l[1], least), math.Max(pl.r.WidestM, least))
	if far := math.Hypot(l[0], l[1]); far > 0.8*leg {
		l[0] *= 0.8 * leg / far
	}
	return l.Yawed(heading)
}

// separate walks through the stances in time and keeps every new placement possible against the other foot.
func (pl *planner) separate() {
	o := pl.out
	var at [2]int
	for {
		s := -1
		for f := 0; f < 2; f++ {
			if at[f]+1 < len(o.Stances[f]) && (s < 0 || o.Stances[f][at[f]+1].From < o.Stances[s][at[s]+1].From) {
				s = f
			}
		}
		if s < 0 {
			return
		}
		at[s]++
		st := &o.Stances[s][at[s]]
		if len(o.Stances[1-s]) == 0 {
			continue
		}
		other := o.Stances[1-s][at[1-s]]
		v := st.At.Sub(other.At)
		if s == 1 {
			v = v.Scale(-1)
		}
		st.Yaw = other.Yaw + curve.Clamp(curve.AngleDiff(st.Yaw, other.Yaw), -0.7, 0.7)
		w := pl.apart(v, (st.Yaw+other.Yaw)/2, st.Yaw-other.Yaw)
		if w.Sub(v).Norm() > 1e-9 {
			o.MovedSteps++
		}
		if s == 1 {
			w = w.Scale(-1)
		}
		st.At = other.At.Add(w)
	}
}
