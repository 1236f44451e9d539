package likeness

import (
	"fmt"
	"math"
	"strings"
)

// Class is the verdict in one phrase.
type Class string

// The verdicts.
const (
	Kept    Class = "the motion"
	Changed Class = "the motion, changed"
	Lost    Class = "no longer the motion"
)

// What separates the classes. The figures in brackets are the worst that was seen on kata20, for good clips (five
// built-in demonstrations as rendered and as extracted from their videos, five clips of real people walking and
// stepping): those must not be refused. Beyond them stand motions that a robot of this kind cannot copy.
const (
	// Heading. Good clips: 10 degrees (filmed, balancing and kicking), 2 (built in). A turn of 360 degrees on feet that
	// step only straight is 100 off; somebody who looks over the shoulder turns the chest by less than 30.
	lostHeadingDeg, changedHeadingDeg = 30.0, 20.0
	// Way over the floor. A robot sways by up to 0.35 leg lengths to stand on one foot where the person hardly does, and
	// is a step late when somebody walks (0.89). A jump forward of a metre is 1.3.
	lostPathLegs, changedPathLegs = 1.0, 0.6
	// A long way may be off by this share of it: footfalls from one camera are no survey.
	pathShare = 0.25
	// Height of the hips (0.21). A jump of 30 cm is 0.35; lying down is 0.6 and more.
	lostHeightLegs, changedHeightLegs = 0.30, 0.25
	// Directions of limbs and trunk, their mean (23; robots with three joints in the arm reach 20 all the time). A
	// somersault is 95, lying 54, getting up 50.
	lostLimbDeg, changedLimbDeg = 35.0, 27.0
	// Times as long as asked for (1.85). At less than 40 % of its speed nobody takes a motion for the same.
	lostStretch = 2.5
)

// How long something must last to count, in seconds of the robot's motion, and across what a gap it goes on.
const (
	holdS      = 0.4
	shortHoldS = 0.2 // heights: a jump is short
	gapS       = 0.3
)

// Finding is one reason.
type Finding struct {
	Severity string  `json:"severity"` // "lost" or "changed"
	Kind     string  `json:"kind"`     // heading, path, height, limbs, time, unseen
	FromS    float64 `json:"from_s"`   // in the person's motion
	ToS      float64 `json:"to_s"`
	AtS      float64 `json:"at_s"` // where it is worst
	Value    float64 `json:"value"`
	Limit    float64 `json:"limit"`
	Unit     string  `json:"unit"` // deg, legs (leg lengths), times
	Text     string  `json:"text"`
}

// Figures are the errors over the motion: the worst and the mean of each.
type Figures struct {
	HeadingMaxDeg  float64 `json:"heading_max_deg"`
	HeadingMeanDeg float64 `json:"heading_mean_deg"`
	PathMaxLegs    float64 `json:"path_max_legs"` // leg lengths
	PathEndLegs    float64 `json:"path_end_legs"`
	HeightMaxLegs  float64 `json:"height_max_legs"`
	LimbMaxDeg     float64 `json:"limb_max_deg"`
	LimbMeanDeg    float64 `json:"limb_mean_deg"`
	PersonWayLegs  float64 `json:"person_way_legs"` // farthest from where they began
	RobotWayLegs   float64 `json:"robot_way_legs"`
	PersonTurnDeg  float64 `json:"person_turn_deg"` // from beginning to end
	RobotTurnDeg   float64 `json:"robot_turn_deg"`
}

// Result is the verdict with what it rests on.
type Result struct {
	Verdict  Class     `json:"verdict"`
	Summary  string    `json:"summary"`
	Findings []Finding `json:"findings"`
	Figures
}

const deg = 180 / math.Pi

// Judge compares the two motions. Where there is no sample, nothing can be said: that is lost, too.
func Judge(e *Evidence) *Result {
	if len(e.Samples) == 0 {
		r := &Result{Findings: []Finding{{Severity: "lost", Kind: "unseen", Text: "the trunk of the person was never seen: there is nothing to compare"}}}
		r.conclude()
		return r
	}
	s := measure(e)
	r := &Result{Findings: []Finding{}, Figures: s.figures()}
	asked := math.Max(e.Amplify, 1/e.Amplify) // widened or narrowed on request: not an error
	r.find(e, trace{kind: "heading", unit: "deg", of: scaled(s.headingRad, deg), lost: lostHeadingDeg, changed: changedHeadingDeg, holdS: holdS}, s)
	r.find(e, trace{kind: "path", unit: "legs", of: s.pathLegs, allowed: s.pathAllowed(), lost: lostPathLegs, changed: changedPathLegs, holdS: holdS}, s)
	r.find(e, trace{kind: "height", unit: "legs", of: s.heightLegs, lost: lostHeightLegs * asked, changed: changedHeightLegs * asked, holdS: shortHoldS}, s)
	r.find(e, trace{kind: "limbs", unit: "deg", of: scaled(s.limbRad, deg), lost: lostLimbDeg * asked, changed: changedLimbDeg * asked, holdS: holdS}, s)
	if e.Stretch > lostStretch*asked {
		last := e.Samples[len(e.Samples)-1].PersonS
		r.Findings = append(r.Findings, Finding{Severity: "lost", Kind: "time", ToS: last, Value: e.Stretch, Limit: lostStretch * asked, Unit: "times",
			Text: fmt.Sprintf("the robot needs %.1f times as long: its servos are too slow or too weak", e.Stretch)})
	}
	r.conclude()
	return r
}

