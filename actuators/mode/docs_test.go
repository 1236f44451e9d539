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
	for c := range AllConditions() {
		row := fmt.Sprintf("| %v | %v |", c, Answer(c))
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/robotd.md lacks the row %q", row)
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
