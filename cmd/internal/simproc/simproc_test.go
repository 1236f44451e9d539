package simproc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
)

// patience bounds what takes milliseconds on an idle machine.
const patience = 20 * time.Second

// fake puts a shell script in the place of mitori.
func fake(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mitori"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// gone reports whether a process has ended.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// within runs f and fails where it does not return.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("it does not return")
	}
}

const hello = `echo '{"pid":1,"port":"/dev/pts/7","ports":{"body":"/dev/pts/7"}}'` + "\n"

// untilEnd is a simulator that runs until its standard input is closed, as the real one does, and then says what was.
const untilEnd = hello + "cat >/dev/null\n" + `echo '{"fell":true,"fell_at_s":2.5,"torque_on":3}'`

func TestStartsAndTellsWhatHappened(t *testing.T) {
	args := filepath.Join(t.TempDir(), "args")
	fake(t, `echo "$@" >`+args+"\n"+untilEnd)
	s, err := Start(context.Background(), "kata20", []string{"--fault", "silence:id=7"}, &crash.Net{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Port() != "/dev/pts/7" || gone(s.PID()) {
		t.Errorf("port %q, process %d gone: %v", s.Port(), s.PID(), gone(s.PID()))
	}
	if own, err := syscall.Getpgid(s.PID()); err != nil || own == syscall.Getpgrp() {
		t.Errorf("it is in our process group: Ctrl-C would take the robot away (%v)", err)
	}
	within(t, func() {
		if v := s.Stop(); v == nil || !v.Fell || v.FellAtS != 2.5 || v.TorqueOn != 3 {
			t.Errorf("verdict %+v", v)
		}
	})
	if !gone(s.PID()) {
		t.Error("it is still there")
	}
	if got, err := os.ReadFile(args); err != nil || strings.TrimSpace(string(got)) != "bus emulate --robot kata20 --fault silence:id=7" {
		t.Errorf("it was started with %q (%v)", got, err)
	}
	within(t, func() {
		if v := s.Stop(); v != nil {
			t.Errorf("stopped twice: %+v", v)
		}
	})
}

// A robot with several buses has a port for each, in the words of robotd's --port.
func TestSeveralPorts(t *testing.T) {
	fake(t, strings.Replace(untilEnd, `{"body":"/dev/pts/7"}`, `{"right":"/dev/pts/8","left":"/dev/pts/7"}`, 1))
	s, err := Start(context.Background(), "two", nil, &crash.Net{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if s.Port() != "left=/dev/pts/7,right=/dev/pts/8" {
		t.Errorf("port %q", s.Port())
	}
}

// The verdict is the last line, however much was said before it.
func TestVerdictAfterMuchTalk(t *testing.T) {
	fake(t, hello+`i=0; while [ $i -lt 500 ]; do echo '{"fell":false,"fell_at_s":'$i'}'; i=$((i+1)); done
cat >/dev/null; echo '{"fell":true,"fell_at_s":9}'; echo not JSON`)
	s, err := Start(context.Background(), "kata20", nil, &crash.Net{})
	if err != nil {
		t.Fatal(err)
	}
	within(t, func() {
		if v := s.Stop(); v == nil || !v.Fell || v.FellAtS != 9 {
			t.Errorf("verdict %+v, want the last", v)
		}
	})
}

// What does not begin as it should is an error that quotes it, and leaves no process behind.
func TestWhatDoesNotStart(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	for name, c := range map[string]struct{ script, says string }{
		"says no":       {"echo no such robot >&2; exit 3", "no such robot"},
		"says nothing":  {"exit 1", "it said nothing"},
		"no JSON":       {"echo hello; cat >/dev/null", "hello"},
		"no port":       {`echo '{"pid":1}'; cat >/dev/null`, "did not start"},
		"says too much": {"head -c 100000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1", "the end"},
	} {
		fake(t, "echo $$ >"+pid+"\n"+c.script)
		within(t, func() {
			s, err := Start(context.Background(), "kata20", nil, &crash.Net{})
			if err == nil || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 2*tailBytes {
				t.Errorf("%s: %v, %d bytes of error", name, s, len(fmt.Sprint(err)))
			}
		})
		var id int
		if text, err := os.ReadFile(pid); err != nil || func() error { _, err := fmt.Sscan(string(text), &id); return err }() != nil || !gone(id) {
			t.Errorf("%s: process %d is still there (%v)", name, id, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Start(context.Background(), "kata20", nil, &crash.Net{}); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("without mitori: %v", err)
	}
}

// Whoever gives up while it starts is not kept.
func TestGivingUp(t *testing.T) {
	fake(t, "cat >/dev/null") // waits, and ends with its input
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	within(t, func() {
		if _, err := Start(ctx, "kata20", nil, &crash.Net{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// A simulator that was killed is a cable that was pulled: no verdict, and its last words are there.
func TestKilled(t *testing.T) {
	fake(t, "echo slow machine >&2\n"+untilEnd)
	s, err := Start(context.Background(), "kata20", nil, &crash.Net{})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(-s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	within(t, func() {
		if v := s.Stop(); v != nil {
			t.Errorf("verdict %+v", v)
		}
	})
	if s.Complaint() != "slow machine" {
		t.Errorf("complaint %q", s.Complaint())
	}
}

// One that does not end when it is told to is ended.
func TestStuck(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for as long as a simulator is given to end")
	}
	fake(t, hello+"exec sleep 1000")
	s, err := Start(context.Background(), "kata20", nil, &crash.Net{})
	if err != nil {
		t.Fatal(err)
	}
	within(t, func() {
		if v := s.Stop(); v != nil {
			t.Errorf("verdict %+v", v)
		}
	})
	if !gone(s.PID()) {
		t.Error("it is still there")
	}
}

// The tail of a stream is the same however it was cut into writes.
func TestTail(t *testing.T) {
	var all strings.Builder
	for i := range 3 * tailBytes {
		all.WriteByte(byte('a' + i%23))
	}
	for _, cut := range []int{1, 7, 1000, tailBytes - 1, tailBytes, tailBytes + 1, 3 * tailBytes} {
		var tail tail
		written := 0
		for text := all.String(); text != ""; {
			n, err := tail.Write([]byte(text[:min(cut, len(text))]))
			if err != nil || n != min(cut, len(text)) {
				t.Fatalf("%d, %v", n, err)
			}
			written, text = written+n, text[n:]
			if got, want := tail.String(), all.String()[max(0, written-tailBytes):written]; got != want {
				t.Fatalf("after %d bytes by %d: %d bytes, want the last %d", written, cut, len(got), len(want))
			}
		}
	}
}
