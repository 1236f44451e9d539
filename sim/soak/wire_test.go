package soak

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// How fast a closed loop is against what the line itself allows.

const (
	fastBaud      = 4_000_000
	answersAfter  = 50 * time.Microsecond // a device's turnaround
	bitsPerByte   = 10
	instruction   = 10      // FF FF FD 00, id, length, instruction, CRC
	group         = 2 + 2   // first register, length
	status        = 11      // an instruction packet with an error byte
	stateBytes    = 2 + 4*2 // current, velocity, position
	goalBytes     = 4
	hubBytes      = 41        // what this hub tells of its motion, by its manual
	slowBytes     = 3 + 7 + 1 // of the three blocks that take turns
	fastPerServo  = 1 + 1 + 2 // error, id, CRC beside the data
	exchangesTick = 3
)

// wireTime is how long a tick of n servos keeps the line busy, counted by hand from the
// protocol's manual: a fast sync read of everybody's state, a read of the hub, one of slow
// registers, and a sync write of goals.
func wireTime(n int, hub bool) time.Duration {
	bytes := instruction + group + n + (instruction - 2) + n*(fastPerServo+stateBytes) + // the last servo's CRC is the packet's
		instruction + group + 1 + status +
		instruction + group + n*(1+goalBytes)
	waits := exchangesTick - 1
	if hub {
		bytes += instruction + group + 1 + status + hubBytes
		waits++
	}
	return time.Duration(3*bytes+slowBytes)*bitsPerByte*time.Second/fastBaud/3 + time.Duration(waits)*answersAfter
}

// fastRobot is kata20 on n buses at 4 Mbit/s, with an ideal world behind each.
type fastRobot struct {
	desc  *robot.Description
	drv   *multi.Driver
	loop  *loop.Loop
	wires []*busemu.TimedWire
	now   time.Duration
}

// part is the physics that one bus of several sees: its own joints move.
type part struct {
	*busemu.Ideal
	sense  busemu.Sense
	drives []busemu.Drive
}

func newPart(d *robot.Description) *part {
	n := len(d.Joints)
	return &part{busemu.NewIdeal(d.Servos(), time.Millisecond), busemu.Sense{Joints: make([]busemu.Joint, n)}, make([]busemu.Drive, n)}
}

// Advance implements busemu.Plant.
func (p *part) Advance(steps int, drives []busemu.Drive) {
	copy(p.drives, drives)
	p.Ideal.Advance(steps, p.drives)
}

// Sense implements busemu.Plant.
func (p *part) Sense(dst *busemu.Sense) {
	p.Ideal.Sense(&p.sense)
	copy(dst.Joints, p.sense.Joints)
	dst.BusV, dst.IMU = p.sense.BusV, p.sense.IMU
}

// split puts the joints of kata20 on n buses in turn.
func split(t *testing.T, n int) *body.Body {
	t.Helper()
	b := *kata20(t)
	desc := *b.Desc
	desc.Joints = append([]robot.Joint(nil), desc.Joints...)
	desc.Buses = nil
	for i := range n {
		bus := b.Desc.Buses[0]
		bus.Name, bus.Baud = fmt.Sprintf("bus%d", i), fastBaud
		desc.Buses = append(desc.Buses, bus)
	}
	for j := range desc.Joints {
		desc.Joints[j].Bus = desc.Buses[j%n].Name
	}
	desc.IMU.Bus = desc.Buses[0].Name
	b.Desc = &desc
	return &b
}

