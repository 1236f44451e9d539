package mqttlink

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const patience = 20 * time.Second

func startBroker(t *testing.T, change func(*BrokerConfig)) *Broker {
	t.Helper()
	c := BrokerConfig{Robot: "r1"}
	if change != nil {
		change(&c)
	}
	b, err := StartBroker(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// startLink runs a robot's link until the test ends.
func startLink(t *testing.T, cfg Config) (l *Link, stop func()) {
	t.Helper()
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	var once atomic.Bool
	stop = func() {
		if once.Swap(true) {
			return
		}
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("Run does not end")
		}
	}
	t.Cleanup(stop)
	return l, stop
}

func robotConfig(url string, c Credentials, obey func(Command) error) Config {
	return Config{URL: url, Robot: "r1", Username: c.Username, Password: c.Password, OnCommand: obey}
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up waiting: %s", what)
		}
	}
}

// operator is a second, independent client.
type operator struct {
	mqtt.Client
	in chan mqtt.Message
}

func dial(url, id string, c Credentials) (*operator, error) {
	op := &operator{in: make(chan mqtt.Message, 1000)}
	o := mqtt.NewClientOptions().AddBroker(url).SetClientID(id).SetUsername(c.Username).SetPassword(c.Password).SetConnectTimeout(patience)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { op.in <- m })
	op.Client = mqtt.NewClient(o)
	t := op.Connect()
	if !t.WaitTimeout(patience) {
		return nil, errors.New("no connection")
	}
	return op, t.Error()
}

