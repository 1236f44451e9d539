package mqttlink

import (
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func TestDecodeReference(t *testing.T) {
	const ok = `{"v":1,"robot":"r1","issuer":"ann","seq":7,"time_us":1800000000000000,"pos_rad":[0.1,-2]}`
	edit := func(old, repl string) string { return strings.Replace(ok, old, repl, 1) }
	for text, word := range map[string]string{
		ok: "", edit(`"v":1`, `"v":2`): "v is 2", edit(`"r1"`, `"r2"`): `legal: "r1"`, edit(`"ann"`, `"A/+"`): "issuer",
		ok + "{}": "follows", edit(`"seq"`, `"sequence"`): "unknown field", "": "EOF", edit(`0.1`, `"x"`): "cannot unmarshal",
		strings.Repeat(" ", maxReferenceBytes+1): "bytes",
	} {
		r, err := DecodeReference([]byte(text), "r1")
		switch {
		case word == "" && (err != nil || r.Issuer != "ann" || r.Seq != 7 || r.TimeUs != 1800000000000000 || !slices.Equal(r.PosRad, []float64{0.1, -2})):
			t.Errorf("%s: %+v, %v", text, r, err)
		case word != "" && (err == nil || !strings.Contains(err.Error(), word)):
			t.Errorf("%.100s: %v, want %q", text, err, word)
		}
	}
}

// References reach the robot as they were sent; a flood of them is thinned, and a stop that
// comes in it is obeyed.
func TestReferencesOverTheBroker(t *testing.T) {
	b := startBroker(t, nil)
	got, stopped := make(chan Reference, 4096), make(chan bool, 1)
	cfg := robotConfig(b.URL(), b.Robot(), func(c Command) error {
		if c.Verb == VerbEStop {
			stopped <- true
		}
		return nil
	})
	cfg.OnReference = func(r Reference, err error) {
		if err != nil {
			t.Error(err)
		}
		got <- r
	}
	startLink(t, cfg)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(b.URL()).SetUsername(b.Operator().Username).SetPassword(b.Operator().Password).SetProtocolVersion(4))
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	defer c.Disconnect(0)
	send := func(seq uint64) {
		text, err := EncodeReference("r1", Reference{Issuer: "ann", Seq: seq, TimeUs: int64(seq), PosRad: []float64{0.5}})
		if err != nil {
			t.Fatal(err)
		}
		c.Publish("fleet/r1/ref", 0, false, text).WaitTimeout(patience)
	}
	seq := uint64(0)
	wait(t, "the first reference", func() bool { seq++; send(seq); time.Sleep(20 * time.Millisecond); return len(got) > 0 })
	if r := <-got; r.Issuer != "ann" || !slices.Equal(r.PosRad, []float64{0.5}) {
		t.Errorf("%+v", r)
	}
	const flood = 3000
	for range flood {
		seq++
		send(seq)
	}
	text, _ := EncodeCommand(Command{Robot: "r1", Issuer: "bob", Seq: 1, IssuedAt: time.Now(), TTL: time.Second, Verb: VerbEStop})
	c.Publish("fleet/r1/cmd", 1, false, text)
	select {
	case <-stopped:
	case <-time.After(patience):
		t.Fatal("the e-stop was lost in a flood of references")
	}
	if n := len(got); n > flood/2 {
		t.Errorf("%d of %d references were let through", n, flood)
	}
}
