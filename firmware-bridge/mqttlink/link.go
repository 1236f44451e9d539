package mqttlink

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	// MaxMessageBytes bounds one event or state message.
	MaxMessageBytes = 64 << 10
	connectTimeout  = 5 * time.Second
	publishTimeout  = 2 * time.Second
	goodbyeTimeout  = 500 * time.Millisecond
	// Farewell bounds all that Run still does after its context has ended, however
	// much is queued and whatever the broker does not answer.
	Farewell         = 2 * time.Second
	subscribeRefused = 0x80 // return code of MQTT 3.1.1
)

// Config says where the broker is and who this robot is.
type Config struct {
	URL      string // tcp://host:port, ssl://host:port or ws(s)://...; user:password@ is taken from it
	Robot    string // id in the topics
	Username string
	Password string
	TLS      *tls.Config
	// Verbs are the commands that exist. Everyone whom the broker lets publish may
	// give them.
	Verbs []string
	// OnCommand obeys a command that passed all checks. It must not block: it is
	// called by the network's goroutine, one command at a time. It calls reply once,
	// now or later and from any goroutine, with what it did, or with the reason why not;
	// the answer to the operator goes out then.
	OnCommand func(c Command, reply func(did string, refused error))
	// OnReference, if set, takes live references, or what is wrong with one; like OnCommand
	// it must not block. Without it none are heard.
	OnReference func(r Reference, err error)
	// OnLink, if set, is told when the line comes up, when it goes down or could not be
	// set up, and when the reason why it is down changes.
	OnLink func(up bool, why error)
	// OnTwin, if set, is told when another robot of this name is heard, in every message
	// of its own about its state.
	OnTwin func()
	// OnPanic, if set, takes a panic in one of the link's goroutines, which would
	// otherwise end the process.
	OnPanic func(where string, what any)
	Now     func() time.Time // default time.Now
}

// Link is one robot's line. Make it with New, let Run do the work.
type Link struct {
	cfg    Config
	base   string
	self   string // this process, among all that call themselves by this name
	out    *outbox
	judge  *judge // used by the network's goroutine only, as is
	pace   *pace
	refs   bucket
	client mqtt.Client

	up   atomic.Bool
	mu   sync.Mutex // of
	told string     // what OnLink was told last, without numbers
}

// New checks the configuration. Nothing is sent before Run.
func New(cfg Config) (*Link, error) {
	if !validName(cfg.Robot) {
		return nil, fmt.Errorf("mqttlink: robot id %q; legal: 1 to 64 of a-z 0-9 _ -", cfg.Robot)
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || !slices.Contains([]string{"tcp", "mqtt", "ssl", "tls", "mqtts", "ws", "wss"}, u.Scheme) {
		return nil, fmt.Errorf("mqttlink: broker %q; legal: tcp://host:port, ssl://host:port, ws://host:port/path or wss://host:port/path", Redact(cfg.URL))
	}
	if u.User != nil {
		cfg.Username = u.User.Username()
		cfg.Password, _ = u.User.Password()
		u.User = nil
	}
	cfg.URL = u.String()
	if cfg.OnCommand == nil {
		return nil, errors.New("mqttlink: OnCommand is missing: a robot must answer its operators")
	}
	if len(cfg.Verbs) == 0 {
		return nil, errors.New("mqttlink: Verbs is empty: a robot that understands no command needs no link")
	}
	cfg.Verbs = slices.Sorted(slices.Values(cfg.Verbs)) // refusals list them
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	l := &Link{
		cfg: cfg, base: "fleet/" + cfg.Robot + "/", self: rand.Text()[:12], out: newOutbox(),
		judge: newJudge(cfg.Robot, cfg.Verbs), pace: newPace(),
	}
	l.client = mqtt.NewClient(l.options())
	return l, nil
}

func (l *Link) options() *mqtt.ClientOptions {
	// A client id of its own: with a common one, two robots of one name would throw each
	// other out for ever, and nobody would know why.
	o := mqtt.NewClientOptions().AddBroker(l.cfg.URL).SetClientID("mitori-" + l.cfg.Robot + "-" + l.self)
	o.SetUsername(l.cfg.Username).SetPassword(l.cfg.Password)
	if l.cfg.TLS != nil {
		o.SetTLSConfig(l.cfg.TLS)
	}
	// A clean session: commands queued while the robot was away must not be obeyed.
	o.SetCleanSession(true).SetAutoReconnect(true).SetConnectRetry(true)
	o.SetConnectRetryInterval(500 * time.Millisecond).SetMaxReconnectInterval(5 * time.Second)
	o.SetConnectTimeout(connectTimeout).SetWriteTimeout(publishTimeout).SetKeepAlive(5 * time.Second).SetPingTimeout(3 * time.Second)
	o.SetProtocolVersion(4) // MQTT 3.1.1; otherwise every refusal is followed by an attempt with 3.1
	o.SetBinaryWill(l.base+"state", l.offline("connection lost"), 1, true)
	o.SetOnConnectHandler(l.onConnect)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.setUp(false, err) })
	o.SetConnectionNotificationHandler(func(_ mqtt.Client, n mqtt.ConnectionNotification) {
		if failed, ok := n.(mqtt.ConnectionNotificationFailed); ok {
			l.setUp(false, failed.Reason)
		}
	})
	return o
}

