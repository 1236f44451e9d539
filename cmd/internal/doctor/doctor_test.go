package doctor

import (
	"testing"
)

// Every line has a name, says something, and tells how to mend what is missing.
func TestExamine(t *testing.T) {
	found, missing, names := Examine(), 0, map[string]bool{}
	for _, f := range found {
		if f.Name == "" || f.Detail == "" || names[f.Name] {
			t.Errorf("%+v: no name, no detail, or named twice", f)
		}
		names[f.Name] = true
		if !f.OK {
			missing++
			if f.Fix == "" {
				t.Errorf("%s is missing, and nobody says what to do", f.Name)
			}
		}
	}
	if got := Missing(found); got != missing || len(found) < 8 {
		t.Errorf("%d missing of %d, counted %d", got, len(found), missing)
	}
}

func TestMachine(t *testing.T) {
	m := Machine()
	if m.Cores < 1 || m.CPU == "" || m.OS == "" || m.BLASCore == "" || m.Versions["go"] == "" {
		t.Errorf("%+v", m)
	}
}
