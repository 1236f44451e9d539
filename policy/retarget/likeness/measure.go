package likeness

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// limbs are the segments whose directions are compared, beside the trunk's.
var limbs = [...][2]Joint{
	{LHip, LKnee}, {LKnee, LAnkle}, {RHip, RKnee}, {RKnee, RAnkle},
	{LShoulder, LElbow}, {LElbow, LWrist}, {RShoulder, RElbow}, {RElbow, RWrist},
}

// series is what the two bodies have in common, sample by sample.
type series struct {
	headingRad []float64 // robot's less the person's, 0 at the start, -pi to pi
	pathLegs   []float64 // distance between the two ways over the floor, in leg lengths
	heightLegs []float64 // robot's hip height less the person's, each against its start
	limbRad    []float64 // mean angle between directions, each body seen from its own heading
	personRad  []float64 // headings, turns counted
	robotRad   []float64
	personLegs []spatial.Vec3 // ways over the floor from the start, in leg lengths, first heading along x
	robotLegs  []spatial.Vec3
}

// measure reads the series off the evidence.
func measure(e *Evidence) *series {
	n := len(e.Samples)
	s := &series{headingRad: make([]float64, n), pathLegs: make([]float64, n), heightLegs: make([]float64, n), limbRad: make([]float64, n),
		personRad: make([]float64, n), robotRad: make([]float64, n), personLegs: make([]spatial.Vec3, n), robotLegs: make([]spatial.Vec3, n)}
	for t := range e.Samples {
		x := &e.Samples[t]
		shoulders := x.Person.shoulders() && x.Robot.shoulders() // compared by the same lines
		s.personRad[t], s.robotRad[t] = x.Person.heading(shoulders), x.Robot.heading(shoulders)
		s.limbRad[t] = apart(&x.Person, &x.Robot, s.personRad[t], s.robotRad[t])
	}
	unwrap(s.personRad)
	unwrap(s.robotRad)
	first := startSamples(e)
	p0, r0 := mean(s.personRad[:first]), mean(s.robotRad[:first])
	pAt, rAt := start(e, first, func(x *Sample) *Posture { return &x.Person }), start(e, first, func(x *Sample) *Posture { return &x.Robot })
	person, robot := spatial.FromYaw(-p0), spatial.FromYaw(-r0)
	var missed unfollowed
	for t := range e.Samples {
		x := &e.Samples[t]
		s.personRad[t] -= p0
		s.robotRad[t] -= r0
		s.headingRad[t] = math.Remainder(s.robotRad[t]-s.personRad[t], 2*math.Pi)
		s.personLegs[t] = person.Rotate(x.Person.hips().Sub(pAt)).Scale(e.Amplify / e.PersonLegM)
		s.robotLegs[t] = robot.Rotate(x.Robot.hips().Sub(rAt)).Scale(1 / e.RobotLegM)
		off := s.robotLegs[t].Sub(s.personLegs[t])
		off, s.headingRad[t] = missed.takenOff(off, s.headingRad[t], x.Still)
		s.pathLegs[t], s.heightLegs[t] = flat(off), off[2]
	}
	return s
}

// unfollowed is what the person went and turned while the robot stood still by intent.
type unfollowed struct {
	way     spatial.Vec3 // over the floor
	turnRad float64
}

// takenOff returns how far way and heading are off but for that. While the robot is still they are not off at all.
func (u *unfollowed) takenOff(off spatial.Vec3, turnRad float64, still bool) (spatial.Vec3, float64) {
	if still {
		u.way, u.turnRad = spatial.Vec3{off[0], off[1], 0}, turnRad
		return spatial.Vec3{}, 0
	}
	return off.Sub(u.way), math.Remainder(turnRad-u.turnRad, 2*math.Pi)
}

// startS is the time at the beginning over which the start is averaged: one frame of a video is noise.
const startS = 0.2

func startSamples(e *Evidence) int {
	n := 1
	for n < len(e.Samples) && e.Samples[n].RobotS < e.Samples[0].RobotS+startS {
		n++
	}
	return n
}

// start is where the hips are at the beginning.
func start(e *Evidence, n int, of func(*Sample) *Posture) (at spatial.Vec3) {
	for t := range n {
		at = at.Add(of(&e.Samples[t]).hips().Scale(1 / float64(n)))
	}
	return at
}

