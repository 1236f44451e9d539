package serialport

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// open returns both ends of a pseudo-terminal, the slave opened by Open.
func open(t testing.TB) (master *os.File, p *Port, name string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	name = slave.Name()
	t.Cleanup(func() { slave.Close(); master.Close() })
	p, err = Open(name, 3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return master, p, name
}

func TestBytesPassUnchanged(t *testing.T) {
	master, p, _ := open(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if n, err := p.Write(all); n != 256 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	got := make([]byte, 256)
	if _, err := readFull(master, got); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("out: % X, %v", got, err)
	}
	if _, err := master.Write(all); err != nil {
		t.Fatal(err)
	}
	if err := p.SetReadTimeout(time.Second); err != nil {
		t.Fatal(err)
	}
	clear(got)
	if _, err := readFull(p, got); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("in: % X, %v", got, err)
	}
}

func readFull(r interface{ Read([]byte) (int, error) }, b []byte) (int, error) {
	for n := 0; n < len(b); {
		k, err := r.Read(b[n:])
		if n += k; err != nil {
			return n, err
		}
	}
	return len(b), nil
}

func TestTimeoutIsAnError(t *testing.T) {
	_, p, _ := open(t)
	if err := p.SetReadTimeout(time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d, %v; want a deadline error", n, err)
	}
}

func TestResetInputForgets(t *testing.T) {
	master, p, _ := open(t)
	if _, err := master.Write([]byte("stale")); err != nil {
		t.Fatal(err)
	}
	if err := p.SetReadTimeout(time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); err != nil { // it has arrived
		t.Fatal(err)
	}
	if err := p.ResetInput(); err != nil {
		t.Fatal(err)
	}
	if err := p.SetReadTimeout(0); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d stale bytes survive, %v", n, err)
	}
}

// TestStuckLineDoesNotBlock writes to a peer that never reads.
func TestStuckLineDoesNotBlock(t *testing.T) {
	_, p, _ := open(t)
	packet := make([]byte, 128)
	for range 100_000 {
		if _, err := p.Write(packet); err != nil {
			if !errors.Is(err, ErrStuck) {
				t.Fatalf("%v, want ErrStuck", err)
			}
			return
		}
	}
	t.Fatal("the line took 12 MB that nobody read")
}

func TestOpenErrors(t *testing.T) {
	_, _, name := open(t)
	if _, err := Open(name, 1_000_000); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), name) {
		t.Errorf("second open: %v, want ErrTaken naming %s", err, name)
	}
	if _, err := Open("/dev/nonesuch", 1_000_000); !errors.Is(err, ErrAbsent) || !strings.Contains(err.Error(), "/dev/nonesuch") {
		t.Errorf("absent: %v", err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(plain, 1_000_000); err == nil || !strings.Contains(err.Error(), "not a serial device") {
		t.Errorf("plain file: %v", err)
	}
	if _, err := Open(os.DevNull, 1_000_000); err == nil {
		t.Error("/dev/null opens as a serial port")
	}
	if _, err := Open(name, 7); err == nil || !strings.Contains(err.Error(), "legal") {
		t.Errorf("baud 7: %v", err)
	}
}

func TestReopenAfterClose(t *testing.T) {
	_, p, name := open(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(name, 57600)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	again.Close()
}

func TestLostPeer(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	p, err := Open(slave.Name(), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	slave.Close()
	master.Close()
	if err := p.SetReadTimeout(time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after the peer died: %v, want an error that is no timeout", err)
	}
	if _, err := p.Write([]byte{1}); err == nil {
		t.Error("write after the peer died succeeds")
	}
}

func TestLatencyTimer(t *testing.T) {
	sys := t.TempDir()
	dir := filepath.Join(sys, "bus/usb-serial/devices/ttyUSB7")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "latency_timer")
	if err := os.WriteFile(file, []byte("16\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if notes := lowLatency(sys, "/dev/ttyUSB7"); len(notes) != 0 {
		t.Errorf("notes %q", notes)
	}
	if got, _ := os.ReadFile(file); string(got) != "1" {
		t.Errorf("latency timer is %q, want 1", got)
	}
	if notes := lowLatency(sys, "/dev/ttyACM0"); notes != nil {
		t.Errorf("no FTDI: %q", notes)
	}
	// A file that cannot be written: a folder in its place would not be read, so a
	// read-only sysfs is imitated by a link to a file that vanishes.
	os.Remove(file)
	if err := os.Symlink("/proc/version", file); err != nil {
		t.Fatal(err)
	}
	if notes := lowLatency(sys, "/dev/ttyUSB7"); len(notes) != 1 || !strings.Contains(notes[0], "ttyUSB7") {
		t.Errorf("notes %q, want one that names the device", notes)
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	master, p, _ := open(t)
	buf, packet := make([]byte, 64), make([]byte, 14)
	var failed error
	keep := func(err error) { failed = cmp.Or(failed, err) }
	if n := testing.AllocsPerRun(50, func() {
		_, err := master.Write(packet)
		keep(err)
		keep(p.SetReadTimeout(time.Second))
		_, err = p.Read(buf)
		keep(err)
		_, err = p.Write(packet)
		keep(err)
		keep(p.ResetInput())
	}); n != 0 || failed != nil {
		t.Errorf("%v allocations per exchange, want 0; error %v", n, failed)
	}
}
