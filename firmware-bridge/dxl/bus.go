package dxl

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Port is a half-duplex serial line.
type Port interface {
	// Read blocks until at least one byte came or the read timeout is over; then it
	// returns an error that wraps os.ErrDeadlineExceeded. Every other error means that
	// the port is gone.
	Read(p []byte) (int, error)
	// Write hands all of p to the line in one piece: servos drop a packet with a gap of
	// more than 1.5 ms inside.
	Write(p []byte) (int, error)
	// SetReadTimeout bounds the following Reads.
	SetReadTimeout(d time.Duration) error
	// ResetInput throws away what was received and not read.
	ResetInput() error
}

// Config says how fast the line is and how patient the master.
type Config struct {
	Baud        int           // bits/s; 10 bits a byte; default 1,000,000
	ReturnDelay time.Duration // a servo's pause before it answers; default 500 us (factory)
	// Margin is added to the computed duration of an exchange: scheduling, USB latency.
	// Default 20 ms, enough for an FTDI adapter whose latency timer was left at 16 ms.
	Margin time.Duration
	// Retries is how often Ping, Read and Write repeat a failed exchange; default 0.
	// Writes are repeated only after silence or damage, never after a refusal.
	Retries int
	// Now is the clock; default time.Now.
	Now func() time.Time
}

const (
	// decoderSize bounds a status packet on the wire: a fast sync read of everybody.
	decoderSize     = 8192
	factoryDelay    = 500 * time.Microsecond
	defaultMargin   = 20 * time.Millisecond
	defaultBaud     = 1_000_000
	pingAnswer      = 14 // bytes on the wire
	pingSlot        = 3 * time.Millisecond
	bitsPerByte     = 10
	statusEmptyWire = 11
	maxLateReads    = 8 // so that a line full of noise ends, too
)

// Bus is the master of one servo bus. It belongs to one goroutine.
type Bus struct {
	port     Port
	cfg      Config
	dec      *Decoder
	tx       []byte
	params   []byte
	counters [256]Counters
	portErr  error
	late     int // reads after the deadline of this exchange
	owed     owed

	probeTx     []byte
	probeParams [4]byte
}

// NewBus returns the master of the bus behind port. It sends nothing.
func NewBus(port Port, cfg Config) *Bus {
	if cfg.Baud <= 0 {
		cfg.Baud = defaultBaud
	}
	if cfg.ReturnDelay <= 0 {
		cfg.ReturnDelay = factoryDelay
	}
	if cfg.Margin <= 0 {
		cfg.Margin = defaultMargin
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Bus{
		port: port, cfg: cfg, dec: NewDecoder(decoderSize), tx: make([]byte, 0, 2048), params: make([]byte, 0, 1024),
		probeTx: make([]byte, 0, 32),
	}
}

// SetMargin changes Config.Margin: patient while setting up, short in a loop.
func (b *Bus) SetMargin(d time.Duration) { b.cfg.Margin = d }

// Counters are the counts of device id.
func (b *Bus) Counters(id ID) Counters { return b.counters[id] }

// Skipped is the number of received bytes that belonged to no packet.
func (b *Bus) Skipped() uint64 { return b.dec.Skipped() }

// PortError is the last failure of the port itself, or nil. Failures in the real-time
// path are reported as bare ErrLinkLost; this says why.
func (b *Bus) PortError() error { return b.portErr }

// wireTime is how long n bytes take.
func (b *Bus) wireTime(n int) time.Duration {
	return time.Duration(n) * bitsPerByte * time.Second / time.Duration(b.cfg.Baud)
}

// send starts an exchange: stale input is thrown away, tx goes out in one write.
func (b *Bus) send() error {
	b.dec.Reset()
	b.late = 0
	if err := b.port.ResetInput(); err != nil {
		return b.lost(err)
	}
	n, err := b.port.Write(b.tx)
	if err != nil {
		return b.lost(err)
	}
	if n != len(b.tx) {
		return b.lost(errShortWrite)
	}
	return nil
}

var errShortWrite = errors.New("port took only a part of the packet")

func (b *Bus) lost(err error) error {
	b.portErr = err
	return ErrLinkLost
}

// receive waits for more bytes until deadline; after it, it takes what is there. It returns os.ErrDeadlineExceeded when
// none came, ErrLinkLost when the port failed.
func (b *Bus) receive(deadline time.Time) error {
	left := deadline.Sub(b.cfg.Now())
	if left <= 0 {
		// A host that was held up has missed the deadline, not necessarily the answer:
		// what has arrived meanwhile is still taken.
		if b.late++; b.late > maxLateReads {
			return os.ErrDeadlineExceeded
		}
		left = 0
	}
	if err := b.port.SetReadTimeout(left); err != nil {
		return b.lost(err)
	}
	space := b.dec.Space()
	if len(space) == 0 { // cannot be after NeedMore; drop all rather than spin
		b.dec.Reset()
		space = b.dec.Space()
	}
	n, err := b.port.Read(space)
	b.dec.Fed(n)
	if err != nil && n == 0 {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return os.ErrDeadlineExceeded
		}
		return b.lost(err)
	}
	return nil
}

