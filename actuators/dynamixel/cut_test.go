package dynamixel_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// hanging is a port in which reads or writes do not come back while held is locked, and
// onto which two goroutines may write. It keeps what was written.
type hanging struct {
	mu                sync.Mutex
	wire              *busemu.Wire
	log               [][]byte
	inside            atomic.Int32 // calls that hang, or are about to
	read              chan struct{}
	write             chan struct{}
	writing, overlaps atomic.Int32
	hangs             atomic.Int32 // what hangs: 0 nothing, 1 reads, 2 the next write
}

func newHanging(w *busemu.Wire) *hanging {
	return &hanging{wire: w, read: make(chan struct{}), write: make(chan struct{})}
}

func (h *hanging) Read(b []byte) (int, error) {
	if h.hangs.Load() == 1 {
		h.inside.Add(1)
		<-h.read
		return 0, os.ErrDeadlineExceeded
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wire.Read(b)
}

func (h *hanging) Write(b []byte) (int, error) {
	if h.hangs.CompareAndSwap(2, 0) {
		h.inside.Add(1)
		<-h.write
	}
	if h.writing.Add(1) > 1 {
		h.overlaps.Add(1)
	}
	defer h.writing.Add(-1)
	time.Sleep(50 * time.Microsecond) // so that two may meet
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = append(h.log, bytes.Clone(b))
	return h.wire.Write(b)
}

func (h *hanging) SetReadTimeout(time.Duration) error { return nil }
func (h *hanging) ResetInput() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wire.ResetInput()
}

// stuck is kata20 with torque on and a call of its driver that hangs.
func stuck(t *testing.T, hangs int32, call func(d *dynamixel.Driver)) (b *bench, h *hanging, back chan struct{}) {
	t.Helper()
	b = newBench(t, nil, dynamixel.Options{})
	h = newHanging(b.wire.Wire)
	var err error
	if b.drv, err = dynamixel.New(b.desc, "body", h, dynamixel.Options{}); err != nil {
		t.Fatal(err)
	}
	b.energise(t)
	h.hangs.Store(hangs)
	back = make(chan struct{})
	go func() { defer close(back); call(b.drv) }()
	for h.inside.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	return b, h, back
}

func (h *hanging) torque(b *bench) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return b.line.TorqueOn()
}

// A cut goes past a read that does not come back; the read then sends nothing more, and
// nothing can switch torque on again until the servos are connected anew.
func TestCutPastAReadThatHangs(t *testing.T) {
	b, h, back := stuck(t, 1, func(d *dynamixel.Driver) { _ = d.Read(driver.NewState(20)) })
	if n := h.torque(b); n != 20 {
		t.Fatalf("%d servos have torque before", n)
	}
	if err := b.drv.Cut(); err != nil {
		t.Error(err)
	}
	if n := h.torque(b); n != 0 {
		t.Errorf("%d servos have torque after the cut", n)
	}
	sent := len(h.log)
	h.hangs.Store(0)
	close(h.read)
	<-back
	if len(h.log) != sent {
		t.Errorf("the call that had hung sent %d packets after the cut", len(h.log)-sent)
	}
	goals := make([]float64, 20)
	if err := b.drv.Write(goals, goals); !errors.Is(err, driver.ErrCut) {
		t.Errorf("Write: %v, want ErrCut", err)
	}
	if err := b.drv.Torque(true); !errors.Is(err, driver.ErrCut) || h.torque(b) != 0 {
		t.Errorf("Torque(true): %v, %d servos have torque", err, h.torque(b))
	}
	if err := b.drv.Torque(false); err != nil {
		t.Errorf("torque-off cannot be confirmed: %v", err)
	}
	if err := b.drv.Read(driver.NewState(20)); err != nil {
		t.Errorf("Read: %v", err)
	}
	if _, err := b.drv.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Torque(true); err != nil || h.torque(b) != 20 {
		t.Errorf("connected anew, Torque(true): %v", err)
	}
}

// A torque-on that was about to go out when torque was cut does not.
func TestCutBeforeATorqueOnThatHangs(t *testing.T) {
	b, h, back := stuck(t, 1, func(d *dynamixel.Driver) {
		_ = d.Read(driver.NewState(20))
		_ = d.Torque(true)
	})
	_ = b.drv.Cut()
	h.hangs.Store(0)
	close(h.read)
	<-back
	if n := h.torque(b); n != 0 {
		t.Errorf("%d servos have torque", n)
	}
}

// Neither does a cut wait for a write that hangs in the kernel; torque-off is then the
// last word on the line all the same, said again by who called for it.
func TestCutPastAWriteThatHangs(t *testing.T) {
	b, h, back := stuck(t, 2, func(d *dynamixel.Driver) { _ = d.Torque(true) })
	began := time.Now()
	if err := b.drv.Cut(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the cut took %v", took)
	}
	if n := h.torque(b); n != 0 {
		t.Errorf("%d servos have torque", n)
	}
	close(h.write)
	<-back
	if err := b.drv.Cut(); err != nil || h.torque(b) != 0 {
		t.Errorf("the next cut: %v, %d servos have torque", err, h.torque(b))
	}
}

// A cut never lands inside a packet of the driver, however the two meet.
func TestCutsLeaveEveryPacketWhole(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{})
	h := newHanging(b.wire.Wire)
	var err error
	if b.drv, err = dynamixel.New(b.desc, "body", h, dynamixel.Options{}); err != nil {
		t.Fatal(err)
	}
	b.energise(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			_ = b.drv.Cut()
		}
	}()
	s := driver.NewState(20)
	for over := false; !over; {
		_ = b.drv.Read(s)
		select {
		case <-done:
			over = true
		default:
		}
	}
	if n := h.overlaps.Load(); n > 0 {
		t.Errorf("%d packets were written while another was being written", n)
	}
}
