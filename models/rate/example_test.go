package rate_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/rate"
)

// A count says how sure it is.
func ExampleRate() {
	fmt.Println(rate.Rate{Hits: 37, Trials: 40})
	fmt.Println(rate.Rate{Hits: 40, Trials: 40})
	// Output:
	// 37 of 40 (92.5 %, 95 % interval 79.6 to 98.4 %)
	// 40 of 40 (100 %, 95 % interval 91.2 to 100 %)
}
