package feasible

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Check judges a clip. It fails only on a clip that cannot be this robot's.
func (c *Checker) Check(clip *motion.Clip) (*Verdict, error) {
	tr, err := c.load(clip)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Robot: c.desc.Name, Frames: len(tr.q), DurationS: clip.Seconds(), WorstMarginM: math.Inf(1), Findings: []Finding{}}
	v.Joints = make([]JointLoad, len(c.joints))
	for k := range v.Joints {
		v.Joints[k] = JointLoad{Name: c.desc.Joints[k].Name, MinRad: math.Inf(1), MaxRad: math.Inf(-1)}
	}
	v.Seconds = make([]Second, int(math.Ceil(float64(len(tr.q))/tr.fps-1e-9)))
	for i := range v.Seconds {
		v.Seconds[i] = Second{FromS: float64(i), BalanceMarginM: math.Inf(1)}
	}
	f := newFaults(tr.fps)
	tau, need := make([]float64, c.kin.Tree.NV), make([]float64, c.kin.Tree.NV)
	ext := make([]kin.Wrench, len(c.kin.Tree.Bodies))
	for t := range tr.q {
		sec := &v.Seconds[int(float64(t)/tr.fps+1e-9)]
		c.kin.Forward(c.d, tr.q[t])
		c.kin.InverseDynamics(tau, c.d, tr.vel[t], tr.acc[t], nil)
		c.balance(v, f, sec, tr, t, tau, ext)
		c.kin.InverseDynamics(need, c.d, tr.vel[t], tr.acc[t], ext)
		c.servos(v, f, sec, tr, t, need)
		c.feet(f, sec, tr, t)
		c.Close(c.d, c.pairs, -touchM, func(a, b int, _, _ spatial.Vec3, gap float64) {
			kind := "collision"
			if c.ofArm(a) || c.ofArm(b) {
				kind = armCollision
			}
			f.see(kind, c.kin.Tree.Bodies[a].Name+" and "+c.kin.Tree.Bodies[b].Name, t, -gap, touchM)
		})
	}
	for k := range v.Joints {
		v.Joints[k].RMSNm = math.Sqrt(v.Joints[k].RMSNm / float64(len(tr.q)))
	}
	for i := range v.Seconds {
		v.Seconds[i].BalanceMarginM = math.Max(v.Seconds[i].BalanceMarginM, -1)
	}
	v.OneFootShare /= float64(len(tr.q))
	v.OutsideShare /= float64(len(tr.q))
	v.Findings = f.judge()
	v.conclude()
	return v, nil
}

// balance finds the pressure point and hands the ground reaction to the feet.
func (c *Checker) balance(v *Verdict, f *faults, sec *Second, tr *track, t int, tau []float64, ext []kin.Wrench) {
	on := tr.on[t]
	if !on[0] && !on[1] {
		f.see("flight", "feet", t, 1, 0)
		clear(ext)
		return
	}
	cop, pushing := c.support(tau, on, ext)
	if on[0] != on[1] {
		v.OneFootShare++ // counted here, divided at the end
	}
	margin := -1.0
	if pushing {
		margin = math.Max(c.an.Support(c.d, on).Margin(cop), -1)
	}
	if margin < v.WorstMarginM {
		v.WorstMarginM, v.WorstMarginAtS = margin, float64(t)/tr.fps
	}
	sec.BalanceMarginM = math.Min(sec.BalanceMarginM, margin)
	if margin < 0 {
		v.OutsideShare++
	}
	if margin < calmMarginM {
		f.see("balance", "pressure point", t, -margin, -calmMarginM)
	}
	if margin < -lostMarginM {
		f.see("balance_lost", "pressure point", t, -margin, lostMarginM)
	}
}

// ofArm reports whether an arm moves the body.
func (c *Checker) ofArm(body int) bool {
	for s := range c.an.Arms {
		if dofs := c.an.Arms[s].Dofs; len(dofs) > 0 && slices.Contains(c.kin.Path(body), dofs[0]) {
			return true
		}
	}
	return false
}

