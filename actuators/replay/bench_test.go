package replay_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/replay"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const (
	rateHz = 100
	period = time.Second / rateHz
)

// bench is kata20 behind the emulated bus, byte for byte, in virtual time, with everything
// around the loop that decides what it does.
type bench struct {
	desc  *robot.Description
	cfg   loop.Config
	world *busemu.World
	wire  *busemu.TimedWire
	cable *cable
	drv   *multi.Driver
	ctl   *waver // nil: none
	loop  *loop.Loop
	ring  *trace.Ring
	desk  *shared.Desk // as a gateway process uses it; nil: the loop is alone
	dead  bool         // that process
	sched clock.Schedule
	wall  time.Duration // by how much the wall clock is off
	seen  func(*trace.Sample)
}

// cable is a port that can be pulled.
type cable struct {
	dxl.Port
	pulled bool
}

var errPulled = errors.New("input/output error")

func (c *cable) Write(b []byte) (int, error) {
	if c.pulled {
		return 0, errPulled
	}
	return c.Port.Write(b)
}

func (c *cable) Read(b []byte) (int, error) {
	if c.pulled {
		return 0, errPulled
	}
	return c.Port.Read(b)
}

// waver is a controller that waves every joint about the standing pose, and fails when it
// is told to.
type waver struct {
	standRad []float64
	wire     *busemu.TimedWire
	at, ends int
	fails    bool
	nan      bool
	takes    time.Duration
	lost     bool // whom it follows
	acts     int
}

func (w *waver) Lost() bool { return w.lost }

func (w *waver) Enter([]float64) { w.at, w.ends = 0, 0 }
func (w *waver) Stop()           { w.ends = min(w.ends, w.at+20) }
func (w *waver) Phase() float64  { return float64(w.at) / 150 }

func (w *waver) Act(dst []float64, s *sensed.Robot, play bool) (bool, error) {
	w.acts++
	if w.takes > 0 {
		w.wire.PassUntil(w.wire.Now().Add(w.takes))
	}
	if play && w.at >= w.ends {
		w.at, w.ends = 0, 150
	}
	w.at = min(w.at+1, max(w.ends, w.at))
	for j := range dst {
		dst[j] = w.standRad[j] + 0.02*s.PosRad[j]
		if w.at < w.ends {
			dst[j] += 0.3 * math.Sin(float64(w.at)*0.1+float64(j)) * math.Sin(math.Pi*float64(w.at)/float64(w.ends))
		}
	}
	if w.nan {
		dst[w.acts%len(dst)] = math.NaN()
	}
	if w.fails {
		return false, errors.New("no output")
	}
	return w.at >= w.ends, nil
}

// newBench is a robot with a battery, and, where desk is one, operators in another process.
// tipsAt is when it falls over; 0: never.
func newBench(t testing.TB, controlled bool, tipsAt time.Duration, desk *shared.Desk) *bench {
	t.Helper()
	b := &bench{desk: desk}
	var err error
	b.desc, err = robot.Load("kata20")
	must(t, err)
	bound, err := body.New(b.desc)
	must(t, err)
	plant := busemu.NewIdeal(b.desc.Servos(), 2*time.Millisecond)
	plant.TipsAt = tipsAt
	lines, err := busemu.ForRobot(b.desc)
	must(t, err)
	b.world, err = busemu.NewWorld(plant, lines...)
	must(t, err)
	b.world.Untimed = true
	b.wire = busemu.NewTimedWire(b.world.Lines[0], 3_000_000)
	b.cable = &cable{Port: b.wire}
	servos, err := dynamixel.New(b.desc, "body", b.cable, dynamixel.Options{Now: b.wire.Now})
	must(t, err)
	b.drv, err = multi.New(multi.Config{Joints: len(b.desc.Joints), Buses: []multi.Bus{
		{Name: "body", Driver: servos, Joints: b.desc.JointsOn("body"), IMU: servos.IMU()},
	}})
	must(t, err)
	_, err = b.drv.Connect(context.Background())
	must(t, err)

	b.cfg = limits.Derive(b.desc, limits.ShapeOf(bound), rateHz, 2)
	b.cfg.Thresholds.StopButtons = 1 << 1
	b.cfg.Thresholds.Battery = energy.Pack{Cells: 3, CapacityAh: 0.02, ResistanceOhm: 0.1, IdleA: 0.9, Chemistry: "lipo"}
	b.cfg.Gateway = desk
	b.cfg.NowNs = func() int64 { return b.wire.Now().UnixNano() }
	var ctl loop.Controller
	if controlled {
		b.ctl = &waver{standRad: b.cfg.StandRad, wire: b.wire}
		ctl = b.ctl
	}
	b.ring = trace.NewRing(4, len(b.desc.Joints))
	b.loop, err = loop.New(b.cfg, b.drv, ctl, b.ring)
	must(t, err)
	b.sched, err = clock.New(rateHz, b.wire.Now().UnixNano()+int64(period))
	must(t, err)
	return b
}

