package fall_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/fall"
)

func ExampleRule_Fallen() {
	rule := fall.Of(0.30) // metres
	fmt.Println(rule.Fallen(0.29, 0.05), rule.Fallen(0.29, 1.3), rule.Fallen(0.10, 0.05))
	// Output: false true true
}

// Whoever stands has not fallen, whoever lies has, and getting worse never makes a fallen robot stand.
func TestWorseIsNeverBetter(t *testing.T) {
	for _, standM := range []float64{0.1, 0.28, 1.2} {
		rule := fall.Of(standM)
		if rule.Fallen(standM, 0) {
			t.Errorf("a robot of %g m falls by standing", standM)
		}
		if !rule.Fallen(standM, math.Pi/2) || !rule.Fallen(0, 0) {
			t.Errorf("a robot of %g m that lies has not fallen", standM)
		}
		for h := range 20 {
			for a := range 20 {
				height, tilt := standM*float64(h)/19, math.Pi*float64(a)/19
				if rule.Fallen(height, tilt) && !(rule.Fallen(height-0.01, tilt) && rule.Fallen(height, tilt+0.1)) {
					t.Errorf("%g m, %g rad is a fall; lower or more tilted is none", height, tilt)
				}
			}
		}
	}
}

func TestNoRuleFindsNobodyFallen(t *testing.T) {
	if (fall.Rule{}).Fallen(0, math.Pi) {
		t.Error("the zero rule finds a fall")
	}
}
