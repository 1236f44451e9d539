package soak

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// What random flights found once, each made so that it is met for sure.

// The judge itself must be able to see: a robot that keeps its torque, one that is driven
// after it was let go, and one whose goal jumps.
func TestTheJudgeSees(t *testing.T) {
	for name, tt := range map[string]struct {
		fault fault
		spoil func(f *flight)
		want  string
	}{
		"no torque-off arrives": {at(estop(nil, nil), 3*time.Second), func(f *flight) {
			f.port.lose = func() bool { return f.now() > f.began+2900*time.Millisecond }
		}, "cut: torque"},
		"somebody else commands a jump": {none(nil, nil), func(f *flight) {
			f.after(f.began+4*time.Second, func(f *flight) {
				_ = dxl.Write(dxl.NewBus(f.wire, dxl.Config{Baud: f.wire.Baud, Now: f.wire.Now}), 4, dxl.GoalPosition, 2700)
			})
		}, "a step of"},
		"torque comes back": {at(estop(nil, nil), 3*time.Second), func(f *flight) {
			f.after(f.began+3100*time.Millisecond, func(f *flight) {
				_ = dxl.Write(dxl.NewBus(f.wire, dxl.Config{Baud: f.wire.Baud, Now: f.wire.Now}), 4, dxl.TorqueEnable, 1)
			})
		}, "a second time"},
		"an ordinary flight is cut": {none(nil, nil), func(f *flight) {
			f.after(f.began+3*time.Second, func(f *flight) { f.loop.Request(mode.EStop) })
		}, "an ordinary flight ends"},
		"nobody rescues": {at(loopKilled(fixedChance(), nil), 3*time.Second), func(f *flight) {
			f.ports = func() (*multi.Driver, error) { return nil, errPolicy }
		}, "cut: torque"},
		"a process that freezes is left alone": {at(fault{kind: "loop-frozen", begin: freezes(0), row: frozenTooLong()}, 3*time.Second),
			func(f *flight) { f.gate.eyes.Frozen = time.Minute }, "cut: torque"},
		"nobody settles": {fault{kind: "nothing", at: 3 * time.Second, row: row{may: settles, must: true}}, nil, "nothing was noticed"},
	} {
		p := ordinary
		p.stay = name == "torque comes back" // there must be a flight that it comes back in
		f, err := newFlight(kata20(t), rand.New(rand.NewPCG(1, 1)), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.spoil != nil {
			tt.spoil(f)
		}
		rows := begin(f, []fault{tt.fault})
		f.fly()
		s := rows()
		if wrong := strings.Join(judge(&s, &f.claim, f.see, ordinary.length), "\n"); !strings.Contains(wrong, tt.want) {
			t.Errorf("%s: the judge says %q, want %q among it", name, wrong, tt.want)
		}
	}
}

// found flies one fault at a time from the beginning of the loop on, and judges it.
func found(t *testing.T, p plan, prepare func(f *flight), chosen ...fault) *flight {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	b := kata20(t)
	f, err := newFlight(b, rng, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		f.log = t.Logf
	}
	if prepare != nil {
		prepare(f)
	}
	rows := begin(f, chosen)
	f.fly()
	s := rows()
	for _, w := range judge(&s, &f.claim, f.see, p.length) {
		t.Error(w)
	}
	return f
}

var ordinary = plan{length: 4 * time.Second, hold: 300 * time.Millisecond}

func at(c fault, t time.Duration) fault {
	c.at = t
	return c
}

// An e-stop before a robot that arms by itself has done so: the flight is over, since
// nobody will reset it.
func TestFoundEStopBeforeArming(t *testing.T) {
	f := found(t, ordinary, nil, at(estop(nil, nil), 500*time.Millisecond))
	if f.claim.end != "fault" || f.claim.over > 3*time.Second {
		t.Errorf("ends in %s at %v", f.claim.end, f.claim.over)
	}
}

// The time of the flight is over while a long motion is played; it is being played out
// when a servo is hot: the motion is broken off.
func TestFoundNoMotionIsPlayedOutUnderAFailsafe(t *testing.T) {
	long := plan{length: 2500 * time.Millisecond, hold: 100 * time.Millisecond}
	hot := fault{kind: "servo-hot", begin: inject(busemu.Fault{Kind: busemu.FaultHeat, ID: 5, V: 74})}
	hot.row = row{may: settles, must: true, lasts: true, detect: 900 * time.Millisecond}
	f := found(t, long, func(f *flight) {
		f.dance.takes = 9 * time.Second
		f.script.Clip = 0 // as a motion that is longer than it said
	}, at(hot, 4200*time.Millisecond))
	if f.loop.Result().End != mode.Disarmed {
		t.Errorf("ends in %s", f.claim.end)
	}
}

// The host is away for half a minute while the robot sits down: it goes on sitting down,
// and is not dropped half seated.
func TestFoundHostAwayWhileSittingDown(t *testing.T) {
	c := fault{kind: "host-stalls", row: row{may: goesOn, must: true, longer: 30 * time.Second}}
	c.begin = func(f *flight, s *row) {
		f.longer = 30 * time.Second
		f.each = func(f *flight) {
			if f.loop.Mode() == mode.Settle && f.ticks > 0 {
				f.wire.PassUntil(f.wire.Now().Add(f.longer))
				f.each = nil
			}
		}
	}
	f := found(t, ordinary, nil, c)
	if f.claim.end != "disarmed" {
		t.Errorf("ends in %s", f.claim.end)
	}
}

// A servo whose plug is loose for a moment, while the robot moves fast: what went on
// without it is not made up for in one step.
func TestFoundLoosePlugInARamp(t *testing.T) {
	for _, span := range []time.Duration{60, 100, 190, 600} {
		for _, leg := range []bool{true, false} {
			joint := 15 // an elbow
			if leg {
				joint = 3 // a knee
			}
			c := fault{kind: "servo-dead"}
			c.begin = inject(busemu.Fault{Kind: busemu.FaultSilence, ID: idOf(uint8(joint + 1)), For: span * time.Millisecond})
			c.row = row{may: anything, deaf: 1 << joint, deafFor: span * time.Millisecond}
			found(t, ordinary, func(f *flight) {
				for j := range f.see.sense.Joints { // far from standing: ramps are as fast as they may be
					f.see.Plant.(*busemu.Ideal).Set(j, 0.9*f.dance.stand[j])
				}
				d := kata20(t).Desc.Joints[joint]
				f.see.Plant.(*busemu.Ideal).Set(joint, d.MaxRad-0.02)
			}, at(c, 2*time.Second))
		}
	}
}

// A robot that is let go damped follows what it measures, not what it measured once: an
// id clash hides the servos behind it.
func TestFoundLimpWithoutFreshPositions(t *testing.T) {
	for _, id := range []uint8{0, 1, 2, 7} {
		c := fault{kind: "id-clash", begin: inject(busemu.Fault{Kind: busemu.FaultClash, ID: idOf(id + 1)})}
		c.row = row{may: limps | cuts, must: true, lasts: true, detect: 600 * time.Millisecond}
		found(t, ordinary, nil, at(c, 5700*time.Millisecond)) // while it sits down
	}
}

// The loop's process is killed in the midst of each packet that a tick or two send, while the
// robot holds and while it arms: the servos that wait for the rest hear the rescue all the same.
func TestFoundLoopKilledInAPacket(t *testing.T) {
	shares := []float64{0.3, 0.9}
	if testing.Short() {
		shares = shares[:1]
	}
	for _, when := range []time.Duration{1060 * time.Millisecond, 3 * time.Second} {
		for skip := range 9 {
			for _, share := range shares {
				f := found(t, ordinary, nil, at(killedAt(skip, share), when))
				if f.claim.end != "fault" || !f.claim.off {
					t.Errorf("write %d, %g: ends in %s, torque off: %v", skip, share, f.claim.end, f.claim.off)
				}
			}
		}
	}
}

func fixedChance() *rand.Rand { return rand.New(rand.NewPCG(7, 7)) }
