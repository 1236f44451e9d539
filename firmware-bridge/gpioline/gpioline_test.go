package gpioline

import (
	"strings"
	"testing"
)

// A chip that is not there is refused by name; nothing is opened. What a line of a real
// chip reads needs one.
func TestAChipThatIsNotThere(t *testing.T) {
	c, err := Open("gpiochip-none", 3, true)
	if err == nil || c != nil || !strings.Contains(err.Error(), "gpio") {
		t.Errorf("%v, %v", c, err)
	}
}
