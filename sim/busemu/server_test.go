package busemu

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
)

// serve puts a bench behind a pseudo-terminal until the test ends.
func serve(t *testing.T, n int, cfg ServerConfig) (*bench, *Server) {
	t.Helper()
	running := goleak.IgnoreCurrent()
	b := newBench(t, n, nil)
	s, err := NewServer(b.line.World, cfg)
	if err != nil {
		t.Skip(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	port, err := serialport.Open(s.Path(0), 3_000_000)
	must(t, err)
	t.Cleanup(func() {
		stop() // the master still has the port open
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		port.Close()
		goleak.VerifyNone(t, running)
	})
	b.port = port
	b.bus = dxl.NewBus(port, dxl.Config{Baud: 3_000_000, Margin: 2 * time.Second})
	return b, s
}

func TestOverTerminal(t *testing.T) {
	b, s := serve(t, 20, ServerConfig{Baud: 3_000_000})
	for _, id := range b.ids {
		f, err := b.bus.Ping(id)
		must(t, err)
		if f.Model != xm430().ModelNumber {
			t.Fatalf("%+v", f)
		}
		must(t, dxl.Write(b.bus, id, dxl.TorqueEnable, 1))
	}
	w, err := dxl.NewGoalWriter(b.bus, b.ids)
	must(t, err)
	r, states := b.reader(t, dxl.Fast)
	goals := make([]dxl.PositionCount, 20)
	for i := range goals {
		goals[i] = 2048 + dxl.PositionCount(10*i)
	}
	for range 100 {
		must(t, w.Write(goals))
		must(t, r.ReadInto(states))
	}
	// Wall time moves the joints.
	deadline := time.Now().Add(10 * time.Second)
	for states[19].Position < goals[19]-2 {
		if time.Now().After(deadline) {
			t.Fatalf("servo 20 at %d after 10 s, goal %d", states[19].Position, goals[19])
		}
		must(t, r.ReadInto(states))
	}
	if st := s.Stats(); st.Packets < 200 {
		t.Errorf("stats %+v", st)
	}
}

// TestLockstep: the same commands give the same bytes, whatever the wall clock does.
func TestLockstep(t *testing.T) {
	run := func(pause time.Duration) []dxl.State {
		b, s := serve(t, 4, ServerConfig{Lockstep: 10 * time.Millisecond})
		for _, id := range b.ids {
			must(t, dxl.Write(b.bus, id, dxl.TorqueEnable, 1))
		}
		w, err := dxl.NewGoalWriter(b.bus, b.ids)
		must(t, err)
		r, states := b.reader(t, dxl.Fast)
		var all []dxl.State
		goals := make([]dxl.PositionCount, 4)
		for k := range 50 {
			for i := range goals {
				goals[i] = 2048 + dxl.PositionCount(k*(i+1))
			}
			must(t, r.ReadInto(states))
			must(t, w.Write(goals))
			all = append(all, states...)
			if k == 7 {
				time.Sleep(pause)
			}
		}
		must(t, r.ReadInto(states)) // after a write: no time passes
		s.With(func(l *World) {
			// One period before the first read, one at each write.
			if want := 510 * time.Millisecond; l.Now() != want {
				t.Errorf("%v have passed, want %v", l.Now(), want)
			}
		})
		return all
	}
	a, b := run(0), run(30*time.Millisecond)
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("state %d: %+v and %+v", i, a[i], b[i])
		}
	}
}

// TestPacing: an answer takes at least as long as its bytes take on the wire.
func TestPacing(t *testing.T) {
	b, _ := serve(t, 20, ServerConfig{Baud: 57600})
	r, states := b.reader(t, dxl.Fast)
	w, err := dxl.NewGoalWriter(b.bus, b.ids)
	must(t, err)
	goals := make([]dxl.PositionCount, 20)
	for _, c := range []struct {
		what  string
		bytes int
		write bool
	}{
		{"read", 14 + 20 + dxl.FastStatusLen(20, 10), false},
		{"write, then read", 14 + 20*5 + 14 + 20 + dxl.FastStatusLen(20, 10), true},
	} {
		wire := time.Duration(c.bytes) * 10 * time.Second / 57600
		start := time.Now()
		if c.write {
			must(t, w.Write(goals))
		}
		must(t, r.ReadInto(states))
		if took := time.Since(start); took < wire {
			t.Errorf("%s: answered in %v, the wire needs %v", c.what, took, wire)
		}
	}
}

// TestBacklogIsWorkedOff: packets that piled up while the host was held up are each
// charged for their own bytes. Charging each for the whole pile took 17 s here, and on
// a robot the pile then grew for ever.
func TestBacklogIsWorkedOff(t *testing.T) {
	b, _ := serve(t, 2, ServerConfig{Baud: 57600})
	var pile []byte
	for range 100 {
		pile = dxl.Append(pile, &dxl.Packet{ID: 1, Instruction: dxl.InstPing})
	}
	start := time.Now()
	if _, err := b.port.Write(pile); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := b.bus.Ping(2); err == nil {
			break
		}
		if time.Since(start) > 10*time.Second {
			t.Fatal("the other servo does not answer for 10 s")
		}
	}
}

