package loop

import (
	"math"
	"time"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/models/curve"
)

// ramp moves all joints from one pose to another in the same time, starting and
// ending at rest, with the least jerk.
type ramp struct {
	from, to []float64
	total    time.Duration
	at       time.Duration
}

func newRamp(n int) ramp { return ramp{from: make([]float64, n), to: make([]float64, n)} }

// peakSpeed is the highest speed of a unit ramp over unit time, 15/8 at s = 1/2.
const peakSpeed = 1.875

// start plans a ramp that takes at least shortest and stays below each joint's
// gentle speed.
func (r *ramp) start(from, to []float64, limits []guard.Joint, shortest time.Duration) {
	copy(r.from, from)
	copy(r.to, to)
	seconds := shortest.Seconds()
	for j := range limits {
		seconds = max(seconds, peakSpeed*math.Abs(to[j]-from[j])/limits[j].GentleRadPerS)
	}
	r.total, r.at = time.Duration(seconds*float64(time.Second)), 0
}

// step advances the ramp and stores the pose in dst; true when it has ended.
func (r *ramp) step(dst []float64, dt time.Duration) bool {
	r.at = min(r.at+dt, r.total)
	blend := curve.MinJerk(float64(r.at) / float64(r.total))
	for j := range dst {
		dst[j] = r.from[j] + blend*(r.to[j]-r.from[j])
	}
	return r.at == r.total
}

// rest makes the ramp's end a ramp of its own: so long in the same pose.
func (r *ramp) rest(d time.Duration) {
	r.total, r.at = d, 0
	copy(r.from, r.to)
}

// done reports that a ramp was planned and has come to its end.
func (r *ramp) done() bool { return r.total > 0 && r.at == r.total }
