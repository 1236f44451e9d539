package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/driver"
	robotd "github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/body"
)

// The two processes of robotd in lockstep: each runs for a moment of every period, or does
// not, because it was killed, is stopped, or waits for a page of memory. What they have in
// common is the desk and the ring, as on the robot.

// ringSlots is the loop's four seconds.
const ringSlots = 4 * int(time.Second/period)

// process is the loop's.
type process struct {
	until   time.Duration // stopped until then
	dead    bool
	rescued bool // a rescue process had every servo confirm

}

// runs says that the loop's process is there and awake.
func (p *process) runs(now time.Duration) bool { return !p.dead && now >= p.until }

// gateway is the other process: it shows that it is there, takes in the loop's samples,
// orders what the command line says, and looks after the loop's process.
type gateway struct {
	desk  shared.Desk
	eyes  robotd.Attention
	until time.Duration // stopped until then
	dead  bool
	every time.Duration // how often it gets to run; 0: in every period
	last  time.Duration // its latest look
	gone  time.Duration // when it saw that the loop's process is gone; 0: it did not
}

// killed is what goes through a loop whose process ends.
type killed struct{}

// runLoop lets the loop's process tick, if it can.
func (f *flight) runLoop(s *clock.Schedule) {
	now := f.now()
	if !f.proc.runs(now) {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ours := r.(killed); !ours {
				panic(r)
			}
			f.proc.dead = true
			f.port.hand = nil
		}
	}()
	tick, late, skipped := s.Wake(int64(now))
	f.loop.Tick(loop.Instant{Tick: tick, LateNs: late, Skipped: skipped, MonoNs: int64(now), WallNs: int64(now) + f.wallNs})
	f.ticks++
}

// runGateway lets the gateway's process run, if it can.
func (f *flight) runGateway() {
	g, now := &f.gate, f.now()
	if g.dead || now < g.until {
		return
	}
	g.desk.BeatGateway()
	f.watch()
	if !f.proc.dead && g.eyes.Look(&g.desk, now-g.last) == robotd.Frozen {
		f.log("%9.3f s: the gateway kills the loop's process", now.Seconds())
		f.proc.dead = true
	}
	if g.last = now; f.proc.dead && !f.proc.rescued {
		f.rescue()
	}
	if g.every > 0 {
		g.until = f.now() + g.every
	}
}

const (
	// rescueStart is how long a process takes to start.
	rescueStart = 250 * time.Millisecond
	// rescueTime is how long it tries.
	rescueTime = 5 * time.Second
	// cutGap is how long a driver pauses before it sends torque-off once more.
	cutGap = 2 * time.Millisecond
	// idAt is where a packet has its id.
	idAt = 4
)

// rescue is the process that the gateway starts where the loop's is gone.
func (f *flight) rescue() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.wire.PassUntil(f.wire.Now().Add(rescueStart))
	f.port.hand = func(p *port, b []byte) (int, error) {
		n, err := p.TimedWire.Write(b)
		if dxl.ID(b[idAt]) == dxl.Broadcast { // Cut pauses between its packets, on another clock
			p.PassUntil(p.Now().Add(cutGap))
		}
		return n, err
	}
	began := f.now()
	tries := 0
	err := robotd.Rescue(ctx, func() (driver.Driver, error) {
		if tries++; tries > 1 {
			f.wire.PassUntil(f.wire.Now().Add(rescueTime / 10))
		}
		if f.now()-began > rescueTime {
			cancel()
		}
		return f.ports()
	})
	f.proc.rescued = err == nil
	f.gate.gone = f.now()
	f.log("%9.3f s: the rescue has ended: %v", f.now().Seconds(), err)
}

// ended says that nobody of the two has anything left to do, or can do anything.
func (f *flight) ended() bool {
	return f.loop.Finished() || f.proc.dead && f.gate.gone != 0 || f.orphaned()
}

// orphaned says that both are gone for good while the servos may carry torque.
func (f *flight) orphaned() bool {
	return (f.proc.dead || f.proc.until >= never) && (f.gate.dead || f.gate.until >= never) && f.gate.gone == 0
}

// never is when a process goes on that is stopped for good.
const never = time.Hour

// watch is the gateway's side of the ring: the operator that a command line describes.
func (f *flight) watch() {
	for x := f.ring.Next(); x != nil; x = f.ring.Next() {
		if x.Mode != f.last {
			f.log("%9.3f s: %v -> %v because of %v, %v", time.Duration(x.MonoNs).Seconds(), f.last, x.Mode, x.Why, x.Conditions)
			if f.last == mode.Settle && x.Mode == mode.Disarmed {
				f.claim.letGo = time.Duration(x.MonoNs)
			}
			f.last = x.Mode
		}
		ask, stop := f.script.Step(x)
		f.ring.Release()
		switch {
		case stop && !f.stay:
			f.gate.desk.Stop()
		case stop:
			f.gate.desk.Request(mode.Disarm)
		case ask != mode.NoRequest:
			f.gate.desk.Request(ask)
		}
	}
}

const (
	// By robotd's table: how long the loop waits for the gateway, and the gateway for it.
	gatewayLost, loopFrozen = 500 * time.Millisecond, 300 * time.Millisecond
	// afterLook is until the other side has noticed: a period of each.
	afterLook = 3 * period
)

// gatewayKilled: by a person, or because the host is out of memory.
func gatewayKilled(*rand.Rand, *body.Body) fault {
	return fault{kind: "gateway-killed", row: row{may: settles | refused, must: true, lasts: true, detect: gatewayLost + afterLook},
		begin: func(f *flight, s *row) { f.after(s.onset, func(f *flight) { f.gate.dead = true }) }}
}