func TestServerDiesMasterNotices(t *testing.T) {
	b := newBench(t, 2, nil)
	s, err := NewServer(b.line.World, ServerConfig{})
	if err != nil {
		t.Skip(err)
	}
	port, err := serialport.Open(s.Path(0), 3_000_000)
	must(t, err)
	defer port.Close()
	s.Close()
	bus := dxl.NewBus(port, dxl.Config{Margin: 5 * time.Second})
	start := time.Now()
	_, err = bus.Ping(1)
	if !errors.Is(err, dxl.ErrLinkLost) || errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) > 4*time.Second {
		t.Errorf("after %v: %v, want ErrLinkLost at once", time.Since(start), err)
	}
	if bus.PortError() == nil {
		t.Error("no port error recorded")
	}
}

// TestWrongRate: a device set to another bit rate is deaf, and can be talked to after
// both sides change.
func TestWrongRate(t *testing.T) {
	b, s := serve(t, 2, ServerConfig{CheckRate: true}) // the bench opens it at 3 Mbit/s
	wrong := dxl.NewBus(b.port, dxl.Config{Margin: 20 * time.Millisecond})
	if _, err := wrong.Ping(1); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("at 3 Mbit/s: %v, want silence from servos at 9600", err)
	}
	s.With(func(w *World) { w.Lines[0].servos[0].mem[dxl.BaudRate] = 5 })
	if _, err := wrong.Ping(1); err != nil {
		t.Errorf("both at 3 Mbit/s: %v", err)
	}
	if _, err := wrong.Ping(2); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("servo 2 still at 9600: %v", err)
	}
}

// Two lines of one world in lockstep: whatever order their masters come in, a tick is
// one period, both read the same instant, and goals of both move in the same one.
func TestLockstepOfTwoLines(t *testing.T) {
	run := func(order func(k int) []int) (angles []float64, now time.Duration) {
		plant := NewIdeal(motors(2), time.Millisecond)
		w, err := NewWorld(plant,
			LineConfig{Name: "left", Servos: []ServoConfig{{ID: 1, Joint: 0, Sign: 1, Type: xm430()}}},
			LineConfig{Name: "right", Servos: []ServoConfig{{ID: 1, Joint: 1, Sign: -1, Type: xm430()}}})
		must(t, err)
		s := &Server{cfg: ServerConfig{Lockstep: 10 * time.Millisecond}, world: w}
		w.Untimed, w.period = true, s.cfg.Lockstep
		for _, l := range w.Lines {
			s.handle(l, &dxl.Packet{ID: 1, Instruction: dxl.InstWrite, Params: []byte{64, 0, 1}}, 0)
		}
		for k := range 30 {
			for _, i := range order(k) {
				reply, _ := s.handle(w.Lines[i], &dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstSyncRead, Params: []byte{132, 0, 4, 0, 1}}, 0)
				angles = append(angles, float64(getU16(reply[9:])))
			}
			if order(k)[0] == 1 { // told in one order, whatever they came in
				n := len(angles)
				angles[n-1], angles[n-2] = angles[n-2], angles[n-1]
			}
			for _, i := range order(k + 1) {
				goal := uint16(2048 + 40*k*(i+1))
				s.handle(w.Lines[i], &dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstSyncWrite,
					Params: []byte{116, 0, 4, 0, 1, byte(goal), byte(goal >> 8), 0, 0}}, 0)
			}
		}
		return angles, w.Now()
	}
	a, now := run(func(int) []int { return []int{0, 1} })
	b, _ := run(func(k int) []int { return []int{k % 2, 1 - k%2} })
	if want := 310 * time.Millisecond; now != want { // one before the first read, one at each pair of goals
		t.Errorf("%v have passed, want %v", now, want)
	}
	if !slices.Equal(a, b) || a[len(a)-1] == 2048 || a[len(a)-2] == 2048 {
		t.Errorf("in order\n%v, in turn\n%v", a, b)
	}
	// A bus that falls silent does not stop the world.
	plant := NewIdeal(motors(2), time.Millisecond)
	w, err := NewWorld(plant, LineConfig{Servos: []ServoConfig{{ID: 1, Sign: 1, Type: xm430()}}}, LineConfig{Servos: []ServoConfig{{ID: 1, Joint: 1, Sign: 1, Type: xm430()}}})
	must(t, err)
	s := &Server{cfg: ServerConfig{Lockstep: 10 * time.Millisecond}, world: w}
	w.period = s.cfg.Lockstep
	for range 10 {
		s.handle(w.Lines[0], &dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstSyncRead, Params: []byte{132, 0, 4, 0, 1}}, 0)
		s.handle(w.Lines[0], &dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstSyncWrite, Params: []byte{116, 0, 4, 0, 1, 0, 8, 0, 0}}, 0)
	}
	if w.Now() != 100*time.Millisecond {
		t.Errorf("%v have passed in 10 ticks of one bus", w.Now())
	}
}
