package busemu

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// ServerConfig says how a line is served.
type ServerConfig struct {
	// Baud paces answers as a wire of that speed would, 10 bits a byte; a
	// pseudo-terminal has no speed of its own. 0 answers at once.
	Baud int
	// Lockstep, if not 0, lets that much time pass at each sync write of goals, and at
	// each group read of positions that no such write preceded, and never otherwise:
	// one tick of the master's loop, however fast it runs. Without it, time passes by
	// the wall clock.
	Lockstep time.Duration
	// CheckRate makes devices deaf to a master whose terminal is set to another bit
	// rate than theirs.
	CheckRate bool
	// OnStep, if set, is called under the lock after time has passed.
	OnStep func(l *Line)
}

const (
	clockPeriod = 2 * time.Millisecond
	// maxCatchUp bounds how much physics one catch-up may cost; what is behind by more
	// is given up, and time stands still for that long.
	maxCatchUp = 100 * time.Millisecond
	writeGrace = 200 * time.Millisecond
	// packetGap ends a packet that broke off. Servos wait 1.5 ms; a pseudo-terminal on
	// a busy machine may stutter longer than that inside a good packet.
	packetGap = 50 * time.Millisecond
)

// Server puts a line behind a pseudo-terminal.
type Server struct {
	cfg     ServerConfig
	master  *os.File
	slave   *os.File // kept open: without an open slave the master reads EIO
	slaveFD int

	serving chan struct{}
	mu      sync.Mutex
	line    *Line
	epoch   time.Time // wall clock when the line's clock was 0
	wrote   bool      // lockstep: goals came since the last state read
	free    time.Time // when the wire is free again; only the serving goroutine uses it
	served  uint64
	lostNS  time.Duration
}

// NewServer opens a pseudo-terminal for line. Close or Run releases it.
func NewServer(line *Line, cfg ServerConfig) (*Server, error) {
	if cfg.Baud < 0 || cfg.Lockstep < 0 {
		return nil, fmt.Errorf("busemu: baud %d, lockstep %v; legal: 0 or more", cfg.Baud, cfg.Lockstep)
	}
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("busemu: open a pseudo-terminal: %w; is /dev/pts mounted?", err)
	}
	master, err := pollable(blocking)
	if err != nil {
		slave.Close()
		return nil, fmt.Errorf("busemu: %s: %w", slave.Name(), err)
	}
	slaveFD := int(slave.Fd())
	if _, err := term.MakeRaw(slaveFD); err != nil {
		master.Close()
		slave.Close()
		return nil, fmt.Errorf("busemu: %s: set raw mode: %w", slave.Name(), err)
	}
	line.Untimed = cfg.Lockstep > 0
	return &Server{cfg: cfg, master: master, slave: slave, slaveFD: slaveFD, line: line, serving: make(chan struct{})}, nil
}

// pollable returns a file on f's terminal whose Read ends when it is closed and whose
// Write has deadlines: pty.Open leaves its files in blocking mode. It closes f.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// Serving is closed once Run answers: a master that waits for it sees no slow first
// exchange.
func (s *Server) Serving() <-chan struct{} { return s.serving }

// Path is the device to open.
func (s *Server) Path() string { return s.slave.Name() }

// Close hangs up.
func (s *Server) Close() error { return errors.Join(s.master.Close(), s.slave.Close()) }

// With calls f with the line while nobody else uses it.
func (s *Server) With(f func(l *Line)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.line)
}

// Stats are what the server has done.
type Stats struct {
	Packets uint64        // instructions handled
	Lost    time.Duration // wall time given up because the machine was too slow
}

// Stats reports what was done so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Packets: s.served, Lost: s.lostNS}
}

// Run serves until ctx is done, then hangs up. It returns nil when ctx ended it.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	s.epoch = time.Now().Add(-s.line.now)
	s.mu.Unlock()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-ctx.Done():
		case <-done:
		}
		s.Close()
	})
	if s.cfg.Lockstep == 0 {
		wg.Go(func() { s.clock(ctx, done) })
	}
	err := s.serve()
	close(done)
	wg.Wait()
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// clock lets wall time pass between requests.
func (s *Server) clock(ctx context.Context, done <-chan struct{}) {
	t := time.NewTicker(clockPeriod)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-done:
			return
		case <-t.C:
			s.mu.Lock()
			s.catchUp()
			s.mu.Unlock()
		}
	}
}

// catchUp brings the line to the wall clock.
func (s *Server) catchUp() {
	behind := time.Since(s.epoch) - s.line.now - s.line.owed
	if behind <= 0 {
		return
	}
	if behind > maxCatchUp {
		s.epoch = s.epoch.Add(behind - maxCatchUp)
		s.lostNS += behind - maxCatchUp
		behind = maxCatchUp
	}
	s.pass(behind)
}

