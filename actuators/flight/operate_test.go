package flight

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
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

// broken is a link whose every use is a fault.
type broken struct{}

func (broken) State(record.Status) { panic("a fault in the link") }
func (broken) Event(record.Event)  { panic("a fault in the link") }

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
	for where, spoil := range map[string]func(l *loop.Loop, d *spoiled, w *Watch){
		"the control loop": func(_ *loop.Loop, d *spoiled, _ *Watch) { d.mu.Lock(); d.panic = true; d.mu.Unlock() },
		"the watcher":      func(l *loop.Loop, _ *spoiled, w *Watch) { w.Link = broken{}; l.Request(mode.Disarm) },
		"the teller":       func(l *loop.Loop, _ *spoiled, _ *Watch) { l.Request(mode.Disarm) },
	} {
		t.Run(where, func(t *testing.T) {
			desc, err := robot.Load("kata20")
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := busemu.ForRobot(desc)
			if err != nil {
				t.Fatal(err)
			}
			line, err := busemu.NewWorld(busemu.NewIdeal(desc.Servos(), 2*time.Millisecond), cfg...)
			if err != nil {
				t.Fatal(err)
			}
			line.Untimed = true
			real, err := dynamixel.New(desc, "body", busemu.NewWire(line.Lines[0]), dynamixel.Options{})
			if err != nil {
				t.Fatal(err)
			}
			drivers, err := multi.New(multi.Config{Joints: len(desc.Joints),
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
			lc := limits.OnEmulatedBus(limits.Derive(desc, shape, 100, 1))
			drv := &spoiled{Driver: drivers, line: line}
			ring := trace.NewRing(400, len(desc.Joints))
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
			w := &Watch{Ring: ring, Loop: l, Tell: tell, Mission: &mission.Script{Arm: true, Daemon: true}}
			ended := make(chan loop.Stats, 1)
			go func() { ended <- Operate(noOrders{}, l, drv, w, failed) }()
			until(t, "it holds", func() bool { return w.Latest().State == "hold" })
			spoil(l, drv, w)
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

func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