// servos compares angles, speeds and torques of one frame with what the servos have.
func (c *Checker) servos(v *Verdict, f *faults, sec *Second, tr *track, t int, need []float64) {
	for k, i := range c.joints {
		j, l := &c.desc.Joints[k], &v.Joints[k]
		q, w := tr.q[t][c.qpos[k]], tr.vel[t][i]
		l.MinRad, l.MaxRad = math.Min(l.MinRad, q), math.Max(l.MaxRad, q)
		l.PeakRadPerS = math.Max(l.PeakRadPerS, math.Abs(w))
		if q < j.MinRad-limitSlackRad {
			f.see("joint_limit", j.Name, t, j.MinRad-q, j.MinRad)
		}
		if q > j.MaxRad+limitSlackRad {
			f.see("joint_limit", j.Name, t, q-j.MaxRad, j.MaxRad)
		}
		torque, have, share := c.need(k, need[i], w)
		_, free := c.servo(k, w, torque)
		l.PeakNm = math.Max(l.PeakNm, math.Abs(torque))
		l.RMSNm += torque * torque
		if share > l.TorqueShare {
			l.TorqueShare, l.TorqueShareS = share, float64(t)/tr.fps
		}
		v.TorqueShare, sec.TorqueShare = math.Max(v.TorqueShare, share), math.Max(sec.TorqueShare, share)
		v.SpeedShare, sec.SpeedShare = math.Max(v.SpeedShare, math.Abs(w)/free), math.Max(sec.SpeedShare, math.Abs(w)/free)
		if math.Abs(w) > free {
			f.see("speed", j.Name, t, math.Abs(w), free)
		}
		switch {
		case share > shareTorque:
			f.see("torque", j.Name, t, math.Abs(torque), have)
		case share > calmTorque:
			f.see("torque_high", j.Name, t, math.Abs(torque), have)
		}
	}
}

// feet looks for soles that sink, hover or slide while they stand.
func (c *Checker) feet(f *faults, sec *Second, tr *track, t int) {
	for s := range c.an.Legs {
		l := &c.an.Legs[s]
		low := math.Inf(1)
		for _, p := range l.Sole {
			low = math.Min(low, c.d.Point(l.Foot, p)[2])
		}
		name := [...]string{"left foot", "right foot"}[s]
		sec.SinkM = math.Max(sec.SinkM, -low)
		if low < -sinkM {
			f.see("sink", name, t, -low, sinkM)
		}
		if !tr.on[t][s] {
			continue
		}
		if low > floatM {
			f.see("float", name, t, low, floatM)
		}
		p := c.d.Point(l.Foot, l.SoleCenter)
		vel := c.d.BodyVel[l.Foot].Add(c.d.BodyAngVel[l.Foot].Cross(p.Sub(c.d.BodyPos[l.Foot])))
		if t == 0 || t == len(tr.q)-1 || !tr.on[t-1][s] || !tr.on[t+1][s] {
			continue // centred differences mix in the swing
		}
		slide := math.Hypot(vel[0], vel[1])
		sec.SlideMPerS = math.Max(sec.SlideMPerS, slide)
		if slide > stillMPerS {
			f.see("slide", name, t, slide, stillMPerS)
		}
	}
}

// TorqueShare returns the largest share, over all joints but those without (by velocity index; nil for none), of the
// torque needed in one frame over what its servo gives there, for a robot standing on the given feet. Vectors have the
// layout of the robot's model.
func (c *Checker) TorqueShare(q, vel, acc []float64, on [2]bool, without []bool) float64 {
	tau := c.Torques(q, vel, acc, on)
	worst := 0.0
	for k, i := range c.joints {
		if without != nil && without[i] {
			continue
		}
		_, _, share := c.need(k, tau[i], vel[i])
		worst = math.Max(worst, share)
	}
	return worst
}

// Torques returns what each joint must give in one frame (N m, by velocity index; no friction), for a robot standing on
// the given feet. Two feet carry by where the pressure point lies between them, without pulling against each other. The
// result is valid until the next call. Vectors have the layout of the robot's model.
func (c *Checker) Torques(q, vel, acc []float64, on [2]bool) []float64 {
	if c.tau == nil {
		c.tau, c.ext = make([]float64, c.kin.Tree.NV), make([]kin.Wrench, len(c.kin.Tree.Bodies))
	}
	c.kin.Forward(c.d, q)
	c.kin.InverseDynamics(c.tau, c.d, vel, acc, nil)
	c.support(c.tau, on, c.ext)
	c.kin.InverseDynamics(c.tau, c.d, vel, acc, c.ext)
	return c.tau
}

