// Package serialport opens serial devices for a servo bus: raw, 8N1, exclusive, with
// reads that end in time and writes that never block.
//
// It sits on go.bug.st/serial and mends what a control loop cannot live with: a read
// that times out there returns (0, nil), and a write blocks for good when the other
// side stops reading. Modem lines are left alone, because pseudo-terminals have none
// and servo adapters do not need them.
//
// What is not here: protocols, and anything that knows what the bytes mean.
//
// Concurrency: a Port belongs to one goroutine; Close may be called from another.
package serialport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

var (
	// ErrAbsent: there is no such device.
	ErrAbsent = errors.New("no such device")
	// ErrTaken: another process has the port open.
	ErrTaken = errors.New("port is taken by another process")
	// ErrStuck: the line takes no more bytes.
	ErrStuck = errors.New("line takes no more bytes")
)

// Port is an open serial device. It satisfies dxl.Port.
type Port struct {
	name  string
	line  serial.Port
	own   *os.File // second, non-blocking descriptor: carries the lock and the writes
	ownFD int
	notes []string
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
	own, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(name, err)
	}
	// TIOCEXCL, which go.bug.st/serial sets, does not stop root; the lock does.
	fd := int(own.Fd())
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		own.Close()
		return nil, openError(name, unix.EBUSY)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // File.Fd made it blocking
		own.Close()
		return nil, fmt.Errorf("serialport: %s: %w", name, err)
	}
	line, err := serial.Open(name, &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit})
	if err != nil {
		own.Close()
		return nil, openError(name, err)
	}
	p := &Port{name: name, line: line, own: own, ownFD: fd}
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

// Read reads what has come, waiting for the first byte at most as long as the read
// timeout; then it returns os.ErrDeadlineExceeded.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.line.Read(b)
	if n == 0 && err == nil {
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}

// Write hands all of b to the kernel at once. It never waits: if the line does not
// take everything it returns ErrStuck.
func (p *Port) Write(b []byte) (int, error) {
	for {
		n, err := unix.Write(p.ownFD, b)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return 0, ErrStuck
		case err != nil:
			return max(n, 0), err
		case n < len(b):
			return n, ErrStuck
		}
		return n, nil
	}
}

// SetReadTimeout bounds the following Reads.
func (p *Port) SetReadTimeout(d time.Duration) error { return p.line.SetReadTimeout(max(d, 0)) }

// ResetInput throws away what was received and not read.
func (p *Port) ResetInput() error { return p.line.ResetInputBuffer() }

// Close closes the device and ends a Read that waits.
func (p *Port) Close() error {
	err := p.line.Close()
	return errors.Join(err, p.own.Close())
}

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
