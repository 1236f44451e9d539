package loopproc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
)

// The test binary is also the process that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && strings.HasPrefix(os.Args[1], "role-") {
		os.Exit(play(os.Args[1]))
	}
	os.Exit(m.Run())
}

// play is what the processes of these tests do.
func play(role string) int {
	line, files, err := Inherit(1)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var word string
	switch role {
	case "role-answers":
		for line.Receive(&word) == nil {
			fmt.Fprintf(files[0], "%s;", word)
		}
		_ = line.Send("heard " + word) // after the other side has hung up
		return 0
	case "role-breaks":
		panic("it broke\nhere")
	}
	_ = line.Send("here")
	for {
		time.Sleep(time.Hour)
	}
}

// patience bounds what takes milliseconds on an idle machine.
const patience = 20 * time.Second

func start(t *testing.T, role string) (*Process, *os.File) {
	t.Helper()
	f, err := os.Create(t.TempDir() + "/shared")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(role, &crash.Net{}, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); <-p.Gone(); p.Line().Close(); f.Close() })
	return p, f
}

func ended(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Gone():
	case <-time.After(patience):
		t.Fatal("the process does not end")
	}
}

// Words go both ways, a file is inherited, and what is said after we have hung up is
// heard.
func TestBothSidesTalk(t *testing.T) {
	p, f := start(t, "role-answers")
	for _, w := range []string{"one", "two"} {
		if err := p.Line().Send(w); err != nil {
			t.Fatal(err)
		}
	}
	p.Line().HangUp()
	var got string
	if err := p.Line().Receive(&got); err != nil || got != "heard two" {
		t.Errorf("%q, %v", got, err)
	}
	ended(t, p)
	if err := p.Line().Receive(&got); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	if text, err := os.ReadFile(f.Name()); err != nil || string(text) != "one;two;" {
		t.Errorf("%q, %v", text, err)
	}
}

// What a terminal or a service manager sends does not end it, and it is in a group of its
// own; SIGKILL does, also while it is stopped.
func TestOnlyKillEndsIt(t *testing.T) {
	p, _ := start(t, "role-waits")
	var word string
	if err := p.Line().Receive(&word); err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(p.PID()); err != nil || group == syscall.Getpgrp() {
		t.Errorf("group %d, %v", group, err)
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGUSR1, syscall.SIGSTOP} {
		if err := syscall.Kill(p.PID(), s); err != nil {
			t.Fatalf("%v: %v", s, err)
		}
	}
	p.Kill()
	ended(t, p)
	if got := p.Complaint(); got != "signal: killed" {
		t.Errorf("complaint %q", got)
	}
}

// A process that breaks says why in a line.
func TestComplaint(t *testing.T) {
	p, _ := start(t, "role-breaks")
	ended(t, p)
	if got := p.Complaint(); !strings.Contains(got, "it broke") || strings.Contains(got, "\n") {
		t.Errorf("complaint %q", got)
	}
}

// Who types such a role by hand is told.
func TestInheritsNothing(t *testing.T) {
	if _, _, err := Inherit(1000); err == nil || !strings.Contains(err.Error(), "starts this process by itself") {
		t.Errorf("%v", err)
	}
}

// However much a process says, its beginning is kept, and no more.
func TestTail(t *testing.T) {
	var kept tail
	for range 3 {
		if n, err := kept.Write([]byte(strings.Repeat("x", tailBytes-1))); n != tailBytes-1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(kept.String()) != tailBytes {
		t.Errorf("%d bytes", len(kept.String()))
	}
}
