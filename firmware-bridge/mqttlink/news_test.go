package mqttlink

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// news is what OnLink was told.
type news struct {
	mu    sync.Mutex
	lines []string
}

func (n *news) told(up bool, why error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprint(up, " ", why))
}

func (n *news) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.lines...)
}

// Whatever is wrong with the broker is told once, at the start and at each change, and
// not once for each attempt.
func TestWhyThereIsNoLinkIsTold(t *testing.T) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := probe.Addr().(*net.TCPAddr).Port
	probe.Close()
	var n news
	var attempts atomic.Int32
	account := Credentials{"robot", "right-password"}
	cfg := robotConfig(fmt.Sprintf("tcp://127.0.0.1:%d", port), account, func(Command) error { return nil })
	cfg.OnLink = func(up bool, why error) { attempts.Add(1); n.told(up, why) }
	startLink(t, cfg)
	last := func(word string) func() bool {
		return func() bool { l := n.all(); return len(l) > 0 && strings.Contains(l[len(l)-1], word) }
	}
	wait(t, "told that nobody listens", last("no broker listens"))
	broker := func(password string) *Broker {
		return startBroker(t, func(c *BrokerConfig) {
			c.Port, c.RobotUser = port, Credentials{"robot", password}
		})
	}
	b := broker("another-password")
	wait(t, "told that the password is wrong", last("refuses this user name or password"))
	b.Close()
	wait(t, "told that nobody listens any more", last("no broker listens"))
	b = broker(account.Password)
	wait(t, "told that it is up", last("true"))
	b.Close()
	wait(t, "told that it is lost", last("false"))
	for i, line := range n.all() {
		if i > 0 && line == n.all()[i-1] {
			t.Errorf("told twice: %s", line)
		}
		if strings.Contains(line, account.Password) {
			t.Errorf("the password is in %q", line)
		}
	}
}

// A flood of commands costs a bounded number of decisions and answers, and hides
// neither an e-stop, nor an event, nor the state. Time stands still meanwhile: what is
// counted is what came, not how fast.
func TestFlood(t *testing.T) {
	b := startBroker(t, nil)
	var obeyed, stopped atomic.Int32
	cfg := robotConfig(b.URL(), b.Robot(), func(c Command) error {
		if c.Verb == VerbEStop {
			stopped.Add(1)
		} else {
			obeyed.Add(1)
		}
		return nil
	})
	frozen := time.Now()
	cfg.Now = func() time.Time { return frozen }
	l, _ := startLink(t, cfg)
	wait(t, "link up", l.up.Load)
	op := newOperator(t, b.URL(), b.Operator(), "fleet/r1/event")
	if s := op.Subscribe("fleet/r1/ack", 1, nil); !s.WaitTimeout(patience) || s.Error() != nil {
		t.Fatalf("subscribe: %v", s.Error())
	}
	const many, stops = 5000, 20
	for i := range many {
		c := now(uint64(i+1), "hold")
		c.Issuer, c.IssuedAt = fmt.Sprintf("issuer-%d", i%7), frozen
		if i%(many/stops) == many/stops-1 {
			c.Verb = VerbEStop
		}
		op.command(t, c, false)
		if i == many/2 {
			_ = l.State([]byte(`{"online":true,"state":"cut"}`))
			for k := range newsDepth / 2 {
				_ = l.Event([]byte(fmt.Sprintf(`{"why":"%d"}`, k)))
			}
		}
	}
	wait(t, "all stops", func() bool { return stopped.Load() == stops })
	if n := obeyed.Load(); n == 0 || n > allPerS {
		t.Errorf("%d of %d commands obeyed at once, want 1 to %d", n, many, allPerS)
	}
	events, refusals := 0, 0
	for events < newsDepth/2 || refusals == 0 {
		select {
		case m := <-op.in:
			switch m.Topic() {
			case "fleet/r1/event":
				if want := fmt.Sprintf(`{"why":"%d"}`, events); string(m.Payload()) != want {
					t.Fatalf("event %s, want %s", m.Payload(), want)
				}
				events++
			case "fleet/r1/ack":
				var a Ack
				if json.Unmarshal(m.Payload(), &a) == nil && strings.Contains(a.Reason, "too many commands") {
					refusals++
				}
			}
		case <-time.After(patience):
			t.Fatalf("%d events and %d refusals came", events, refusals)
		}
	}
	waitRetained(t, b.URL(), b.Operator(), "fleet/r1/state", "cut")
	if refusals > 1 {
		t.Errorf("%d refusals within a second", refusals)
	}
}

