// Package plan lays out what the robot shall do before any joint angle is known: where and when each foot stands and
// swings, how high the hips are, where trunk and arms point, from the robot's standing pose through the person's motion
// and back to the standing pose.
//
// World axes, metres and rad; the robot starts at the origin facing +x; frames follow each other at the plan's rate.
// A Plan is a value: WithCom and InReach return a changed copy. Not here: the path of the centre of mass
// (policy/retarget/ balance), joint angles (policy/retarget/wholebody and arms). Anything may be called from any
// goroutine.
package plan

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
)

// Target is what the robot shall do at one frame.
type Target struct {
	RootRot, ChestRot, HeadRot spatial.Quat
	HipM                       float64 // height of the middle of the hips
	HipWantM                   float64 // before it was brought into the legs' reach
	Foot                       [2]FootTarget
	Upper, Fore                [2]spatial.Vec3 // directions of upper arm and forearm, unit
	ArmDoubt                   [2]float64      // how much less they are to be followed, 0 to 1
	Com                        [2]float64      // m, horizontal
	// Lead is 0 in the motion itself; in lead-in and lead-out it says how far (0 at the motion, 1 at the standing
	// pose) the joints that no foot depends on have gone to the standing pose.
	Lead float64
}

// FootTarget places one foot: the point of the floor below the ankle, and how high the foot is above it.
type FootTarget struct {
	At    spatial.Vec3 // z = height of the sole
	Want  spatial.Vec3 // before it was brought into the leg's reach
	Yaw   float64
	On    bool
	Level float64 // 1: the sole shall be level; towards 0 as the foot is lifted high
	Grip  float64 // 1: the place must be met; towards 0 in the middle of a swing
}

// Stance is one stretch of standing on a foot.
type Stance struct {
	From, To int // frames, [From, To)
	At       spatial.Vec3
	Yaw      float64
}

// Plan is the whole robot motion before inverse kinematics.
type Plan struct {
	Robot      *physique.Robot
	Person     *observe.Performance
	FPS        float64
	Targets    []Target
	Stances    [2][]Stance
	Lead       [2]int // frames of lead-in and lead-out
	End        Place  // where the standing robot is at the end
	StepIn     bool   // a step was put into the lead-in
	StepOut    bool
	MovedSteps int     // foot placements moved apart or together
	ScaleM     float64 // the robot's leg length: what a human leg length becomes
	Contacts   [][2]bool
}

// Place is a standing place: position on the floor and heading.
type Place struct {
	At  spatial.Vec3
	Yaw float64
}

// Apply carries a vector from the standing robot's frame to the world.
func (p Place) Apply(v spatial.Vec3) spatial.Vec3 { return p.At.Add(v.Yawed(p.Yaw)) }

// Frames is the number of frames that cover a time.
func (p *Plan) Frames(s float64) int { return frames(s, p.FPS) }

// Intent returns what the person does at frame t, held at the ends of the motion.
func (p *Plan) Intent(t int) *observe.Intent {
	return &p.Person.Intents[min(max(t-p.Lead[0], 0), len(p.Person.Intents)-1)]
}

// WithCom returns the plan with a path of the centre of mass (m, one for each frame).
func (p *Plan) WithCom(com [][2]float64) *Plan {
	out := *p
	out.Targets = append([]Target(nil), p.Targets...)
	for t := range out.Targets {
		out.Targets[t].Com = com[t]
	}
	return &out
}

func frames(s, fps float64) int { return int(math.Ceil(s*fps - 1e-9)) }

// Times in seconds, tuned on kata20 and the built-in demonstrations: shorter ones leave legs too fast, longer ones only
// take time.
const (
	HoldS     = 0.3 // quiet standing at both ends
	LeadS     = 1.0 // shortest blend between the standing pose and the motion
	stepS     = 0.6 // an inserted step
	liftS     = 0.5 // of a foot that is in the air where the motion begins or ends: as long as the bends of its path take
	shiftS    = 0.5 // time to bring the weight over before it
	settleS   = 0.25
	clearance = 0.07 // of the leg: least height of a swinging foot
)

// maxTwistRad is how far the trunk turns against the feet.
const maxTwistRad = 0.6

// Layout plans with lead-in and lead-out that are as long as leadS (s, each at least LeadS) or as what happens in
// them, first as if a step were needed at both ends. The centre of mass is left open, and nothing is drawn into the
// legs' reach.
func Layout(r *physique.Robot, person *observe.Performance, fps float64, leadS [2]float64) *Plan {
	steps := [2]bool{true, true}
	var out *Plan
	for range 2 {
		pl := &planner{r: r, fps: fps, person: person}
		for e, t := range [2]int{0, len(person.Intents) - 1} {
			pl.calm[e] = leadS[e] / LeadS
			need := leadS[e]
			if on := person.Intents[t].On; !on[0] || !on[1] {
				need = math.Max(need, (shiftS+stepS)*pl.calm[e])
			}
			if steps[e] {
				need = math.Max(need, (shiftS+stepS+2*settleS)*pl.calm[e])
			}
			pl.lead[e] = pl.frames(need + HoldS)
		}
		out = pl.layout()
		if steps == [2]bool{out.StepIn, out.StepOut} {
			break
		}
		steps = [2]bool{out.StepIn, out.StepOut}
	}
	return out
}

// planner lays out a plan for one robot.
type planner struct {
	r      *physique.Robot
	fps    float64
	person *observe.Performance
	lead   [2]int     // frames
	calm   [2]float64 // by how much steps in lead-in and lead-out take longer than the least
	out    *Plan
	first  [2]spatial.Vec3 // robot world: where each foot first stands
	moved  int             // the foot that a step in the lead-in moves
	ref    [2]spatial.Vec3 // the person's foot in its first stance
}

func (pl *planner) frames(s float64) int { return frames(s, pl.fps) }

// layout makes stances, foot paths and posture targets for all frames.
func (pl *planner) layout() *Plan {
	n := pl.lead[0] + len(pl.person.Intents) + pl.lead[1]
	pl.out = &Plan{Robot: pl.r, Person: pl.person, FPS: pl.fps, Lead: pl.lead, ScaleM: pl.r.An.LegLengthM(),
		Targets: make([]Target, n), Contacts: make([][2]bool, n)}
	pl.placements()
	pl.leadSteps()
	pl.paths()
	pl.posture()
	for t := range pl.out.Targets {
		tg := &pl.out.Targets[t]
		tg.HipWantM = tg.HipM
		for s := range tg.Foot {
			tg.Foot[s].Want = tg.Foot[s].At
		}
	}
	return pl.out
}