// hips is the middle between the hips.
func (p *Posture) hips() spatial.Vec3 { return p.At[LHip].Lerp(p.At[RHip], 0.5) }

// hipsSeen says whether both are there; without them the trunk's direction is not known either.
func (p *Posture) hipsSeen() bool { return p.Has[LHip] && p.Has[RHip] }

// shoulders says whether both are there.
func (p *Posture) shoulders() bool { return p.Has[LShoulder] && p.Has[RShoulder] }

// heading is the direction that the trunk faces, rad about z, from the line through the hips, and through the shoulders
// if asked for, or these alone where the hips were not seen. Where these point up (a body on its side), the trunk's own direction decides.
func (p *Posture) heading(shoulders bool) float64 {
	y := spatial.Vec3{0, 1, 0}
	left := p.At[LHip].Sub(p.At[RHip]).Unit(y)
	switch {
	case shoulders && !p.hipsSeen():
		left = p.At[LShoulder].Sub(p.At[RShoulder]).Unit(y)
	case shoulders:
		left = left.Lerp(p.At[LShoulder].Sub(p.At[RShoulder]).Unit(y), 0.5)
	}
	if math.Hypot(left[0], left[1]) < 1e-3 {
		x := left.Cross(p.Up)
		return math.Atan2(x[1], x[0])
	}
	return math.Atan2(-left[0], left[1])
}

// apart is the mean angle between the directions of the limbs and trunks, each body turned to face +x.
func apart(a, b *Posture, aRad, bRad float64) float64 {
	turnA, turnB := spatial.FromYaw(-aRad), spatial.FromYaw(-bRad)
	sum, n := 0.0, 0.0
	if a.hipsSeen() && b.hipsSeen() {
		sum, n = angle(turnA.Rotate(a.Up), turnB.Rotate(b.Up)), 1
	}
	for _, l := range limbs {
		if !a.Has[l[0]] || !a.Has[l[1]] || !b.Has[l[0]] || !b.Has[l[1]] {
			continue
		}
		sum += angle(turnA.Rotate(a.At[l[1]].Sub(a.At[l[0]])), turnB.Rotate(b.At[l[1]].Sub(b.At[l[0]])))
		n++
	}
	return sum / math.Max(n, 1)
}

// angle lies between two directions, rad.
func angle(a, b spatial.Vec3) float64 { return math.Atan2(a.Cross(b).Norm(), a.Dot(b)) }

// unwrap counts whole turns: no step is larger than half of one.
func unwrap(rad []float64) {
	for t := 1; t < len(rad); t++ {
		rad[t] = rad[t-1] + math.Remainder(rad[t]-rad[t-1], 2*math.Pi)
	}
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(len(x), 1))
}

// flat is a length over the floor.
func flat(v spatial.Vec3) float64 { return math.Hypot(v[0], v[1]) }

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for t := range x {
		out[t] = x[t] * by
	}
	return out
}

// pathAllowed is how far a way may be off by then: a share of how far the person has been from the start.
func (s *series) pathAllowed() []float64 {
	out, far := make([]float64, len(s.personLegs)), 0.0
	for t, p := range s.personLegs {
		far = math.Max(far, flat(p))
		out[t] = pathShare * far
	}
	return out
}

// figures sums the series up.
func (s *series) figures() (f Figures) {
	last := len(s.pathLegs) - 1
	for t := range s.pathLegs {
		h := math.Abs(s.headingRad[t]) * deg
		f.HeadingMaxDeg, f.HeadingMeanDeg = math.Max(f.HeadingMaxDeg, h), f.HeadingMeanDeg+h/float64(last+1)
		f.LimbMaxDeg, f.LimbMeanDeg = math.Max(f.LimbMaxDeg, s.limbRad[t]*deg), f.LimbMeanDeg+s.limbRad[t]*deg/float64(last+1)
		f.PathMaxLegs, f.HeightMaxLegs = math.Max(f.PathMaxLegs, s.pathLegs[t]), math.Max(f.HeightMaxLegs, math.Abs(s.heightLegs[t]))
		f.PersonWayLegs, f.RobotWayLegs = math.Max(f.PersonWayLegs, flat(s.personLegs[t])), math.Max(f.RobotWayLegs, flat(s.robotLegs[t]))
	}
	f.PathEndLegs = s.pathLegs[last]
	f.PersonTurnDeg, f.RobotTurnDeg = s.personRad[last]*deg, s.robotRad[last]*deg
	return f
}
