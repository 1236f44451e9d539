package robot

import (
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// A line that is too slow for the rate is refused with the time that a tick needs and
// the rates that are legal; those are.
func TestALineThatIsTooSlow(t *testing.T) {
	for _, tt := range []struct {
		baud, rate int
		refused    bool
	}{{3000000, 100, false}, {1000000, 100, false}, {115200, 100, true}, {57600, 100, true}, {115200, 20, false}, {57600, 10, false}} {
		o := &Options{Config: Config{Robot: "kata20", Baud: tt.baud, RateHz: tt.rate}}
		desc, err := describe(o)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = prepare(desc, o)
		if (err != nil) != tt.refused {
			t.Errorf("%d bits/s at %d Hz: %v", tt.baud, tt.rate, err)
		}
		if tt.refused && (fault.Code(err) != fault.ExitRefused || !strings.Contains(err.Error(), "legal: up to")) {
			t.Errorf("%d bits/s at %d Hz: %v", tt.baud, tt.rate, err)
		}
	}
}
