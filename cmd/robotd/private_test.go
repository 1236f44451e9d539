package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Secrets go only where nobody else can read or replace them; whatever somebody
// put in our way is neither used nor touched.
func TestSecretsAvoidForeignFolders(t *testing.T) {
	own := fmt.Sprintf("mitori-%d", os.Getuid())
	for name, prepare := range map[string]func(tmp string) error{
		"nothing there":     func(string) error { return nil },
		"open to all":       func(tmp string) error { return os.Chmod(mkdir(t, tmp, own), 0o777) },
		"readable":          func(tmp string) error { return os.Chmod(mkdir(t, tmp, own), 0o755) },
		"a link":            func(tmp string) error { return os.Symlink(mkdir(t, tmp, "elsewhere"), filepath.Join(tmp, own)) },
		"a file":            func(tmp string) error { return os.WriteFile(filepath.Join(tmp, own), nil, 0o600) },
		"somebody else's":   func(tmp string) error { return os.Chown(mkdir(t, tmp, own), 65534, 65534) },
		"in an open folder": func(tmp string) error { mkdir(t, tmp, own); return os.Chmod(tmp, 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			t.Setenv("XDG_RUNTIME_DIR", "")
			if err := prepare(tmp); err != nil {
				t.Skipf("not permitted here: %v", err)
			}
			p, err := newPrivate()
			if err != nil {
				t.Fatal(err)
			}
			if taken := filepath.Dir(p.dir) == filepath.Join(tmp, own); taken != (name == "nothing there") {
				t.Errorf("secrets in %s", p.dir)
			}
			for d := p.dir; d != tmp; d = filepath.Dir(d) {
				st, err := os.Lstat(d)
				if err != nil || st.Mode().Perm() != 0o700 || int(st.Sys().(*syscall.Stat_t).Uid) != os.Getuid() {
					t.Errorf("%s: %v, %v", d, st.Mode(), err)
				}
			}
			p.remove()
			if _, err := os.Stat(p.dir); err == nil {
				t.Error("the folder is still there")
			}
			for _, left := range glob(t, tmp, own+"-*") {
				t.Errorf("left behind: %s", left)
			}
		})
	}
}

func mkdir(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func glob(t *testing.T, parts ...string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRuntimeFolderComesFirst(t *testing.T) {
	run := mkdir(t, t.TempDir(), "run")
	t.Setenv("XDG_RUNTIME_DIR", run)
	p, err := newPrivate()
	if err != nil {
		t.Fatal(err)
	}
	defer p.remove()
	if filepath.Dir(p.dir) != filepath.Join(run, "mitori") {
		t.Errorf("secrets in %s", p.dir)
	}
}

// What a killed run left is removed by the next one, what belongs to a living run
// is not.
func TestKilledRunIsCleanedUp(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("XDG_RUNTIME_DIR", "")
	start := func() *daemon {
		d := launch(t, "--robot", "kata20", "--sim", "--mqtt", "embedded", "--arm=false")
		d.says("credentials in ")
		return d
	}
	files := func() []string { return glob(t, tmp, "mitori-*", "run-*", "mqtt-kata20.json") }
	killed, living := start(), start()
	if n := len(files()); n != 2 {
		t.Fatalf("%d credentials files, want 2", n)
	}
	if err := killed.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-killed.ended
	killed.ended <- nil
	if n := len(files()); n != 2 {
		t.Fatalf("%d credentials files after kill -9, want 2", n)
	}
	third := start()
	if n := len(files()); n != 2 {
		t.Errorf("%d credentials files, want those of the two living", n)
	}
	for _, d := range []*daemon{living, third} {
		d.signal(syscall.SIGTERM)
		select {
		case <-d.ended:
		case <-time.After(time.Minute):
			t.Fatal("robotd did not end")
		}
	}
	if left := glob(t, tmp, "mitori-*", "run-*"); len(left) > 0 || len(glob(t, tmp, "mitori-broker-*")) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// No output of robotd holds the password of a broker's URL: not the console, not
// the statistics, not the recording.
func TestNoPasswordInAnyOutput(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--for", "1s", "--mqtt", "tcp://alice:hunter2@192.0.2.1:1883", "--json")
	d.exit(exitDone, time.Minute)
	for _, name := range []string{"stats.json", "flight.mcap"} {
		text, err := os.ReadFile(filepath.Join(d.dir, name))
		if err != nil || strings.Contains(string(text), "hunter2") {
			t.Errorf("%s holds the password, or nothing: %v", name, err)
		}
	}
	if text := d.out.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "xxxxx@192.0.2.1") || !strings.Contains(text, "in the clear") {
		t.Error("the console holds the password, or does not warn of it")
	}
	bad := launch(t, "--robot", "kata20", "--sim", "--mqtt", "alice:hunter2@192.0.2.1")
	bad.exit(exitUsage, time.Minute)
	if strings.Contains(bad.out.String(), "hunter2") {
		t.Error("the refusal holds the password")
	}
}

// A broker that does not answer holds the end of robotd for a moment only, and
// not at all once somebody insists.
func TestBrokerThatHangsDoesNotDelayTheEnd(t *testing.T) {
	stopped := false
	c := &commandLink{stop: func() { stopped = true }, done: make(chan struct{})} // Run never returns
	ord := newOrders()
	ended := make(chan struct{})
	go func() { c.close(ord); close(ended) }()
	until(t, "the second order ends it", func() bool {
		ord.hear(syscall.SIGTERM)
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if !stopped {
		t.Error("the link was not asked to end")
	}
	c = &commandLink{stop: func() {}, done: make(chan struct{})}
	ended = make(chan struct{})
	go func() { c.close(newOrders()); close(ended) }()
	until(t, "the deadline ends it", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
}
