package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

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
	d.exit(fault.ExitDone, time.Minute)
	for _, name := range []string{"stats.json", "flight.mcap"} {
		text, err := os.ReadFile(filepath.Join(d.dir, name))
		if err != nil || strings.Contains(string(text), "hunter2") {
			t.Errorf("%s holds the password, or nothing: %v", name, err)
		}
	}
	if text := d.out.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "xxxxx@192.0.2.1") || !strings.Contains(text, "in the clear") {
		t.Error("the console holds the password, or does not warn of it")
	}
	secure := launch(t, "--robot", "kata20", "--sim", "--for", "1s", "--mqtt", "mqtts://alice:hunter2@192.0.2.1:8883", "--json")
	secure.exit(fault.ExitDone, time.Minute)
	if text := secure.out.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "mqtts://xxxxx@192.0.2.1") || strings.Contains(text, "in the clear") {
		t.Error("with mqtts the console holds the password, or warns of one in the clear")
	}
	bad := launch(t, "--robot", "kata20", "--sim", "--mqtt", "alice:hunter2@192.0.2.1")
	bad.exit(fault.ExitUsage, time.Minute)
	if strings.Contains(bad.out.String(), "hunter2") {
		t.Error("the refusal holds the password")
	}
}

func glob(t *testing.T, parts ...string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Nor the password of an account at the embedded broker that stays the same: it is in its file, and in the credentials
// for operators.
func TestNoPasswordOfAFileInAnyOutput(t *testing.T) {
	dir := t.TempDir()
	secret, file := filepath.Join(dir, "secret"), filepath.Join(dir, "robotd.yaml")
	text := "robot: kata20\nmqtt: {url: embedded, user: ann, password_file: " + secret + "}\nmetrics: unix:" + filepath.Join(dir, "m.sock") + "\n"
	for name, content := range map[string]string{secret: "hunter2hunter2\n", file: text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := launch(t, "--config", file, "--sim", "--arm=false", "--mqtt", "embedded", "--json")
	d.says("command link: connected")
	d.says("20 servos on")
	d.signal(syscall.SIGTERM)
	d.exit(fault.ExitDone, time.Minute)
	for _, name := range []string{"stats.json", "flight.mcap"} {
		said, err := os.ReadFile(filepath.Join(d.dir, name))
		if err != nil || strings.Contains(string(said), "hunter2") {
			t.Errorf("%s holds the password, or nothing: %v", name, err)
		}
	}
	if strings.Contains(d.out.String(), "hunter2") {
		t.Error("the console holds the password")
	}
}
