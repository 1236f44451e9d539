package learn

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/gait"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// The feet are followed from the demonstrator through the retargeter: the march
// lifts both feet alike, and so does the reference motion that is made of it.
func TestFeetOfTheMarch(t *testing.T) {
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	m, err := demonstrator.Find("march")
	if err != nil {
		t.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := retarget.New(b)
	if err != nil {
		t.Fatal(err)
	}
	clip, _, err := r.Retarget(person, retarget.Options{})
	if err != nil {
		t.Fatal(err)
	}
	legs, err := gait.NewWalker(b)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := gait.Measure(gait.Person(person))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := gait.Measure(legs.Reference(clip))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*gait.Figures{truth, ref} {
		if len(f.Left.Lifts) != 2 || len(f.Right.Lifts) != 2 || *f.Symmetry < 0.9 {
			t.Errorf("%d and %d lifts, symmetry %.2f; want 2, 2, alike", len(f.Left.Lifts), len(f.Right.Lifts), *f.Symmetry)
		}
	}
	if math.Abs(truth.Left.HeightM-0.159) > 0.005 {
		t.Errorf("the demonstrator lifts the ankle by %.0f mm; want 159", 1e3*truth.Left.HeightM)
	}
	// A right foot that the video lost: said of the person and against the truth.
	seen := *truth
	seen.Right.HeightM, seen.Right.HeightLegs = 0.043, 0.043/truth.LegM
	low := seen.Right.HeightM / seen.Left.HeightM
	seen.Symmetry = &low
	said := strings.Join(feetFindings(&record.Feet{Person: &seen, Truth: truth, Reference: ref}, false), "\n")
	if !strings.Contains(said, "The motion seen in the video lifts the right foot") || !strings.Contains(said, "unequally") || strings.Contains(said, "left foot") {
		t.Errorf("a right foot hardly raised: %q", said)
	}
	alone := strings.Join(feetFindings(&record.Feet{Person: &seen, Reference: &seen}, false), "\n")
	if !strings.Contains(alone, "misread") {
		t.Errorf("without truth: %q", alone)
	}
	if mirrored := strings.Join(feetFindings(&record.Feet{Person: &seen, Reference: &seen}, true), "\n"); !strings.Contains(mirrored, "The reference motion lifts the left foot") {
		t.Errorf("mirrored, but not in the reference: %q", mirrored)
	}
}
