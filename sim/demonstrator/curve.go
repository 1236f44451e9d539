package demonstrator

import "math"

// minimumJerk is the smoothest way from 0 at s = 0 to 1 at s = 1 that starts and
// ends at rest (Flash and Hogan 1985); it is how people move an arm.
func minimumJerk(s float64) float64 {
	s = math.Max(0, math.Min(1, s))
	return s * s * s * (10 + s*(-15+6*s))
}

// curve is one channel over time: keys joined by minimum-jerk pieces, held
// before the first and after the last.
type curve []key

type key struct{ atS, value float64 }

// path makes a curve from time, value pairs with rising times.
func path(timeAndValue ...float64) curve {
	c := make(curve, len(timeAndValue)/2)
	for i := range c {
		c[i] = key{timeAndValue[2*i], timeAndValue[2*i+1]}
	}
	return c
}

func (c curve) at(tS float64) float64 {
	if len(c) == 0 {
		return 0
	}
	if tS <= c[0].atS {
		return c[0].value
	}
	for i := 1; i < len(c); i++ {
		if a, b := c[i-1], c[i]; tS < b.atS {
			return a.value + (b.value-a.value)*minimumJerk((tS-a.atS)/(b.atS-a.atS))
		}
	}
	return c[len(c)-1].value
}

// bump rises from 0 to 1 half way between from and to and falls back.
func bump(tS, fromS, toS float64) float64 {
	s := (tS - fromS) / (toS - fromS)
	if s <= 0 || s >= 1 {
		return 0
	}
	// sin^3 has zero speed and acceleration at both ends, like the other pieces.
	x := math.Sin(math.Pi * s)
	return x * x * x
}

func rad(deg float64) float64 { return deg * math.Pi / 180 }

// oscillate swings n times between -1 and 1 from one instant to another, easing
// in and out over easeS.
func oscillate(tS, fromS, toS float64, n int, easeS float64) float64 {
	if tS <= fromS || tS >= toS {
		return 0
	}
	ease := minimumJerk((tS-fromS)/easeS) * minimumJerk((toS-tS)/easeS)
	return ease * math.Sin(2*math.Pi*float64(n)*(tS-fromS)/(toS-fromS))
}
