package mode

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The manual's failsafe table is the program's.
func TestManualHasTheTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/robotd.md")
	if err != nil {
		t.Fatal(err)
	}
	// Nothing in robotd raises these yet, so the manual must not promise them.
	unraised := map[Condition]bool{EStopOpen: true, LeaseLost: true, LeaseExpired: true}
	for c := range conditionCount {
		row := fmt.Sprintf("| %v | %v |", c, Answer(c))
		if got := strings.Contains(string(text), row); got == unraised[c] {
			t.Errorf("docs/robotd.md has the row %q: %v, want %v", row, got, !unraised[c])
		}
	}
	for s := range stateCount {
		if !strings.Contains(string(text), fmt.Sprintf("| %v |", s)) {
			t.Errorf("docs/robotd.md lacks the state %v", s)
		}
	}
	for c := range checkCount {
		if !strings.Contains(strings.ReplaceAll(string(text), "\n", " "), c.String()) {
			t.Errorf("docs/robotd.md lacks the arming check %q", c)
		}
	}
}
