// Package simproc runs the emulated robot, "mitori bus emulate", as a process of its
// own that knows nothing of this one but the bytes on a pseudo-terminal: killing it is
// the same as pulling the cable.
//
// Not here: what it simulates (sim). A [Sim] belongs to one goroutine.
package simproc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/cmd/internal/buses"
	"github.com/mitori-robotics/mitori/cmd/internal/sibling"
	"github.com/mitori-robotics/mitori/models/record"
)

// Sim is the emulated robot.
type Sim struct {
	cmd    *exec.Cmd
	stdin  *os.File // its end is the simulator's
	port   string
	stderr tail
	lines  chan []byte // of its standard output after the first; the latest, read when it has ended
	exited chan struct{}
	err    error // of Wait; valid after exited is closed
}

const (
	simStart = 30 * time.Second // compiling a scene and opening a terminal takes one
	simStop  = 5 * time.Second
	simNice  = -10
)

// Start starts "mitori bus emulate" and waits until its port is there.
func Start(ctx context.Context, robotName string, args []string, failed *crash.Net) (*Sim, error) {
	program, err := sibling.Find("mitori")
	if err != nil {
		return nil, fmt.Errorf("--sim: %w", err)
	}
	s := &Sim{lines: make(chan []byte, 16), exited: make(chan struct{})}
	s.cmd = exec.Command(program, append([]string{"bus", "emulate", "--robot", robotName}, args...)...)
	// Ctrl-C is for us: the robot must still be there while it settles.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Stderr = &s.stderr
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	s.cmd.Stdin, s.stdin = in, stdin
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, stdin.Close())
	}
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the simulator: %w", err), stdin.Close())
	}
	first := make(chan []byte, 1)
	failed.Start("the simulator's reader", func() { s.listen(out, first) })
	select {
	case line, ok := <-first:
		var hello struct {
			Port  string      `json:"port"`
			Ports buses.Ports `json:"ports"` // by bus
		}
		if !ok || json.Unmarshal(line, &hello) != nil || hello.Port == "" {
			s.Stop()
			return nil, fmt.Errorf("the simulator did not start: %s", s.said(line))
		}
		if s.port = hello.Port; len(hello.Ports) > 1 {
			s.port = hello.Ports.String()
		}
		// It stands for hardware, which waits for no other program; where raising
		// its priority is not permitted it runs as it is.
		_ = syscall.Setpriority(syscall.PRIO_PGRP, s.cmd.Process.Pid, simNice)
		return s, nil
	case <-time.After(simStart):
		s.Stop()
		return nil, fmt.Errorf("the simulator gave no port within %v: %s", simStart, s.said(nil))
	case <-ctx.Done():
		s.Stop()
		return nil, ctx.Err()
	}
}

// listen hands on the lines of the simulator's output, then waits for its end.
func (s *Sim) listen(out io.Reader, first chan<- []byte) {
	scan := bufio.NewScanner(out)
	for n := 0; scan.Scan(); n++ {
		line := bytes.Clone(scan.Bytes())
		if n == 0 {
			first <- line
			continue
		}
		if len(s.lines) == cap(s.lines) {
			<-s.lines // nobody asks for so many, and the last one is the verdict
		}
		s.lines <- line
	}
	close(first)
	close(s.lines)
	s.err = s.cmd.Wait()
	close(s.exited)
}

// Port is the serial device behind which the robot is.
func (s *Sim) Port() string { return s.port }

// Tether is what the simulator lives by: it ends when nobody holds it open any more. A
// process that inherits it has a robot for as long as it runs, whatever becomes of this
// one.
func (s *Sim) Tether() *os.File { return s.stdin }

// PID is the process.
func (s *Sim) PID() int { return s.cmd.Process.Pid }

// Complaint is what the simulator said when it failed.
func (s *Sim) Complaint() string { return s.said(nil) }

func (s *Sim) said(line []byte) string {
	text := strings.TrimSpace(s.stderr.String() + string(line))
	if text == "" {
		return "it said nothing"
	}
	return text
}

// Stop ends the simulator and returns its verdict, if it lived to give one.
func (s *Sim) Stop() *record.Verdict {
	s.stdin.Close()
	select {
	case <-s.exited:
	case <-time.After(simStop):
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	var last *record.Verdict
	for line := range s.lines {
		v := &record.Verdict{}
		if json.Unmarshal(line, v) == nil {
			last = v
		}
	}
	return last
}

// tail keeps the end of what was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 4096

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
