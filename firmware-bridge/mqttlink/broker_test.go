package mqttlink

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMosquitto has the same conversation on an independent broker.
func TestMosquitto(t *testing.T) {
	bin, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed (apt-get install mosquitto)")
	}
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := probe.Addr().String()
	probe.Close()
	_, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(t.TempDir(), "m.conf")
	if err := os.WriteFile(conf, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); _ = cmd.Wait() })
	wait(t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	exercise(t, "tcp://"+addr, Credentials{}, Credentials{})
}

// TestMosquittoClients lets independent clients speak to the embedded broker.
func TestMosquittoClients(t *testing.T) {
	pub, err := exec.LookPath("mosquitto_pub")
	if err != nil {
		t.Skip("mosquitto-clients are not installed")
	}
	b := startBroker(t, nil)
	obeyed := make(chan Command, 1)
	l, _ := startLink(t, robotConfig(b.URL(), b.Robot(), func(c Command) error { obeyed <- c; return nil }))
	wait(t, "link up", l.up.Load)
	text, _ := EncodeCommand(now(1, "hold"))
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(b.URL(), "tcp://"))
	out, err := exec.Command(pub, "-h", host, "-p", port, "-u", b.Operator().Username, "-P", b.Operator().Password,
		"-q", "1", "-t", "fleet/r1/cmd", "-m", string(text)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	select {
	case c := <-obeyed:
		if c.Verb != "hold" {
			t.Errorf("%+v", c)
		}
	case <-time.After(patience):
		t.Error("the command did not arrive")
	}
}

func TestBrokerRefusesStrangers(t *testing.T) {
	b := startBroker(t, nil)
	for name, c := range map[string]Credentials{
		"anonymous": {}, "wrong password": {"operator", "wrong"}, "unknown": {"mallory", b.Operator().Password},
	} {
		if op, err := dial(b.URL(), "x", c); err == nil {
			op.Disconnect(0)
			t.Errorf("%s gets in", name)
		}
	}
	if !strings.HasPrefix(b.URL(), "tcp://127.0.0.1:") {
		t.Errorf("listens at %s", b.URL())
	}
}

// TestOperatorCannotForge: what the operator's account publishes beside commands does
// not reach anybody, and the robot's account cannot command.
func TestOperatorCannotForge(t *testing.T) {
	b := startBroker(t, nil)
	obeyed := make(chan Command, 1)
	l, _ := startLink(t, robotConfig(b.URL(), b.Robot(), func(c Command) error { obeyed <- c; return nil }))
	wait(t, "link up", l.up.Load)
	op := newOperator(t, b.URL(), b.Operator(), "fleet/r1/#")
	op.Publish("fleet/r1/state", 1, false, "forged").WaitTimeout(patience)
	op.Publish("fleet/r1/ack", 1, false, "forged").WaitTimeout(patience)
	fake, err := dial(b.URL(), "fake", b.Robot())
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Disconnect(0)
	text, _ := EncodeCommand(now(5, "arm"))
	fake.Publish("fleet/r1/cmd", 1, false, text).WaitTimeout(patience)
	op.command(t, now(1, "hold"), false) // comes after the forgeries on the same line
	if a := op.ack(t); a.Verb != "hold" {
		t.Errorf("%+v", a)
	}
	if c := <-obeyed; c.Verb != "hold" {
		t.Errorf("the robot's own account commands: %+v", c)
	}
}

func TestCredentialsFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "operator.json")
	b := startBroker(t, func(c *BrokerConfig) { c.CredentialsFile = name; c.StateDir = filepath.Join(dir, "state") })
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode().Perm())
	}
	a, err := ReadAccess(name)
	if err != nil || a.URL != b.URL() || a.Operator != b.Operator() || len(a.Operator.Password) != 48 {
		t.Errorf("%+v, %v", a, err)
	}
	if strings.Contains(func() string { d, _ := os.ReadFile(name); return string(d) }(), b.Robot().Password) {
		t.Error("the robot's password is in the operator's file")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Error("the file outlives the broker")
	}
}

func TestBadConfig(t *testing.T) {
	obey := func(_ Command, reply func(string, error)) { reply("", nil) }
	for word, c := range map[string]Config{
		"robot id":   {URL: "tcp://h:1", Robot: "R 1", Verbs: verbs(), OnCommand: obey},
		"legal: tcp": {URL: "h:1", Robot: "r1", Verbs: verbs(), OnCommand: obey},
		"OnCommand":  {URL: "tcp://h:1", Robot: "r1", Verbs: verbs()},
		"Verbs":      {URL: "tcp://h:1", Robot: "r1", OnCommand: obey},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%+v: %v, want %q", c, err, word)
		}
	}
	if _, err := New(Config{URL: "ftp://me:secret@h", Robot: "r1"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("password in the error: %v", err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for word, c := range map[string]BrokerConfig{
		"robot id":      {Robot: ""},
		"without TLS":   {Robot: "r1", Host: "0.0.0.0"},
		"shorter":       {Robot: "r1", Operator: Credentials{"o", "x"}},
		"both called":   {Robot: "r1", Operator: Credentials{Username: "robot"}},
		"cannot listen": {Robot: "r1", Port: taken.Addr().(*net.TCPAddr).Port},
	} {
		if b, err := StartBroker(c); err == nil || !strings.Contains(err.Error(), word) {
			if b != nil {
				b.Close()
			}
			t.Errorf("%+v: %v, want %q", c, err, word)
		}
	}
	l, err := New(Config{URL: "tcp://h:1", Robot: "r1", Verbs: verbs(), OnCommand: obey})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Event(make([]byte, MaxMessageBytes+1)); err == nil {
		t.Error("an event of 64 KiB and one byte is accepted")
	}
}
