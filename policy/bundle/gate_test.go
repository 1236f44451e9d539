package bundle

import (
	"errors"
	"strings"
	"testing"
)

func TestGate(t *testing.T) {
	for eval, want := range map[string]string{
		`{"episodes":40,"survival_rate":0.95}`:  "",
		`{"episodes":40,"survival_rate":1}`:     "",
		`{"episodes":40,"survival_rate":0.949}`: "94.9 % of 40",
		`{"episodes":40,"survival_rate":0.125}`: "legal: 95 %",
		`{"episodes":40,"survival_rate":1.5}`:   "150.0 %",
		`{"episodes":0,"survival_rate":1}`:      "no episodes",
		`{"episodes":40}`:                       "no survival_rate",
		`{"episodes":40,"survival_rate":"1"}`:   "eval.json",
		`[]`:                                    "eval.json",
		``:                                      "holds no eval.json",
	} {
		b := &Bundle{}
		if eval != "" {
			b.Eval = []byte(eval)
		}
		err := b.CheckGate()
		if (err == nil) != (want == "") || err != nil && (!errors.Is(err, ErrPoor) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", eval, err, want)
		}
	}
}
