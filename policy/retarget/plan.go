package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// target is what the robot shall do at one frame. World axes, metres; the robot starts at the origin facing +x.
type target struct {
	rootRot, chestRot, headRot spatial.Quat
	hipM                       float64 // height of the middle of the hips
	hipWantM                   float64 // before it was brought into the legs' reach
	foot                       [2]footTarget
	upper, arm                 [2]spatial.Vec3
	com                        [2]float64 // horizontal
	// lead is 0 in the motion itself; in lead-in and lead-out it says how far (0 at the motion, 1 at the standing
	// pose) the joints that no foot depends on have gone to the standing pose.
	lead float64
}

// footTarget places one foot: the point of the floor below the ankle, and how high the foot is above it.
type footTarget struct {
	at    spatial.Vec3 // z = height of the sole
	want  spatial.Vec3 // before it was brought into the leg's reach
	yaw   float64
	on    bool
	steer float64 // 1: the sole shall be level; towards 0 as the foot is lifted high
	grip  float64 // 1: the place must be met; towards 0 in the middle of a swing
}

// stance is one stretch of standing on a foot.
type stance struct {
	from, to int // frames, [from, to)
	at       spatial.Vec3
	yaw      float64
}

// plan is the whole robot motion before inverse kinematics.
type plan struct {
	targets  []target
	stances  [2][]stance
	lead     [2]int // frames of lead-in and lead-out
	end      place  // where the standing robot is at the end
	stepIn   bool   // a step was put into the lead-in
	stepOut  bool
	clamped  int // foot placements moved apart or together
	scale    float64
	contacts [][2]bool
}

// place is a standing place: position on the floor and heading.
type place struct {
	at  spatial.Vec3
	yaw float64
}

func (p place) apply(v spatial.Vec3) spatial.Vec3 { return p.at.Add(turn(v, p.yaw)) }

// Lead times in seconds.
const (
	holdS     = 0.3 // quiet standing at both ends
	leadS     = 1.0 // shortest blend between the standing pose and the motion
	stepS     = 0.6 // an inserted step
	liftS     = 0.5 // of a foot that is in the air where the motion begins or ends: as long as the bends of its path take
	shiftS    = 0.5 // time to bring the weight over before it
	settleS   = 0.25
	clearance = 0.07 // of the leg: least height of a swinging foot
)

// planner lays out a plan for one robot.
type planner struct {
	r     *Retargeter
	fps   float64
	pf    *perform
	lead  [2]int     // frames
	calm  [2]float64 // by how much steps in lead-in and lead-out take longer than the least
	out   *plan
	first [2]spatial.Vec3   // robot world: where each foot first stands
	moved int               // the foot that a step in the lead-in moves
	ref   [2]spatial.Vec3   // the person's foot in its first stance
	hips  [][2]spatial.Vec3 // the hip joints in the solution that is known; nil before the first
}

func (pl *planner) frames(s float64) int { return int(math.Ceil(s*pl.fps - 1e-9)) }

// layout makes stances, foot paths and posture targets for all frames.
func (pl *planner) layout() *plan {
	k := len(pl.pf.intents)
	pl.out = &plan{lead: pl.lead, scale: pl.r.an.LegLengthM()}
	n := pl.lead[0] + k + pl.lead[1]
	pl.out.targets = make([]target, n)
	pl.out.contacts = make([][2]bool, n)
	pl.placements()
	pl.leadSteps()
	pl.paths()
	pl.posture()
	for t := range pl.out.targets {
		tg := &pl.out.targets[t]
		tg.hipWantM = tg.hipM
		for s := range tg.foot {
			tg.foot[s].want = tg.foot[s].at
		}
	}
	return pl.out
}

// inMotion returns the intent at frame t, held at the ends of the motion.
func (pl *planner) inMotion(t int) *intent {
	return &pl.pf.intents[min(max(t-pl.lead[0], 0), len(pl.pf.intents)-1)]
}

// raw returns where foot s would be at frame t if the person's path were copied as it is.
func (pl *planner) raw(t, s int) spatial.Vec3 {
	p := pl.first[s].Add(pl.inMotion(t).foot[s].Sub(pl.ref[s]).Scale(pl.out.scale))
	p[2] = 0
	return p
}

// footRef is the person's foot in its first stance, or at the start if it never stands.
func (pl *planner) footRef(s int) spatial.Vec3 {
	var sum spatial.Vec3
	n := 0.0
	for t := range pl.pf.intents {
		in := &pl.pf.intents[t]
		if in.on[s] {
			sum = sum.Add(in.foot[s])
			n++
		} else if n > 0 {
			break
		}
	}
	if n == 0 {
		return pl.pf.intents[0].foot[s]
	}
	return sum.Scale(1 / n)
}

