package control

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/mitori-robotics/mitori/models/sensed"
)

// Exchange is a player in whose place another can be put while it stands, under a robot
// that is being balanced. The new one takes over in the pose that was asked for last, and
// its own limit on steps holds from there, so that nothing jumps.
//
// Offer, Withdraw and Taken may be called from any goroutine, the rest belongs to the
// controller's.
type Exchange struct {
	periodS  float64   // of all players
	stand    []float64 // about where all of them stand
	now      *Player
	next     atomic.Pointer[Player]
	taken    atomic.Uint64
	last     []float64 // asked for last
	standing bool
}

// NewExchange begins with p.
func NewExchange(p *Player) *Exchange {
	return &Exchange{
		periodS: p.periodS, stand: slices.Clone(p.StartRad()), now: p, last: slices.Clone(p.StartRad()),
	}
}

// Offer leaves a player for the next moment at which this one stands. It is refused where
// it decides at another rate, or stands in another pose.
func (x *Exchange) Offer(p *Player) error {
	if math.Abs(p.periodS-x.periodS) > 1e-9 {
		return fmt.Errorf("a decision every %g s; legal: every %g s, as the robot runs", p.periodS, x.periodS)
	}
	if len(p.StartRad()) != len(x.stand) {
		return fmt.Errorf("%d joints; legal: %d", len(p.StartRad()), len(x.stand))
	}
	for j, q := range p.StartRad() {
		if at := x.stand[j]; math.Abs(q-at) > endToleranceRad {
			return fmt.Errorf("it stands with joint %d at %.2f rad; legal: within %.2f of %.2f, where the robot stands", j, q, endToleranceRad, at)
		}
	}
	x.next.Store(p)
	return nil
}

// Withdraw takes back what was offered; false: it was taken already, or there was nothing.
func (x *Exchange) Withdraw() bool { return x.next.Swap(nil) != nil }

// Taken is how many players were taken over so far.
func (x *Exchange) Taken() uint64 { return x.taken.Load() }

// Enter, Act, Stop, Phase and Pace are the present player's.
func (x *Exchange) Enter(holdRad []float64) {
	copy(x.last, holdRad)
	x.standing = true
	x.now.Enter(holdRad)
}

// Act takes over the player that was offered, if this is the moment, and acts.
func (x *Exchange) Act(dst []float64, s *sensed.Robot, play bool) (standing bool, err error) {
	if x.standing && !play {
		if p := x.next.Swap(nil); p != nil {
			p.tired = x.now.tired
			p.Enter(x.last)
			x.now = p
			x.taken.Add(1)
		}
	}
	standing, err = x.now.Act(dst, s, play)
	if x.standing = standing; err == nil {
		copy(x.last, dst)
	}
	return standing, err
}

func (x *Exchange) Stop()              { x.now.Stop() }
func (x *Exchange) Phase() float64     { return x.now.Phase() }
func (x *Exchange) Pace(share float64) { x.now.Pace(share) }
