package mqttlink

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
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
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("Run does not end")
		}
	}
	t.Cleanup(stop)
	return l, stop
}

func robotConfig(url string, c Credentials, obey func(Command) error) Config {
	return Config{URL: url, Robot: "r1", Username: c.Username, Password: c.Password,
		Verbs: verbs(), OnCommand: func(c Command, reply func(string, error)) { reply("", obey(c)) }}
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up waiting: %s", what)
		}
	}
}

// verbs are the commands of these tests.
func verbs() []string {
	return []string{VerbEStop, "arm", "disarm", "hold", "start", "stop", "settle", "reset"}
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
	wait(t, "link up", l.up.Load)
	op := newOperator(t, url, oper, "fleet/r1/#")

	if err := l.State([]byte(`{"online":true,"mode":"disarmed"}`)); err != nil {
		t.Fatal(err)
	}
	if m := op.next(t, "fleet/r1/state"); !strings.Contains(string(m.Payload()), "disarmed") {
		t.Errorf("state %s", m.Payload())
	}
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
	if l.up.Load() {
		t.Error("up after the end")
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
	wait(t, "link up", l.up.Load)
	op := newOperator(t, b.URL(), b.Operator(), "fleet/r1/state")
	if err := (<-conns).(*net.TCPConn).CloseWrite(); err != nil { // no goodbye
		t.Fatal(err)
	}
	if m := op.next(t, "fleet/r1/state"); !strings.Contains(string(m.Payload()), `"online":false`) {
		t.Errorf("will says %s", m.Payload())
	}
	waitRetained(t, b.URL(), b.Operator(), "fleet/r1/state", "online\":false")
	wait(t, "link down", func() bool { return !l.up.Load() })
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
	wait(t, "link up", l.up.Load)
	_ = l.State([]byte(`{"mode":"hold"}`))
	waitRetained(t, b.URL(), b.Operator(), "fleet/r1/state", "hold")
	port := strings.TrimPrefix(b.URL(), "tcp://127.0.0.1:")
	b.Close()
	wait(t, "link down", func() bool { return !l.up.Load() })
	for range 10 * newsDepth { // the oldest go, nobody waits
		_ = l.Event([]byte("{}"))
	}
	n, _ := net.LookupPort("tcp", port)
	again := startBroker(t, func(c *BrokerConfig) {
		c.Port, c.RobotUser, c.Operator = n, b.Robot(), b.Operator()
	})
	wait(t, "link up again", l.up.Load)
	waitRetained(t, again.URL(), again.Operator(), "fleet/r1/state", "hold")
	if downs.Load() == 0 {
		t.Error("nobody was told that the line was down")
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
	if l.up.Load() {
		t.Error("up without hearing commands")
	}
}

// TestNoBroker: a link whose broker is not there neither blocks nor fails.
func TestNoBroker(t *testing.T) {
	l, stop := startLink(t, robotConfig("tcp://127.0.0.1:1", Credentials{}, func(Command) error { return nil }))
	for range 4 * newsDepth {
		_ = l.Event([]byte("{}"))
	}
	stop()
	if l.up.Load() {
		t.Error("up without a broker")
	}
}
