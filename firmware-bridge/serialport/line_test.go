package serialport

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how late a busy machine may make things; what hangs, hangs for longer.
const patience = 3 * time.Second

// within fails t if f is not over in time.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
	}
}

// thief opens the same device as another program would, past lock and claim, and reads
// it for good: with reads that block, which keeps the terminal's own lock on reading, or
// as we do.
func thief(t *testing.T, name string, blocks bool) (stolen func() int) {
	t.Helper()
	flags := unix.O_RDWR | unix.O_NOCTTY
	if !blocks {
		flags |= unix.O_NONBLOCK
	}
	fd, err := unix.Open(name, flags, 0)
	if err != nil {
		t.Skipf("cannot open %s a second time: %v", name, err) // not root
	}
	var mu sync.Mutex
	sum := 0
	go func() {
		buf := make([]byte, 64)
		for {
			fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			if !blocks {
				_, _ = unix.Poll(fds[:], -1)
			}
			n, err := unix.Read(fd, buf)
			if err == unix.EAGAIN && fds[0].Revents&unix.POLLHUP == 0 {
				continue
			}
			if n <= 0 || err != nil && err != unix.EINTR {
				unix.Close(fd) // the master is closed: the test is over
				return
			}
			mu.Lock()
			sum += n
			mu.Unlock()
		}
	}()
	return func() int { mu.Lock(); defer mu.Unlock(); return sum }
}

// Whatever is written when, and whoever takes it away: a read ends in its time, with
// bytes or with a deadline error.
func TestReadsEndInTimeBesideAThief(t *testing.T) {
	master, p, name := open(t)
	stolen := thief(t, name, false)
	rng := rand.New(rand.NewPCG(11, 12))
	got, late := 0, 0
	buf := make([]byte, 64)
	for round := range 400 {
		timeout := time.Duration(rng.IntN(3000)) * time.Microsecond
		wait := time.Duration(rng.IntN(4000)) * time.Microsecond
		wrote := make(chan struct{})
		size := 1 + rng.IntN(20)
		go func() {
			defer close(wrote)
			time.Sleep(wait)
			_, _ = master.Write(make([]byte, size))
		}()
		_ = p.SetReadTimeout(timeout)
		within(t, "a read", func() {
			began := time.Now()
			n, err := p.Read(buf)
			if took := time.Since(began); took > timeout+50*time.Millisecond {
				late++
			}
			if got += n; (n == 0) != errors.Is(err, os.ErrDeadlineExceeded) || err != nil && n > 0 {
				t.Errorf("round %d: %d, %v", round, n, err)
			}
		})
		<-wrote
	}
	if late > 4 { // a scheduler may be late; that is not one read in a hundred
		t.Errorf("%d of 400 reads took 50 ms longer than their timeout", late)
	}
	if got == 0 || stolen() == 0 {
		t.Errorf("%d bytes read, %d stolen: nothing was tested", got, stolen())
	}
}

// The trap of a blocking descriptor: readiness, then nothing, then silence.
func TestAReadWhoseBytesAreStolenEnds(t *testing.T) {
	master, p, name := open(t)
	stolen := thief(t, name, true)
	_ = p.SetReadTimeout(5 * time.Millisecond)
	for n := 0; stolen() < 50 && n < 5000; n++ {
		if _, err := master.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		within(t, "a read", func() { _, _ = p.Read(make([]byte, 8)) })
	}
	if stolen() == 0 {
		t.Error("nothing was stolen: nothing was tested")
	}
}

// Another program that sets how many bytes a read waits for can make an answer late, but
// neither lose it, nor make silence a lost device, nor hold a read up.
func TestForeignReadRules(t *testing.T) {
	for _, rule := range []struct{ min, time byte }{{0, 0}, {0, 5}, {255, 0}, {255, 5}} {
		master, p, _ := open(t)
		attr, err := unix.IoctlGetTermios(p.fd, unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		attr.Cc[unix.VMIN], attr.Cc[unix.VTIME] = rule.min, rule.time
		if err := unix.IoctlSetTermios(p.fd, unix.TCSETS, attr); err != nil {
			t.Fatal(err)
		}
		_ = p.SetReadTimeout(20 * time.Millisecond)
		within(t, "a read of nothing", func() {
			if n, err := p.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("VMIN %d VTIME %d, nothing came: %d, %v", rule.min, rule.time, n, err)
			}
		})
		if _, err := master.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		within(t, "a read of three bytes", func() {
			if n, err := p.Read(make([]byte, 8)); n != 3 || err != nil {
				t.Errorf("VMIN %d VTIME %d, three bytes came: %d, %v", rule.min, rule.time, n, err)
			}
		})
	}
}

