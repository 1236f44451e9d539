package flight

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// noOrders are never given.
type noOrders struct{}

func (noOrders) Context() context.Context  { return context.Background() }
func (noOrders) Insisted() <-chan struct{} { return nil }
func (noOrders) Cause() string             { return "" }

// brittle is a link whose every use is a fault, once it is broken.
type brittle struct{ broken atomic.Bool }

func (b *brittle) State(record.Status) { b.use() }
func (b *brittle) Event(record.Event)  { b.use() }

func (b *brittle) use() {
	if b.broken.Load() {
		panic("a fault in the link")
	}
}

// teller writes lines from a goroutine of its own each, as a console does.
type teller struct {
	w      io.Writer
	failed *crash.Net
	mu     sync.Mutex
}

func (c *teller) Status(record.Status) {}
func (c *teller) Event(format string, args ...any) {
	c.failed.Start("the teller", func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, _ = fmt.Fprintf(c.w, format, args...)
	})
}

// spoiled is a driver whose Read panics once it is told to. Until then it lets
// the emulated line's time pass, one tick a read.
type spoiled struct {
	driver.Driver
	line  *busemu.World
	mu    sync.Mutex
	panic bool
}

func (s *spoiled) Read(dst *driver.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panic {
		panic("a fault in the driver")
	}
	s.line.Advance(10 * time.Millisecond)
	return s.Driver.Read(dst)
}

// hung is a driver whose Read does not come back once it is told so; how it came to that
// does not matter.
type hung struct {
	driver.Driver
	line  *busemu.World
	mu    sync.Mutex // of line: a cut comes from another goroutine
	hangs atomic.Bool
	since time.Time
	in    chan struct{} // closed when it hangs
	back  chan struct{} // closed to let it come back
}

func (h *hung) Read(dst *driver.State) error {
	if h.hangs.CompareAndSwap(true, false) {
		h.since = time.Now()
		close(h.in)
		<-h.back
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.line.Advance(10 * time.Millisecond)
	return h.Driver.Read(dst)
}

func (h *hung) Cut() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.Driver.Cut()
}

func (h *hung) torqueOn() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.line.TorqueOn()
}

// spoiler panics on the first line that contains word.
type spoiler struct {
	word string
	out  bytes.Buffer
	done bool
}

func (s *spoiler) Write(b []byte) (int, error) {
	if !s.done && strings.Contains(string(b), s.word) {
		s.done = true
		panic("a fault in the teller")
	}
	return s.out.Write(b)
}

