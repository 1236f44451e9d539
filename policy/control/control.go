// Package control runs the exported weights of a policy bundle as the controller of
// a robot: what was measured goes in, joint angles come out.
//
// While it plays nothing it keeps balance with the reference resting in its last
// pose, which is the standing pose that every clip starts and ends in.
//
// What is not here: whether a policy is good enough to run (bundle.CheckGate), the
// limits on what it asks for (actuators/guard), and when it acts (actuators/loop,
// whose Controller a [Player] is). A Player belongs to one goroutine; Enter, Stop, Act
// and Phase allocate nothing.
package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/episode"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// Player plays the clips of one bundle in turn.
type Player struct {
	hash    string // SHA-256 of the bundle file
	periodS float64
	clipS   float64 // longest clip

	refs    []*obs.Reference
	slow    []*obs.Reference // the same at slowShare of their speed
	run     *infer.Runner
	at      *episode.Player // where in which clip
	brake   *obs.Reference  // from where Stop came to the standing pose
	in, out []float32
	m       obs.Measurement

	tired   bool // the robot is to be spared
	slowed  bool // what is being played is of slow
	clip    int  // of refs, playing or played last
	next    int  // of refs, to play next
	playing bool
	stops   bool // playing is the brake
}

// errOutput is returned bare: a tick allocates nothing.
var errOutput = errors.New("policy output is not finite")

// New returns a player of a bundle for the robot that the description describes. The
// error says what in the bundle does not fit that robot, or cannot be played.
func New(b *bundle.Bundle, desc *robot.Description) (*Player, error) {
	if err := b.CheckRobot(desc); err != nil {
		return nil, err
	}
	spec, err := specOf(b, desc)
	if err != nil {
		return nil, err
	}
	at, err := episode.New(*spec)
	if err != nil {
		return nil, err
	}
	p := &Player{
		hash: b.SHA256, periodS: spec.PeriodS, run: b.Net.NewRunner(1), at: at,
		in: make([]float32, b.Net.In()), out: make([]float32, len(desc.Joints)),
		brake: obs.NewBlend(len(desc.Joints), int(stopS/spec.PeriodS+0.5)),
	}
	for _, c := range b.Clips {
		ref, err := obs.NewReference(c, spec)
		if err != nil {
			return nil, err
		}
		p.refs, p.slow = append(p.refs, ref), append(p.slow, ref.Slowed(slowShare))
		p.clipS = max(p.clipS, float64(len(ref.Frames))*spec.PeriodS)
	}
	at.GoTo(p.refs[0], 0)
	return p, p.checkEnds(desc)
}

