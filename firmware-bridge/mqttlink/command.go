package mqttlink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	// MaxCommandBytes bounds a command message.
	MaxCommandBytes = 4096
	// MaxTTL bounds how long a command may claim to be good.
	MaxTTL = 30 * time.Second
	// maxLeaseS bounds what can be read as a lease, in seconds; what is legal the robot says.
	maxLeaseS = 3600
	// clockSkew is how far ahead an issuer's clock may be.
	clockSkew = 2 * time.Second
	// maxIssuers bounds the sequence numbers remembered.
	maxIssuers = 256
	// VerbEStop is honoured even when late or repeated.
	VerbEStop = "estop"
)

// Command is one decoded command.
type Command struct {
	Robot    string        // the robot it is for
	Issuer   string        // who sent it
	Seq      uint64        // grows with every command of this issuer
	IssuedAt time.Time     // by the issuer's clock
	TTL      time.Duration // good until IssuedAt + TTL
	Verb     string        // what to do
	Arg      string        // its argument, if the verb has one
	Lease    time.Duration // the operator's lease that it asks for; 0: none
}

// Ack is the answer to a command.
type Ack struct {
	Robot    string    `json:"robot"`
	Issuer   string    `json:"issuer"`
	Seq      uint64    `json:"seq"`
	Verb     string    `json:"verb"`
	Accepted bool      `json:"accepted"`
	Did      string    `json:"did,omitempty"` // where that led; of what was accepted
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
}

// wireCommand is a command as JSON.
type wireCommand struct {
	Version  int       `json:"v"`
	Robot    string    `json:"robot"`
	Issuer   string    `json:"issuer"`
	Seq      uint64    `json:"seq"`
	IssuedAt time.Time `json:"issued_at"`
	TTLMS    int64     `json:"ttl_ms"`
	Verb     string    `json:"verb"`
	Arg      string    `json:"arg,omitempty"`
	LeaseS   float64   `json:"lease_s,omitempty"`
}

// EncodeCommand is what an operator publishes.
func EncodeCommand(c Command) ([]byte, error) {
	b, err := json.Marshal(wireCommand{1, c.Robot, c.Issuer, c.Seq, c.IssuedAt.UTC(), c.TTL.Milliseconds(), c.Verb, c.Arg, c.Lease.Seconds()})
	if err == nil && len(b) > MaxCommandBytes {
		err = fmt.Errorf("mqttlink: command of %d bytes; legal: up to %d", len(b), MaxCommandBytes)
	}
	return b, err
}

// DecodeCommand reads a command strictly: one JSON object, every key known, in exact
// spelling and once, and all but "arg" and "lease_s" present. The command that comes with an error
// holds what was read before it, so that the answer can name the issuer.
func DecodeCommand(data []byte) (Command, error) {
	var w wireCommand
	err := decodeStrict(data, &w)
	c := Command{Robot: w.Robot, Issuer: w.Issuer, Seq: w.Seq, IssuedAt: w.IssuedAt, TTL: time.Duration(min(max(w.TTLMS, 0), MaxTTL.Milliseconds())) * time.Millisecond, Verb: w.Verb, Arg: w.Arg,
		Lease: time.Duration(min(max(w.LeaseS, 0), maxLeaseS) * float64(time.Second))}
	if err != nil {
		return c, fmt.Errorf("mqttlink: command: %w", err)
	}
	switch {
	case w.Version != 1:
		err = fmt.Errorf("v is %d; legal: 1", w.Version)
	case !validName(w.Robot):
		err = fmt.Errorf("robot %q; legal: 1 to 64 of a-z 0-9 _ -", clip(w.Robot))
	case !validName(w.Issuer):
		err = fmt.Errorf("issuer %q; legal: 1 to 64 of a-z 0-9 _ -", clip(w.Issuer))
	case w.TTLMS < 1 || w.TTLMS > MaxTTL.Milliseconds():
		err = fmt.Errorf("ttl_ms %d; legal: 1 to %d", w.TTLMS, MaxTTL.Milliseconds())
	case w.IssuedAt.Year() < 2000 || w.IssuedAt.Year() > 9999:
		err = fmt.Errorf("issued_at %v; legal: a time of this millennium", w.IssuedAt)
	case w.LeaseS < 0 || w.LeaseS > maxLeaseS:
		err = fmt.Errorf("lease_s %g; legal: 0 (none) to %d", w.LeaseS, maxLeaseS)
	case len(w.Verb) == 0 || len(w.Verb) > 32:
		err = fmt.Errorf("verb %q; legal: 1 to 32 characters", clip(w.Verb))
	}
	if err != nil {
		return c, fmt.Errorf("mqttlink: command: %w", err)
	}
	return c, nil
}

