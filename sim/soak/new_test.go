package soak

import (
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// Faults that nobody had reported: combinations, other servos, other phases. Each is a row
// of docs/trials.md.

// When an ordinary flight is where: it arms at 1 s, holds from 2.6 s, and plays from 3 s on.
const (
	whileArming  = 1500 * time.Millisecond
	whileHolding = 2700 * time.Millisecond
	whilePlaying = 3500 * time.Millisecond
)

// both makes one fault of several that begin together.
func both(r row, fs ...busemu.Fault) fault {
	return fault{kind: "both", begin: inject(fs...), row: r}
}

// An e-stop in each of the ticks in which torque goes on: none is left with torque.
func TestNewEStopWhileTorqueGoesOn(t *testing.T) {
	for n := range 12 {
		c := estop(nil, nil)
		c.may |= refused
		found(t, ordinary, nil, at(c, time.Second+time.Duration(n)*period))
	}
}

// The first and the last servo of the bus die in one tick, a leg and an arm.
func TestNewTwoServosDieTogether(t *testing.T) {
	for _, when := range []time.Duration{whileArming, whileHolding, whilePlaying} {
		found(t, ordinary, nil, at(both(
			row{may: limps, must: true, lasts: true, detect: 100 * time.Millisecond, deaf: 1<<0 | 1<<19},
			busemu.Fault{Kind: busemu.FaultSilence, ID: 1}, busemu.Fault{Kind: busemu.FaultSilence, ID: 20}), when))
	}
}

// Somebody sets the clock back and forth all the time: the flight is as long as it was to be.
func TestNewClockThatIsNeverRight(t *testing.T) {
	steps := 0
	c := none(nil, nil)
	c.begin = func(f *flight, _ *row) {
		f.each = func(f *flight) {
			if steps++; steps%17 == 0 {
				f.wallNs = int64((steps%7 - 3)) * int64(time.Hour)
			}
		}
	}
	f := found(t, ordinary, nil, c)
	if over := f.claim.over - f.began; over > 12*time.Second {
		t.Errorf("over after %v", over)
	}
}

// A plug that is out for 30 ms again and again: too short to be a lost link.
func TestNewPlugThatRattles(t *testing.T) {
	var fs []busemu.Fault
	for n := range 8 {
		fs = append(fs, busemu.Fault{Kind: busemu.FaultSilence, P: 1, At: whileHolding + time.Duration(n)*370*time.Millisecond, For: 30 * time.Millisecond})
	}
	c := fault{kind: "rattles", row: row{may: goesOn | settles | limps | cuts}}
	c.begin = func(f *flight, _ *row) {
		for _, x := range fs {
			x.At += f.began
			if err := f.world.Inject(x); err != nil {
				t.Fatal(err)
			}
		}
	}
	found(t, ordinary, nil, c)
}

// The host is away twice for so long that the servos stop themselves.
func TestNewTwoStalls(t *testing.T) {
	c := fault{kind: "stalls", row: row{may: settles, must: true, detect: 1300 * time.Millisecond, longer: time.Second}}
	c.begin = func(f *flight, s *row) {
		for _, at := range []time.Duration{0, time.Second} {
			f.after(s.onset+at, func(f *flight) { f.wire.PassUntil(f.wire.Now().Add(300 * time.Millisecond)) })
		}
	}
	f := found(t, ordinary, nil, at(c, whileHolding))
	if f.loop.Result().FirstCause != mode.Caused(mode.ServosStopped) {
		t.Errorf("because of %q", f.claim.cause)
	}
}

// The stop button while the robot sits down by itself.
func TestNewButtonWhileItSitsDown(t *testing.T) {
	found(t, ordinary, nil, at(both(row{may: cuts, must: true, lasts: true, detect: 30 * time.Millisecond},
		busemu.Fault{Kind: busemu.FaultButton, V: stopButton}), 5700*time.Millisecond))
}

// A servo restarts while the host is away, so that the others are taken up and it is not.
func TestNewRestartDuringAStall(t *testing.T) {
	for _, id := range []dxl.ID{2, 11, 17, 20} {
		c := fault{kind: "restart", row: row{may: limps | settles, must: true, detect: 1200 * time.Millisecond, longer: 400 * time.Millisecond, weak: 1 << (id - 1)}}
		c.begin = func(f *flight, s *row) {
			f.after(s.onset, func(f *flight) { f.wire.PassUntil(f.wire.Now().Add(400 * time.Millisecond)) })
			inject(busemu.Fault{Kind: busemu.FaultReboot, ID: id})(f, s)
		}
		found(t, ordinary, nil, at(c, whilePlaying))
	}
}

// Every second decision is no number, all flight long: never three in a row.
func TestNewPolicyThatIsHalfANumber(t *testing.T) {
	n := 0
	found(t, ordinary, func(f *flight) {
		f.dance.spoil = func() (time.Duration, error, bool) { n++; return 0, nil, n%2 == 0 }
	}, none(nil, nil))
	if n < 100 {
		t.Errorf("%d decisions", n)
	}
}

// A homing offset of one count, in any servo, either way: refused by name.
func TestNewOffsetOfOneCount(t *testing.T) {
	b := kata20(t)
	for j := range b.Desc.Joints {
		id, counts := dxl.ID(b.Desc.Joints[j].ID), int32(1-2*(j%2))
		f, err := newFlight(b, fixedChance(), ordinary, func(f *flight) error {
			return dxl.Write(dxl.NewBus(f.wire, dxl.Config{Baud: f.wire.Baud, Now: f.wire.Now}), id, dxl.HomingOffset, counts)
		})
		if err != nil || !f.claim.refused {
			t.Errorf("servo %d: refused %v, %v", id, f != nil && f.claim.refused, err)
		}
	}
}

// The supply breaks down so far that every servo forgets everything, for a moment: nothing
// gets torque by itself when it is back.
func TestNewSupplyBreaksDown(t *testing.T) {
	for _, when := range []time.Duration{whileArming, whileHolding, whilePlaying} {
		f := found(t, ordinary, nil, at(both(row{may: stops, must: true, detect: 300 * time.Millisecond},
			busemu.Fault{Kind: busemu.FaultBrownOut, V: 4, For: 20 * time.Millisecond}), when))
		if at, again := f.see.again(everyJoint); again {
			t.Errorf("torque comes back at %v", at)
		}
	}
}

// An e-stop of which nothing arrives for 300 ms: torque-off is sent until it is confirmed.
func TestNewEStopIntoADeadLine(t *testing.T) {
	c := fault{kind: "e-stop", row: row{may: cuts, must: true, detect: 320 * time.Millisecond}}
	c.begin = func(f *flight, s *row) {
		f.after(s.onset, func(f *flight) { f.loop.Request(mode.EStop) })
		f.port.lose = func() bool { return f.now() >= s.onset && f.now() < s.onset+300*time.Millisecond }
	}
	found(t, ordinary, nil, at(c, whilePlaying))
}

// An e-stop and the cable in the same tick; the cable comes back, and with it torque-off,
// where robotd stays.
func TestNewEStopWithoutACable(t *testing.T) {
	for _, back := range []time.Duration{200 * time.Millisecond, 1500 * time.Millisecond, 5 * time.Second} {
		c := fault{kind: "e-stop", row: row{may: cuts, must: true, detect: 100 * time.Millisecond, deaf: everyJoint, deafFor: back}}
		c.begin = func(f *flight, s *row) {
			f.after(s.onset, func(f *flight) { f.port.gone = true; f.loop.Request(mode.EStop) })
			f.after(s.onset+back, func(f *flight) { f.port.gone = false })
		}
		p := ordinary
		p.stay = true
		f := found(t, p, nil, at(c, whileHolding))
		if last, _ := f.see.lastOn(everyJoint); last > f.began+whileHolding+back+retry+grace {
			t.Errorf("torque until %v, cable back at %v", last, f.began+whileHolding+back)
		}
	}
}

// Two servos share an id from the moment of arming on: nobody gets torque, or none keeps it.
func TestNewClashWhileArming(t *testing.T) {
	for n := range 6 {
		c := both(row{may: stops | refused}, busemu.Fault{Kind: busemu.FaultClash, ID: dxl.ID(3*n + 1)})
		f := found(t, ordinary, nil, at(c, time.Second+time.Duration(5*n)*time.Millisecond))
		if on := f.world.TorqueOn(); on != 0 {
			t.Errorf("%d servos carry torque", on)
		}
	}
}

// A servo that is hot where nobody looks yet: its heat comes with the first round.
func TestNewHotBeforeTheFirstRound(t *testing.T) {
	for _, id := range []dxl.ID{1, 10, 20} {
		c := both(row{may: goesOn | refused, must: true, lasts: true}, busemu.Fault{Kind: busemu.FaultHeat, ID: id, V: 72})
		f := found(t, ordinary, nil, at(c, 0))
		if _, ever := f.see.firstOn(); ever {
			t.Errorf("servo %d: armed with 72 degrees", id)
		}
	}
}
