// Package operators is robotd's line to its operators: an MQTT link, to a broker
// somewhere or to one embedded in this process, joined to the commands of a flight.
//
// What is not here: the protocol (firmware-bridge/mqttlink) and what a command does
// (actuators/flight). A nil [Link] does nothing, so that callers need not ask whether
// one was configured. Any goroutine may use it; Open and Close belong to one.
package operators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
	"github.com/mitori-robotics/mitori/firmware-bridge/secretdir"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/record"
)

// Words in the place of a broker's URL.
const (
	Off      = "off"
	Embedded = "embedded"
)

// Config says where the operators are.
type Config struct {
	URL string // Off, Embedded, or a broker's URL
	// User and PassFile are this robot's account at a broker; at the embedded one the operator's, which is otherwise
	// made up for each run.
	User     string
	PassFile string
	Port     int               // of the embedded broker; 0: a free one
	TLS      mqttlink.TLSFiles // of a broker
	Robot    string            // topic level
	// OnReference, if set, takes live references, or what is wrong with one.
	OnReference func(r mqttlink.Reference, err error)
}

// Link is the line.
type Link struct {
	link   *mqttlink.Link
	broker *mqttlink.Broker
	where  string // for people

	warning     string         // for people; "" if all is well
	secrets     *secretdir.Dir // of the embedded broker
	credentials string         // file in it

	hears time.Duration // how long another robot of this name is remembered
	twin  *time.Timer   // runs while one is; used by the network's goroutine only
	tell  flight.Teller

	leases *lease.Desk

	stop context.CancelFunc
	done chan struct{} // closed when Run has returned
}

// twinMemory is how long another robot is taken to be there after it was heard: it
// speaks once a second.
const twinMemory = 5 * time.Second