// gatewayFrozen: it is stopped, for a time or for good; one that wakes up too late finds a
// loop that ends.
func gatewayFrozen(rng *rand.Rand, _ *body.Body) fault {
	d := some(rng, 20*time.Millisecond, 2*time.Second)
	c := fault{kind: "gateway-frozen", text: lasting(d)}
	switch {
	case d == 0 || d > gatewayLost+2*period:
		c.row = row{may: settles | refused, must: true, lasts: d == 0, detect: gatewayLost + afterLook}
	case d < gatewayLost-2*period:
		c.row = row{may: goesOn, must: true, plain: true}
	default:
		c.row = row{may: goesOn | settles | refused}
	}
	if c.may&goesOn != 0 {
		c.longer = 2 * d
	}
	c.begin = func(f *flight, s *row) {
		f.longer += s.longer
		f.after(s.onset, func(f *flight) {
			if f.gate.until = f.now() + d; d == 0 {
				f.gate.until = never
			}
		})
	}
	return c
}

// gatewaySlow: it gets to run now and then only.
func gatewaySlow(rng *rand.Rand, _ *body.Body) fault {
	each := between(rng, 20*time.Millisecond, 900*time.Millisecond)
	c := fault{kind: "gateway-slow", text: fmt.Sprintf("once in %v", each)}
	switch {
	case each > gatewayLost+2*period:
		c.row = row{may: settles | refused, must: true, lasts: true, detect: each + gatewayLost + afterLook}
	case each < gatewayLost-2*period:
		c.row = row{may: goesOn, must: true, plain: true}
	default:
		c.row = row{may: goesOn | settles | refused}
	}
	if c.may&goesOn != 0 {
		c.longer = 4 * each // it asks one thing after the other
	}
	c.begin = func(f *flight, s *row) {
		f.longer += s.longer
		f.after(s.onset, func(f *flight) { f.gate.every = each })
	}
	return c
}

// loopKilled: its process ends in the middle of a packet, or between two.
func loopKilled(rng *rand.Rand, _ *body.Body) fault { return killedAt(rng.IntN(5), rng.Float64()) }

// killedAt is that process killed when it has sent a share of the packet after so many others.
func killedAt(skip int, share float64) fault {
	c := fault{kind: "loop-killed", text: fmt.Sprintf("with %.0f %% of its write number %d sent", 100*share, skip)}
	c.row = row{may: cuts | refused, must: true, lasts: true, detect: 2*period + rescueStart}
	c.begin = func(f *flight, s *row) {
		f.after(s.onset, func(f *flight) {
			f.port.hand = func(p *port, b []byte) (int, error) {
				if skip--; skip >= 0 {
					return p.TimedWire.Write(b)
				}
				_, _ = p.TimedWire.Write(b[:int(share*float64(len(b)))])
				panic(killed{})
			}
		})
	}
	return c
}

// loopFreezes: its process is stopped as a whole, for a time or for good.
func loopFreezes(rng *rand.Rand, _ *body.Body) fault {
	d := some(rng, 20*time.Millisecond, 2*time.Second)
	c := fault{kind: "loop-frozen", text: lasting(d), begin: freezes(d)}
	switch {
	case d == 0 || d > loopFrozen+3*period:
		c.row = frozenTooLong()
	case d < loopFrozen-3*period:
		c.row = row{may: goesOn, must: true, plain: true}
	default:
		c.row = row{may: goesOn | cuts | refused}
	}
	return c
}

func frozenTooLong() row {
	return row{may: cuts | refused, must: true, lasts: true, detect: loopFrozen + afterLook + rescueStart}
}

// freezes stops the loop's process; 0: for good.
func freezes(d time.Duration) func(f *flight, s *row) {
	return func(f *flight, s *row) {
		f.after(s.onset, func(f *flight) {
			if f.proc.until = f.now() + d; d == 0 {
				f.proc.until = never
			}
		})
	}
}

// bothKilled: nobody is left. The servos' own watchdogs stop them where they are.
func bothKilled(*rand.Rand, *body.Body) fault {
	return fault{kind: "both-killed", row: row{may: holds | refused, must: true, detect: 200 * time.Millisecond},
		begin: func(f *flight, s *row) {
			f.after(s.onset, func(f *flight) { f.gate.dead, f.proc.dead = true, true })
		}}
}

// memoryPressure: pages come late, garbage is collected all the time: now one of the
// processes stands still for a moment, now the other, now the whole host.
func memoryPressure(rng *rand.Rand, _ *body.Body) fault {
	span, p := between(rng, 200*time.Millisecond, 4*time.Second), 0.02+0.3*rng.Float64()
	longest := between(rng, 5*time.Millisecond, 120*time.Millisecond)
	c := fault{kind: "memory-pressure", text: fmt.Sprintf("for %v, p=%.2f, up to %v", span, p, longest)}
	c.row = row{may: goesOn | settles | refused, longer: span, slower: 1 + float64(longest)/float64(period)}
	c.begin = func(f *flight, s *row) {
		f.longer += span
		f.each = func(f *flight) {
			now := f.now()
			if now < s.onset || now >= s.onset+span || f.rng.Float64() > p {
				return
			}
			d := time.Duration(f.rng.Int64N(int64(longest)))
			switch f.rng.IntN(3) {
			case 0:
				f.proc.until = now + d
			case 1:
				f.gate.until = now + d
			default:
				f.wire.PassUntil(f.wire.Now().Add(d))
			}
		}
	}
	return c
}
