package retarget

import (
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
)

func TestTheFilesOwnVerdictIsHeard(t *testing.T) {
	for _, c := range []struct {
		verdict string
		why     []string
		want    *Objection
	}{
		{"", nil, nil},
		{"", []string{"no verdict was passed"}, nil},
		{"good", []string{"by the way"}, nil},
		{"doubtful", []string{"the feet were not seen"}, &Objection{Why: []string{"the feet were not seen"}}},
		{"doubtful", nil, nil},
		{"refused", []string{"upside down"}, &Objection{Refused: true, Why: []string{"upside down"}}},
		{"refused", nil, &Objection{Refused: true, Why: []string{""}}},
	} {
		got := SourceObjection(&human.Motion{Meta: human.Meta{Verdict: c.verdict, Warnings: c.why}})
		if (got == nil) != (c.want == nil) {
			t.Errorf("%q %v: %+v", c.verdict, c.why, got)
			continue
		}
		if got != nil && (got.Refused != c.want.Refused || len(got.Why) != len(c.want.Why) || c.why != nil && !slices.Equal(got.Why, c.why)) {
			t.Errorf("%q %v: %+v, want %+v", c.verdict, c.why, got, c.want)
		}
	}
}
