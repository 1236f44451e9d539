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

// ServerConfig says how a world is served.
type ServerConfig struct {
	// Baud paces the answers of every line as a wire of that speed would, 10 bits a byte; a
	// pseudo-terminal has no speed of its own. 0: as each line's WireBaud says.
	Baud int
	// Lockstep, if not 0, lets that much time pass for each tick of the master's loop,
	// however fast it runs (turn.go). Without it, time passes by the wall clock.
	Lockstep time.Duration
	// CheckRate makes devices deaf to a master whose terminal is set to another bit
	// rate than theirs.
	CheckRate bool
	// OnStep, if set, is called under the lock after time has passed.
	OnStep func(w *World)
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

// Server puts every line of a world behind a pseudo-terminal of its own.
type Server struct {
	cfg     ServerConfig
	ports   []*terminal // by line
	serving chan struct{}

	mu     sync.Mutex
	world  *World
	epoch  time.Time // wall clock when the world's clock was 0
	served uint64
	lostNS time.Duration
}

// terminal is one line behind a pseudo-terminal. One goroutine serves it.
type terminal struct {
	server  *Server
	line    *Line
	baud    int
	master  *os.File
	slave   *os.File // kept open: without an open slave the master reads EIO
	slaveFD int
	free    time.Time // when the wire is free again
}

// NewServer opens a pseudo-terminal for each line of world. Close or Run releases them.
func NewServer(world *World, cfg ServerConfig) (*Server, error) {
	if cfg.Baud < 0 || cfg.Lockstep < 0 {
		return nil, fmt.Errorf("busemu: baud %d, lockstep %v; legal: 0 or more", cfg.Baud, cfg.Lockstep)
	}
	s := &Server{cfg: cfg, world: world, serving: make(chan struct{})}
	for _, l := range world.Lines {
		t, err := openTerminal(s, l)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.ports = append(s.ports, t)
	}
	world.Untimed, world.period, world.onPass = cfg.Lockstep > 0, cfg.Lockstep, cfg.OnStep
	return s, nil
}

func openTerminal(s *Server, l *Line) (*terminal, error) {
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
	t := &terminal{server: s, line: l, baud: s.cfg.Baud, master: master, slave: slave, slaveFD: slaveFD}
	if t.baud == 0 {
		t.baud = l.baud
	}
	return t, nil
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

// Path is the device to open for a line, by its index in the world.
func (s *Server) Path(line int) string { return s.ports[line].slave.Name() }

// Close hangs up.
func (s *Server) Close() error {
	var errs []error
	for _, t := range s.ports {
		errs = append(errs, t.master.Close(), t.slave.Close())
	}
	return errors.Join(errs...)
}

// With calls f with the world while nobody else uses it.
func (s *Server) With(f func(w *World)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.world)
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
	s.epoch = time.Now().Add(-s.world.now)
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
	ends := make(chan error, len(s.ports))
	for _, t := range s.ports {
		wg.Go(func() { ends <- t.serve() })
	}
	close(s.serving)
	err := <-ends // one line that is gone takes the others with it
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
			s.unclaim()
		}
	}
}

// unclaim takes back the claim of exclusive use (TIOCEXCL) that a user made of a terminal.
// A device forgets it when nobody has it open any more; these are held open here, and
// would stay claimed after a user was killed. The lock that users hold works as ever.
func (s *Server) unclaim() {
	for _, t := range s.ports {
		_ = unix.IoctlSetInt(t.slaveFD, unix.TIOCNXCL, 0)
	}
}

// catchUp brings the world to the wall clock.
func (s *Server) catchUp() {
	behind := time.Since(s.epoch) - s.world.now - s.world.owed
	if behind <= 0 {
		return
	}
	if behind > maxCatchUp {
		s.epoch = s.epoch.Add(behind - maxCatchUp)
		s.lostNS += behind - maxCatchUp
		behind = maxCatchUp
	}
	s.world.pass(behind)
}

// serve reads instructions and answers them.
func (t *terminal) serve() error {
	runtime.LockOSThread() // the pacing sleeps in a system call
	defer runtime.UnlockOSThread()
	dec := dxl.NewDecoder(4096)
	var p dxl.Packet
	last := time.Now()
	for {
		n, err := t.master.Read(dec.Space())
		if err != nil {
			if errors.Is(err, fs.ErrClosed) {
				return nil
			}
			return fmt.Errorf("busemu: %s: %w", t.slave.Name(), err)
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
				t.answer(&p, arrived)
			}
		}
	}
}

// instructionWire is the length of an instruction packet without parameters.
const instructionWire = 10

// answer handles one instruction that arrived just now, perhaps together with others:
// each is charged for its own bytes only, or a host that was held up once would never
// catch up.
func (t *terminal) answer(p *dxl.Packet, arrived time.Time) {
	rate := 0
	if t.server.cfg.CheckRate {
		rate = t.rate()
	}
	reply, pause := t.server.handle(t.line, p, rate)
	if t.server.cfg.Lockstep == 0 {
		t.pace(instructionWire+len(p.Params), len(reply), pause, arrived)
	}
	if len(reply) == 0 {
		return
	}
	// Only this goroutine lets its line answer, so reply stays as it is without the lock.
	// A master that does not read must not stop the world: what does not fit is lost.
	if t.master.SetWriteDeadline(time.Now().Add(writeGrace)) == nil {
		_, _ = t.master.Write(reply)
	}
}

// handle lets a line act on one instruction, and time pass as it should.
func (s *Server) handle(l *Line, p *dxl.Packet, rate int) (reply []byte, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.Rate = rate
	s.served++
	if s.cfg.Lockstep == 0 {
		s.catchUp()
		return l.Handle(p)
	}
	s.world.before(l, p)
	reply, pause = l.Handle(p)
	s.world.after(l, p)
	return reply, pause
}

// pace waits until the wire would have carried a request of in bytes and a reply of
// out bytes. A packet that nobody answers keeps the wire busy for the next one.
func (t *terminal) pace(in, out int, pause time.Duration, arrived time.Time) {
	wire := func(n int) time.Duration {
		if t.baud == 0 {
			return 0
		}
		return time.Duration(n) * 10 * time.Second / time.Duration(t.baud)
	}
	if arrived.After(t.free) {
		t.free = arrived
	}
	t.free = t.free.Add(wire(in))
	if out > 0 {
		t.free = t.free.Add(pause + wire(out))
		sleepUntil(t.free)
	}
}

// rate is the bit rate that the master set on its side of the terminal.
func (t *terminal) rate() int {
	attr, err := unix.IoctlGetTermios(t.slaveFD, unix.TCGETS2)
	if err != nil {
		return 0
	}
	return int(attr.Ospeed)
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