// However many answers wait, events and the state go first and none is lost.
func TestAnswersPushNothingOut(t *testing.T) {
	o := newOutbox()
	for k := range newsDepth {
		o.event("e", []byte(fmt.Sprint(k)))
		for range 10 {
			o.ack("a", []byte("x"))
		}
		o.latest("s", []byte(fmt.Sprint(k)))
	}
	got := ""
	for range newsDepth + 1 {
		m, ok := o.take()
		if !ok {
			t.Fatal("empty")
		}
		got += m.topic
		if m.topic == "s" && string(m.payload) != fmt.Sprint(newsDepth-1) {
			t.Errorf("state %s is not the latest", m.payload)
		}
	}
	if want := strings.Repeat("e", newsDepth) + "s"; got != want {
		t.Errorf("order %q", got)
	}
	left := 0
	for _, ok := o.take(); ok; _, ok = o.take() {
		left++
	}
	if left != acksDepth {
		t.Errorf("%d answers left, want %d", left, acksDepth)
	}
}

// Each issuer has his own share; who is quiet gets it back; what is remembered is bounded.
func TestPace(t *testing.T) {
	p := newPace()
	count := func(name string, at time.Time) (n int) {
		for range 100 {
			if p.issuer(name, at) {
				n++
			}
		}
		return n
	}
	if a, b, again := count("ann", noon()), count("bob", noon()), count("ann", noon()); a != issuerPerS || b != issuerPerS || again != 0 {
		t.Errorf("at once: %d, %d and then %d; want %d, %d, 0", a, b, again, issuerPerS, issuerPerS)
	}
	if n := count("ann", noon().Add(300*time.Millisecond)); n != 3 {
		t.Errorf("%d after 0.3 s, want 3", n)
	}
	if n := count("ann", noon().Add(-time.Hour)); n != 0 { // a clock that was set back gives nothing
		t.Errorf("%d an hour earlier", n)
	}
	for i := range 10 * maxIssuers {
		p.issuer(fmt.Sprint(i), noon())
	}
	if len(p.issuers) > maxIssuers {
		t.Errorf("%d issuers are remembered", len(p.issuers))
	}
	if !p.issuer("late", noon().Add(time.Minute)) {
		t.Error("old strangers keep a new issuer out")
	}
}

// Two robots of one name at one broker notice each other; one alone never hears itself,
// nor its own past.
func TestTwins(t *testing.T) {
	b := startBroker(t, nil)
	heard := [2]atomic.Int32{}
	var links [2]*Link
	start := func(i int) {
		cfg := robotConfig(b.URL(), b.Robot(), func(Command) error { return nil })
		cfg.OnTwin = func() { heard[i].Add(1) }
		links[i], _ = startLink(t, cfg)
		wait(t, "link up", links[i].up.Load)
	}
	state := func(i int) { _ = links[i].State([]byte(`{"online":true,"instance":"` + links[i].Instance() + `"}`)) }
	start(0)
	state(0)
	waitRetained(t, b.URL(), b.Operator(), "fleet/r1/state", links[0].Instance())
	start(1) // finds what the broker kept: no twin yet
	state(1)
	wait(t, "the first hears the second", func() bool { return heard[0].Load() > 0 })
	state(0)
	wait(t, "the second hears the first", func() bool { return heard[1].Load() > 0 })
	if heard[0].Load() != 1 || heard[1].Load() != 1 {
		t.Errorf("heard %d and %d times after one message each", heard[0].Load(), heard[1].Load())
	}
}