// specOf reads the observation that the bundle's network wants, and refuses one that
// this robot cannot give.
func specOf(b *bundle.Bundle, desc *robot.Description) (*obs.Spec, error) {
	spec := &obs.Spec{}
	dec := json.NewDecoder(bytes.NewReader(b.Manifest.Observation))
	dec.DisallowUnknownFields()
	if err := dec.Decode(spec); err != nil {
		return nil, fmt.Errorf("observation: %w", err)
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	n := len(desc.Joints)
	if spec.Joints() != n || spec.Dim() != b.Net.In() || b.Net.Out() != n {
		return nil, fmt.Errorf("the network maps %d numbers to %d, the observation gives %d and the robot has %d joints",
			b.Net.In(), b.Net.Out(), spec.Dim(), n)
	}
	for i, j := range spec.JointNames {
		if j != desc.Joints[i].Name {
			return nil, fmt.Errorf("joint %d of the observation is %q, of the robot %q", i, j, desc.Joints[i].Name)
		}
	}
	return spec, nil
}

// endToleranceRad is how far apart the ends of all clips may be: the robot waits in
// one of them and starts the next from there.
const endToleranceRad = 0.15

// checkEnds refuses clips that do not start and end in one common pose.
func (p *Player) checkEnds(desc *robot.Description) error {
	first := p.refs[0].At(0).JointPosRad
	for k, r := range p.refs {
		for _, at := range []int{0, len(r.Frames) - 1} {
			for j, q := range r.At(at).JointPosRad {
				if math.Abs(q-first[j]) > endToleranceRad {
					return fmt.Errorf("clip %d, frame %d: joint %s is at %.2f rad, the first clip starts at %.2f; "+
						"a motion must start and end standing", k, at, desc.Joints[j].Name, q, first[j])
				}
			}
		}
	}
	return nil
}

// StartRad is the pose in which every clip starts; the caller must not change it.
func (p *Player) StartRad() []float64 { return p.refs[0].At(0).JointPosRad }

// ClipTime is how long the longest clip takes.
func (p *Player) ClipTime() time.Duration { return time.Duration(p.clipS * float64(time.Second)) }

// PeriodS is the time between two decisions, in seconds.
func (p *Player) PeriodS() float64 { return p.periodS }

// String says in one line what is played.
func (p *Player) String() string {
	return fmt.Sprintf("%d clip(s), longest %.1f s, %.0f Hz, sha256 %.12s", len(p.refs), p.clipS, 1/p.periodS, p.hash)
}

// Enter takes the robot over in the pose holdRad, which is what was commanded so far.
func (p *Player) Enter(holdRad []float64) {
	p.at.Begin(p.refs[p.clip], 0, holdRad)
	p.at.Rest()
	p.playing, p.stops, p.slowed = false, false, false
}

// slowShare is how fast motions are played that are to spare the robot. It is used below
// tiredBelow of what the loop would let them go, and until that is above restedFrom.
const (
	slowShare  = 0.7
	tiredBelow = 0.95
	restedFrom = 0.99
)

// Pace is how fast the robot may go, as a share of its speed: a warm one plays its motions
// slower, from where they are.
func (p *Player) Pace(share float64) {
	if share < tiredBelow {
		p.tired = true
	} else if share >= restedFrom {
		p.tired = false
	}
}

// change goes to the same moment of the same motion at the other speed.
func (p *Player) change() {
	step := float64(p.at.Step())
	if p.slowed = p.tired; p.slowed {
		p.at.GoTo(p.slow[p.clip], int(step/slowShare+0.5))
	} else {
		p.at.GoTo(p.refs[p.clip], int(step*slowShare+0.5))
	}
}

// stopS is how long a motion that is broken off takes to the standing pose. The policy
// goes on balancing meanwhile, and the limits on its steps hold.
const stopS = 0.8

// Stop breaks off the motion that is being played, if one is: from here the reference
// leads to the standing pose, within a second.
func (p *Player) Stop() {
	if !p.playing || p.stops {
		return
	}
	ref := p.refs[p.clip]
	p.brake.Blend(p.at.Frame(), ref.At(len(ref.Frames)), p.at.Phase(), p.periodS)
	p.at.GoTo(p.brake, 0)
	p.stops = true
}

// Act stores in dst the joint angles for the next control period. With play a motion
// is begun unless one is being played; without it the motion is finished, and then
// balance kept. standing reports that nothing is being played.
func (p *Player) Act(dst []float64, s *sensed.Robot, play bool) (standing bool, err error) {
	p.goOn(play)
	p.m.JointPosRad, p.m.JointVelRadPerS = s.PosRad, s.VelRadPerS
	p.m.GyroRadPerS, p.m.Gravity = s.GyroRadPerS, s.GravityDir
	p.at.Observe(p.in, &p.m)
	p.run.Forward(p.out, p.in, 1)
	for _, v := range p.out {
		if v != v || v > math.MaxFloat32 || v < -math.MaxFloat32 {
			return !p.playing, errOutput
		}
	}
	p.at.Act(dst, p.out)
	return !p.playing, nil
}

// goOn goes to the next moment, and begins a motion where play is asked for and none
// is being played. Who asks while one is being broken off gets the next one after it.
func (p *Player) goOn(play bool) {
	if p.playing {
		p.at.Next()
		if p.slowed != p.tired && !p.stops {
			p.change()
		}
		p.playing = !p.at.Ended(1) // the last frame is acted on, too
		if p.playing || !p.stops {
			return
		}
		p.stops = false
		p.slowed = false
		p.at.GoTo(p.refs[p.clip], 0) // the brake's frames may be filled anew
		p.at.Rest()
	}
	if play {
		p.clip, p.next = p.next, (p.next+1)%len(p.refs)
		p.at.GoTo(p.refs[p.clip], 0)
		p.playing, p.slowed = true, false
	}
}

// Phase is how far the motion is, 0 to 1.
func (p *Player) Phase() float64 { return p.at.Phase() }
