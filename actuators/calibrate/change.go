package calibrate

import (
	"math"

	"github.com/mitori-robotics/mitori/models/robot"
)

// noiseRad is what an offset or a range may differ by and be the same: a count and a half.
const noiseRad = 0.002

// Changes are what a description must be changed by to say what was found.
func Changes(found []Joint) (all []robot.Change) {
	for i := range found {
		f := &found[i]
		c := robot.Change{Joint: f.Joint}
		if f.Sign != f.WasSign {
			c.Sign = &f.Sign
		}
		differs := func(now, was float64) *float64 {
			if math.Abs(now-was) <= noiseRad {
				return nil
			}
			return &now
		}
		c.OffsetRad, c.MinRad, c.MaxRad = differs(f.OffsetRad, f.WasRad), differs(f.MinRad,
			f.WasMinRad), differs(f.MaxRad, f.WasMaxRad)
		if c.Sign != nil || c.OffsetRad != nil || c.MinRad != nil || c.MaxRad != nil {
			all = append(all, c)
		}
	}
	return all
}