// placements finds the stances and where each foot stands in them.
func (pl *planner) placements() {
	o, stand, leg := pl.out, pl.r.standFeet, pl.r.an.LegLengthM()
	// The robot starts in its own standing pose. If the person's first stance is much the same, the feet stay there;
	// otherwise the foot that does not bear the motion's start steps to the person's stance. The robot's own hip
	// width takes the place of the person's.
	fixed, moved, sign := 0, 1, 1.0
	if !pl.pf.intents[0].on[0] {
		fixed, moved, sign = 1, 0, -1
	}
	pl.ref = [2]spatial.Vec3{pl.footRef(0), pl.footRef(1)}
	ref := pl.ref[fixed].Sub(pl.ref[moved]).Scale(sign) // right to left
	wide := ref.Sub(spatial.Vec3{0, pl.pf.amplify * pl.pf.hipRatio, 0}).Scale(o.scale)
	wide[1] += stand[0].Sub(stand[1])[1]
	wide[2] = 0
	diff := wide.Sub(stand[0].Sub(stand[1]))
	pl.first = stand
	if math.Hypot(diff[0], diff[1]) > 0.2*leg {
		wide = pl.apart(wide, 0, 0)
		pl.first[moved] = stand[fixed].Sub(wide.Scale(sign))
		o.stepIn = pl.pf.intents[0].on[moved]
		pl.moved = moved
	}
	for s := 0; s < 2; s++ {
		base := 0.0
		for t := 0; t < len(pl.pf.intents); {
			if !pl.pf.intents[t].on[s] {
				t++
				continue
			}
			st := stance{from: t + pl.lead[0]}
			var at spatial.Vec3
			yaw, m := 0.0, 0.0
			for ; t < len(pl.pf.intents) && pl.pf.intents[t].on[s]; t++ {
				in := &pl.pf.intents[t]
				at = at.Add(pl.raw(t+pl.lead[0], s))
				yaw += in.heading + 0.5*in.footYaw[s]
				m++
			}
			st.to = t + pl.lead[0]
			st.at, st.yaw = at.Scale(1/m), yaw/m
			if len(o.stances[s]) == 0 {
				base = st.yaw
			}
			st.yaw = deadzone(angleDiff(st.yaw, base), 0.15)
			o.stances[s] = append(o.stances[s], st)
		}
	}
	pl.separate()
}

// apart keeps the vector from the right to the left foot within what feet can do: not through each other, not wider
// than the legs. twist is the angle between the feet: turned against each other they need more room.
func (pl *planner) apart(v spatial.Vec3, heading, twist float64) spatial.Vec3 {
	leg, sole := pl.r.an.LegLengthM(), pl.r.an.Legs[anatomy.Left].HalfSizeM
	l := turn(v, -heading)
	least := 2*sole[1] + 0.03*leg + sole[0]*math.Abs(math.Sin(twist))
	// One before the other, the lines of the feet may come closer, not cross.
	least *= 1 - 0.4*smoothstep((math.Abs(l[0])/(2*sole[0])-1.05)/0.5)
	l[1] = math.Min(math.Max(l[1], least), math.Max(pl.r.widestM, least))
	if far := math.Hypot(l[0], l[1]); far > 0.8*leg {
		l[0] *= 0.8 * leg / far
	}
	return turn(l, heading)
}

// separate walks through the stances in time and keeps every new placement possible against the other foot.
func (pl *planner) separate() {
	o := pl.out
	var at [2]int
	for {
		s := -1
		for f := 0; f < 2; f++ {
			if at[f]+1 < len(o.stances[f]) && (s < 0 || o.stances[f][at[f]+1].from < o.stances[s][at[s]+1].from) {
				s = f
			}
		}
		if s < 0 {
			return
		}
		at[s]++
		st := &o.stances[s][at[s]]
		if len(o.stances[1-s]) == 0 {
			continue
		}
		other := o.stances[1-s][at[1-s]]
		v := st.at.Sub(other.at)
		if s == 1 {
			v = v.Scale(-1)
		}
		st.yaw = other.yaw + clamp(angleDiff(st.yaw, other.yaw), -0.7, 0.7)
		w := pl.apart(v, (st.yaw+other.yaw)/2, st.yaw-other.yaw)
		if w.Sub(v).Norm() > 1e-9 {
			o.clamped++
		}
		if s == 1 {
			w = w.Scale(-1)
		}
		st.at = other.at.Add(w)
	}
}

