package recorder

import (
	"math"
	"time"
)

// Ages are recorded in whole nanoseconds, which is what they are on a bus: the first, and
// of the others how much more they are than that. Between two reads of a joint the differences
// stay as they are, and cost next to nothing. Where some age is no whole number of
// nanoseconds, or not finite, all are recorded as they are.

// setAges returns either form of ages in seconds; the first uses the room of dst.
func setAges(dst []int64, agesS []float64) (ns []int64, asTheyAre []float64) {
	dst = dst[:0]
	for _, age := range agesS {
		n, ok := wholeNs(age)
		if !ok {
			return dst[:0], agesS
		}
		if len(dst) > 0 {
			n -= dst[0]
		}
		dst = append(dst, n)
	}
	return dst, nil
}

// longestAge keeps nanoseconds exact.
const longestAge = 30 * 24 * time.Hour

func wholeNs(ageS float64) (ns int64, ok bool) {
	if !(math.Abs(ageS) <= longestAge.Seconds()) {
		return 0, false
	}
	n := time.Duration(math.Round(ageS * 1e9))
	return int64(n), math.Float64bits(n.Seconds()) == math.Float64bits(ageS)
}

// agesOf reads either form.
func agesOf(ns []int64, asTheyAre []float64) []float64 {
	if len(ns) == 0 {
		return asTheyAre
	}
	ages := make([]float64, len(ns))
	for j, n := range ns {
		if j > 0 {
			n += ns[0]
		}
		ages[j] = time.Duration(n).Seconds()
	}
	return ages
}