// What did not go out in time never does: it would be a goal that is late.
func TestStuckWritesLeaveNothingBehind(t *testing.T) {
	master, p, _ := open(t)
	old, fresh, taken := make([]byte, 128), byte(1), 0
	stuck := false
	within(t, "writing to a peer that reads nothing", func() {
		for n := 0; n < 100_000 && !stuck; n++ {
			sent, err := p.Write(old)
			taken += sent
			stuck = errors.Is(err, ErrStuck)
		}
	})
	if !stuck {
		t.Fatal("the line took 12 MB that nobody read")
	}
	if n, err := p.Write([]byte{fresh}); n != 1 || err != nil {
		t.Fatalf("after a stuck write: %d, %v", n, err)
	}
	// What the peer's side of the terminal has taken in is beyond recall, as on a wire.
	arrived, buf := 0, make([]byte, 1<<16)
	within(t, "the peer's read", func() {
		for buf[0] != fresh {
			n, err := master.Read(buf)
			if err != nil {
				t.Error(err)
				return
			}
			arrived += n
			buf[0] = buf[n-1]
		}
	})
	if arrived > taken/2 {
		t.Errorf("of %d bytes that were taken before the line stuck, %d went out afterwards", taken, arrived)
	}
}

func TestCloseEndsAReadThatWaits(t *testing.T) {
	_, p, name := open(t)
	_ = p.SetReadTimeout(time.Hour)
	began, ended := make(chan struct{}), make(chan error)
	go func() {
		close(began)
		_, err := p.Read(make([]byte, 8))
		ended <- err
	}()
	<-began
	within(t, "Close", func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("the read ended with %v, want ErrClosed", err)
	}
	if _, err := p.Write([]byte{1}); !errors.Is(err, ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
	if err := errors.Join(p.Close(), p.ResetInput()); !errors.Is(err, ErrClosed) {
		t.Errorf("again: %v", err)
	}
	again, err := Open(name, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// A device that goes away while a read waits ends it at once, not at its deadline.
func TestHangUpEndsAReadThatWaits(t *testing.T) {
	master, p, _ := open(t)
	_ = p.SetReadTimeout(time.Hour)
	time.AfterFunc(5*time.Millisecond, func() { master.Close() })
	within(t, "a read", func() {
		if n, err := p.Read(make([]byte, 8)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// The settings are those that the library makes, on the descriptor that carries the bytes.
func TestSettings(t *testing.T) {
	for _, baud := range []int{57600, 1_000_000, 3_000_000, 10_500_000} {
		_, p, name := open(t)
		p.Close()
		p, err := Open(name, baud)
		if err != nil {
			t.Fatal(err)
		}
		attr, err := unix.IoctlGetTermios(p.fd, unix.TCGETS2)
		if err != nil {
			t.Fatal(err)
		}
		raw := attr.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) == 0 && attr.Oflag&unix.OPOST == 0 &&
			attr.Iflag&(unix.ICRNL|unix.IXON|unix.ISTRIP) == 0
		frame := attr.Cflag & (unix.CSIZE | unix.CSTOPB | unix.PARENB | unix.CRTSCTS)
		if !raw || frame != unix.CS8 || int(attr.Ospeed) != baud || int(attr.Ispeed) != baud {
			t.Errorf("%d bits/s: raw %v, frame %#x, %d out, %d in", baud, raw, frame, attr.Ospeed, attr.Ispeed)
		}
		if flags, err := unix.FcntlInt(uintptr(p.fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("a child process would inherit the port: %#x, %v", flags, err)
		}
		p.Close()
	}
}