// decodeStrict walks the object key by key: encoding/json would take keys of any case
// and the last of two.
func decodeStrict(data []byte, w *wireCommand) error {
	if len(data) > MaxCommandBytes {
		return fmt.Errorf("%d bytes; legal: up to %d", len(data), MaxCommandBytes)
	}
	fields := map[string]any{
		"v": &w.Version, "robot": &w.Robot, "issuer": &w.Issuer, "seq": &w.Seq, "issued_at": &w.IssuedAt,
		"ttl_ms": &w.TTLMS, "verb": &w.Verb, "arg": &w.Arg, "lease_s": &w.LeaseS,
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return errors.New("not valid JSON")
		}
		to := fields[key]
		if to == nil || seen[key] {
			return fmt.Errorf("key %q is unknown or given twice; legal: v, robot, issuer, seq, issued_at, ttl_ms, verb, arg, lease_s", clip(key))
		}
		seen[key] = true
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return errors.New("not valid JSON")
		}
		if string(raw) == "null" || json.Unmarshal(raw, to) != nil {
			return fmt.Errorf("key %q has a value of the wrong kind", key)
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return errors.New("not valid JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	for _, key := range []string{"v", "robot", "issuer", "seq", "issued_at", "ttl_ms", "verb"} {
		if !seen[key] {
			return fmt.Errorf("key %q is missing", key)
		}
	}
	return nil
}

// validName reports whether s can be part of a topic on every broker.
func validName(s string) bool {
	for _, b := range []byte(s) {
		if !(b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_' || b == '-') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}

// clip shortens what is quoted back to a stranger.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// judge decides whether commands may be obeyed. It remembers the last sequence number
// of every issuer.
type judge struct {
	robot string
	verbs []string
	last  map[string]uint64
}

func newJudge(robot string, verbs []string) *judge {
	return &judge{robot: robot, verbs: verbs, last: map[string]uint64{}}
}

// admit returns nil if c may be obeyed at now.
func (j *judge) admit(c Command, retained bool, now time.Time) error {
	switch {
	case retained:
		return errors.New("retained commands are not obeyed: nobody is pressing now")
	case c.Robot != j.robot:
		return fmt.Errorf("this is robot %q, not %q", j.robot, c.Robot)
	case !slices.Contains(j.verbs, c.Verb):
		return fmt.Errorf("unknown verb %q; legal: %s", clip(c.Verb), strings.Join(j.verbs, ", "))
	}
	last, known := j.last[c.Issuer]
	if c.Verb == VerbEStop {
		if known || len(j.last) < maxIssuers {
			j.last[c.Issuer] = max(last, c.Seq)
		}
		return nil
	}
	switch {
	case now.After(c.IssuedAt.Add(c.TTL)):
		return fmt.Errorf("expired %v ago", now.Sub(c.IssuedAt.Add(c.TTL)).Round(time.Millisecond))
	case c.IssuedAt.After(now.Add(clockSkew)):
		return fmt.Errorf("issued %v in the future; set the clocks", c.IssuedAt.Sub(now).Round(time.Millisecond))
	case known && c.Seq <= last:
		return fmt.Errorf("sequence number %d is not above %d: repeated or out of order", c.Seq, last)
	case !known && len(j.last) >= maxIssuers:
		return fmt.Errorf("more than %d issuers", maxIssuers)
	}
	j.last[c.Issuer] = c.Seq
	return nil
}
