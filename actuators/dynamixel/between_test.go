package dynamixel_test

import (
	"context"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
)

// between stands between a pseudo-terminal and an emulated line, and holds every answer
// back. Before each request that it passes on it turns joint 0 a little, so that an angle
// tells which request it answers.
type between struct {
	mu    sync.Mutex
	b     *bench
	hold  time.Duration
	angle float64 // at the latest request
	out   chan held
}

// held is an answer and when it may go on.
type held struct {
	due   time.Time
	bytes []byte
}

const turnRad = 0.02

func (m *between) pass(master *os.File) {
	go func() { // answers, in their order
		for h := range m.out {
			time.Sleep(time.Until(h.due))
			_, _ = master.Write(h.bytes)
		}
	}()
	defer close(m.out)
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		if err != nil {
			return
		}
		if reply, due := m.answer(buf[:n]); len(reply) > 0 {
			m.out <- held{due, reply}
		}
	}
}

func (m *between) answer(request []byte) (reply []byte, due time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.angle += turnRad; m.angle > 0.5 {
		m.angle = -0.5
	}
	m.b.plant.Set(0, m.angle)
	m.b.line.Advance(time.Millisecond)
	_, _ = m.b.wire.Wire.Write(request)
	reply = make([]byte, 8192)
	n, _ := m.b.wire.Wire.Read(reply)
	return reply[:n], time.Now().Add(m.hold)
}

func (m *between) delay(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold = d
}

func (m *between) now() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.angle
}

// On a real terminal whose answers come 12 ms late, as those of USB adapters do, what is
// fresh is what this read asked for.
func TestTwelveMillisecondsLateOnATerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer slave.Close()
	defer master.Close()
	b := newBench(t, nil, dynamixel.Options{})
	m := &between{b: b, out: make(chan held, 1024)}
	port, err := serialport.Open(slave.Name(), 3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	go m.pass(master)
	drv, err := dynamixel.New(b.desc, "body", port, dynamixel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drv.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	s := driver.NewState(len(b.desc.Joints))
	read := func() (fresh bool) {
		before, began := m.now(), time.Now()
		_ = drv.Read(s)
		// A read sends a few requests, one angle each; an answer to one before it has
		// none of those.
		if s.Fresh[0] {
			if ahead := math.Mod(s.PosRad[0]-before+1+turnRad, 1+turnRad); ahead < turnRad/2 || ahead > 6.5*turnRad {
				t.Fatalf("joint 0 is fresh at %.3f rad, before this read it was asked at %.3f", s.PosRad[0], before)
			}
			if took := time.Since(began).Seconds(); s.AgeS[0] > took {
				t.Fatalf("fresh, and %g s old after a read of %g s", s.AgeS[0], took)
			}
		}
		return s.Fresh[0]
	}
	until := func(what string, want bool, in int) {
		n := 0
		for k := 0; k < 2000 && n < in; k++ {
			if read() == want {
				n++
			}
			time.Sleep(time.Millisecond)
		}
		if n < in {
			t.Errorf("%s: only %d reads of 2000 were fresh=%v", what, n, want)
		}
	}
	until("before", true, 50)
	m.delay(12 * time.Millisecond)
	until("late", false, 200)
	m.delay(0)
	until("well again", true, 50)
}
