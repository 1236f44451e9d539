package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// asProgram makes the test binary mitori itself: its value is the command line.
const asProgram = "MITORI_TEST_COMMAND_LINE"

// TestAsProgram is no test: other tests start it as a process of its own.
func TestAsProgram(t *testing.T) {
	line := os.Getenv(asProgram)
	if line == "" {
		t.Skip("the program for other tests")
	}
	os.Args = append([]string{"mitori"}, strings.Split(line, "\n")...)
	main()
}

// tooLong writes a human motion that keeps a command busy for a minute and more.
func tooLong(t *testing.T) string {
	t.Helper()
	m, err := demonstrator.Find("march")
	if err != nil {
		t.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	long := &human.Motion{FPS: person.FPS, Meta: person.Meta}
	for len(long.Frames) < 20000 {
		long.Frames = append(long.Frames, person.Frames...)
	}
	name := filepath.Join(t.TempDir(), "long.human.npz")
	if err := long.Save(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// start runs a command line as a process and returns what it says on its error
// output when it has ended.
func start(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer, <-chan error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^TestAsProgram$")
	c.Env = append(os.Environ(), asProgram+"="+strings.Join(args, "\n"))
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c, &said, ended
}

// atWork waits until a process has computed for half a second, as /proc tells.
func atWork(t *testing.T, pid int) {
	t.Helper()
	for range 3000 {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			t.Skip(err)
		}
		// Fields 14 and 15 of proc(5): user and system time in hundredths of a second.
		_, rest, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); len(f) > 12 {
			if ticks, err := strconv.Atoi(f[11]); err == nil && ticks >= 50 {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the process does not get to work")
}

// The first Ctrl-C ends commands that never look at their context, with a sentence
// and without output; the second ends them at once.
func TestCtrlC(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three processes that compute; leave out -short to run it")
	}
	long := tooLong(t)
	out := filepath.Join(t.TempDir(), "out.motion.npz")
	for _, c := range []struct {
		what    string
		signals []syscall.Signal
		code    int
	}{
		{"Ctrl-C", []syscall.Signal{syscall.SIGINT}, fault.ExitFailed},
		{"SIGTERM", []syscall.Signal{syscall.SIGTERM}, fault.ExitFailed},
		// Two of a kind could arrive as one.
		{"twice", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, fault.ExitCut},
	} {
		p, said, ended := start(t, "retarget", long, "--robot", "kata20", "-o", out)
		atWork(t, p.Process.Pid)
		select {
		case err := <-ended:
			t.Fatalf("%s: it was done before: %v, %s", c.what, err, said)
		default:
		}
		for _, s := range c.signals {
			if err := p.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-ended:
		case <-time.After(20 * time.Second): // it has work for longer
			t.Fatalf("%s: it goes on", c.what)
		}
		sentence := strings.HasPrefix(said.String(), "mitori: interrupted") && strings.Count(said.String(), "\n") == 1
		if code := p.ProcessState.ExitCode(); code != c.code || c.code == fault.ExitFailed && !sentence {
			t.Errorf("%s: exit %d, said %q; want %d", c.what, code, said, c.code)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); left != nil {
			t.Errorf("%s: left %v", c.what, left)
		}
	}
}
