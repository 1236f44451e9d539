// Package verdict judges an extraction: is the motion what the person did, and
// where can the camera not tell? It looks at what tracking and solving report
// anyway, gathered into Evidence; Judge is a pure function from there to a
// Verdict, one rule a fault, each threshold with its unit and its reason
// (rules.go).
//
// Worse evidence never gives a better verdict, and left and right are treated
// alike. What is not in Evidence is not judged: a wrong pose that stands on the
// floor, fits the picture and moves smoothly passes as good.
//
// Everything is deterministic; nothing is kept between calls.
package verdict

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/sight"
)

// Grade is how far a motion can be relied on; a greater one is worse.
type Grade int

// The grades. Good: nothing speaks against it. Doubtful: parts of it are
// guessed or less exact, the warnings say which. Refused: it is not what the
// person did.
const (
	Good Grade = iota
	Doubtful
	Refused
)

var gradeNames = [...]string{"good", "doubtful", "refused"}

// String returns the grade's name in files.
func (g Grade) String() string { return gradeNames[g] }

// MarshalText writes the grade's name.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads a grade's name.
func (g *Grade) UnmarshalText(b []byte) error {
	for i, n := range gradeNames {
		if n == string(b) {
			*g = Grade(i)
			return nil
		}
	}
	return fmt.Errorf("verdict: %q; legal: good, doubtful, refused", b)
}

// Verdict is the judgement on one extraction.
type Verdict struct {
	Grade Grade `json:"verdict"`
	// Unseen lists the parts of the body that are out of the picture or hidden,
	// and when.
	Unseen []human.Unseen `json:"unseen"`
	// Warnings are sentences: what is wrong, when, what to film instead. The
	// gravest come first.
	Warnings []string `json:"warnings"`
}

// Evidence is what is known about an extraction. Shares are of the motion's
// frames, 0 to 1, unless something else is said.
type Evidence struct {
	Span sight.Span // of the motion

	CameraHeightM  float64   // of the camera above the floor
	CameraTiltDeg  float64   // of the picture's vertical against gravity
	TiltDoubtDeg   float64   // standard deviation of the direction of gravity
	LevelsM        []float64 // heights of what the person stepped onto
	StanceShare    float64   // with a foot on the floor, of those in which a foot is seen
	LeanDeg        float64   // of the trunk from upright, mean over standing on straight legs
	InvertedShare  float64   // with the trunk more than 120 degrees from upright
	LyingShare     float64   // with the trunk more than 60 degrees from upright
	SwappedShare   float64   // whose left and right the solver exchanged
	MissedShare    float64   // without the person, between first and last sighting
	AbsentShare    float64   // of the whole video's frames, without the person
	UndecodedShare float64   // of the pictures that the file says to have, what could not be decoded
	ReprojShare    float64   // mean distance of solved from seen landmarks, of the person's height
	SpeedMPerS     float64   // 95th percentile over time of the fastest joint's speed

	// Hidden lists, for each part, when it is not seen.
	Hidden [sight.NumParts][]sight.Span
	// CutsS are the times at which the surroundings became others, JumpsS those
	// at which the body did not move from one place to the next but was there.
	CutsS, JumpsS []float64
	// Moves are the stretches in which the camera moved, and by how much at most
	// within a second, as a share of the person's height.
	Moves    []sight.Span
	SwayMost float64
	// TakenMost is by how much the camera's motion moved the person in the picture
	// where it was taken out before solving; SwayMost is what is left then.
	TakenMost float64
	// Returns are reappearances after a gap.
	Returns []Return
	// Doubts are the times in which somebody who looks alike hid the person.
	Doubts []sight.Span
	// Cameras is how several cameras agree; nil for one.
	Cameras *Cameras
}

// Return is a person who is seen again, or somebody else.
type Return struct {
	sight.Span         // without anybody
	Moved      float64 // between the two places, in body sizes
	Grown      float64 // ratio of the sizes, the larger to the smaller
	Alike      float64 // of the clothes, 0 to 1
}

// finding is one thing that speaks against a motion.
type finding struct {
	grade Grade
	text  string
}

// Judge weighs the evidence.
func Judge(e *Evidence) Verdict {
	v := Verdict{Unseen: unseen(e), Warnings: []string{}}
	var all []finding
	for _, rule := range rules {
		all = append(all, rule(e)...)
	}
	for g := Refused; g >= Good; g-- {
		for _, f := range all {
			if f.grade == g {
				v.Grade = max(v.Grade, g)
				v.Warnings = append(v.Warnings, f.text)
			}
		}
	}
	return v
}

// share is how much of the motion the spans cover.
func (e *Evidence) share(spans []sight.Span) float64 {
	sum := 0.0
	for _, s := range spans {
		sum += math.Max(0, math.Min(s.ToS, e.Span.ToS)-math.Max(s.FromS, e.Span.FromS))
	}
	if l := e.Span.LengthS(); l > 0 {
		return math.Min(1, sum/l)
	}
	return 0
}