// tick lets one tick run when it is due.
func (b *bench) tick() {
	b.wire.PassUntil(time.Unix(0, b.sched.DeadlineNs()))
	if b.desk != nil && !b.dead {
		b.desk.BeatGateway()
	}
	now := b.wire.Now()
	index, late, skipped := b.sched.Wake(now.UnixNano())
	b.loop.Tick(loop.Instant{
		Tick: index, LateNs: late, Skipped: skipped, MonoNs: now.UnixNano(),
		WallNs: 1_800_000_000e9 + now.Add(b.wall).UnixNano(),
	})
	for s := b.ring.Next(); s != nil; s = b.ring.Next() {
		if b.seen != nil {
			b.seen(s)
		}
		b.ring.Release()
	}
}

// record has everything from now on go to a recording; close ends it.
func (b *bench) record(t testing.TB) (name string, end func()) {
	t.Helper()
	r, err := recorder.Create(filepath.Join(t.TempDir(), "flight.mcap"), recorder.Header{
		Joints: b.desc.JointNames(), RateHz: rateHz, Facts: replay.Facts(b.cfg, b.ctl != nil),
	})
	must(t, err)
	b.seen = func(s *trace.Sample) { must(t, r.Add(s, "")) }
	return r.Name(), func() { must(t, r.Close()) }
}

// happens is something that is done to a flight before the tick at a time.
type happens struct {
	at   time.Duration
	what func(b *bench)
}