// A panic in any goroutine of ours ends like an e-stop: torque off at the
// servos, and an error that says where.
func TestPanicsEndWithoutTorque(t *testing.T) {
	for where, spoil := range map[string]func(l *loop.Loop, d *spoiled, link *brittle){
		"the control loop": func(_ *loop.Loop, d *spoiled, _ *brittle) { d.mu.Lock(); d.panic = true; d.mu.Unlock() },
		"the watcher":      func(l *loop.Loop, _ *spoiled, link *brittle) { link.broken.Store(true); l.Request(mode.Disarm) },
		"the teller":       func(l *loop.Loop, _ *spoiled, _ *brittle) { l.Request(mode.Disarm) },
	} {
		t.Run(where, func(t *testing.T) {
			line, drivers, lc, words := emulated(t)
			drv := &spoiled{Driver: drivers, line: line}
			ring, desk := trace.NewRing(400, len(lc.Limits)), &shared.Desk{}
			lc.Gateway = desk
			l, err := loop.New(lc, drv, nil, ring)
			if err != nil {
				t.Fatal(err)
			}
			failed := &crash.Net{}
			said := &spoiler{word: "settle"}
			if where != "the teller" {
				said.word = "never said"
			}
			tell := &teller{w: said, failed: failed}
			link := &brittle{}
			w := &Watch{Ring: ring, Desk: desk, Link: link, Tell: tell, Mission: &mission.Script{Arm: true, Daemon: true},
				Explain: words}
			ended := make(chan loop.Stats, 1)
			go func() { ended <- both(noOrders{}, l, drv, w, failed) }()
			until(t, "it holds", func() bool { return w.Latest().State == "hold" })
			spoil(l, drv, link)
			select {
			case s := <-ended:
				if s.End != mode.Fault || !s.TorqueOff || line.TorqueOn() != 0 {
					t.Errorf("ended in %v, torque off %v, %d servos have torque", s.End, s.TorqueOff, line.TorqueOn())
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it never ended")
			}
			if err := failed.Err(); err == nil || !strings.Contains(err.Error(), "in "+where) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// inside is the loop's process where that is this one.
type inside struct{ gone chan struct{} }

func (inside) Kill()                   {}
func (i inside) Gone() <-chan struct{} { return i.gone }

// both runs the two halves in one process.
func both(ord Orders, l *loop.Loop, drv driver.Driver, w *Watch, failed *crash.Net) (s loop.Stats) {
	p := inside{make(chan struct{})}
	inLoop := &crash.Net{}
	go func() {
		defer close(p.gone)
		s = Operate(l, w.Desk, drv, inLoop)
	}()
	Attend(ord, w, p, Tolerance{Frozen: time.Minute, Deaf: time.Minute}, failed, func(End) {})
	if err := inLoop.Err(); err != nil {
		failed.Note("the control loop", err)
	}
	return s
}

// emulated is kata20, connected, on a line whose time passes by the tick.
func emulated(t *testing.T) (line *busemu.World, drivers *multi.Driver, lc loop.Config, words *explain.Robot) {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := busemu.ForRobot(desc)
	if err != nil {
		t.Fatal(err)
	}
	line, err = busemu.NewWorld(busemu.NewIdeal(desc.Servos(), 2*time.Millisecond), cfg...)
	if err != nil {
		t.Fatal(err)
	}
	line.Untimed = true
	real, err := dynamixel.New(desc, "body", busemu.NewWire(line.Lines[0]), dynamixel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drivers, err = multi.New(multi.Config{Joints: len(desc.Joints),
		Buses: []multi.Bus{{Name: "body", Driver: real, Joints: desc.JointsOn("body"), IMU: real.IMU()}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drivers.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	shape := limits.Shape{StandRad: make([]float64, len(desc.Joints)), Leg: make([]bool, len(desc.Joints))}
	for j, d := range desc.Joints {
		shape.StandRad[j] = min(max(0.2, d.MinRad), d.MaxRad)
	}
	lc = limits.OnEmulatedBus(limits.Derive(desc, shape, 100, 1))
	words = &explain.Robot{Joints: desc.Joints, Limits: lc.Limits, Health: lc.Health, Thresholds: lc.Thresholds, RateHz: lc.RateHz}
	return line, drivers, lc, words
}

// A loop whose driver does not come back has no torque in time: by itself, or because an
// operator insists; and nobody waits for it for good.
func TestALoopThatHangsEndsWithoutTorque(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stuckS float64
		back   bool
	}{{"comes back", 0.1, true}, {"never comes back", 0.1, false}, {"an operator insists", 3600, true}} {
		t.Run(tt.name, func(t *testing.T) {
			line, drivers, lc, words := emulated(t)
			lc.Thresholds.StuckS = tt.stuckS
			drv := &hung{Driver: drivers, line: line, in: make(chan struct{}), back: make(chan struct{})}
			ring, desk := trace.NewRing(400, len(lc.Limits)), &shared.Desk{}
			lc.Gateway = desk
			l, err := loop.New(lc, drv, nil, ring)
			if err != nil {
				t.Fatal(err)
			}
			failed := &crash.Net{}
			w := &Watch{Ring: ring, Desk: desk, Tell: &teller{w: io.Discard, failed: failed}, Mission: &mission.Script{Arm: true, Daemon: true},
				Explain: words}
			ended := make(chan loop.Stats, 1)
			ord := given{make(chan struct{})}
			go func() { ended <- both(ord, l, drv, w, failed) }()
			until(t, "it holds", func() bool { return w.Latest().State == "hold" })
			drv.hangs.Store(true)
			<-drv.in
			if tt.stuckS > 1 {
				close(ord.insisted)
			}
			until(t, "torque is off", func() bool { return drv.torqueOn() == 0 })
			took := time.Since(drv.since)
			t.Logf("torque off after %v", took)
			if took > time.Second {
				t.Errorf("torque went off %v after the loop had stopped", took)
			}
			if tt.back {
				close(drv.back)
			}
			l.Stop() // a daemon would stay in fault
			select {
			case s := <-ended:
				want := mode.Caused(mode.LoopStuck)
				if tt.stuckS > 1 {
					want = mode.Requested(mode.EStop)
				}
				if s.End != mode.Fault || s.FirstCause != want || s.TorqueOff != tt.back {
					t.Errorf("ended in %v because of %q, torque off confirmed: %v", s.End, s.FirstCause, s.TorqueOff)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it never ended")
			}
			if !tt.back {
				close(drv.back)
			}
		})
	}
}

// given are orders: nothing until insisted is closed, then both at once.
type given struct{ insisted chan struct{} }

func (g given) Context() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-g.insisted; cancel() }()
	return ctx
}
func (g given) Insisted() <-chan struct{} { return g.insisted }
func (given) Cause() string               { return "a test" }

func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