// need adds joint friction to a torque from inverse dynamics and returns it with what the servo gives at that speed
// and the share of the two.
func (c *Checker) need(k int, torqueNm, speedRadPerS float64) (needNm, haveNm, share float64) {
	needNm = torqueNm + math.Copysign(c.friction[k], speedRadPerS)*math.Min(1, math.Abs(speedRadPerS)/0.05)
	haveNm, _ = c.servo(k, speedRadPerS, needNm)
	return needNm, haveNm, math.Abs(needNm) / math.Max(haveNm, 0.02*c.desc.ServoOf(k).StallTorqueNm)
}

// support hands the ground reaction that tau asks of the root to the standing feet, as wrenches in ext, and returns
// the pressure point and whether the floor pushes.
func (c *Checker) support(tau []float64, on [2]bool, ext []kin.Wrench) (spatial.Vec3, bool) {
	cop, force, pushing := c.kin.GroundReaction(c.d, c.an.Root, tau, 0)
	i := c.kin.Tree.Joints[c.kin.Tree.Bodies[c.an.Root].Joints[0]].QVel
	root := c.d.BodyRot[c.an.Root].Rotate(spatial.Vec3{tau[i+3], tau[i+4], tau[i+5]})
	twist := root.Add(c.d.BodyPos[c.an.Root].Sub(cop).Cross(force))[2]
	c.share(ext, cop, force, twist, on)
	return cop, pushing
}

// fault gathers what was seen of one kind at one part.
type fault struct {
	kind, part   string
	frames, at   int
	last         int // frame seen last
	run, longest int // frames in a row
	runs         [][2]int
	value, limit float64
}

type faults struct {
	fps  float64
	seen map[string]*fault
}

func newFaults(fps float64) *faults { return &faults{fps, map[string]*fault{}} }

// see notes an excess; the frame with the largest one over its limit is kept.
func (f *faults) see(kind, part string, t int, value, limit float64) {
	k := kind + "|" + part
	x := f.seen[k]
	if x == nil {
		x = &fault{kind: kind, part: part, value: math.Inf(-1)}
		f.seen[k] = x
	}
	switch {
	case x.frames > 0 && x.last == t: // several shapes of one part
	case x.frames > 0 && x.last == t-1:
		x.run++
		x.frames++
		x.runs[len(x.runs)-1][1] = t
	default:
		x.run = 1
		x.frames++
		x.runs = append(x.runs, [2]int{t, t})
	}
	x.last = t
	x.longest = max(x.longest, x.run)
	if value-limit > x.value-x.limit {
		x.at, x.value, x.limit = t, value, limit
	}
}