// exchange sends b.tx and waits for the status of id with want bytes of data (any
// number if want < 0). p.Params is valid until the next exchange.
func (b *Bus) exchange(id ID, want int, p *Packet) error {
	if err := b.send(); err != nil {
		b.counters[id].add(Silent, false)
		return err
	}
	deadline := b.cfg.Now().Add(b.wireTime(len(b.tx)+statusEmptyWire+max(want, 0)) + b.cfg.ReturnDelay + b.cfg.Margin)
	outcome, why := Silent, ""
	for {
		switch b.dec.Next(p) {
		case NeedMore:
			err := b.receive(deadline)
			if err == nil {
				continue
			}
			if n := len(b.dec.pending()); outcome == Silent && n > 0 {
				outcome, why = Damaged, fmt.Sprintf("the answer broke off after %d bytes", n)
			}
			b.counters[id].add(outcome, false)
			switch {
			case !errors.Is(err, os.ErrDeadlineExceeded):
				return fmt.Errorf("%w: %w", err, b.portErr)
			case outcome == Damaged:
				return fmt.Errorf("%w: %s", ErrBadData, why)
			}
			return fmt.Errorf("%w: no answer", ErrLinkLost)
		case BadCRC:
			outcome, why = Damaged, "checksum of the answer is wrong"
		case Malformed:
			outcome, why = Damaged, "the answer is malformed"
		case Got:
			if p.Instruction != InstStatus {
				continue // the echo of an adapter that hears itself
			}
			if p.ID != id {
				outcome, why = Damaged, fmt.Sprintf("device %d answered instead", p.ID)
				continue
			}
			if p.Code() != CodeOK {
				b.counters[id].add(Refused, p.Alert())
				return &StatusError{ID: id, Code: p.Code(), Alert: p.Alert()}
			}
			if want >= 0 && len(p.Params) != want {
				outcome, why = Damaged, fmt.Sprintf("%d bytes of data instead of %d", len(p.Params), want)
				continue
			}
			b.counters[id].add(Answered, p.Alert())
			return nil
		}
	}
}

// do repeats an exchange as often as configured. A refusal is an answer and is not
// repeated.
func (b *Bus) do(id ID, inst Instruction, params []byte, want int, p *Packet) error {
	if id > MaxID {
		return fmt.Errorf("dxl: id %d is not a device; legal 0..%d", id, MaxID)
	}
	b.tx = Append(b.tx[:0], &Packet{ID: id, Instruction: inst, Params: params})
	var err error
	for range 1 + b.cfg.Retries {
		if b.owed.n > 0 {
			// A device may answer pings only; for one, a line that was quiet for a whole
			// exchange will do.
			if clear, quiet := b.clear(id); !clear && !(quiet && inst == InstPing) {
				b.counters[id].add(Silent, false)
				if err = fmt.Errorf("%w: no answer", ErrLinkLost); b.portErr != nil {
					err = fmt.Errorf("%w: %w", ErrLinkLost, b.portErr)
				}
				continue
			}
		}
		err = b.exchange(id, want, p)
		_, refused := errors.AsType[*StatusError](err)
		answered := err == nil || refused
		b.owed.settle(max(want, 0), answered, answered)
		if answered {
			break
		}
	}
	return err
}

// Found is what a ping tells.
type Found struct {
	ID       ID
	Model    uint16
	Firmware uint8
	Alert    bool
}

// Ping asks one device for its model and firmware.
func (b *Bus) Ping(id ID) (Found, error) {
	var p Packet
	if err := b.do(id, InstPing, nil, 3, &p); err != nil {
		return Found{}, fmt.Errorf("dxl: ping %d: %w", id, err)
	}
	return foundFrom(&p), nil
}

