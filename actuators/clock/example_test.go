package clock_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/clock"
)

// Deadlines are absolute: who comes late skips whole ticks and stays in time.
func ExampleSchedule() {
	s, err := clock.New(100, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, wokeMs := range []int64{0, 10, 47, 50} {
		cycle, lateNs, skipped := s.Wake(wokeMs * 1e6)
		fmt.Printf("tick %d, %d ms late, %d skipped\n", cycle, lateNs/1e6, skipped)
	}
	// Output:
	// tick 0, 0 ms late, 0 skipped
	// tick 1, 0 ms late, 0 skipped
	// tick 4, 7 ms late, 2 skipped
	// tick 5, 0 ms late, 0 skipped
}
