package soak

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	robotd "github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const (
	period    = 10 * time.Millisecond
	plantStep = 2 * time.Millisecond
	every     = 2 // ticks per decision
	// stopButton is the hub's button that these robots have as their stop.
	stopButton = 1 << 1
)

// plan is the flight as the command line would have it.
type plan struct {
	length time.Duration // after arming
	hold   time.Duration
	stay   bool // as a daemon does, after everything
}

// limit is when a flight is given up: after a robot that does not arm for ten seconds, too.
const limit = 16 * time.Second

// flight is one robot, its runtime and what goes wrong.
type flight struct {
	plan
	rng     *rand.Rand
	world   *busemu.World
	wire    *busemu.TimedWire
	port    *port
	see     *witness
	servos  *dynamixel.Driver
	drv     *multi.Driver
	loop    *loop.Loop
	ring    *trace.Ring
	ports   func() (*multi.Driver, error) // whoever opens the robot anew
	gate    gateway
	proc    process
	script  mission.Script
	dance   *dancer
	began   time.Duration // of the loop, on the wire's clock
	wallNs  int64         // what the wall clock is ahead
	longer  time.Duration // what the host makes the flight longer by
	ticks   int64
	events  []event // in their order
	each    func(f *flight)
	claim   claim
	refusal error // why it was not connected; nil: it was
	log     func(format string, args ...any)
	last    mode.State
}

// event is something that happens to the host or its operators.
type event struct {
	at time.Duration // on the wire's clock
	do func(f *flight)
}

func (f *flight) now() time.Duration { return time.Duration(f.wire.Now().UnixNano()) }

// port is the serial port: it can be pulled out, and lose what is sent.
type port struct {
	*busemu.TimedWire
	gone bool
	lose func() bool
	hand func(p *port, b []byte) (int, error) // instead of Write; nil: none
}

func (p *port) Write(b []byte) (int, error) {
	switch {
	case p.gone:
		return 0, syscall.EIO
	case p.lose != nil && p.lose():
		return len(b), nil
	case p.hand != nil:
		return p.hand(p, b)
	}
	return p.TimedWire.Write(b)
}

func (p *port) Read(b []byte) (int, error) {
	if p.gone {
		return 0, syscall.EIO
	}
	return p.TimedWire.Read(b)
}

// newFlight builds a robot of b's description. before, if set, is done to the servos
// before anybody looks at them.
func newFlight(b *body.Body, rng *rand.Rand, p plan, before func(f *flight) error) (*flight, error) {
	return newFlightOn(b, rng, p, before, func(*port) {})
}

// newFlightOn is newFlight on a port that is not as others are.
func newFlightOn(b *body.Body, rng *rand.Rand, p plan, before func(f *flight) error, spoil func(*port)) (*flight, error) {
	desc := b.Desc
	n := len(desc.Joints)
	lines, err := busemu.ForRobot(desc)
	if err != nil {
		return nil, err
	}
	lines[0].Seed = rng.Uint64()
	plant := busemu.NewIdeal(desc.Servos(), plantStep)
	for j, q := range b.StandRad { // hanging, about as it will stand
		d := desc.Joints[j]
		plant.Set(j, min(max(q+1.6*(rng.Float64()-0.5), d.MinRad), d.MaxRad))
	}
	f := &flight{plan: p, rng: rng, see: newWitness(plant, n), log: func(string, ...any) {}}
	if f.world, err = busemu.NewWorld(f.see, lines...); err != nil {
		return nil, err
	}
	f.wire = busemu.NewTimedWire(f.world.Lines[0], desc.Buses[0].Baud)
	f.port = &port{TimedWire: f.wire}
	spoil(f.port)
	if before != nil {
		if err := before(f); err != nil {
			return nil, err
		}
	}
	open := func(opt dynamixel.Options) (*dynamixel.Driver, *multi.Driver, error) {
		bus := desc.Buses[0].Name
		opt.Now = f.wire.Now
		servos, err := dynamixel.New(desc, bus, f.port, opt)
		if err != nil {
			return nil, nil, err
		}
		all, err := multi.New(multi.Config{Joints: n, Buses: []multi.Bus{
			{Name: bus, Driver: servos, Joints: desc.JointsOn(bus), IMU: servos.IMU()}}})
		return servos, all, err
	}
	if f.servos, f.drv, err = open(dynamixel.Options{}); err != nil {
		return nil, err
	}
	f.ports = func() (*multi.Driver, error) {
		_, all, err := open(dynamixel.Options{Release: true, KeepPower: true})
		return all, err
	}
	if _, err := f.drv.Connect(context.Background()); err != nil {
		f.claim.refused, f.refusal = true, err
		if errors.Is(err, driver.ErrUnfit) || errors.Is(err, driver.ErrEnergised) {
			return f, nil
		}
		return f, err
	}
	cfg := limits.Derive(desc, limits.ShapeOf(b), int(time.Second/period), every)
	cfg.Thresholds.StopButtons = stopButton
	cfg.NowNs = func() int64 { return f.wire.Now().UnixNano() }
	cfg.Gateway = &f.gate.desk
	f.gate.eyes.Tolerance = robotd.DefaultTolerance()
	f.dance = newDancer(f, b.StandRad, cfg)
	f.ring = trace.NewRing(ringSlots, n)
	if f.loop, err = loop.New(cfg, f.drv, f.dance, f.ring); err != nil {
		return nil, err
	}
	f.script = mission.Script{Arm: true, Play: true, For: p.length, Hold: p.hold, Again: p.hold, Clip: f.dance.takes, Daemon: p.stay}
	f.began = f.now()
	return f, nil
}

