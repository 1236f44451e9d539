package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
	"github.com/mitori-robotics/mitori/models/robot"
)

// commandLink is the line to operators. A nil link does nothing, so that callers
// need not ask whether one was configured.
type commandLink struct {
	link   *mqttlink.Link
	broker *mqttlink.Broker
	where  string // for people

	warning     string   // for people; "" if all is well
	private     *private // of the embedded broker
	credentials string   // file in it

	pilot atomic.Pointer[pilot] // nil until there is a loop
	stop  context.CancelFunc
	done  chan struct{} // closed when Run has returned
}

// pilot is what commands act on.
type pilot struct {
	loop    *loop.Loop
	canPlay bool
	status  func() status
}

// verbs maps the link's commands to requests.
func verbs() map[string]mode.Request {
	return map[string]mode.Request{
		mqttlink.VerbEStop: mode.EStop, "arm": mode.Arm, "disarm": mode.Disarm, "settle": mode.Disarm,
		"hold": mode.HoldPose, "stop": mode.HoldPose, "start": mode.Activate, "reset": mode.Reset,
	}
}

// newLink opens the line; nil when it is off. The embedded broker listens on
// loopback only.
func newLink(cfg MQTTConfig, desc *robot.Description, failed *crash) (*commandLink, error) {
	if cfg.URL == mqttOff {
		return nil, nil
	}
	id := cfg.Robot
	if id == "" {
		id = strings.ToLower(desc.Name)
	}
	c := &commandLink{}
	lc := mqttlink.Config{URL: cfg.URL, Robot: id, OnCommand: c.obey, OnLink: c.changed, OnPanic: failed.note}
	for v := range verbs() {
		lc.Verbs = append(lc.Verbs, v)
	}
	if cfg.URL == mqttEmbedded {
		if err := c.embed(id); err != nil {
			return nil, err
		}
		b := c.broker
		lc.URL, lc.Username, lc.Password = b.URL(), b.Robot().Username, b.Robot().Password
		c.where = fmt.Sprintf("embedded broker at %s, credentials in %s", b.URL(), c.credentials)
	} else {
		if cfg.PassFile != "" {
			secret, err := os.ReadFile(cfg.PassFile)
			if err != nil {
				return nil, fmt.Errorf("mqtt.password_file: %w", err)
			}
			lc.Username, lc.Password = cfg.User, strings.TrimRight(string(secret), "\r\n")
		}
		c.where = "broker " + mqttlink.Redact(cfg.URL)
	}
	var err error
	if c.link, err = mqttlink.New(lc); err != nil {
		c.end()
		return nil, err
	}
	if c.link.InClear() {
		c.warning = "the password goes to the broker in the clear, for everybody on the way to read; use mqtts:// or wss://"
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done = make(chan struct{})
	failed.start("the command link", func() {
		defer close(c.done)
		_ = c.link.Run(ctx)
	})
	return c, nil
}

// introduce tells people how to reach the robot.
func (c *commandLink) introduce(tell *teller) {
	if c == nil {
		return
	}
	tell.event("command link: %s", c.where)
	if c.warning != "" {
		tell.event("warning: command link: %s", c.warning)
	}
}

// embed starts the broker on loopback, with its secrets in a private folder.
func (c *commandLink) embed(id string) (err error) {
	if c.private, err = newPrivate(); err != nil {
		return fmt.Errorf("a private folder for the broker's credentials: %w", err)
	}
	c.credentials = filepath.Join(c.private.dir, "mqtt-"+id+".json")
	c.broker, err = mqttlink.StartBroker(mqttlink.BrokerConfig{
		Robot: id, CredentialsFile: c.credentials, StateDir: filepath.Join(c.private.dir, "broker"),
	})
	if err != nil {
		c.private.remove()
	}
	return err
}

// end stops the embedded broker and removes its secrets.
func (c *commandLink) end() {
	if c.broker != nil {
		_ = c.broker.Close()
	}
	c.private.remove()
}

// start connects the line to a loop; until then commands are answered with a
// refusal.
func (c *commandLink) start(l *loop.Loop, canPlay bool, latest func() status) {
	if c != nil {
		c.pilot.Store(&pilot{loop: l, canPlay: canPlay, status: latest})
	}
}

// changed tells the loop whether operators can be reached.
func (c *commandLink) changed(up bool, _ error) {
	if p := c.pilot.Load(); p != nil {
		p.loop.External(mode.LinkToBroker, !up)
	}
}

// obey hands a checked command to the loop. What the loop would refuse in its
// present state is refused here with the same words: both ask mode.Next.
func (c *commandLink) obey(cmd mqttlink.Command) error {
	r, ok := verbs()[cmd.Verb]
	if !ok {
		return fmt.Errorf("unknown verb %q", cmd.Verb)
	}
	p := c.pilot.Load()
	if p == nil {
		return errors.New("robotd is starting")
	}
	if r != mode.EStop {
		s := p.status()
		d := mode.Next(s.mode, mode.Input{
			Conditions: s.conditions, Failing: s.failing, Request: r, TorqueOff: s.TorqueOff, CanPlay: p.canPlay,
		})
		if d.Refused && d.Failing != 0 {
			return fmt.Errorf("%s: %s", d.Why, d.Failing)
		}
		if d.Refused {
			return errors.New(d.Why.String())
		}
	}
	p.loop.Request(r)
	return nil
}

// state publishes the robot's state.
func (c *commandLink) state(s status) {
	if c == nil {
		return
	}
	if b, err := json.Marshal(s.Status); err == nil {
		_ = c.link.State(b)
	}
}

// event publishes something that happened.
func (c *commandLink) event(v any) {
	if c == nil {
		return
	}
	if b, err := json.Marshal(v); err == nil {
		_ = c.link.Event(b)
	}
}

// farewell is how long the end of robotd waits for its broker in all: the link's
// own last words take mqttlink.Farewell at most.
const farewell = mqttlink.Farewell + time.Second

// close says goodbye and stops the embedded broker. A broker that does not
// answer is left behind after farewell, or at once when a signal comes.
func (c *commandLink) close(ord *orders) {
	if c == nil {
		return
	}
	defer c.private.remove() // in any case: a broker that is stuck takes none of it along
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
	case <-ord.another():
	case <-time.After(farewell):
	}
}
