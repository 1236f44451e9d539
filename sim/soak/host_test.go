package soak

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/body"
)

// What goes wrong with the host, its operators, and who set the servos up.

func idOf(id uint8) dxl.ID { return dxl.ID(id) }

// offset: somebody left a homing offset in a servo.
func offset(rng *rand.Rand, b *body.Body) fault {
	_, id, _ := servo(rng, b)
	counts := int32(1 + rng.IntN(1000))
	if chance(rng) {
		counts = -counts
	}
	return fault{kind: "wrong-offset", text: fmt.Sprintf("%d %d counts", id, counts), row: row{may: refused},
		before: func(f *flight) error {
			return dxl.Write(dxl.NewBus(f.wire, dxl.Config{Baud: f.wire.Baud, Now: f.wire.Now}), idOf(id), dxl.HomingOffset, counts)
		}}
}

var errPolicy = errors.New("no decision")

// badPolicy: some decisions in a row are late, missing, or not a number.
func badPolicy(rng *rand.Rand, _ *body.Body) fault {
	n, how := 1+rng.IntN(8), rng.IntN(3)
	by := between(rng, 11*time.Millisecond, 60*time.Millisecond)
	text := []string{"late by " + by.String(), "fails", "NaN"}[how]
	c := fault{kind: "policy", text: fmt.Sprintf("%d times %s", n, text)}
	c.row = row{may: settles, must: true, detect: 3 * every * (period + by)}
	if n < 3 {
		c.row = row{may: goesOn, must: true, plain: true}
	}
	c.begin = func(f *flight, s *row) {
		from, left := s.onset, n
		s.onset = time.Hour // until it is asked
		f.dance.spoil = func() (lateBy time.Duration, err error, nan bool) {
			if f.now() < from || left == 0 {
				return 0, nil, false
			}
			s.onset = min(s.onset, f.now())
			left--
			switch how {
			case 0:
				return by, nil, false
			case 1:
				return 0, errPolicy, false
			}
			return 0, nil, true
		}
	}
	return c
}

func estop(*rand.Rand, *body.Body) fault {
	return fault{kind: "e-stop", row: row{may: cuts, must: true, detect: 20 * time.Millisecond},
		begin: func(f *flight, s *row) { f.after(s.onset, func(f *flight) { f.loop.Request(mode.EStop) }) }}
}

// stalled: the whole host stands still, as when it is stopped or starved.
func stalled(rng *rand.Rand, _ *body.Body) fault {
	d := between(rng, 20*time.Millisecond, 900*time.Millisecond)
	if rng.IntN(4) == 0 {
		d = between(rng, time.Second, 60*time.Second)
	}
	c := fault{kind: "host-stalls", text: "for " + d.String(), row: row{may: goesOn | settles}}
	switch {
	case d < 480*time.Millisecond:
		c.row = row{may: goesOn, must: true, plain: true}
	case d > 540*time.Millisecond:
		c.row = row{may: settles | refused, must: true, detect: d + 2*period}
	}
	c.longer = d
	c.begin = func(f *flight, s *row) {
		f.longer += d
		f.after(s.onset, func(f *flight) { f.wire.PassUntil(f.wire.Now().Add(d)) })
	}
	return c
}

const (
	// stuckAfter is how long a loop may stand still; the supervisor looks every 10 ms.
	stuckAfter, lookEvery = 100 * time.Millisecond, 10 * time.Millisecond
)

// loopStuck: the loop alone stands still in its driver; the supervisor, which in lockstep
// is this function, cuts past it. What becomes of whole processes is in process_test.go.
func loopStuck(rng *rand.Rand, _ *body.Body) fault {
	d := between(rng, 30*time.Millisecond, 1500*time.Millisecond)
	c := fault{kind: "loop-stuck", text: "for " + d.String(), row: row{may: cuts | refused, must: true, detect: stuckAfter + 2*lookEvery}}
	if d < stuckAfter {
		c.row = row{may: goesOn, must: true, plain: true}
	} else if d < stuckAfter+2*lookEvery {
		c.row = row{may: goesOn | cuts | refused}
	}
	c.begin = func(f *flight, s *row) {
		f.after(s.onset, func(f *flight) {
			look, over := f.wire.Now(), f.wire.Now().Add(d)
			_, torque := f.loop.Pulse()
			for torque && over.Sub(look) >= stuckAfter {
				look = look.Add(stuckAfter)
				f.wire.PassUntil(look)
				f.loop.External(mode.LoopStuck, true)
				if err := f.servos.Cut(); err != nil {
					f.log("cut: %v", err)
				}
			}
			f.wire.PassUntil(over)
		})
	}
	return c
}

// slowHost: every tick takes longer than a period.
func slowHost(rng *rand.Rand, _ *body.Body) fault {
	cost, span := between(rng, 13*time.Millisecond, 30*time.Millisecond), some(rng, 50*time.Millisecond, 3*time.Second)
	c := fault{kind: "host-slow", text: fmt.Sprintf("%v a tick %s", cost, lasting(span)), row: row{may: goesOn | settles | refused}}
	if span == 0 || span > 600*time.Millisecond {
		c.row = row{may: settles | refused, must: true, lasts: span == 0, detect: 600 * time.Millisecond}
	}
	c.slower = float64(cost+3*time.Millisecond) / float64(period)
	c.begin = func(f *flight, s *row) {
		f.each = func(f *flight) {
			if now := f.now(); now >= s.onset && (span == 0 || now < s.onset+span) {
				f.wire.PassUntil(f.wire.Now().Add(cost - 3*time.Millisecond)) // beside the bus
			}
		}
	}
	return c
}

func clockStep(rng *rand.Rand, _ *body.Body) fault {
	by := between(rng, -10*time.Hour, 10*time.Hour)
	return fault{kind: "clock-steps", text: "by " + by.String(), row: row{may: goesOn, must: true, plain: true},
		begin: func(f *flight, s *row) { f.after(s.onset, func(f *flight) { f.wallNs = int64(by) }) }}
}

// external is a condition that others tell the loop, and that is a warning.
func external(kind string, c mode.Condition, unarmed outcome) func(*rand.Rand, *body.Body) fault {
	return func(*rand.Rand, *body.Body) fault {
		return fault{kind: kind, row: row{may: goesOn | unarmed, must: true, lasts: true, plain: unarmed == 0},
			begin: func(f *flight, s *row) { f.after(s.onset, func(f *flight) { f.loop.External(c, true) }) }}
	}
}

func diskFull(rng *rand.Rand, b *body.Body) fault {
	return external("disk-full", mode.LogLost, refused)(rng, b)
}

func brokerGone(rng *rand.Rand, b *body.Body) fault {
	return external("broker-gone", mode.LinkToBroker, 0)(rng, b)
}

// meddling: somebody asks for anything, now and then.
func meddling(rng *rand.Rand, _ *body.Body) fault {
	p := 0.002 + 0.2*rng.Float64()
	return fault{kind: "meddling", text: fmt.Sprintf("p=%.3f", p), row: row{may: anything &^ refused, free: true},
		begin: func(f *flight, s *row) {
			f.each = func(f *flight) {
				if f.now() > s.onset && f.rng.Float64() < p {
					f.loop.Request([]mode.Request{mode.Reset, mode.Arm, mode.Activate, mode.HoldPose, mode.StopMotion, mode.Disarm, mode.EStop}[min(f.rng.IntN(13)/2, 6)])
				}
			}
		}}
}