// fly runs both processes to their end, or until nobody expects it any more, and leaves as
// robotd does.
func (f *flight) fly() {
	if f.claim.refused {
		return
	}
	s, err := clock.New(int(time.Second/period), int64(f.began+period))
	if err != nil {
		panic(err)
	}
	f.gate.desk.Enter(shared.Flying)
	for !f.ended() && f.now() < f.began+limit+f.longer {
		next := time.Unix(0, s.DeadlineNs())
		if !f.proc.runs(f.now()) { // the gateway's own beat
			next = f.wire.Now().Add(period)
		}
		f.wire.PassUntil(next)
		f.happen()
		f.runLoop(&s)
		f.runGateway()
		if f.each != nil {
			f.each(f)
		}
	}
	f.conclude()
}

// conclude is what the product says of the flight, and its end.
func (f *flight) conclude() {
	if f.ended() || f.stay {
		f.claim.over = f.world.Now()
	}
	r := f.loop.Result()
	f.claim.end, f.claim.armed, f.claim.off = r.End.String(), r.Armed, r.TorqueOff
	if r.FirstCause != mode.NoReason {
		f.claim.cause = r.FirstCause.String()
	}
	if f.proc.dead {
		f.claim.end, f.claim.off, f.claim.cause = mode.Fault.String(), f.proc.rescued, "loop-lost"
	}
	f.claim.orphaned = f.orphaned()
	if !f.proc.dead && !f.claim.orphaned {
		f.drv.Halt()
	}
	f.wire.PassUntil(f.wire.Now().Add(time.Second))
}

// happen lets what is due happen.
func (f *flight) happen() {
	for len(f.events) > 0 && f.events[0].at <= f.now() {
		e := f.events[0]
		f.events = f.events[1:]
		e.do(f)
	}
}

// dancer is a policy: it sways about the standing pose, smoothly and so slowly that four
// commands in a row may be lost on the wire before what follows is a step. Every step beyond
// two degrees is then somebody else's.
type dancer struct {
	f     *flight
	stand []float64
	amp   []float64
	at    []float64
	phase float64 // of the motion, 0..1
	stops bool
	takes time.Duration
	spoil func() (lateBy time.Duration, err error, nan bool) // of a decision; nil: well
}

func newDancer(f *flight, stand []float64, cfg loop.Config) *dancer {
	d := &dancer{f: f, stand: stand, amp: make([]float64, len(stand)), at: make([]float64, len(stand))}
	d.takes = between(f.rng, 1600*time.Millisecond, 6*time.Second)
	for j, l := range cfg.Limits {
		room := min(l.MaxRad-stand[j], maxSway)
		if stand[j]-l.MinRad > room {
			room = -min(stand[j]-l.MinRad, maxSway)
		}
		d.amp[j] = room * f.rng.Float64()
	}
	return d
}

// Enter implements loop.Controller.
func (d *dancer) Enter(holdRad []float64) { copy(d.at, holdRad); d.phase, d.stops = 0, false }

// Act implements loop.Controller.
func (d *dancer) Act(dst []float64, _ *sensed.Robot, play bool) (standing bool, err error) {
	nan := false
	if d.spoil != nil {
		var late time.Duration
		late, err, nan = d.spoil()
		if late > 0 {
			d.f.wire.PassUntil(d.f.wire.Now().Add(late))
		}
		if err != nil {
			return false, err
		}
	}
	if d.phase > 0 || play {
		d.phase += float64(every*period) / float64(d.takes)
	}
	if d.phase >= 1 || d.stops {
		d.phase, d.stops = 0, false
	}
	blend := (1 - math.Cos(2*math.Pi*d.phase)) / 2
	for j := range dst {
		want := d.stand[j] + d.amp[j]*blend
		d.at[j] += min(max(want-d.at[j], -maxDance), maxDance)
		dst[j] = d.at[j]
	}
	if nan {
		dst[d.f.rng.IntN(len(dst))] = math.NaN()
	}
	return d.phase == 0, nil
}

// maxSway is how far a motion leads, and maxDance how far one decision does, rad.
const maxSway, maxDance = 0.15, 0.012

// Stop implements loop.Controller.
func (d *dancer) Stop() { d.stops = true }

// Phase implements loop.Controller.
func (d *dancer) Phase() float64 { return d.phase }

var _ dxl.Port = (*port)(nil)
