package follow

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/shared"
)

// Reference is where the joints are to be.
type Reference struct {
	Seq    uint64    // grows
	TimeNs int64     // by the sender's clock, which need not be anybody else's
	PosRad []float64 // in the order of the description
}

// The bounds on references.
const (
	// lateNs is how much longer than the quickest a reference may have been under way.
	lateNs = int64(100 * time.Millisecond)
	// driftShare is how far the two clocks may drift apart: one part in so many.
	driftShare = 1000
	// forgetNs is after how long a sender counts as gone: the next one starts anew, with
	// numbers and a clock of its own.
	forgetNs = int64(time.Second)
	// slackRad is what a reference may jump beyond what a joint makes in the time.
	slackRad = 0.05
)

// Desk takes references in. Make it with [NewDesk].
type Desk struct {
	limits []guard.Joint

	mu       sync.Mutex // of all that follows
	last     Reference  // taken
	takenNs  int64      // when, on our clock; 0: none yet
	quickest int64      // of our clock minus the sender's
	taken    uint64
	refused  uint64

	out *shared.Latest
}

// NewDesk returns a desk for joints with those limits, which leaves what it takes in out.
func NewDesk(limits []guard.Joint, out *shared.Latest) *Desk {
	return &Desk{limits: limits, out: out, last: Reference{PosRad: make([]float64, len(limits))}}
}

// Offer takes a reference that came in at nowNs, monotonic, or says why not. It keeps
// nothing of r.
func (d *Desk) Offer(r Reference, nowNs int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.takenNs != 0 && nowNs-d.takenNs > forgetNs {
		d.takenNs = 0
	}
	if err := d.judge(r, nowNs); err != nil {
		d.refused++
		return err
	}
	if d.takenNs == 0 {
		d.quickest = nowNs - r.TimeNs
	} else { // two clocks drift apart
		d.quickest = min(d.quickest+(nowNs-d.takenNs)/driftShare, nowNs-r.TimeNs)
	}
	d.last.Seq, d.last.TimeNs, d.takenNs = r.Seq, r.TimeNs, nowNs
	copy(d.last.PosRad, r.PosRad)
	d.taken++
	d.out.Put(r.Seq, r.TimeNs, r.PosRad)
	return nil
}

func (d *Desk) judge(r Reference, nowNs int64) error {
	if len(r.PosRad) != len(d.limits) {
		return fmt.Errorf("follow: %d joints; legal: %d", len(r.PosRad), len(d.limits))
	}
	first := d.takenNs == 0
	switch {
	case !first && r.Seq <= d.last.Seq:
		return fmt.Errorf("follow: sequence number %d; legal: above %d", r.Seq, d.last.Seq)
	case !first && r.TimeNs <= d.last.TimeNs:
		return fmt.Errorf("follow: a time %d ns before that of the reference before; legal: after it", d.last.TimeNs-r.TimeNs)
	case !first && nowNs-r.TimeNs-d.quickest > lateNs:
		return fmt.Errorf("follow: under way for %d ms longer than another; legal: up to %d ms",
			(nowNs-r.TimeNs-d.quickest)/1e6, lateNs/1e6)
	}
	dt := min(float64(r.TimeNs-d.last.TimeNs)/1e9, 0.1)
	for j, q := range r.PosRad {
		l := &d.limits[j]
		if !(q >= l.MinRad && q <= l.MaxRad) {
			return fmt.Errorf("follow: joint %d at %g rad; legal: %g to %g", j, q, l.MinRad, l.MaxRad)
		}
		if way := math.Abs(q - d.last.PosRad[j]); !first && way > l.FullRadPerS*dt+slackRad {
			return fmt.Errorf("follow: joint %d jumps by %.2f rad in %.0f ms; legal: up to %.2f", j, way, dt*1e3, l.FullRadPerS*dt+slackRad)
		}
	}
	return nil
}

// Counts are how many references were taken and refused so far.
func (d *Desk) Counts() (taken, refused uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.taken, d.refused
}