func newFastRobot(t *testing.T, buses, rateHz int) *fastRobot {
	t.Helper()
	b := split(t, buses)
	r := &fastRobot{desc: b.Desc}
	lines, err := busemu.ForRobot(r.desc)
	if err != nil {
		t.Fatal(err)
	}
	var on []multi.Bus
	for i, line := range lines {
		world, err := busemu.NewWorld(newPart(r.desc), line)
		if err != nil {
			t.Fatal(err)
		}
		w := busemu.NewTimedWire(world.Lines[0], fastBaud)
		d, err := dynamixel.New(r.desc, r.desc.Buses[i].Name, w, dynamixel.Options{Now: w.Now})
		if err != nil {
			t.Fatal(err)
		}
		bus := multi.Bus{Name: line.Name, Driver: d, Joints: r.desc.JointsOn(line.Name)}
		if i == 0 {
			bus.IMU = d.IMU()
		}
		r.wires, on = append(r.wires, w), append(on, bus)
	}
	// The deadline is one of real time, of which this machine may be short.
	if r.drv, err = multi.New(multi.Config{Joints: len(r.desc.Joints), Buses: on, Deadline: time.Minute}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.drv.Halt() })
	if _, err := r.drv.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	cfg := limits.Derive(r.desc, limits.ShapeOf(b), rateHz, 1)
	cfg.NowNs = func() int64 { return int64(r.meet()) }
	if r.loop, err = loop.New(cfg, r.drv, nil, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// meet lets all buses wait for the slowest.
func (r *fastRobot) meet() time.Duration {
	for _, w := range r.wires {
		r.now = max(r.now, time.Duration(w.Now().UnixNano()))
	}
	for _, w := range r.wires {
		w.PassUntil(time.Unix(0, int64(r.now)))
	}
	return r.now
}

// tick runs one cycle, and waits until its goals are on the line too.
func (r *fastRobot) tick(in loop.Instant) {
	r.loop.Tick(in)
	r.meet()
}

// hold arms the robot and waits until it stands.
func (r *fastRobot) hold(t *testing.T, rateHz int) {
	t.Helper()
	for n := range int64(8 * rateHz) {
		r.tick(loop.Instant{Tick: n})
		if n == int64(rateHz) {
			r.loop.Request(mode.Arm)
		}
		if r.loop.Mode() == mode.Hold {
			return
		}
	}
	t.Fatalf("in %v", r.loop.Mode())
}

// 20 servos at 4 Mbit/s whose turnaround is 50 us: read, judge, guard and write, one tick
// after the other, at 95 % of what the line allows, or more.
func TestClosedLoopAgainstTheLine(t *testing.T) {
	const rateHz, ticks = 500, 2000
	r := newFastRobot(t, 1, rateHz)
	r.hold(t, rateHz)
	from, began := r.meet(), time.Now()
	for n := range int64(ticks) {
		r.tick(loop.Instant{Tick: n})
	}
	took, cpu := (r.meet()-from)/ticks, time.Since(began)/ticks
	limit := wireTime(len(r.desc.Joints), true)
	share := float64(limit) / float64(took)
	t.Logf("20 servos, one bus, 4 Mbit/s, 50 us turnaround: the line allows %.1f Hz, the closed loop does %.1f Hz: %.1f %% (a tick of %v; "+
		"%v of this machine's time, the emulated servos' included)", 1/limit.Seconds(), 1/took.Seconds(), 100*share, took, cpu)
	if share < 0.95 {
		t.Errorf("%.1f %% of the line's rate, want 95 or more", 100*share)
	}
	if share > 1.05 {
		t.Errorf("%.1f %% of the line's rate: the line does not take its time", 100*share)
	}
	if r.loop.Mode() != mode.Hold {
		t.Errorf("in %v", r.loop.Mode())
	}
}

// Four buses of five servos: 1 kHz, and no tick is missed.
func TestFourBusesAtAThousandHertz(t *testing.T) {
	const rateHz = 1000
	r := newFastRobot(t, 4, rateHz)
	r.hold(t, rateHz)
	s, err := clock.New(rateHz, int64(r.meet()))
	if err != nil {
		t.Fatal(err)
	}
	missed, longest := int64(0), time.Duration(0)
	for range 5 * rateHz {
		if at := time.Duration(s.DeadlineNs()); at > r.now {
			for _, w := range r.wires {
				w.PassUntil(time.Unix(0, int64(at)))
			}
		}
		from := r.meet()
		tick, late, skipped := s.Wake(int64(from))
		missed += skipped
		r.tick(loop.Instant{Tick: tick, LateNs: late, Skipped: skipped})
		longest = max(longest, r.now-from)
	}
	t.Logf("20 servos on four buses, 4 Mbit/s: 1000 Hz, %d ticks missed, the longest took %v of 1 ms; the line with the hub allows %.0f Hz",
		missed, longest, 1/wireTime(5, true).Seconds())
	if missed > 0 || r.loop.Mode() != mode.Hold {
		t.Errorf("%d ticks missed, in %v", missed, r.loop.Mode())
	}
}