// Open opens the line to commands; nil when it is off. The embedded broker listens on
// loopback only. What becomes of the line is told to tell and to the loop, from the
// start: until a broker answers, it is down. A panic in the link goes to failed.
func Open(cfg Config, commands *flight.Commands, tell flight.Teller, failed *crash.Net) (*Link, error) {
	if cfg.URL == Off {
		return nil, nil
	}
	c := &Link{tell: tell, hears: twinMemory, leases: &commands.Leases}
	commands.Reachable(false)
	lc := mqttlink.Config{
		URL: cfg.URL, Robot: cfg.Robot, Verbs: flight.Verbs(), OnPanic: failed.Note, OnReference: cfg.OnReference,
		OnCommand: func(cmd mqttlink.Command, reply func(string, error)) {
			commands.Take(lease.Order{Issuer: cmd.Issuer, Verb: cmd.Verb, Arg: cmd.Arg, Ask: cmd.Lease}, reply)
		},
		OnLink: func(up bool, why error) { c.changed(up, why, commands) },
		OnTwin: func() { c.another(cfg.Robot, commands) },
	}
	if err := c.reach(cfg, &lc); err != nil {
		return nil, err
	}
	var err error
	if c.link, err = mqttlink.New(lc); err != nil {
		return nil, errors.Join(err, c.abandon())
	}
	if c.link.InClear() {
		c.warn("the password goes to the broker in the clear, for everybody on the way to read; use mqtts:// or wss://")
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done = make(chan struct{})
	failed.Start("the command link", func() {
		defer close(c.done)
		_ = c.link.Run(ctx)
	})
	return c, nil
}

// changed tells what became of the line.
func (c *Link) changed(up bool, why error, commands *flight.Commands) {
	commands.Reachable(up)
	if up {
		c.tell.Event("command link: connected")
		return
	}
	c.tell.Event("warning: command link: %s: %v; nobody can command this robot over it; trying again", c.where, why)
}

// another robot of this name was heard. Commands go to both, so that neither may arm
// until one of them has been silent for a while.
func (c *Link) another(name string, commands *flight.Commands) {
	if c.twin != nil && c.twin.Stop() {
		c.twin.Reset(c.hears)
		return // known
	}
	commands.Alone(false)
	c.tell.Event("warning: command link: another robot calls itself %q at this broker: both hear every command; "+
		"give one of them another mqtt.robot_id. Neither may be armed until then", name)
	c.twin = time.AfterFunc(c.hears, func() { commands.Alone(true) })
}

// reach fills in where the broker is and with which credentials; it starts the
// embedded one.
func (c *Link) reach(cfg Config, lc *mqttlink.Config) (err error) {
	var secret string
	if cfg.PassFile != "" {
		if secret, err = c.password(cfg.PassFile); err != nil {
			return err
		}
	}
	if cfg.URL == Embedded {
		if err := c.embed(cfg, secret); err != nil {
			return err
		}
		b := c.broker
		lc.URL, lc.Username, lc.Password = b.URL(), b.Robot().Username, b.Robot().Password
		c.where = fmt.Sprintf("embedded broker at %s, credentials in %s", b.URL(), c.credentials)
		return nil
	}
	lc.Username, lc.Password = cfg.User, secret
	if lc.TLS, err = cfg.TLS.Config(); err != nil {
		return fmt.Errorf("mqtt.%w", err)
	}
	c.where = "broker " + mqttlink.Redact(cfg.URL)
	return nil
}

// maxSecret bounds a password file.
const maxSecret = 4096

// password reads a password file: one line.
func (c *Link) password(name string) (string, error) {
	text, err := infile.Read(name, maxSecret)
	if err != nil {
		return "", fmt.Errorf("mqtt.password_file: %w", err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
		return "", fmt.Errorf("mqtt.password_file: %s; legal: one line that is not empty", name)
	}
	if st, err := os.Stat(name); err == nil && st.Mode().Perm()&0o007 != 0 {
		c.warn("everybody on this machine can read the password in %s; chmod 640 or 600", name)
	}
	return secret, nil
}

// warn adds to what Introduce tells people.
func (c *Link) warn(format string, args ...any) {
	if c.warning != "" {
		c.warning += "; "
	}
	c.warning += fmt.Sprintf(format, args...)
}

// embed starts the broker on loopback, with its secrets in a private folder. An operator's secret that was given is
// used, otherwise one is made.
func (c *Link) embed(cfg Config, secret string) (err error) {
	id := cfg.Robot
	if c.secrets, err = secretdir.New(); err != nil {
		return fmt.Errorf("a private folder for the broker's credentials: %w", err)
	}
	c.credentials = filepath.Join(c.secrets.Path(), "mqtt-"+id+".json")
	c.broker, err = mqttlink.StartBroker(mqttlink.BrokerConfig{
		Robot: id, Port: cfg.Port, Operator: mqttlink.Credentials{Username: cfg.User, Password: secret},
		CredentialsFile: c.credentials, StateDir: filepath.Join(c.secrets.Path(), "broker"),
	})
	if err != nil {
		c.secrets.Remove()
	}
	return err
}

// abandon stops the embedded broker and removes its secrets.
func (c *Link) abandon() (err error) {
	if c.broker != nil {
		err = c.broker.Close()
	}
	c.secrets.Remove()
	return err
}

// Introduce tells people how to reach the robot.
func (c *Link) Introduce(tell flight.Teller) {
	if c == nil {
		return
	}
	tell.Event("command link: %s", c.where)
	if c.warning != "" {
		tell.Event("warning: command link: %s", c.warning)
	}
}

// State publishes the robot's state.
func (c *Link) State(s record.Status) {
	if c == nil {
		return
	}
	s.Instance, s.Lease = c.link.Instance(), c.leases.Holder()
	if b, err := json.Marshal(s); err == nil {
		_ = c.link.State(b)
	}
}

// Event publishes something that happened.
func (c *Link) Event(e record.Event) {
	if c == nil {
		return
	}
	if b, err := json.Marshal(e); err == nil {
		_ = c.link.Event(b)
	}
}

// farewell is how long the end of robotd waits for its broker in all: the link's
// own last words take mqttlink.Farewell at most.
const farewell = mqttlink.Farewell + time.Second

// Close says goodbye and stops the embedded broker. A broker that does not
// answer is left behind after farewell, or at once when hurry is closed.
func (c *Link) Close(hurry <-chan struct{}) {
	if c == nil {
		return
	}
	defer c.secrets.Remove() // in any case: a broker that is stuck takes none of it along
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if c.stop != nil {
			c.stop()
			<-c.done
		}
		if c.broker != nil {
			_ = c.broker.Close()
		}
	}()
	select {
	case <-gone:
	case <-hurry:
	case <-time.After(farewell):
	}
}
