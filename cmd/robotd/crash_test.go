package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

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
		panic("a fault in the console")
	}
	return s.out.Write(b)
}

// A panic in any goroutine of ours ends like an e-stop: torque off at the
// servos, and an error that says where.
func TestPanicsEndWithoutTorque(t *testing.T) {
	for where, spoil := range map[string]func(l *loop.Loop, d *spoiled, w *watch){
		"the control loop": func(_ *loop.Loop, d *spoiled, _ *watch) { d.mu.Lock(); d.panic = true; d.mu.Unlock() },
		"the watcher":      func(l *loop.Loop, _ *spoiled, w *watch) { w.link = &commandLink{}; l.Request(mode.Disarm) },
		"the console":      func(l *loop.Loop, _ *spoiled, _ *watch) { l.Request(mode.Disarm) },
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
			drivers, err := multi.New(multi.Config{Joints: len(desc.Joints), Buses: []multi.Bus{{Name: "body", Driver: real, Joints: desc.JointsOn("body"), IMU: real.IMU()}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := drivers.Connect(context.Background()); err != nil {
				t.Fatal(err)
			}
			o := &options{sim: true, Config: Config{RateHz: 100}}
			lc, _, err := prepare(desc, o)
			if err != nil {
				t.Fatal(err)
			}
			drv := &spoiled{Driver: drivers, line: line}
			ring := trace.NewRing(400, len(desc.Joints))
			l, err := loop.New(lc, drv, nil, ring)
			if err != nil {
				t.Fatal(err)
			}
			failed := &crash{}
			said := &spoiler{word: "settle"}
			if where != "the console" {
				said.word = "never said"
			}
			tell := newTeller(said, failed)
			w := &watch{ring: ring, loop: l, tell: tell, script: &script{arm: true, daemon: true}}
			ended := make(chan loop.Stats, 1)
			go func() { ended <- operate(newOrders(), l, drv, w, failed) }()
			until(t, "it holds", func() bool { return w.snapshot().State == "hold" })
			spoil(l, drv, w)
			select {
			case s := <-ended:
				if s.End != mode.Fault || !s.TorqueOff || line.TorqueOn() != 0 {
					t.Errorf("ended in %v, torque off %v, %d servos have torque", s.End, s.TorqueOff, line.TorqueOn())
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it never ended")
			}
			if err := failed.err(); err == nil || !strings.Contains(err.Error(), "in "+where) {
				t.Errorf("error %v", err)
			}
			tell.close()
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

// A panic on the main thread is an error of the run, not the end of the process.
func TestPanicOnTheMainThread(t *testing.T) {
	var failed crash
	func() {
		defer failed.caught("the main thread")
		var desc *robot.Description
		_ = desc.Name
	}()
	if err := failed.err(); err == nil || !strings.Contains(err.Error(), "the main thread") {
		t.Errorf("%v", err)
	}
}

func TestOrders(t *testing.T) {
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	for _, c := range []struct {
		given  []syscall.Signal
		second bool
	}{
		{[]syscall.Signal{syscall.SIGINT}, false},
		{[]syscall.Signal{syscall.SIGINT, syscall.SIGINT}, true},
		{[]syscall.Signal{syscall.SIGTERM, syscall.SIGQUIT}, true},
		{[]syscall.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGHUP}, false},
		{[]syscall.Signal{syscall.SIGTERM, syscall.SIGHUP}, false},
		{[]syscall.Signal{syscall.SIGTSTP, syscall.SIGTSTP}, false},
		{[]syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGINT, syscall.SIGINT}, true},
	} {
		o := newOrders()
		for _, s := range c.given {
			another := o.another()
			if closed(another) {
				t.Fatal("an order that nobody gave")
			}
			o.hear(s)
			if !closed(another) || o.ctx.Err() == nil {
				t.Errorf("%v: %v was not heard", c.given, s)
			}
		}
		if closed(o.second) != c.second || o.cause() != c.given[0].String() {
			t.Errorf("%v: second %v, cause %q", c.given, closed(o.second), o.cause())
		}
	}
}

// stuck is a reader that stopped reading.
type stuck struct{ release chan struct{} }

func (s stuck) Write(b []byte) (int, error) { <-s.release; return len(b), nil }

// Nothing said to a reader who does not read blocks or grows without bound, and
// what was lost is counted and told when he reads again.
func TestConsoleDropsAndCounts(t *testing.T) {
	var failed crash
	held := stuck{make(chan struct{})}
	tell := newTeller(held, &failed)
	tell.jsonTo(held, &failed)
	const n = 10 * sinkLines
	for range n {
		tell.event("line")
		tell.status(status{})
	}
	if lost := tell.lost(); lost < 2*n-2*(sinkLines+1) || lost > 2*n {
		t.Errorf("%d of %d lines lost with a queue of %d", lost, 2*n, sinkLines)
	}
	close(held.release)
	until(t, "the queue is empty", func() bool { return len(tell.err.lines) == 0 })
	before := tell.told
	tell.event("line")
	if tell.told == before {
		t.Error("nobody is told of what was lost")
	}
	tell.close()
}

func TestNamesCannotDriveTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"kata20, größe\n":         "kata20, größe\n",
		"\x1b[2Jevil\r":           `\x1b[2Jevil\x0d`,
		"a\x00b\xffc\u009b\u202e": `a\x00b\xffc\u009b\u202e`,
	} {
		if got := printable(in); got != want {
			t.Errorf("%q -> %q, want %q", in, got, want)
		}
	}
}