func (s *Server) pass(d time.Duration) {
	s.line.Advance(d)
	if s.cfg.OnStep != nil {
		s.cfg.OnStep(s.line)
	}
}

// serve reads instructions and answers them.
func (s *Server) serve() error {
	runtime.LockOSThread() // the pacing sleeps in a system call
	defer runtime.UnlockOSThread()
	dec := dxl.NewDecoder(4096)
	var p dxl.Packet
	last := time.Now()
	close(s.serving)
	for {
		n, err := s.master.Read(dec.Space())
		if err != nil {
			if errors.Is(err, fs.ErrClosed) {
				return nil
			}
			return fmt.Errorf("busemu: %s: %w", s.Path(), err)
		}
		arrived := time.Now()
		if arrived.Sub(last) > packetGap {
			tail := dec.Space() // what has just come, alone
			dec.Reset()
			dec.Feed(tail[:n])
		} else {
			dec.Fed(n)
		}
		last = arrived
		for ev := dec.Next(&p); ev != dxl.NeedMore; ev = dec.Next(&p) {
			if ev == dxl.Got {
				s.answer(&p, arrived)
			}
		}
	}
}

// instructionWire is the length of an instruction packet without parameters.
const instructionWire = 10

// answer handles one instruction that arrived just now, perhaps together with others:
// each is charged for its own bytes only, or a host that was held up once would never
// catch up.
func (s *Server) answer(p *dxl.Packet, arrived time.Time) {
	rate := 0
	if s.cfg.CheckRate {
		rate = s.rate()
	}
	s.mu.Lock()
	s.line.Rate = rate
	if s.cfg.Lockstep == 0 {
		s.catchUp()
	} else if readsPositions(p) {
		if !s.wrote {
			s.pass(s.cfg.Lockstep)
		}
		s.wrote = false
	}
	reply, pause := s.line.Handle(p)
	s.served++
	if s.cfg.Lockstep > 0 && writesGoals(p) {
		s.pass(s.cfg.Lockstep)
		s.wrote = true
	}
	s.mu.Unlock()
	if s.cfg.Lockstep == 0 {
		s.pace(instructionWire+len(p.Params), len(reply), pause, arrived)
	}
	if len(reply) == 0 {
		return
	}
	// Only this goroutine calls Handle, so reply stays as it is without the lock.
	// A master that does not read must not stop the world: what does not fit is lost.
	if s.master.SetWriteDeadline(time.Now().Add(writeGrace)) == nil {
		_, _ = s.master.Write(reply)
	}
}

// pace waits until the wire would have carried a request of in bytes and a reply of
// out bytes. A packet that nobody answers keeps the wire busy for the next one.
func (s *Server) pace(in, out int, pause time.Duration, arrived time.Time) {
	wire := func(n int) time.Duration {
		if s.cfg.Baud == 0 {
			return 0
		}
		return time.Duration(n) * 10 * time.Second / time.Duration(s.cfg.Baud)
	}
	if arrived.After(s.free) {
		s.free = arrived
	}
	s.free = s.free.Add(wire(in))
	if out > 0 {
		s.free = s.free.Add(pause + wire(out))
		sleepUntil(s.free)
	}
}

// rate is the bit rate that the master set on its side of the terminal.
func (s *Server) rate() int {
	t, err := unix.IoctlGetTermios(s.slaveFD, unix.TCGETS2)
	if err != nil {
		return 0
	}
	return int(t.Ospeed)
}

// sleepUntil sleeps more finely than the Go scheduler, whose timers wake up to a
// millisecond late.
func sleepUntil(t time.Time) {
	for {
		d := time.Until(t)
		if d <= 0 {
			return
		}
		ts := unix.NsecToTimespec(d.Nanoseconds())
		if err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil); err != nil && err != unix.EINTR {
			time.Sleep(d)
			return
		}
	}
}

// writesGoals reports whether p sends goals to several servos.
func writesGoals(p *dxl.Packet) bool {
	if p.Instruction != dxl.InstSyncWrite || len(p.Params) < 4 {
		return false
	}
	return covers(p.Params, dxl.GoalPosition.Addr())
}

// readsPositions reports whether p reads the positions of several servos.
func readsPositions(p *dxl.Packet) bool {
	if p.Instruction != dxl.InstSyncRead && p.Instruction != dxl.InstFastSyncRead || len(p.Params) < 4 {
		return false
	}
	return covers(p.Params, dxl.PresentPosition.Addr())
}

func covers(params []byte, addr uint16) bool {
	first, size := getU16(params), getU16(params[2:])
	return first <= addr && addr < first+size
}
