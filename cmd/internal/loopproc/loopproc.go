// Package loopproc starts this program again as a process that owns servo buses, and is
// what that process finds when it starts: a [Line] for words before and after a flight,
// and the files that it inherits.
//
// Such a process has a process group of its own, so that what a terminal sends reaches
// the one that people started, and nobody else. It is not told to die with its parent: it
// must settle the robot first.
//
// What is not here: what is said on the line, and what the process does (package robot);
// memory that both share (actuators/shared). A [Process] may be used from any goroutine, a
// Line by one that sends and one that receives.
package loopproc

import (
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mitori-robotics/mitori/actuators/crash"
)

// Process is one that was started.
type Process struct {
	line *Line
	cmd  *exec.Cmd
	last tail
	gone chan struct{}
	err  error // of Wait; valid after gone is closed
}

// self is the running program, whatever lies at its path by now.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// Start starts this program with role as its only argument; it inherits files, in their
// order.
func Start(role string, failed *crash.Net, files ...*os.File) (*Process, error) {
	program, err := self()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := pair()
	if err != nil {
		return nil, fmt.Errorf("a line to the process %s: %w", role, err)
	}
	defer theirs.Close()
	p := &Process{gone: make(chan struct{})}
	p.cmd = exec.Command(program, role)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.ExtraFiles = append([]*os.File{theirs}, files...)
	p.cmd.Stderr = &p.last
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.line, err = newLine(ours); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", role, err), p.line.Close())
	}
	failed.Start("the wait for "+role, func() {
		defer close(p.gone)
		p.err = p.cmd.Wait()
	})
	return p, nil
}

// pair is a line with two ends.
func pair() (a, b *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "line"), os.NewFile(uintptr(fds[1]), "line"), nil
}

// Line is what is said with the process.
func (p *Process) Line() *Line { return p.line }

// PID is the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process at once, also where it stands still.
func (p *Process) Kill() { _ = p.cmd.Process.Kill() }

// Gone is closed when the process has ended.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Complaint says how a process ended that did not say it on the line. It may be asked for
// after Gone.
func (p *Process) Complaint() string {
	first, _, _ := strings.Cut(strings.TrimSpace(p.last.String()), "\n")
	switch {
	case first == "" && p.err == nil:
		return "it said nothing"
	case first == "":
		return p.err.Error()
	case p.err == nil:
		return first
	}
	return fmt.Sprintf("%v: %s", p.err, first)
}

// Line carries values between the two processes, in an encoding that both have from the
// same program.
type Line struct {
	conn net.Conn
	enc  *gob.Encoder
	dec  *gob.Decoder
}

// sendTime is how long the other side has to make room for what is sent: it may stand
// still, and nobody waits for it.
const sendTime = time.Second

// newLine takes f over.
func newLine(f *os.File) (*Line, error) {
	conn, err := net.FileConn(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("a line to another process: %w", err)
	}
	return &Line{conn: conn, enc: gob.NewEncoder(conn), dec: gob.NewDecoder(conn)}, nil
}

// Send sends v.
func (l *Line) Send(v any) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return err
	}
	return l.enc.Encode(v)
}

// Receive waits for the next value; io.EOF when the other side has ended or hung up.
func (l *Line) Receive(v any) error { return l.dec.Decode(v) }

// HangUp tells the other side that nothing more comes; what it says is still heard.
func (l *Line) HangUp() {
	if c, ok := l.conn.(*net.UnixConn); ok {
		_ = c.CloseWrite()
	}
}

// Close ends the line.
func (l *Line) Close() error { return l.conn.Close() }

// firstFD is the number of the first file that a process inherits beyond the usual.
const firstFD = 3

// Inherit is the other end of [Start]: the line, and as many files as were given. From
// here on signals of terminals and service managers are not for this process.
func Inherit(files int) (*Line, []*os.File, error) {
	for fd := firstFD; fd <= firstFD+files; fd++ { // before any is touched: they may be somebody else's
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return nil, nil, fmt.Errorf("robotd starts this process by itself: descriptor %d: %w", fd, err)
		}
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGABRT, syscall.SIGPIPE,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2)
	var got []*os.File
	for fd := firstFD; fd <= firstFD+files; fd++ {
		unix.CloseOnExec(fd)
		got = append(got, os.NewFile(uintptr(fd), "inherited"))
	}
	line, err := newLine(got[0])
	if err != nil {
		return nil, nil, fmt.Errorf("robotd starts this process by itself: %w", err)
	}
	return line, got[1:], nil
}

// tail keeps the beginning of what was written to it, and takes the rest too: what a
// process says last when it breaks begins with the reason.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 4096

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b[:min(len(b), tailBytes-len(t.text))]...)
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