// trace is one error over the motion and what of it is too much.
type trace struct {
	kind, unit    string
	of            []float64
	allowed       []float64 // by sample: what is allowed on top of the limits; nil for none
	lost, changed float64
	holdS         float64
}

// over says whether sample t is beyond a limit.
func (x *trace) over(t int, limit float64) bool {
	if x.allowed != nil {
		limit = math.Max(limit, x.allowed[t])
	}
	return math.Abs(x.of[t]) > limit
}

// find adds the spans in which an error is too large; a span in which it is lost is not said again as changed.
func (r *Result) find(e *Evidence, x trace, s *series) {
	lost := x.spans(e, x.lost)
	for _, p := range lost {
		r.Findings = append(r.Findings, x.finding(e, s, p, "lost", x.lost))
	}
	if len(lost) > 0 {
		return
	}
	for _, p := range x.spans(e, x.changed) {
		r.Findings = append(r.Findings, x.finding(e, s, p, "changed", x.changed))
	}
}

// spans returns first and last samples of the stretches that are beyond a limit for long enough.
func (x *trace) spans(e *Evidence, limit float64) (out [][2]int) {
	begin, last := -1, -1
	end := func() {
		if begin >= 0 && e.Samples[last].RobotS-e.Samples[begin].RobotS >= x.holdS {
			out = append(out, [2]int{begin, last})
		}
		begin = -1
	}
	for t := range x.of {
		if !x.over(t, limit) {
			continue
		}
		if begin >= 0 && e.Samples[t].RobotS-e.Samples[last].RobotS > gapS {
			end()
		}
		if begin < 0 {
			begin = t
		}
		last = t
	}
	end()
	return out
}

// finding words one span.
func (x *trace) finding(e *Evidence, s *series, part [2]int, severity string, limit float64) Finding {
	worst := part[0]
	for t := part[0]; t <= part[1]; t++ {
		if math.Abs(x.of[t]) > math.Abs(x.of[worst]) {
			worst = t
		}
	}
	f := Finding{Severity: severity, Kind: x.kind, FromS: e.Samples[part[0]].PersonS, ToS: e.Samples[part[1]].PersonS,
		AtS: e.Samples[worst].PersonS, Value: math.Abs(x.of[worst]), Limit: limit, Unit: x.unit}
	f.Text = fmt.Sprintf("%.1f-%.1f s: ", f.FromS, f.ToS)
	switch x.kind {
	case "heading":
		f.Text += fmt.Sprintf("the person has turned by %.0f deg, the robot by %.0f: its feet do not turn on the floor",
			math.Abs(s.personRad[worst])*deg, sameWay(s.robotRad[worst], s.personRad[worst])*deg)
	case "path":
		f.Text += fmt.Sprintf("the person is %.1f leg lengths from where the motion began, the robot %.1f, and %.1f from where it should be: steps were lost or too long for it",
			flat(s.personLegs[worst]), flat(s.robotLegs[worst]), x.of[worst])
	case "height":
		where := "lower: it does not leave the floor"
		if x.of[worst] > 0 {
			where = "higher: it does not sit, kneel or lie down"
		}
		f.Text += fmt.Sprintf("the robot's hips are %.1f leg lengths %s", f.Value, where)
	case "limbs":
		f.Text += fmt.Sprintf("arms, legs and trunk are %.0f deg off on average: this robot cannot take such a posture", f.Value)
	}
	return f
}

// sameWay is an angle counted positive in the direction of another.
func sameWay(v, like float64) float64 { return v * math.Copysign(1, like) }

// conclude picks the class and words it.
func (r *Result) conclude() {
	r.Verdict = Kept
	var lost, changed []string
	for _, f := range r.Findings {
		if f.Severity == "lost" {
			lost = append(lost, f.Text)
		} else {
			changed = append(changed, f.Text)
		}
	}
	switch {
	case len(lost) > 0:
		r.Verdict, r.Summary = Lost, "this is no longer the motion: "+strings.Join(lost, "; ")
	case len(changed) > 0:
		r.Verdict, r.Summary = Changed, strings.Join(changed, "; ")
	}
}

// CutsS are the stretches (s, person's time) that a part of the motion must leave out to be judged better. What is lost
// by then stays lost: of a heading or a way only the moment counts at which that happens, for a part begins anew.
func (r *Result) CutsS() (out [][2]float64) {
	for _, f := range r.Findings {
		switch {
		case f.Severity != "lost":
		case f.Kind == "heading" || f.Kind == "path":
			out = append(out, [2]float64{f.FromS, math.Min(f.FromS+holdS, f.ToS)})
		case f.Kind != "time" && f.Kind != "unseen":
			out = append(out, [2]float64{f.FromS, f.ToS})
		}
	}
	return out
}