func (l *Link) setUp(up bool, why error) {
	defer l.caught("the command link's news")
	news := "up"
	if !up {
		news = withoutNumbers(why)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up.Store(up)
	if news == l.told {
		return // one attempt after the other fails for the same reason
	}
	if l.told = news; l.cfg.OnLink != nil {
		l.cfg.OnLink(up, explain(why))
	}
}

// withoutNumbers is a reason as it is compared with another: local ports differ in every
// attempt.
func withoutNumbers(why error) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, fmt.Sprint("down: ", why))
}

// explain says what to do about the usual reasons.
func explain(why error) error {
	if told := explainTLS(why); told != nil {
		return told
	}
	switch {
	case errors.Is(why, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(why, packets.ErrorRefusedNotAuthorised):
		return fmt.Errorf("the broker refuses this user name or password (%w)", why)
	case errors.Is(why, syscall.ECONNREFUSED):
		return fmt.Errorf("no broker listens there: %w", why)
	}
	return why
}

// offline is the state of a robot that is not there.
func (l *Link) offline(why string) []byte {
	b, _ := json.Marshal(struct { // cannot fail: two strings and a bool
		Robot  string `json:"robot"`
		Online bool   `json:"online"`
		Reason string `json:"reason"`
	}{l.cfg.Robot, false, why})
	return b
}

func (l *Link) onConnect(c mqtt.Client) {
	t := c.Subscribe(l.base+"cmd", 1, func(_ mqtt.Client, m mqtt.Message) { l.receive(m.Payload(), m.Retained()) })
	if l.cfg.OnReference != nil {
		c.Subscribe(l.base+"ref", 0, func(_ mqtt.Client, m mqtt.Message) { l.follow(m.Payload(), m.Retained(), l.cfg.Now()) })
	}
	go func() { // waiting inside the handler would stop the client
		defer l.caught("the command link's set-up")
		if err := subscribed(t); err != nil {
			l.setUp(false, fmt.Errorf("mqttlink: subscribe %scmd: %w", l.base, err))
			return
		}
		l.setUp(true, nil)
		l.out.again() // and what was queued while the line was down
	}()
	// Who may not hear its own topic cannot notice a twin; that is no reason not to fly.
	c.Subscribe(l.base+"state", 0, func(_ mqtt.Client, m mqtt.Message) { l.overhear(m.Payload(), m.Retained()) })
}

// subscribed waits for the broker's answer to a subscription.
func subscribed(t mqtt.Token) error {
	if !t.WaitTimeout(connectTimeout) {
		return fmt.Errorf("no answer within %v", connectTimeout)
	}
	if err := t.Error(); err != nil {
		return err
	}
	if s, ok := t.(*mqtt.SubscribeToken); ok {
		for topic, code := range s.Result() {
			if code == subscribeRefused {
				return fmt.Errorf("the broker refuses %q; check the account's permissions", topic)
			}
		}
	}
	return nil
}

// caught hands a panic to whoever can end the process in order; deferred only.
func (l *Link) caught(where string) {
	if l.cfg.OnPanic == nil {
		return
	}
	if r := recover(); r != nil {
		l.cfg.OnPanic(where, r)
	}
}

// receive decodes and checks one command message, and hands it on.
func (l *Link) receive(payload []byte, retained bool) {
	defer l.caught("a command")
	now := l.cfg.Now()
	mayStop := stops(payload)
	if !mayStop && !l.pace.message(now) {
		l.tooMany(Command{}, now)
		return
	}
	c, err := DecodeCommand(payload)
	if c.Verb != VerbEStop && (mayStop && !l.pace.message(now) || err == nil && !l.pace.issuer(c.Issuer, now)) {
		l.tooMany(c, now)
		return
	}
	if err == nil {
		err = l.judge.admit(c, retained, now)
	}
	if err != nil {
		l.acknowledge(c, "", err)
		return
	}
	var once sync.Once
	l.cfg.OnCommand(c, func(did string, err error) { once.Do(func() { l.acknowledge(c, did, err) }) })
}

// tooMany drops a command; now and then it is answered for all of them.
func (l *Link) tooMany(c Command, now time.Time) {
	if n, tell := l.pace.drop(now); tell {
		l.acknowledge(c, "", fmt.Errorf("too many commands: %d were dropped; legal: %d a second from one issuer, %d from all; "+
			"an estop is always taken", n, issuerPerS, allPerS))
	}
}

// overhear looks at what is said of this robot's state by somebody else. What the
// broker kept may be of this robot's own past.
func (l *Link) overhear(payload []byte, retained bool) {
	defer l.caught("another robot's state")
	var other struct {
		Online   bool   `json:"online"`
		Instance string `json:"instance"`
	}
	if retained || json.Unmarshal(payload, &other) != nil || !other.Online || other.Instance == "" {
		return
	}
	if other.Instance != l.self && l.cfg.OnTwin != nil {
		l.cfg.OnTwin()
	}
}

// Instance is what tells this process from every other that calls itself by the same
// robot's name; it belongs into the state, as "instance".
func (l *Link) Instance() string { return l.self }

// acknowledge answers a command: did, or refused because of err.
func (l *Link) acknowledge(c Command, did string, err error) {
	ack := Ack{
		Robot: l.cfg.Robot, Issuer: clip(c.Issuer), Seq: c.Seq, Verb: clip(c.Verb), Accepted: err == nil, Did: did,
		At: l.cfg.Now().UTC(),
	}
	if err != nil {
		ack.Reason = err.Error()
	}
	if b, err := json.Marshal(ack); err == nil {
		l.out.ack(l.base+"ack", b)
	}
}

// Event queues something that happened.
func (l *Link) Event(payload []byte) error {
	if err := l.fits("event", payload); err != nil {
		return err
	}
	l.out.event(l.base+"event", payload)
	return nil
}

// State queues the robot's state, which the broker keeps for those who come later.
func (l *Link) State(payload []byte) error {
	if err := l.fits("state", payload); err != nil {
		return err
	}
	l.out.latest(l.base+"state", payload)
	return nil
}

func (l *Link) fits(topic string, payload []byte) error {
	if len(payload) > MaxMessageBytes {
		return fmt.Errorf("mqttlink: %s%s: %d bytes; legal: up to %d", l.base, topic, len(payload), MaxMessageBytes)
	}
	return nil
}

// Run connects, keeps connected and publishes until ctx is done, then says goodbye,
// for Farewell at most. It returns nil: a broker that is not there is tried again for
// ever.
func (l *Link) Run(ctx context.Context) error {
	hard, cancel := context.WithCancel(context.Background()) // the end of all patience
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(Farewell, cancel) })()
	l.client.Connect() // retries by itself; the token would wait for the first success
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.out.ready:
		}
		l.flush(hard)
	}
	l.flush(hard) // acks and events of the last moment
	gone := make(chan struct{})
	go func() { // a broker that takes nothing any more holds the client, not us
		defer close(gone)
		defer l.caught("the command link's end")
		if l.client.IsConnectionOpen() && hard.Err() == nil {
			l.client.Publish(l.base+"state", 1, true, l.offline("shut down")).WaitTimeout(goodbyeTimeout)
		}
		l.client.Disconnect(100)
	}()
	select {
	case <-gone:
	case <-hard.Done():
	}
	l.up.Store(false)
	return nil
}

// flush publishes what is queued until hard is done.
func (l *Link) flush(hard context.Context) {
	for hard.Err() == nil {
		if !l.client.IsConnectionOpen() {
			return // messages stay queued; the oldest go if the line stays down
		}
		m, ok := l.out.take()
		if !ok {
			return
		}
		// One at a time keeps acks in order; paho would reorder after a reconnect.
		taken(hard, l.client.Publish(m.topic, 1, m.retained, m.payload))
	}
}

// taken waits for the broker to acknowledge a message, for a while: one that it does
// not take is lost.
func taken(hard context.Context, t mqtt.Token) {
	late := time.NewTimer(publishTimeout)
	defer late.Stop()
	select {
	case <-t.Done():
	case <-late.C:
	case <-hard.Done():
	}
}