func newOperator(t *testing.T, url string, c Credentials, topic string) *operator {
	t.Helper()
	op, err := dial(url, "op-"+t.Name(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { op.Disconnect(10) })
	if s := op.Subscribe(topic, 1, nil); !s.WaitTimeout(patience) || s.Error() != nil {
		t.Fatalf("subscribe: %v", s.Error())
	}
	return op
}

// next waits for a message on topic and skips others.
func (op *operator) next(t *testing.T, topic string) mqtt.Message {
	t.Helper()
	end := time.After(patience)
	for {
		select {
		case m := <-op.in:
			if m.Topic() == topic {
				return m
			}
		case <-end:
			t.Fatalf("no message on %s", topic)
		}
	}
}

func (op *operator) command(t *testing.T, c Command, retained bool) {
	t.Helper()
	b, err := EncodeCommand(c)
	if err != nil {
		t.Fatal(err)
	}
	if p := op.Publish("fleet/r1/cmd", 1, retained, b); !p.WaitTimeout(patience) || p.Error() != nil {
		t.Fatalf("publish: %v", p.Error())
	}
}

func (op *operator) ack(t *testing.T) Ack {
	t.Helper()
	var a Ack
	if err := json.Unmarshal(op.next(t, "fleet/r1/ack").Payload(), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func now(seq uint64, verb string) Command {
	return Command{Robot: "r1", Issuer: "ann", Seq: seq, IssuedAt: time.Now(), TTL: 10 * time.Second, Verb: verb}
}

// exercise is the whole conversation, on any broker.
func exercise(t *testing.T, url string, robot, oper Credentials) {
	obeyed := make(chan Command, 10)
	l, stop := startLink(t, robotConfig(url, robot, func(c Command) error {
		if c.Verb == "start" {
			return errors.New("not armed")
		}
		obeyed <- c
		return nil
	}))
	wait(t, "link up", l.Connected)
	op := newOperator(t, url, oper, "fleet/r1/#")

	if err := l.State([]byte(`{"online":true,"mode":"disarmed"}`)); err != nil {
		t.Fatal(err)
	}
	if m := op.next(t, "fleet/r1/state"); !strings.Contains(string(m.Payload()), "disarmed") {
		t.Errorf("state %s", m.Payload())
	}
	if err := l.Telemetry("joints", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	op.next(t, "fleet/r1/tele/joints")
	if err := l.Event([]byte(`{"e":1}`)); err != nil {
		t.Fatal(err)
	}
	op.next(t, "fleet/r1/event")

	op.command(t, now(1, "arm"), false)
	if a := op.ack(t); !a.Accepted || a.Issuer != "ann" || a.Seq != 1 || a.Verb != "arm" {
		t.Errorf("arm: %+v", a)
	}
	if c := <-obeyed; c.Verb != "arm" {
		t.Errorf("obeyed %+v", c)
	}
	op.command(t, now(1, "arm"), false)
	if a := op.ack(t); a.Accepted || !strings.Contains(a.Reason, "repeated") {
		t.Errorf("repeated: %+v", a)
	}
	op.command(t, now(2, "start"), false)
	if a := op.ack(t); a.Accepted || a.Reason != "not armed" {
		t.Errorf("refused by the robot: %+v", a)
	}
	op.Publish("fleet/r1/cmd", 1, false, "{")
	if a := op.ack(t); a.Accepted || !strings.Contains(a.Reason, "JSON") {
		t.Errorf("garbage: %+v", a)
	}
	op.Publish("fleet/r1/cmd", 1, false, make([]byte, MaxCommandBytes+1))
	if a := op.ack(t); a.Accepted || !strings.Contains(a.Reason, "bytes") {
		t.Errorf("too long: %+v", a)
	}
	late := now(1, VerbEStop)
	late.IssuedAt = late.IssuedAt.Add(-time.Hour)
	op.command(t, late, false)
	if a := op.ack(t); !a.Accepted {
		t.Errorf("late e-stop: %+v", a)
	}
	if c := <-obeyed; c.Verb != VerbEStop {
		t.Errorf("obeyed %+v", c)
	}
	stop()
	if m := op.next(t, "fleet/r1/state"); !strings.Contains(string(m.Payload()), "shut down") {
		t.Errorf("after Run: %s", m.Payload())
	}
	if s := l.Stats(); s.Commands != 2 || s.Refused != 4 || s.Connected {
		t.Errorf("stats %+v", s)
	}
	// A retained command waits for a robot that comes up later: it must not move.
	op.command(t, now(9, "arm"), true)
	waitRetained(t, url, oper, "fleet/r1/cmd", "arm")
	startLink(t, robotConfig(url, robot, func(c Command) error { obeyed <- c; return nil }))
	for {
		a := op.ack(t)
		if a.Seq != 9 {
			continue
		}
		if a.Accepted || !strings.Contains(a.Reason, "retained") {
			t.Errorf("retained: %+v", a)
		}
		break
	}
	op.Publish("fleet/r1/cmd", 1, true, []byte{})
	if len(obeyed) != 0 {
		t.Errorf("obeyed %+v", <-obeyed)
	}
}

// waitRetained waits until the broker hands newcomers a retained message on topic that
// contains word: that it has acknowledged it does not mean so yet.
func waitRetained(t *testing.T, url string, oper Credentials, topic, word string) {
	t.Helper()
	wait(t, "a retained message on "+topic, func() bool {
		late, err := dial(url, "late", oper)
		if err != nil {
			t.Fatal(err)
		}
		defer late.Disconnect(0)
		late.Subscribe(topic, 1, nil).WaitTimeout(patience)
		select {
		case m := <-late.in:
			return m.Retained() && strings.Contains(string(m.Payload()), word)
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
}

func TestEmbeddedBroker(t *testing.T) {
	b := startBroker(t, nil)
	exercise(t, b.URL(), b.Robot(), b.Operator())
}

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
	os.WriteFile(conf, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\n"), 0o600)
	cmd := exec.Command(bin, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
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
	wait(t, "link up", l.Connected)
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
	wait(t, "link up", l.Connected)
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

// TestLastWill: a robot that vanishes is reported offline, and stays so for late comers.
func TestLastWill(t *testing.T) {
	b := startBroker(t, nil)
	cfg := robotConfig(b.URL(), b.Robot(), func(Command) error { return nil })
	conns := make(chan net.Conn, 10)
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := l.options()
	o.SetAutoReconnect(false).SetConnectRetry(false)
	o.SetDialer(&net.Dialer{})
	o.SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		c, err := net.Dial("tcp", u.Host)
		if err == nil {
			conns <- c
		}
		return c, err
	})
	l.client = mqtt.NewClient(o)
	if c := l.client.Connect(); !c.WaitTimeout(patience) || c.Error() != nil {
		t.Fatal(c.Error())
	}
	wait(t, "link up", l.Connected)
	op := newOperator(t, b.URL(), b.Operator(), "fleet/r1/state")
	(<-conns).(*net.TCPConn).CloseWrite() // no goodbye
	if m := op.next(t, "fleet/r1/state"); !strings.Contains(string(m.Payload()), `"online":false`) {
		t.Errorf("will says %s", m.Payload())
	}
	waitRetained(t, b.URL(), b.Operator(), "fleet/r1/state", "online\":false")
	wait(t, "link down", func() bool { return !l.Connected() })
}

// TestBrokerRestart: the link comes back by itself and repeats its state; nothing the
// robot calls meanwhile blocks.
func TestBrokerRestart(t *testing.T) {
	b := startBroker(t, nil)
	var downs atomic.Int32
	cfg := robotConfig(b.URL(), b.Robot(), func(Command) error { return nil })
	cfg.OnLink = func(up bool, _ error) {
		if !up {
			downs.Add(1)
		}
	}
	l, _ := startLink(t, cfg)
	wait(t, "link up", l.Connected)
	l.State([]byte(`{"mode":"hold"}`))
	wait(t, "state sent", func() bool { return l.Stats().Sent > 0 })
	port := strings.TrimPrefix(b.URL(), "tcp://127.0.0.1:")
	b.Close()
	wait(t, "link down", func() bool { return !l.Connected() })
	for range 10 * telemetryDepth {
		l.Telemetry("joints", []byte("{}"))
	}
	if l.Stats().Dropped == 0 {
		t.Error("nothing was dropped while the line was down")
	}
	n, _ := net.LookupPort("tcp", port)
	again := startBroker(t, func(c *BrokerConfig) {
		c.Port, c.RobotUser, c.Operator = n, b.Robot(), b.Operator()
	})
	wait(t, "link up again", l.Connected)
	waitRetained(t, again.URL(), again.Operator(), "fleet/r1/state", "hold")
	if downs.Load() == 0 || l.Stats().Connects < 2 {
		t.Errorf("downs %d, stats %+v", downs.Load(), l.Stats())
	}
}

// TestNoPermission: a robot that may not hear commands says so and is not "up".
func TestNoPermission(t *testing.T) {
	b := startBroker(t, nil)
	why := make(chan error, 10)
	cfg := robotConfig(b.URL(), b.Robot(), func(Command) error { return nil })
	cfg.Robot = "r2" // the account is r1's
	cfg.OnLink = func(up bool, err error) {
		if !up && err != nil {
			why <- err
		}
	}
	l, _ := startLink(t, cfg)
	select {
	case err := <-why:
		if !strings.Contains(err.Error(), "fleet/r2/cmd") {
			t.Errorf("%v", err)
		}
	case <-time.After(patience):
		t.Error("a refused subscription goes unnoticed")
	}
	if l.Connected() {
		t.Error("up without hearing commands")
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
	obey := func(Command) error { return nil }
	for word, c := range map[string]Config{
		"robot id":   {URL: "tcp://h:1", Robot: "R 1", OnCommand: obey},
		"legal: tcp": {URL: "h:1", Robot: "r1", OnCommand: obey},
		"OnCommand":  {URL: "tcp://h:1", Robot: "r1"},
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
	l, err := New(Config{URL: "tcp://h:1", Robot: "r1", OnCommand: obey})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Telemetry("a/b", nil); err == nil {
		t.Error("group a/b is accepted")
	}
	if err := l.Event(make([]byte, MaxTelemetryBytes+1)); err == nil {
		t.Error("an event of 64 KiB and one byte is accepted")
	}
}

// TestNoBroker: a link whose broker is not there neither blocks nor fails.
func TestNoBroker(t *testing.T) {
	l, stop := startLink(t, robotConfig("tcp://127.0.0.1:1", Credentials{}, func(Command) error { return nil }))
	for range 1000 {
		l.Telemetry("joints", []byte("{}"))
	}
	stop()
	if l.Connected() || l.Stats().Dropped == 0 {
		t.Errorf("stats %+v", l.Stats())
	}
}
