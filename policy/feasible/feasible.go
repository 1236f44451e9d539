// Package feasible says, before any training, whether a robot's servos and feet can carry out a reference motion: joint
// limits, speeds, torques by inverse dynamics against the servos' torque-speed line, balance, contact artefacts and
// self-collision, each with the moment it happens and the numbers behind it.
//
// The verdict is first and quick: it judges the reference as drawn. What a policy can still save (a pressure point at
// the edge of a foot) is told apart from what nothing can save (a torque that the servo does not have).
//
// Not here: making the motion (policy/retarget), physics (sim). A Checker belongs to one goroutine.
package feasible

import (
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Class is the verdict in one word.
type Class string

// The verdicts.
const (
	Feasible   Class = "feasible"             // quiet enough to be played back
	WithPolicy Class = "feasible with policy" // needs balancing on the way
	Infeasible Class = "infeasible"
)

// What separates the classes. Times are how long a fault must last to count: one frame is noise.
const (
	limitSlackRad = 1e-3
	shareTorque   = 1.0  // of what the servo gives at that speed: beyond it, infeasible
	calmTorque    = 0.75 // beyond it, too little is left for balancing by playback alone
	faultS        = 0.06
	overloadS     = 0.12  // a servo that lags for less only softens the motion
	calmMarginM   = 0.012 // pressure point at least this far inside the feet: playback may stand it
	lostMarginM   = 0.030 // farther outside the feet than this, no ankle brings it back
	lostS         = 0.25
	floatM        = 0.01 // a sole above this is off the floor
	sinkM         = 0.01
	stillMPerS    = 0.05  // a sole on the floor faster than this slides
	collisionM    = 0.010 // of legs and trunk: one foot on the other trips
	armTouchM     = 0.020 // of an arm, whose servos give way: it only leans on what it touches
	touchM        = 0.002 // shapes that overlap by less touch
	collisionS    = 0.1
)

// Finding is one reason. Severity is "fatal" (infeasible) or "care" (a policy must cope).
type Finding struct {
	Severity string  `json:"severity"`
	Kind     string  `json:"kind"` // joint_limit, speed, torque, balance, feet, flight, collision
	Part     string  `json:"part"`
	AtS      float64 `json:"at_s"`
	ForS     float64 `json:"for_s"` // how long in all
	Value    float64 `json:"value"`
	Limit    float64 `json:"limit"`
	Unit     string  `json:"unit"`
	Text     string  `json:"text"`
	// SpansS are first and last instants of the stretches that make it fatal; none for "care".
	SpansS [][2]float64 `json:"spans_s,omitempty"`
}

// JointLoad is the worst that one joint meets.
type JointLoad struct {
	Name         string  `json:"name"`
	MinRad       float64 `json:"min_rad"` // angles reached
	MaxRad       float64 `json:"max_rad"`
	PeakRadPerS  float64 `json:"peak_rad_s"`
	PeakNm       float64 `json:"peak_nm"`
	RMSNm        float64 `json:"rms_nm"`
	TorqueShare  float64 `json:"torque_share"` // worst needed over available
	TorqueShareS float64 `json:"torque_share_at_s"`
}

// Second summarises one second of the motion.
type Second struct {
	FromS          float64 `json:"from_s"`
	SpeedShare     float64 `json:"speed_share"` // of the no-load speed
	TorqueShare    float64 `json:"torque_share"`
	BalanceMarginM float64 `json:"balance_margin_m"`
	SinkM          float64 `json:"sink_m"`
	SlideMPerS     float64 `json:"slide_m_s"`
}

// Verdict is the result of a check.
type Verdict struct {
	Verdict        Class       `json:"verdict"`
	Summary        string      `json:"summary"`
	Robot          string      `json:"robot"`
	Frames         int         `json:"frames"`
	DurationS      float64     `json:"duration_s"`
	Findings       []Finding   `json:"findings"`
	WorstMarginM   float64     `json:"worst_balance_margin_m"`
	WorstMarginAtS float64     `json:"worst_balance_margin_at_s"`
	OutsideShare   float64     `json:"outside_support_fraction"`
	OneFootShare   float64     `json:"one_foot_fraction"`
	TorqueShare    float64     `json:"torque_share"`
	SpeedShare     float64     `json:"speed_share"`
	Joints         []JointLoad `json:"joints"`
	Seconds        []Second    `json:"seconds"`
}

// Checker knows one robot.
type Checker struct {
	desc     *robot.Description
	kin      *kin.Model
	an       *anatomy.Anatomy
	d        *kin.Data
	joints   []int // velocity index of each described joint
	qpos     []int
	friction []float64
	tau      []float64 // scratch of Torques
	ext      []kin.Wrench
	root     int // first position index of the free joint
	pairs    Pairs
	pills    []pill
	placed   []placed
	balls    []ball // by body
}

// New prepares a robot, which must be a humanoid.
func New(b *body.Body) (*Checker, error) {
	an, err := b.Humanoid()
	if err != nil {
		return nil, fmt.Errorf("feasible: %w", err)
	}
	c := &Checker{desc: b.Desc, kin: b.Kin, an: an, d: b.Kin.NewData(), root: b.Root.QPos}
	for i := range b.Joints {
		j := &b.Joints[i]
		c.joints, c.qpos, c.friction = append(c.joints, j.QVel), append(c.qpos, j.QPos), append(c.friction, j.Hinge.FrictionNm)
	}
	c.kin.Forward(c.d, an.Ref)
	c.collisionPairs()
	return c, nil
}

// ErrWrongRobot is wrapped when a clip is for another robot.
var ErrWrongRobot = errors.New("motion is for another robot")

// track is a clip in the model's own coordinates, with what inverse dynamics says about it.
type track struct {
	fps         float64
	q, vel, acc [][]float64
	on          [][2]bool
}

// load brings a clip into the model's coordinates.
func (c *Checker) load(clip *motion.Clip) (*track, error) {
	if err := clip.Validate(); err != nil {
		return nil, fmt.Errorf("feasible: %w", err)
	}
	at := map[string]int{}
	for i, n := range clip.JointNames {
		at[n] = i
	}
	for _, j := range c.desc.Joints {
		if _, ok := at[j.Name]; !ok {
			return nil, fmt.Errorf("feasible: %w: it has no joint %q of %s; it was made for %q", ErrWrongRobot, j.Name, c.desc.Name, clip.Meta.Robot)
		}
	}
	n, nv := len(clip.Frames), c.kin.Tree.NV
	tr := &track{fps: clip.FPS, on: make([][2]bool, n)}
	known := false
	for t := range clip.Frames {
		f := &clip.Frames[t]
		q := append([]float64(nil), c.an.Ref...)
		copy(q[c.root:], f.BodyPosM[0][:])
		copy(q[c.root+3:], f.BodyQuat[0][:])
		for k, j := range c.desc.Joints {
			q[c.qpos[k]] = f.JointPosRad[at[j.Name]]
		}
		tr.q = append(tr.q, q)
		tr.vel, tr.acc = append(tr.vel, make([]float64, nv)), append(tr.acc, make([]float64, nv))
		tr.on[t] = [2]bool{f.Contacts[0] > 0.5, f.Contacts[1] > 0.5}
		known = known || tr.on[t][0] || tr.on[t][1]
	}
	c.kin.Derivatives(tr.vel, tr.acc, tr.q, tr.fps)
	if !known {
		c.findContacts(tr)
	}
	return tr, nil
}

// findContacts takes a foot to be standing where its sole is near the floor and slow.
func (c *Checker) findContacts(tr *track) {
	for t := range tr.q {
		c.kin.Forward(c.d, tr.q[t])
		c.kin.Velocities(c.d, tr.vel[t])
		for s := range c.an.Legs {
			l := &c.an.Legs[s]
			p := c.d.Point(l.Foot, l.SoleCenter)
			v := c.d.BodyVel[l.Foot].Add(c.d.BodyAngVel[l.Foot].Cross(p.Sub(c.d.BodyPos[l.Foot])))
			tr.on[t][s] = p[2] < 2*floatM && v.Norm() < 5*stillMPerS
		}
	}
}

// servo returns the torque that joint k's servo can give at a speed in the direction of a needed torque, in N m, and
// its no-load speed. Driving, torque falls off linearly with speed (back-EMF); braking, it is the stall torque.
func (c *Checker) servo(k int, speedRadPerS, torqueNm float64) (availableNm, noLoadRadPerS float64) {
	s := c.desc.ServoOf(k)
	drive := speedRadPerS * math.Copysign(1, torqueNm)
	return s.StallTorqueNm * math.Min(1, math.Max(0, 1-drive/s.NoLoadSpeedRadPerS)), s.NoLoadSpeedRadPerS
}

// share splits the ground reaction between the feet: by where the pressure point lies between them, each foot's own
// pressure point kept inside its sole as far as possible.
func (c *Checker) share(ext []kin.Wrench, cop, force spatial.Vec3, twistNm float64, on [2]bool) {
	clear(ext)
	var at [2]spatial.Vec3
	for s := range at {
		l := &c.an.Legs[s]
		at[s] = c.d.Point(l.Foot, l.SoleCenter)
		at[s][2] = 0
	}
	part := [2]float64{1, 0}
	switch {
	case on[0] && on[1]:
		way := at[1].Sub(at[0])
		f := cop.Sub(at[0]).Dot(way) / math.Max(way.Dot(way), 1e-9)
		f = math.Min(math.Max(f, 0), 1)
		part = [2]float64{1 - f, f}
	case on[1]:
		part = [2]float64{0, 1}
	}
	rest := cop.Sub(at[0].Scale(part[0]).Add(at[1].Scale(part[1])))
	for s := range part {
		if part[s] == 0 {
			continue
		}
		p := c.an.Support(c.d, [2]bool{s == 0, s == 1}).Project(at[s].Add(rest))
		p[2] = 0
		f := force.Scale(part[s])
		ext[c.an.Legs[s].Foot] = kin.Wrench{ForceN: f, MomentNm: p.Cross(f).Add(spatial.Vec3{0, 0, part[s] * twistNm})}
	}
}
