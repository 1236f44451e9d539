package selftest

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/robot"
)

// Finding names what is the matter with a joint.
type Finding string

// The findings.
const (
	Healthy  Finding = "ok"
	Untested Finding = "not tested"
	Dead     Finding = "dead"
	Weak     Finding = "weak"
	Loose    Finding = "loose"
	Reversed Finding = "reversed"
	Crossed  Finding = "swapped"
	Blocked  Finding = "blocked"
	Slipped  Finding = "end of range too early"
	BadCable Finding = "bad cable"
	Ratio    Finding = "wrong gear ratio"
	Unfit    Finding = "does not fit"
	Stopped  Finding = "stopped"
)

// Verdict is one line of the result.
type Verdict struct {
	Joint   string  `json:"joint"`
	ID      int     `json:"id"`
	Finding Finding `json:"finding"`
	What    string  `json:"what,omitempty"` // was seen, with figures
	Do      string  `json:"do,omitempty"`   // about it
}

// String is the line for people.
func (v *Verdict) String() string {
	s := fmt.Sprintf("%-18s (id %3d)  %s", v.Joint, v.ID, v.Finding)
	if v.What != "" {
		s += ": " + v.What
	}
	if v.Do != "" {
		s += ". " + v.Do
	}
	return s
}

// Limits of the judgement. Angles are of a move of 0.1 rad to each side.
const (
	deadShare    = 0.25 // of the way: less was no move
	otherShare   = 0.4  // of the way, by another joint
	sagRad       = 0.05 // behind the goal at rest
	lagShare     = 4.0  // of the lag that the servo's stiffness explains, beside lagSlackRad
	lagSlackRad  = 0.02
	playRad      = 0.02 // of motor travel that was lost
	highShare    = 0.5  // of the stall current: more than a limb should weigh
	pushShare    = 0.15 // of the stall current: a joint that pushes against something
	softShare    = 0.5  // of the stiffness that a servo should have
	blindShare   = 0.15 // of a move: beyond, nothing is said
	missingShare = 0.02 // of answers
	aboveOthers  = 3.0  // times as many as most servos miss
)

// Servo is what the judgement needs to know of a joint's servo: its torque is
// StiffNmPerRad * error - DampNmSPerRad * speed, and NmPerA * current.
type Servo struct {
	StallA, NmPerA               float64
	StiffNmPerRad, DampNmSPerRad float64
}

// ServoOf is the servo of a joint as the description has it.
func ServoOf(d *robot.Description, j int) Servo {
	t := d.ServoOf(j)
	return Servo{
		StallA: t.StallCurrentA(), NmPerA: t.Entry.NmPerA(),
		StiffNmPerRad: t.StiffnessNmPerRad, DampNmSPerRad: t.DampingNmSPerRad,
	}
}

// judge says what is the matter with joint j, by its move.
func (s *seen) judge(j int, names []string, servo Servo) (f Finding, what, do string) {
	span, moved := s.plan.SpanRad(), s.movedRad(j)
	if len(s.moments) == 0 || span < leastRad {
		return Untested, fmt.Sprintf("it rests %.2f rad from both ends of its range", marginRad),
			"Move it to the middle of its range and try again"
	}
	if share := s.missing(); share > blindShare {
		return Untested, fmt.Sprintf("%.0f %% of its move were not seen: answers were missing or late", 100*share),
			"Try again; if it stays, see to the bus"
	}
	if s.against() < -0.5 && moved > deadShare*span {
		return Reversed, fmt.Sprintf("it turned against the command, %.2f rad", moved),
			"The motor is wired or mounted the wrong way round inside: replace the servo"
	}
	if k, way := s.other(j); moved < deadShare*span && way > otherShare*span {
		return Crossed, fmt.Sprintf("%s moved by %.2f rad instead", names[k], way),
			fmt.Sprintf("Exchange the cables or the ids of %s and %s", names[j], names[k])
	}
	upErr, upAt, upA, _ := s.atRest(0)
	downErr, downAt, downA, _ := s.atRest(1)
	most := max(math.Abs(upA), math.Abs(downA))
	if moved < deadShare*span {
		if most > pushShare*servo.StallA {
			return Blocked, fmt.Sprintf("it moved %.3f of %.2f rad and drew %.2f A", moved, span, most),
				"Look what holds it"
		}
		return Dead, fmt.Sprintf("it answers, moved %.3f of %.2f rad and drew %.2f A", moved, span, most),
			"Its motor, gears or horn are broken: replace the servo"
	}
	return s.judgeMoving(servo, end{upErr, upAt, upA}, end{downErr, downAt, downA})
}

// end is how a joint rested at one end of its move.
type end struct{ errRad, atRad, currentA float64 }

// soft reports an error that is larger than the torque given explains: a servo that is not
// as stiff as it should be.
func (e *end) soft(servo Servo) bool {
	return math.Abs(e.errRad) > sagRad && servo.NmPerA*math.Abs(e.currentA) < softShare*servo.StiffNmPerRad*math.Abs(e.errRad)
}

// judgeMoving says what is the matter with a joint that moves.
func (s *seen) judgeMoving(servo Servo, up, down end) (f Finding, what, do string) {
	for leg, e := range []end{up, down} {
		if math.Abs(e.errRad) > sagRad && s.stopped(leg) {
			return Slipped, fmt.Sprintf("it stopped at %.2f rad on its way to %.2f and drew %.2f A", e.atRad,
					e.atRad+e.errRad, e.currentA),
				"Its horn or offset has slipped, or something is in the way: look, then run mitori bus calibrate"
		}
	}
	for _, e := range []end{up, down} {
		switch {
		case e.soft(servo):
			return Weak, fmt.Sprintf("it rests %.2f rad from its goal at only %.2f A", math.Abs(e.errRad),
				math.Abs(e.currentA)), weakDo
		case math.Abs(e.currentA) > highShare*servo.StallA:
			return Blocked, fmt.Sprintf("it rests %.2f rad from its goal and draws %.2f A", math.Abs(e.errRad),
					math.Abs(e.currentA)),
				"Something heavy or stiff holds it: look what"
		}
	}
	lag, load := s.lagRad(servo)
	if fair := lagShare*speedRadPS*servo.DampNmSPerRad/servo.StiffNmPerRad + load/softShare + lagSlackRad; lag > fair {
		return Weak, fmt.Sprintf("it follows %.3f rad behind, %.3f would be fair", lag, fair), weakDo
	}
	if lost := s.lostRad(servo); lost > playRad {
		return Loose, fmt.Sprintf("about %.1f degrees of play when it changes direction", lost*180/math.Pi),
			"Tighten the horn's screws; if that does not help, replace gears or servo"
	}
	return Healthy, "", ""
}

const weakDo = "Check its supply and its limits (mitori bus read); if they are right, replace the servo"

// other is the joint that moved most beside j.
func (s *seen) other(j int) (k int, wayRad float64) {
	for i := range s.lowRad {
		if i != j && s.movedRad(i) > wayRad {
			k, wayRad = i, s.movedRad(i)
		}
	}
	return k, wayRad
}