// leadSteps joins the first and last stances with quiet standing, by a step where the feet stand elsewhere.
func (pl *planner) leadSteps() {
	o, n := pl.out, len(pl.out.targets)
	stand := pl.r.standFeet
	for s := 0; s < 2; s++ {
		st := &o.stances[s]
		begin := stance{from: 0, at: stand[s]}
		if len(*st) > 0 && (*st)[0].from == pl.lead[0] { // on the floor when the motion starts
			if !o.stepIn || s != pl.moved {
				(*st)[0].from = 0
				continue
			}
			begin.to = pl.frames(holdS + shiftS*pl.calm[0])
			(*st)[0].from = begin.to + pl.frames(stepS*pl.calm[0])
		} else { // in the air when the motion starts: lift it just before
			begin.to = pl.lead[0] - pl.frames(liftS*pl.calm[0])
		}
		*st = append([]stance{begin}, *st...)
	}
	// At the end the robot shall stand as at the start, at the place that the feet have reached.
	last := n - pl.lead[1]
	keep := 0 // the foot that stays
	if fin := pl.pf.intents[len(pl.pf.intents)-1].on; !fin[0] || fin[1] && len(o.stances[1]) < len(o.stances[0]) {
		keep = 1 // the one that stands; of two, the one that moved less
	}
	k, f := &o.stances[keep], &o.stances[1-keep]
	hold := &(*k)[len(*k)-1]
	hold.to = n
	o.end.yaw = hold.yaw
	o.end.at = hold.at.Sub(turn(stand[keep], hold.yaw))
	want := stance{to: n, at: o.end.apply(stand[1-keep]), yaw: o.end.yaw}
	tail := &(*f)[len(*f)-1]
	switch {
	case tail.to < last: // in the air: put it down
		want.from = last + pl.frames(liftS*pl.calm[1])
		*f = append(*f, want)
	case tail.at.Sub(want.at).Norm() < 0.08*pl.r.an.LegLengthM() && math.Abs(angleDiff(tail.yaw, want.yaw)) < 0.2 && len(*f) > 1:
		// Close enough: the last step of the motion itself goes there.
		tail.at, tail.yaw, tail.to = want.at, want.yaw, n
	case tail.at.Sub(want.at).Norm() < 1e-6 && tail.yaw == want.yaw:
		tail.to = n
	default:
		tail.to = last + pl.frames((settleS+shiftS)*pl.calm[1])
		want.from = tail.to + pl.frames(stepS*pl.calm[1])
		*f = append(*f, want)
		o.stepOut = true
	}
}

// posture fills in trunk, hip height and arm directions.
func (pl *planner) posture() {
	o, r := pl.out, pl.r
	k := len(pl.pf.intents)
	up := spatial.Vec3{0, 0, 1}
	for t := range o.targets {
		in, tg := pl.inMotion(t), &o.targets[t]
		feet := (tg.foot[0].yaw + tg.foot[1].yaw) / 2
		yaw := feet + clamp(angleDiff(in.heading, feet), -maxTwistRad, maxTwistRad)
		q := spatial.FromYaw(yaw)
		lean := spatial.Between(up, in.tilt)
		tg.rootRot = q.Mul(lean)
		tg.chestRot = q.Mul(in.chest)
		tg.headRot = q.Mul(in.head)
		if r.hasWaist {
			tg.rootRot = q.Mul(spatial.Exp(lean.Log().Scale(0.4)))
		}
		for s := range tg.upper {
			tg.upper[s], tg.arm[s] = q.Rotate(in.upper[s]), q.Rotate(in.arm[s])
			if !r.an.Arms[s].HasElbow {
				tg.upper[s] = q.Rotate(in.reach[s])
			}
		}
		ankle := r.an.Legs[anatomy.Left].AnkleHeightM
		tg.hipM = ankle + in.hip*(r.standHipM-ankle)
		var w float64 // 1 at quiet standing
		end := place{}
		switch {
		case t < pl.lead[0]:
			w = 1 - smoothstep(float64(t-pl.frames(holdS))/float64(pl.lead[0]-pl.frames(holdS)))
		case t >= pl.lead[0]+k:
			w = smoothstep(float64(t-pl.lead[0]-k+1) / float64(pl.lead[1]-pl.frames(holdS)))
			end = o.end
		}
		if w > 0 {
			tg.lead = w
			tg.rootRot = tg.rootRot.Slerp(spatial.FromYaw(end.yaw).Mul(r.standRoot), w)
			tg.chestRot = tg.chestRot.Slerp(spatial.FromYaw(end.yaw).Mul(r.standChest), w)
			tg.headRot = tg.headRot.Slerp(spatial.FromYaw(end.yaw).Mul(r.standHead), w)
			tg.hipM = tg.hipM*(1-w) + r.standHipM*w
		}
	}
}
