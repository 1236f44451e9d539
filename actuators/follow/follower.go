package follow

import (
	"math"
	"slices"
	"time"

	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// The times of a follower.
const (
	// LostAfter is how long the latest reference is held when none follows.
	LostAfter = 300 * time.Millisecond
	// FadeTime is how long it takes to the standing pose from there, and from the pose in
	// which following begins to the reference.
	FadeTime = 800 * time.Millisecond
	// The time from one reference to the next, as the sender gives it, is kept within
	// these: 100 to 20 a second.
	quickestStep, slowestStep = 10 * time.Millisecond, 60 * time.Millisecond
)

// Follower is a controller (loop.Controller) that follows what a Desk leaves, and stands where it follows none. It allocates nothing after NewFollower.
type Follower struct {
	latest *shared.Latest
	period time.Duration
	stand  []float64

	out  []float64 // asked for last
	from []float64 // the present step starts here
	to   []float64
	step time.Duration // how long the present step takes
	at   time.Duration // how far it is
	lead []float64     // where the steps are; out leads there

	playing bool
	fade    time.Duration // since playing began, or since it ended
	start   []float64     // out at that moment
	news    []float64     // as it came
	age     time.Duration // of the latest reference
	lost    bool
	lastNs  int64 // TimeNs of the latest reference
}

// NewFollower returns a follower that acts once a period.
func NewFollower(latest *shared.Latest, standRad []float64, period time.Duration) *Follower {
	n := len(standRad)
	f := &Follower{latest: latest, period: period, stand: slices.Clone(standRad)}
	for _, v := range []*[]float64{&f.out, &f.from, &f.to, &f.lead, &f.start, &f.news} {
		*v = make([]float64, n)
	}
	f.age = math.MaxInt64 / 2
	return f
}

// Enter takes the robot over in the pose holdRad.
func (f *Follower) Enter(holdRad []float64) {
	copy(f.out, holdRad)
	copy(f.start, holdRad)
	f.playing, f.fade, f.lost = false, 0, false
}

// Act stores in dst the joint angles for the next period. With play it follows, while
// there is something to follow; else it leads to the standing pose.
func (f *Follower) Act(dst []float64, _ *sensed.Robot, play bool) (standing bool, err error) {
	f.listen()
	switch fresh := f.age <= LostAfter; {
	case play && !f.playing && fresh && !f.lost:
		f.begin()
	case play && !fresh:
		f.lost = true
		f.Stop()
	}
	f.fade = min(f.fade+f.period, FadeTime)
	goal := f.stand
	if f.playing {
		goal = f.lead
	}
	w := curve.MinJerk(float64(f.fade) / float64(FadeTime))
	for j := range f.out {
		f.out[j] = f.start[j] + w*(goal[j]-f.start[j])
	}
	copy(dst, f.out)
	return !f.playing && f.fade == FadeTime, nil
}

// listen takes the latest reference and goes on towards it.
func (f *Follower) listen() {
	_, timeNs, isNew := f.latest.Take(f.news)
	f.age = min(f.age+f.period, math.MaxInt64/2)
	if isNew && finite(f.news) { // the other process is not trusted
		f.step = min(max(time.Duration(timeNs-f.lastNs), quickestStep), slowestStep)
		f.age, f.at, f.lastNs = 0, 0, timeNs
		copy(f.from, f.lead)
		copy(f.to, f.news)
		f.lost = false
	}
	f.at = min(f.at+f.period, max(f.step, f.period))
	k := min(1, float64(f.at)/float64(max(f.step, f.period)))
	for j := range f.lead {
		f.lead[j] = f.from[j] + k*(f.to[j]-f.from[j])
	}
}

// begin leads from the pose that was asked for last to where the references are.
func (f *Follower) begin() {
	f.playing, f.fade = true, 0
	copy(f.start, f.out)
	copy(f.lead, f.to)
	copy(f.from, f.to)
}

// Stop ends following: from here it leads to the standing pose.
func (f *Follower) Stop() {
	if !f.playing {
		return
	}
	f.playing, f.fade = false, 0
	copy(f.start, f.out)
}

// Lost says that there is nothing to follow although following was asked for. It ends with
// the next reference.
func (f *Follower) Lost() bool { return f.lost }

// Phase is how far the fade is, in or out.
func (f *Follower) Phase() float64 { return float64(f.fade) / float64(FadeTime) }

func finite(pose []float64) bool {
	for _, q := range pose {
		if math.IsNaN(q) || math.IsInf(q, 0) {
			return false
		}
	}
	return true
}
