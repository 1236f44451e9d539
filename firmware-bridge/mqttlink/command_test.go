package mqttlink

import (
	"strings"
	"testing"
	"time"
)

func noon() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }

func good() Command {
	return Command{Robot: "r1", Issuer: "ann", Seq: 7, IssuedAt: noon(), TTL: 500 * time.Millisecond, Verb: "arm"}
}

// commandTexts are messages and what is wrong with them; "" is a good one. The table
// drives the test and seeds the fuzzer.
func commandTexts() map[string]string {
	const ok = `{"v":1,"robot":"r1","issuer":"ann","seq":7,"issued_at":"2026-05-01T12:00:00Z","ttl_ms":500,"verb":"arm"}`
	edit := func(old, repl string) string { return strings.Replace(ok, old, repl, 1) }
	return map[string]string{
		ok:                                     "",
		edit(`"arm"`, `"start","arg":"x"`):     "",
		edit(`"arm"`, `"arm","lease_s":2.5`):   "",
		edit(`"arm"`, `"arm","lease_s":-1`):    "lease_s",
		edit(`"arm"`, `"arm","lease_s":1e300`): "lease_s",
		" " + ok + "\n":                        "",
		"":                                     "not a JSON object",
		"[]":                                   "not a JSON object",
		ok[:len(ok)-1]:                         "not valid JSON",
		ok + "{}":                              "follows",
		edit(`"v":1`, `"v":2`):                 "v is 2",
		edit(`"verb"`, `"Verb"`):               `"Verb"`,
		edit(`"verb"`, `"seq":8,"verb"`):       "twice",
		edit(`,"verb":"arm"`, ``):              `"verb" is missing`,
		edit(`"seq":7,`, ``):                   `"seq" is missing`,
		edit(`"seq":7`, `"seq":-7`):            "wrong kind",
		edit(`"seq":7`, `"seq":null`):          "wrong kind",
		edit(`"seq":7`, `"seq":"7"`):           "wrong kind",
		edit(`500`, `0`):                       "ttl_ms",
		edit(`500`, `9223372036854775807`):     "ttl_ms",
		edit(`"ann"`, `"Ann/+"`):               "issuer",
		edit(`"r1"`, `""`):                     "robot",
		edit(`2026-05`, `0001-01`):             "issued_at",
		edit(`"2026-05-01T12:00:00Z"`, `5`):    "wrong kind",
		edit(`"arm"`, `""`):                    "verb",
		strings.Repeat(" ", MaxCommandBytes+1): "bytes",
	}
}

func TestDecodeCommand(t *testing.T) {
	for text, word := range commandTexts() {
		c, err := DecodeCommand([]byte(text))
		switch {
		case word == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case word == "" && (c.Issuer != "ann" || c.Seq != 7 || !c.IssuedAt.Equal(noon()) || c.TTL != 500*time.Millisecond):
			t.Errorf("%s: decoded %+v", text, c)
		case word != "" && (err == nil || !strings.Contains(err.Error(), word)):
			t.Errorf("%.120s: %v, want an error that says %q", text, err, word)
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	for text := range commandTexts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommand(data)
		if err != nil {
			return
		}
		// What decodes re-encodes to the same command, unless the escapes of the
		// encoder make it too long.
		b, err := EncodeCommand(c)
		if err != nil {
			return
		}
		d, err := DecodeCommand(b)
		if err != nil || !d.IssuedAt.Equal(c.IssuedAt) {
			t.Fatalf("%q -> %q: %+v, %v", data, b, d, err)
		}
		d.IssuedAt = c.IssuedAt
		if c != d {
			t.Fatalf("%+v became %+v", c, d)
		}
	})
}

func TestAdmit(t *testing.T) {
	at := func(c Command, d time.Duration) Command { c.IssuedAt = c.IssuedAt.Add(d); return c }
	seq := func(c Command, n uint64) Command { c.Seq = n; return c }
	verb := func(c Command, v string) Command { c.Verb = v; return c }
	other := good()
	other.Robot = "r2"
	bob := good()
	bob.Issuer = "bob"
	steps := []struct {
		name     string
		c        Command
		retained bool
		word     string
	}{
		{"first", good(), false, ""},
		{"repeated", good(), false, "repeated"},
		{"older", seq(good(), 3), false, "repeated"},
		{"next", seq(good(), 8), false, ""},
		{"another issuer has its own numbers", seq(bob, 1), false, ""},
		{"retained", seq(good(), 9), true, "retained"},
		{"for another robot", seq(other, 9), false, "r2"},
		{"unknown verb", verb(seq(good(), 9), "dance"), false, "legal: estop, arm"},
		{"expired", at(seq(good(), 9), -time.Second), false, "expired 500ms ago"},
		{"from the future", at(seq(good(), 9), time.Minute), false, "clocks"},
		{"late e-stop", verb(at(seq(good(), 9), -time.Hour), VerbEStop), false, ""},
		{"repeated e-stop", verb(seq(good(), 9), VerbEStop), false, ""},
		{"retained e-stop", verb(seq(good(), 9), VerbEStop), true, "retained"},
		{"an e-stop counts", seq(good(), 9), false, "repeated"},
		{"after it", seq(good(), 10), false, ""},
	}
	j := newJudge("r1", verbs())
	for _, s := range steps {
		err := j.admit(s.c, s.retained, noon())
		if s.word == "" && err != nil || s.word != "" && (err == nil || !strings.Contains(err.Error(), s.word)) {
			t.Errorf("%s: %v, want %q", s.name, err, s.word)
		}
	}
}

// TestIssuersAreBounded: strangers cannot make the robot remember without end.
func TestIssuersAreBounded(t *testing.T) {
	j := newJudge("r1", verbs())
	for i := range 10 * maxIssuers {
		c := good()
		c.Issuer = "x" + strings.Repeat("a", i%50) + strings.Repeat("b", i/50)
		if i%2 == 0 {
			c.Verb = VerbEStop
		}
		_ = j.admit(c, false, noon())
	}
	if len(j.last) > maxIssuers {
		t.Errorf("%d issuers remembered", len(j.last))
	}
}

func TestQueueDropsOldest(t *testing.T) {
	q := newQueue(3)
	for _, s := range []string{"a", "b", "c", "d", "e"} {
		q.put("t", []byte(s), false)
	}
	got := ""
	for m, ok := q.take(); ok; m, ok = q.take() {
		got += string(m.payload)
	}
	if got != "cde" {
		t.Errorf("left %q, want cde", got)
	}
	payload := make([]byte, 100)
	for range 3 {
		q.put("t", payload, false)
	}
	if n := testing.AllocsPerRun(100, func() { q.put("t", payload, false) }); n != 0 {
		t.Errorf("put allocates %v times", n)
	}
}