// mishaps draws a flight: orders, a fault of the bus of the given kind and perhaps others, at
// random moments, stalls.
func mishaps(t testing.TB, rng *rand.Rand, b *bench, kind int, flight time.Duration) (events []happens) {
	t.Helper()
	at := func(lo, hi float64) time.Duration {
		return time.Duration((lo + rng.Float64()*(hi-lo)) * float64(flight))
	}
	add := func(when time.Duration, what func(b *bench)) { events = append(events, happens{when, what}) }
	ask := func(r mode.Request) func(b *bench) {
		if rng.IntN(2) == 0 {
			return func(b *bench) { b.loop.Request(r) }
		}
		return func(b *bench) { _, _ = b.loop.Ask(r) }
	}
	add(time.Second, ask(mode.Arm))
	add(3500*time.Millisecond, ask(mode.Activate))
	for range rng.IntN(8) {
		add(at(0, 1), ask(mode.Request(rng.IntN(int(mode.EStop))+rng.IntN(2))))
	}
	must(t, b.world.Inject(randomFault(rng, kind, at(0.2, 0.9))))
	if rng.IntN(3) == 0 {
		must(t, b.world.Inject(randomFault(rng, rng.IntN(faultKinds), at(0.2, 0.9))))
	}
	for range rng.IntN(3) { // this process is not given time
		gap := time.Duration(rng.ExpFloat64() * float64(80*time.Millisecond))
		add(at(0.1, 0.9), func(b *bench) { b.wire.PassUntil(b.wire.Now().Add(gap)) })
	}
	switch rng.IntN(6) {
	case 0:
		from, length := at(0.2, 0.8), time.Duration(rng.IntN(2000))*time.Millisecond
		add(from, func(b *bench) { b.cable.pulled = true })
		add(from+length, func(b *bench) { b.cable.pulled = false })
	case 1:
		add(at(0.2, 0.9), func(b *bench) { _ = b.drv.Cut(); b.loop.External(mode.LoopStuck, true) })
	}
	for c := mode.LogLost; c <= mode.NameTaken; c++ {
		if rng.IntN(3) == 0 {
			add(at(0, 1), func(b *bench) { b.loop.External(c, true) })
			add(at(0, 1), func(b *bench) { b.loop.External(c, false) })
		}
	}
	if b.ctl != nil {
		from, kind := at(0.3, 0.9), rng.IntN(4)
		trouble := func(on bool) func(b *bench) {
			return func(b *bench) {
				b.ctl.nan, b.ctl.fails, b.ctl.takes = on && kind == 0, on && kind == 1, 0
				if on && kind == 2 {
					b.ctl.takes = period + time.Duration(rng.IntN(int(period)))
				}
			}
		}
		add(from, trouble(true))
		add(from+time.Duration(rng.IntN(120))*time.Millisecond, trouble(false))
	}
	if b.desk != nil {
		renew := func(b *bench) {
			b.desk.Lease(b.wire.Now().Add(time.Duration(rng.IntN(3000)) * time.Millisecond).UnixNano())
		}
		for range rng.IntN(4) {
			add(at(0.1, 0.9), renew)
		}
		if rng.IntN(2) == 0 {
			add(at(0.3, 1), func(b *bench) { b.dead = true })
		}
	}
	if b.ctl != nil && rng.IntN(2) == 0 {
		add(at(0.3, 0.6), func(b *bench) { b.ctl.lost = true })
		add(at(0.6, 0.9), func(b *bench) { b.ctl.lost = false })
	}
	add(at(0.85, 1), ask(mode.Disarm))
	return events
}

// faultKinds is how many kinds of faults randomFault knows: all that an emulated bus has,
// silence of one servo, of all and of the hub.
const faultKinds = 14

func randomFault(rng *rand.Rand, kind int, at time.Duration) busemu.Fault {
	id := dxl.ID(1 + rng.IntN(20))
	all := [faultKinds]busemu.Fault{
		{Kind: busemu.FaultDrop, P: rng.Float64() * 0.1}, {Kind: busemu.FaultCRC, P: rng.Float64() * 0.1},
		{Kind: busemu.FaultNoise, P: rng.Float64() * 0.2},
		{Kind: busemu.FaultSilence, ID: id}, {Kind: busemu.FaultSilence}, {Kind: busemu.FaultSilence, ID: dxl.HubID},
		{Kind: busemu.FaultDelay, P: rng.Float64(), Delay: time.Duration(rng.IntN(40)) * time.Millisecond},
		{Kind: busemu.FaultBrownOut, V: 9 + 3*rng.Float64()}, {Kind: busemu.FaultClash, ID: id},
		{Kind: busemu.FaultStuck, ID: id},
		{Kind: busemu.FaultReboot, ID: id}, {Kind: busemu.FaultHeat, ID: id, V: 40 + 50*rng.Float64()},
		{Kind: busemu.FaultIMU},
		{Kind: busemu.FaultButton, V: float64(rng.IntN(16))},
	}
	f := all[kind]
	f.At = at
	if f.P == 0 {
		f.P = 1
	}
	if rng.IntN(2) == 0 {
		f.For = time.Duration(rng.IntN(1000)) * time.Millisecond
	}
	return f
}

// fly runs a flight for a time.
func (b *bench) fly(events []happens, flight time.Duration) {
	began := b.wire.Now()
	done := make([]bool, len(events))
	for b.wire.Now().Sub(began) < flight {
		for i, e := range events {
			if !done[i] && b.wire.Now().Sub(began) >= e.at {
				done[i] = true
				e.what(b)
			}
		}
		b.tick()
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
