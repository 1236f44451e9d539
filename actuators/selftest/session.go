package selftest

import (
	"fmt"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// Answer is what somebody who looked on saw.
type Answer int

// The answers.
const (
	AsTold   Answer = iota // the right part, the right way
	Opposite               // the right part, the other way
	OtherPart
	Nothing
	FarOff  // the right part, much more or less than a few degrees
	NotSeen // nobody looked
)

// Session is one self-test. Exported fields are set before the first Step.
type Session struct {
	Names  []string // of the joints
	IDs    []int
	Servos []Servo
	Only   []int // joints to test; nil: all
	Mover  *Mover
	Plan   func(joint int, atRad float64) Plan
	Watch  func(joint int) <-chan Answer                     // asks who looks on, and does not wait; nil: nobody does
	Tell   func(v Verdict)                                   // hears each verdict as it is reached
	Words  func(failing mode.Checks, x *trace.Sample) string // why arming was refused
	Why    func(x *trace.Sample) string                      // what lies behind a change of state; "": nothing

	verdicts []Verdict
	missed   []int // answers that did not come
	asked    int   // for
	turn     int   // index into the joints to test
	began    int64
	now      *seen
	armed    bool
	over     bool
	refusal  string
	askedNs  int64         // when a move was last asked for
	away     *trace.Sample // the moment at which a joint had run away
	judged   []bool        // joints, out of turn
	stopped  string        // why the test ended before its end
	witness  <-chan Answer // of the joint whose move has ended; nil: nobody was asked
}

const (
	warmUpNs = int64(1e9)  // a round of slow registers before arming
	giveUpNs = int64(10e9) // of asking to arm
	// runawayRad is how far a joint may be from where it was told to be, or from where it
	// was left: beyond, torque goes off.
	runawayRad = 0.3
)

// joint is the one whose turn it is; ok is false after the last.
func (s *Session) joint() (j int, ok bool) {
	if s.Only != nil {
		if s.turn < len(s.Only) {
			return s.Only[s.turn], true
		}
		return 0, false
	}
	return s.turn, s.turn < len(s.Names)
}

// Step takes in a sample. It returns what to ask of the loop, and whether the test is over
// and the loop is to stop.
func (s *Session) Step(x *trace.Sample) (ask mode.Request, stop bool) {
	if s.began == 0 {
		s.began, s.missed, s.judged = x.MonoNs, make([]int, len(s.Names)), make([]bool, len(s.Names))
	}
	s.count(x)
	if s.over {
		return mode.NoRequest, true
	}
	switch x.Mode {
	case mode.Disarmed:
		if s.armed {
			return s.end("the robot was disarmed" + s.why(x))
		}
		return s.arm(x)
	case mode.Arming:
		s.armed = true
		return s.held(x), false
	case mode.Hold:
		if away := s.held(x); away != mode.NoRequest {
			return away, false
		}
		return s.next(x)
	case mode.Active:
		if j, ok := s.joint(); ok && s.now != nil {
			s.now.add(x, j)
		}
		return s.held(x), false
	case mode.Settle, mode.Limp, mode.Cut, mode.Fault:
		return s.end(fmt.Sprintf("%s%s", x.Why, s.why(x)))
	}
	return mode.NoRequest, false
}

func (s *Session) why(x *trace.Sample) string {
	if s.Why == nil {
		return ""
	}
	if w := s.Why(x); w != "" {
		return " (" + w + ")"
	}
	return ""
}

// arm asks until the loop agrees or ten seconds have passed.
func (s *Session) arm(x *trace.Sample) (mode.Request, bool) {
	if x.Why == mode.ServosUnfit && x.From != x.Mode {
		return s.end(x.Robot.Unfit.String())
	}
	if x.Refused && x.Request == mode.Arm {
		s.refusal = s.Words(x.Failing, x)
	}
	switch since := x.MonoNs - s.began; {
	case since < warmUpNs:
		return mode.NoRequest, false
	case since > giveUpNs:
		return s.end("not armed: " + s.refusal)
	}
	return mode.Arm, false
}

// count counts the answers of each servo that did not come.
func (s *Session) count(x *trace.Sample) {
	s.asked++
	for j, fresh := range x.Robot.Fresh {
		if !fresh {
			s.missed[j]++
		}
	}
}

// next concludes a move that has ended and begins the next one.
func (s *Session) next(x *trace.Sample) (ask mode.Request, stop bool) {
	begun := s.now != nil && len(s.now.moments) > 0
	switch {
	case s.now != nil && !begun && x.MonoNs-s.askedNs < againNs: // asked for, and not begun yet
		return mode.NoRequest, false
	case begun && !s.conclude():
		return mode.NoRequest, false
	}
	j, more := s.joint()
	if !more {
		s.over = true
		return mode.Disarm, true
	}
	s.Mover.Select(j)
	s.now, s.askedNs = newSeen(len(s.Names), s.Plan(j, x.GoalRad[j])), x.MonoNs
	return mode.Activate, false
}

// againNs is how long a move that was asked for is waited for.
const againNs = int64(5e8)

// held cuts what runs away.
func (s *Session) held(x *trace.Sample) mode.Request {
	if s.away != nil {
		return mode.EStop
	}
	for k := range x.Robot.PosRad {
		if x.Robot.Fresh[k] && math.Abs(x.Robot.PosRad[k]-x.GoalRad[k]) > runawayRad {
			s.away = x.Clone()
			return mode.EStop
		}
	}
	return mode.NoRequest
}

// ranAway judges the joints that left the places where they were told to be.
func (s *Session) ranAway() {
	x := s.away
	var gone []int
	for k := range x.Robot.PosRad {
		if math.Abs(x.Robot.PosRad[k]-x.GoalRad[k]) > runawayRad/2 {
			gone = append(gone, k)
		}
	}
	for _, k := range gone {
		s.judged[k] = true
		by := fmt.Sprintf("it was %.2f rad from where it was told to be, and torque was cut",
			x.Robot.PosRad[k]-x.GoalRad[k])
		switch {
		case len(gone) != 2 && math.Abs(x.Robot.CurrentA[k]) < deadCurrent*s.Servos[k].StallA:
			s.tell(k, Dead, by+"; it drew no current", "Its motor gets none: replace the servo")
		case len(gone) == 2:
			other := gone[0]
			if other == k {
				other = gone[1]
			}
			s.tell(k, Crossed, by+", together with "+s.Names[other],
				fmt.Sprintf("Exchange the cables or the ids of %s and %s", s.Names[k], s.Names[other]))
		default:
			s.tell(k, Reversed, by, "It turns against its command: replace the servo, or its motor's wires are exchanged inside")
		}
	}
}

// deadCurrent is the share of the stall current below which a motor does not try.
const deadCurrent = 0.02

// conclude judges the joint whose move has ended, once whoever looked on has answered, and
// goes on to the next.
func (s *Session) conclude() (done bool) {
	j, _ := s.joint()
	f, what, do := s.now.judge(j, s.Names, s.Servos[j])
	if f == Healthy && s.Watch != nil {
		if s.witness == nil {
			s.witness = s.Watch(j)
		}
		select {
		case a := <-s.witness:
			f, what, do = witnessed(a)
			s.witness = nil
		default:
			return false
		}
	}
	s.tell(j, f, what, do)
	s.now = nil
	s.turn++
	return true
}

func (s *Session) tell(j int, f Finding, what, do string) {
	v := Verdict{Joint: s.Names[j], ID: s.IDs[j], Finding: f, What: what, Do: do}
	s.verdicts = append(s.verdicts, v)
	if s.Tell != nil {
		s.Tell(v)
	}
}

// witnessed is what an answer says of a joint that is well as far as its encoder knows.
func witnessed(a Answer) (f Finding, what, do string) {
	switch a {
	case Opposite:
		return Reversed, "it was seen to move the other way first",
			"Change its sign in robot.yaml (mitori bus calibrate finds it)"
	case OtherPart:
		return Crossed, "another part was seen to move",
			"Ids are exchanged: mitori bus watch shows which servo is where, mitori bus set-id changes it"
	case Nothing:
		return Loose, "the servo turned, and nothing was seen to move",
			"Its horn slips or is broken: tighten or replace it"
	case FarOff:
		return Ratio, "it was seen to move much more or less than 6 degrees",
			"Servo or gear behind it is of another ratio than the description's: compare robot.yaml with what is built in"
	}
	return Healthy, "", ""
}

// end ends the test before its end: the joint that was moving is judged by what it did.
func (s *Session) end(why string) (mode.Request, bool) {
	s.over, s.stopped = true, why
	if s.away != nil {
		s.ranAway()
	}
	j, more := s.joint()
	if s.now != nil && more && len(s.now.moments) > 0 && !s.judged[j] {
		f, what, do := s.now.judge(j, s.Names, s.Servos[j])
		if f == Reversed || f == Crossed {
			what += "; the test was stopped: " + why
		} else { // a move that was broken off says nothing else
			f, what, do = Stopped, why, "Remove the cause and try again"
		}
		s.tell(j, f, what, do)
		s.turn++
	}
	for j, more = s.joint(); more; j, more = s.joint() {
		if !s.judged[j] {
			s.tell(j, Untested, "the test ended before", "")
		}
		s.turn++
	}
	return mode.NoRequest, true
}

// Verdicts returns one for each joint, after the test is over. Servos that answered less
// than others are told as such where nothing worse was found.
func (s *Session) Verdicts() []Verdict {
	for i := range s.verdicts {
		v := &s.verdicts[i]
		j := slices.Index(s.Names, v.Joint)
		if n := s.missed[j]; v.Finding == Healthy && float64(n) > max(missingShare*float64(s.asked), aboveOthers*float64(s.usual())) {
			v.Finding, v.What = BadCable, fmt.Sprintf("%d of %d answers were missing", n, s.asked)
			v.Do = "Check its plug and the cable before it"
		}
	}
	return s.verdicts
}

// usual is how many answers of a servo were missing, of half of them fewer.
func (s *Session) usual() int {
	if len(s.missed) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(s.missed))[len(s.missed)/2]
}

// Noise says that the whole bus loses answers; "" if it does not.
func (s *Session) Noise() string {
	if n := s.usual(); float64(n) > missingShare*float64(s.asked) {
		return fmt.Sprintf("%d of %d answers of most servos were missing: check the adapter, its latency timer and the first cable", n, s.asked)
	}
	return ""
}

// Stopped says why the test ended before its end; "" if it did not.
func (s *Session) Stopped() string { return s.stopped }

// Blind is what a test that nobody looked at cannot tell.
const Blind = "not told by encoders: whether each joint turned the right way, whether the part that belongs to it moved, " +
	"and whether a gear or linkage behind the servo is right; look yourself (--ask)"

// Passed reports whether every joint is healthy.
func Passed(all []Verdict) bool {
	for i := range all {
		if all[i].Finding != Healthy {
			return false
		}
	}
	return len(all) > 0
}
