package main

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
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/buses"
)

// simulator is the emulated robot: a process of its own that knows nothing of
// this one but the bytes on a pseudo-terminal.
type simulator struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	port   string
	stderr tail
	lines  chan []byte // of its standard output after the first
	exited chan struct{}
	err    error // of Wait; valid after exited is closed
}

const (
	simStart = 30 * time.Second // compiling a scene and opening a terminal takes one
	simStop  = 5 * time.Second
	simNice  = -10
)

// findMitori returns the mitori beside this executable, or on the path.
func findMitori() (string, error) {
	if exe, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(exe), "mitori")
		if st, err := os.Stat(beside); err == nil && st.Mode()&0o111 != 0 {
			return beside, nil
		}
	}
	path, err := exec.LookPath("mitori")
	if err != nil {
		return "", errors.New("--sim needs the program mitori beside robotd or in PATH; run \"make build\"")
	}
	return path, nil
}

// startSim starts "mitori bus emulate" and waits until its port is there.
func startSim(ctx context.Context, robotName string, args []string, failed *crash) (*simulator, error) {
	program, err := findMitori()
	if err != nil {
		return nil, err
	}
	s := &simulator{lines: make(chan []byte, 16), exited: make(chan struct{})}
	s.cmd = exec.Command(program, append([]string{"bus", "emulate", "--robot", robotName}, args...)...)
	// Ctrl-C is for us: the robot must still be there while it settles.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Stderr = &s.stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	first := make(chan []byte, 1)
	failed.start("the simulator's reader", func() { s.listen(out, first) })
	select {
	case line, ok := <-first:
		var hello struct {
			Port  string      `json:"port"`
			Ports buses.Ports `json:"ports"` // by bus
		}
		if !ok || json.Unmarshal(line, &hello) != nil || hello.Port == "" {
			s.stop()
			return nil, fmt.Errorf("the simulator did not start: %s", s.complaint(line))
		}
		if s.port = hello.Port; len(hello.Ports) > 1 {
			s.port = hello.Ports.String()
		}
		// It stands for hardware, which waits for no other program; where raising
		// its priority is not permitted it runs as it is.
		_ = syscall.Setpriority(syscall.PRIO_PGRP, s.cmd.Process.Pid, simNice)
		return s, nil
	case <-time.After(simStart):
		s.stop()
		return nil, fmt.Errorf("the simulator gave no port within %v: %s", simStart, s.complaint(nil))
	case <-ctx.Done():
		s.stop()
		return nil, ctx.Err()
	}
}

// listen hands on the lines of the simulator's output, then waits for its end.
func (s *simulator) listen(out io.Reader, first chan<- []byte) {
	scan := bufio.NewScanner(out)
	for n := 0; scan.Scan(); n++ {
		line := bytes.Clone(scan.Bytes())
		if n == 0 {
			first <- line
			continue
		}
		select {
		case s.lines <- line:
		default: // nobody asks for so many
		}
	}
	close(first)
	close(s.lines)
	s.err = s.cmd.Wait()
	close(s.exited)
}

// complaint is what the simulator said when it failed.
func (s *simulator) complaint(line []byte) string {
	text := strings.TrimSpace(s.stderr.String() + string(line))
	if text == "" {
		return "it said nothing"
	}
	return text
}

// verdict is what really happened, from the simulator's point of view.
type verdict struct {
	Fell         bool    `json:"fell"`
	FellAtS      float64 `json:"fell_at_s"`
	FreeS        float64 `json:"free_s"`
	MinHeightM   float64 `json:"min_height_m"`
	MaxTiltRad   float64 `json:"max_tilt_rad"`
	StandHeightM float64 `json:"stand_height_m"`
	TorqueOn     int     `json:"torque_on"`
	LostS        float64 `json:"lost_s"`
}

// stop ends the simulator and returns its verdict, if it lived to give one.
func (s *simulator) stop() *verdict {
	s.stdin.Close()
	select {
	case <-s.exited:
	case <-time.After(simStop):
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	var last *verdict
	for line := range s.lines {
		v := &verdict{}
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
