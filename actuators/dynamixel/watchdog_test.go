package dynamixel_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// Silence of the host stops the servos by themselves; taking them up ends that.
func TestWatchdogStopsAndIsCleared(t *testing.T) {
	now := time.Unix(0, 0)
	b := newBench(t, nil, dynamixel.Options{Watchdog: 100 * time.Millisecond, Now: func() time.Time { return now }})
	s, applied := b.energise(t)
	_ = b.drv.Write(applied, b.safePose())
	b.line.Advance(50 * time.Millisecond)
	b.line.Advance(time.Second) // the host has died
	now = now.Add(time.Second)
	_ = b.drv.Read(s)
	stopped := append([]float64(nil), s.PosRad...)
	_ = b.drv.Write(applied, make([]float64, 20))
	b.line.Advance(50 * time.Millisecond)
	_ = b.drv.Read(s)
	for j := range stopped {
		if math.Abs(s.PosRad[j]-stopped[j]) > 0.01 {
			t.Fatalf("joint %d moved from %g to %g although its watchdog had tripped", j, stopped[j], s.PosRad[j])
		}
	}
	_ = b.drv.Read(s)
	if err := b.drv.TakeUp(applied, s.PosRad); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		_ = b.drv.Write(applied, make([]float64, 20))
		b.line.Advance(10 * time.Millisecond)
	}
	_ = b.drv.Read(s)
	if math.Abs(s.PosRad[2]) > 0.01 {
		t.Errorf("taken up, joint 2 is at %g, want 0", s.PosRad[2])
	}
}

// A servo that its watchdog has stopped refuses goals in silence, so the driver
// has to ask: at once after a silence of its own, otherwise one servo in turn.
func TestStoppedServosAreReported(t *testing.T) {
	for _, c := range []struct {
		name      string
		clockRuns bool
		reads     int
	}{{"after a gap of this host", true, 1}, {"in turn", false, 60}} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Unix(0, 0)
			b := newBench(t, nil, dynamixel.Options{Now: func() time.Time { return now }})
			s, applied := b.energise(t)
			tick := func() {
				b.line.Advance(10 * time.Millisecond)
				now = now.Add(10 * time.Millisecond)
				_ = b.drv.Read(s)
			}
			for range 70 {
				if tick(); slices.Contains(s.Stopped, true) {
					t.Fatal("a servo that hears the bus is reported as stopped")
				}
			}
			b.line.Advance(250 * time.Millisecond)
			if c.clockRuns {
				now = now.Add(250 * time.Millisecond)
			}
			for range c.reads {
				tick()
			}
			if slices.Contains(s.Stopped, false) {
				t.Errorf("%d reads after the silence, stopped: %v", c.reads, s.Stopped)
			}
			if err := b.drv.TakeUp(applied, s.PosRad); err != nil {
				t.Fatal(err)
			}
			for range 70 {
				if tick(); slices.Contains(s.Stopped, true) {
					t.Fatal("reported as stopped after they were taken up")
				}
			}
		})
	}
}

// Taking up clears every tripped watchdog and lets it run again: without that the servos
// would go on refusing goals, and nobody answers a sync write. With the torque the
// watchdogs end.
func TestTakingUpClearsEveryWatchdog(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{Watchdog: 60 * time.Millisecond})
	s, applied := b.energise(t)
	tripped := func() (n int) {
		t.Helper()
		bus := dxl.NewBus(b.wire, dxl.Config{Baud: b.desc.Buses[0].Baud, Margin: time.Second})
		for _, j := range b.desc.Joints {
			v, err := dxl.Read(bus, dxl.ID(j.ID), dxl.BusWatchdog)
			if err != nil {
				t.Fatal(err)
			}
			switch v {
			case -1:
				n++
			case 3: // 60 ms
			default:
				t.Errorf("servo %d: watchdog %d, want 3 (60 ms) or -1 (tripped)", j.ID, v)
			}
		}
		return n
	}
	if n := tripped(); n != 0 {
		t.Fatalf("%d watchdogs tripped while the host talked", n)
	}
	b.line.Advance(100 * time.Millisecond)
	if n := tripped(); n != len(b.desc.Joints) {
		t.Fatalf("%d of %d watchdogs tripped in 100 ms of silence", n, len(b.desc.Joints))
	}
	_ = b.drv.Read(s)
	if err := b.drv.TakeUp(applied, s.PosRad); err != nil {
		t.Fatal(err)
	}
	if n := tripped(); n != 0 {
		t.Errorf("%d watchdogs stay tripped after they were taken up", n)
	}
}
