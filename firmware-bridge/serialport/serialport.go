// Package serialport opens serial devices for a servo bus: raw, 8N1, exclusive, with
// reads and writes that end in time whatever else happens on the line.
//
// go.bug.st/serial opens and configures the device: raw mode, any bit rate, the claim of
// exclusive use. Bytes then go through a descriptor of our own that never blocks
// (line.go), for a control loop cannot live with what a blocking one does: it waits for
// good when another program took the bytes that select had promised, or changed how many
// bytes a read waits for, and when the other side stops taking bytes; and on a busy host
// even select and poll outlast their timeouts (wait_linux.go). Modem lines are left
// alone, because pseudo-terminals have none and servo adapters do not need them.
//
// What is not here: protocols, and anything that knows what the bytes mean.
//
// Concurrency: a Port belongs to one goroutine. Write may be called from a second one
// at the same time, which an emergency stop does; the bytes of two such writes are one
// after the other if the line takes each in one piece. Close may be called from any, more
// than once, and ends what waits.
package serialport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

var (
	// ErrAbsent: there is no such device.
	ErrAbsent = errors.New("no such device")
	// ErrTaken: another process has the port open.
	ErrTaken = errors.New("port is taken by another process")
	// ErrStuck: the line takes no more bytes. Those that it had taken and not sent are
	// thrown away: nothing goes out late.
	ErrStuck = errors.New("line takes no more bytes")
	// ErrGone: the device hung up.
	ErrGone = errors.New("device is gone")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("port is closed")
)

// Port is an open serial device. It satisfies dxl.Port.
type Port struct {
	name  string
	line  serial.Port // holds the settings and the claim of exclusive use; no byte passes it
	fd    int         // our own: never blocks, carries the lock and every byte
	wake  [2]int      // a pipe; a byte in it ends every wait
	in    *waiter     // of reads
	notes []string

	timeout  time.Duration // of reads
	users    atomic.Int64  // operations in progress; closing is added once Close was called
	released chan struct{} // closed when the device is
	err      error         // of closing; valid after released
}

// Open opens the device called name at baud bits/s, 8N1, raw. The error names the
// device and what to do; it wraps ErrAbsent or ErrTaken where that is the case.
func Open(name string, baud int) (*Port, error) {
	if baud < 1200 || baud > 12_000_000 {
		return nil, fmt.Errorf("serialport: %s: %d bits/s; legal: 1200 to 12000000", name, baud)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, openError(name, err)
	}
	if info.Mode()&fs.ModeCharDevice == 0 {
		return nil, fmt.Errorf("serialport: %s: not a serial device", name)
	}
	p := &Port{name: name, released: make(chan struct{})}
	flags := unix.O_RDWR | unix.O_NOCTTY | unix.O_NONBLOCK | unix.O_CLOEXEC
	if p.fd, err = unix.Open(name, flags, 0); err != nil {
		return nil, openError(name, err)
	}
	// TIOCEXCL, which go.bug.st/serial sets, does not stop root; the lock does.
	if unix.Flock(p.fd, unix.LOCK_EX|unix.LOCK_NB) != nil {
		unix.Close(p.fd)
		return nil, openError(name, unix.EBUSY)
	}
	mode := serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit}
	if p.line, err = serial.Open(name, &mode); err != nil {
		unix.Close(p.fd)
		return nil, openError(name, err)
	}
	if err := unix.Pipe(p.wake[:]); err != nil {
		return nil, fmt.Errorf("serialport: %s: %w", name, errors.Join(err, p.line.Close(), unix.Close(p.fd)))
	}
	for _, fd := range p.wake {
		unix.CloseOnExec(fd)
	}
	if p.in, err = newWaiter(p.fd, p.wake[0]); err != nil {
		return nil, fmt.Errorf("serialport: %s: %w", name, errors.Join(err, p.line.Close(), unix.Close(p.fd), unix.Close(p.wake[0]), unix.Close(p.wake[1])))
	}
	p.notes = lowLatency("/sys", name)
	return p, nil
}

// openError says in words why a port did not open.
func openError(name string, err error) error {
	var pe *serial.PortError
	code := serial.PortErrorCode(-1)
	if errors.As(err, &pe) {
		code = pe.Code()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), code == serial.PortNotFound:
		return fmt.Errorf("serialport: %s: %w; plug the adapter in, or look for its name in /dev/serial/by-id", name, ErrAbsent)
	case errors.Is(err, unix.EBUSY), code == serial.PortBusy:
		return fmt.Errorf("serialport: %s: %w; stop it first ('fuser -v %s' names it)", name, ErrTaken, name)
	case errors.Is(err, fs.ErrPermission), code == serial.PermissionDenied:
		return fmt.Errorf("serialport: %s: %w; add yourself to the group that owns it ('sudo usermod -aG dialout $USER', then log in again)", name, fs.ErrPermission)
	}
	return fmt.Errorf("serialport: %s: %w", name, err)
}

// Name is the device's path.
func (p *Port) Name() string { return p.name }

// Notes are remarks for the operator about settings that could not be made.
func (p *Port) Notes() []string { return p.notes }

// lowLatency sets the latency timer of an FTDI adapter to 1 ms. Such an adapter holds
// bytes back until a USB packet is full or this timer ends; Linux leaves it at 16 ms,
// which caps a servo loop near 60 Hz.
func lowLatency(sys, name string) []string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	file := filepath.Join(sys, "bus/usb-serial/devices", filepath.Base(name), "latency_timer")
	was, err := os.ReadFile(file)
	if err != nil {
		return nil // not an FTDI adapter
	}
	if ms := strings.TrimSpace(string(was)); ms == "1" || ms == "0" {
		return nil
	}
	if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
		return []string{fmt.Sprintf("%s: latency timer is %s ms and could not be set to 1 (%v); replies come late; run: echo 1 | sudo tee %s",
			name, strings.TrimSpace(string(was)), err, file)}
	}
	return nil
}