// rules say how a kind of fault is worded and how long it must last without a break to be fatal; a negative time means
// never.
var rules = map[string]struct {
	fatalS     float64
	fatalAbove float64
	unit       string
	text       func(x *fault, atS float64) string
}{
	"joint_limit": {0, 0, "rad", func(x *fault, at float64) string {
		return fmt.Sprintf("%s is %.3f rad beyond its limit of %.3f rad at %.1f s", x.part, x.value, x.limit, at)
	}},
	"speed": {0, 0, "rad/s", func(x *fault, at float64) string {
		return fmt.Sprintf("%s turns at %.1f rad/s at %.1f s, the servo reaches %.1f without load", x.part, x.value, at, x.limit)
	}},
	"torque": {overloadS, 0, "N m", func(x *fault, at float64) string {
		return fmt.Sprintf("%s needs %.1f N m at %.1f s, the servo gives %.1f at that speed", x.part, x.value, at, x.limit)
	}},
	"torque_high": {-1, 0, "N m", func(x *fault, at float64) string {
		return fmt.Sprintf("%s needs %.1f of the %.1f N m that the servo gives at %.1f s", x.part, x.value, x.limit, at)
	}},
	"balance": {-1, 0, "m", func(x *fault, at float64) string {
		if x.value > 0 {
			return fmt.Sprintf("the pressure point lies %.0f mm outside the feet at %.1f s", 1e3*x.value, at)
		}
		return fmt.Sprintf("the pressure point comes within %.0f mm of the edge of the feet at %.1f s", -1e3*x.value, at)
	}},
	"balance_lost": {lostS, 0, "m", func(x *fault, at float64) string {
		return fmt.Sprintf("it falls: the pressure point lies %.0f mm outside the feet at %.1f s", 1e3*x.value, at)
	}},
	"flight": {faultS, 0, "", func(x *fault, at float64) string {
		return fmt.Sprintf("both feet are in the air at %.1f s; this robot cannot jump", at)
	}},
	"sink": {faultS, 0, "m", func(x *fault, at float64) string {
		return fmt.Sprintf("%s is %.0f mm below the floor at %.1f s", x.part, 1e3*x.value, at)
	}},
	"float": {-1, 0, "m", func(x *fault, at float64) string {
		return fmt.Sprintf("%s should stand but is %.0f mm above the floor at %.1f s", x.part, 1e3*x.value, at)
	}},
	"slide": {-1, 0, "m/s", func(x *fault, at float64) string {
		return fmt.Sprintf("%s slides at %.2f m/s while it stands, at %.1f s", x.part, x.value, at)
	}},
	"collision":  {collisionS, collisionM, "m", meets},
	armCollision: {collisionS, armTouchM, "m", meets},
}

// armCollision is a collision that an arm has part in; findings call it a collision.
const armCollision = "collision of an arm"

func meets(x *fault, at float64) string {
	return fmt.Sprintf("%s meet by %.0f mm at %.1f s", x.part, 1e3*x.value, at)
}

// judge turns what was seen into findings, worst first.
func (f *faults) judge() []Finding {
	out := []Finding{}
	for _, x := range f.seen {
		r := rules[x.kind]
		at, long := float64(x.at)/f.fps, float64(x.longest)/f.fps
		kind, _, _ := strings.Cut(x.kind, " ")
		sev := "care"
		if r.fatalS >= 0 && long > r.fatalS-1e-9 && x.value > r.fatalAbove {
			sev = "fatal"
		}
		if sev == "care" && (x.kind == "balance_lost" || kind == "collision" && x.value < 0.005) {
			continue // said by "balance" already; touching lightly
		}
		found := Finding{Severity: sev, Kind: kind, Part: x.part, AtS: at, ForS: float64(x.frames) / f.fps, Value: x.value, Limit: x.limit, Unit: r.unit, Text: r.text(x, at)}
		for _, run := range x.runs {
			if sev == "fatal" && float64(run[1]-run[0]+1)/f.fps > r.fatalS-1e-9 {
				found.SpansS = append(found.SpansS, [2]float64{float64(run[0]) / f.fps, float64(run[1]) / f.fps})
			}
		}
		out = append(out, found)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		if a.Severity != b.Severity {
			return a.Severity == "fatal"
		}
		if a.AtS != b.AtS {
			return a.AtS < b.AtS
		}
		return a.Kind+a.Part < b.Kind+b.Part
	})
	return out
}

// conclude picks the class and words it.
func (v *Verdict) conclude() {
	var fatal, care []string
	for _, f := range v.Findings {
		if f.Severity == "fatal" {
			fatal = append(fatal, f.Text)
		} else {
			care = append(care, f.Text)
		}
	}
	switch {
	case len(fatal) > 0:
		v.Verdict = Infeasible
		v.Summary = "infeasible: " + strings.Join(fatal, "; ")
	case len(care) > 0 || v.OneFootShare > 0:
		v.Verdict = WithPolicy
		v.Summary = "feasible with policy"
		if v.OneFootShare > 0 {
			care = append([]string{fmt.Sprintf("it stands on one foot in %.0f %% of the frames", 100*v.OneFootShare)}, care...)
		}
		v.Summary += ": " + strings.Join(care, "; ")
	default:
		v.Verdict = Feasible
		v.Summary = fmt.Sprintf("feasible: at most %.0f %% of the torque and %.0f %% of the speed that the servos have; pressure point at least %.0f mm inside the feet",
			100*v.TorqueShare, 100*v.SpeedShare, 1e3*v.WorstMarginM)
	}
}