func foundFrom(p *Packet) Found {
	return Found{ID: p.ID, Model: uint16(p.Params[0]) | uint16(p.Params[1])<<8, Firmware: p.Params[2], Alert: p.Alert()}
}

// Scan pings everybody at once and returns who answered, in order of id. Devices
// answer in slots of 3 ms, so it takes 0.8 s or more. An id that two devices share
// shows as a damaged or doubled answer and is returned as an ErrBadData beside what
// was found.
func (b *Bus) Scan() ([]Found, error) {
	b.tx = Append(b.tx[:0], &Packet{ID: Broadcast, Instruction: InstPing})
	if err := b.send(); err != nil {
		return nil, fmt.Errorf("dxl: scan: %w: %w", err, b.portErr)
	}
	n := int(MaxID) + 1
	deadline := b.cfg.Now().Add(b.wireTime(n*pingAnswer) + time.Duration(n)*pingSlot + b.cfg.Margin)
	var seen [256]int
	var found []Found
	damaged := 0
	var p Packet
	for {
		switch b.dec.Next(&p) {
		case NeedMore:
			err := b.receive(deadline)
			if err == nil {
				continue
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return found, fmt.Errorf("dxl: scan: %w: %w", err, b.portErr)
			}
			return found, scanVerdict(seen[:], damaged)
		case BadCRC, Malformed:
			damaged++
		case Got:
			if p.Instruction != InstStatus || len(p.Params) != 3 {
				continue
			}
			if seen[p.ID]++; seen[p.ID] == 1 {
				found = append(found, foundFrom(&p))
			}
		}
	}
}

func scanVerdict(seen []int, damaged int) error {
	for id, n := range seen {
		if n > 1 {
			return fmt.Errorf("dxl: scan: %w: %d devices answer as id %d; give each its own id, one connected at a time", ErrBadData, n, id)
		}
	}
	if damaged > 0 {
		return fmt.Errorf("dxl: scan: %w: %d damaged answers; two devices may share an id, or the baud rate or the wiring is wrong", ErrBadData, damaged)
	}
	return nil
}

// ReadBytes reads len(dst) bytes from addr of device id.
func (b *Bus) ReadBytes(id ID, addr uint16, dst []byte) error {
	b.params = append(b.params[:0], byte(addr), byte(addr>>8), byte(len(dst)), byte(len(dst)>>8))
	var p Packet
	if err := b.do(id, InstRead, b.params, len(dst), &p); err != nil {
		return fmt.Errorf("dxl: read %d bytes at %d of %d: %w", len(dst), addr, id, err)
	}
	copy(dst, p.Params)
	return nil
}

// WriteBytes writes data to addr of device id and waits for its answer.
func (b *Bus) WriteBytes(id ID, addr uint16, data []byte) error {
	b.params = append(append(b.params[:0], byte(addr), byte(addr>>8)), data...)
	var p Packet
	if err := b.do(id, InstWrite, b.params, 0, &p); err != nil {
		return fmt.Errorf("dxl: write %d bytes at %d of %d: %w", len(data), addr, id, err)
	}
	return nil
}

// Broadcast writes data to addr of every device. Nobody answers.
func (b *Bus) Broadcast(addr uint16, data []byte) error {
	b.params = append(append(b.params[:0], byte(addr), byte(addr>>8)), data...)
	b.tx = Append(b.tx[:0], &Packet{ID: Broadcast, Instruction: InstWrite, Params: b.params})
	if err := b.send(); err != nil {
		return fmt.Errorf("dxl: broadcast write at %d: %w: %w", addr, err, b.portErr)
	}
	return nil
}

// Reboot restarts a device: the only way to clear a hardware error. It is back, with
// torque off, after about half a second.
func (b *Bus) Reboot(id ID) error {
	var p Packet
	if err := b.do(id, InstReboot, nil, 0, &p); err != nil {
		return fmt.Errorf("dxl: reboot %d: %w", id, err)
	}
	return nil
}

// Read reads one register.
func Read[T Count](b *Bus, id ID, r Reg[T]) (T, error) {
	var buf [4]byte
	if err := b.ReadBytes(id, r.Addr(), buf[:r.Size()]); err != nil {
		return 0, err
	}
	return r.Get(buf[:]), nil
}

// Write writes one register.
func Write[T Count](b *Bus, id ID, r Reg[T], v T) error {
	var buf [4]byte
	r.Put(buf[:], v)
	return b.WriteBytes(id, r.Addr(), buf[:r.Size()])
}
