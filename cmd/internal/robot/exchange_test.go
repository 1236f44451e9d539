package robot

import (
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/control"
)

// The loop process's part: a bundle that fits is taken over by the controller while it
// stands; one that does not fit, was changed, or finds no standing robot is refused in
// words, and nothing of it is left behind.
func TestSwapInTheLoopsProcess(t *testing.T) {
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	load := func(file string) *policy {
		p, err := loadPolicy(file, desc, true)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	file := standing(t, nil)
	first := load(file)
	h := &other{}
	if err := h.swap(swap{Policy: file, Hash: first.hash}); err == nil {
		t.Error("exchanged where there is no policy")
	}
	x := control.NewExchange(first.Player)
	h.players.Store(x)
	h.desc.Store(desc)
	n := len(desc.Joints)
	s := &sensed.Robot{PosRad: make([]float64, n), VelRadPerS: make([]float64, n), GravityDir: [3]float64{0, 0, -1}}
	x.Enter(s.PosRad)
	stop, stopped := make(chan bool), make(chan bool)
	go func() { // the loop
		defer close(stopped)
		for dst := make([]float64, n); ; time.Sleep(time.Millisecond) {
			select {
			case <-stop:
				return
			default:
				_, _ = x.Act(dst, s, false)
			}
		}
	}()
	poor := standing(t, func(b *bundle.Bundle) { b.Eval = []byte(`{"episodes":40,"survival_rate":0.5}`) })
	for _, tt := range []struct {
		name string
		s    swap
		want string
	}{
		{"fits", swap{Policy: file, Hash: first.hash}, ""},
		{"changed", swap{Policy: file, Hash: "another"}, "was changed meanwhile"},
		{"poor", swap{Policy: poor, Hash: "any"}, "--anyway"},
		{"absent", swap{Policy: file + "x"}, "no such file"},
	} {
		before := x.Taken()
		err := h.swap(tt.s)
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if took := x.Taken() - before; took > 1 || (took == 1) != (err == nil) {
			t.Errorf("%s: taken over %d times, %v", tt.name, took, err)
		}
	}
	close(stop)
	<-stopped
	if err := h.swap(swap{Policy: file, Hash: first.hash}); err == nil || x.Withdraw() {
		t.Errorf("no loop: %v, or something is left", err)
	}
}

// Only a bundle beside the first one may be named, by its name alone.
func TestWhichPolicyMayBeNamed(t *testing.T) {
	r := &run{pol: &policy{}}
	for _, name := range []string{"", ".", "..", "/etc/passwd", "../x.bundle", "a/b.bundle"} {
		if _, err := r.exchangeNow(name); err == nil || !strings.Contains(err.Error(), "beside the policy") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := r.exchangeNow("x.bundle"); err == nil || !strings.Contains(err.Error(), "exchanged in hold") {
		t.Errorf("not in hold: %v", err)
	}
	if _, err := (&run{}).exchangeNow("x.bundle"); err == nil || !strings.Contains(err.Error(), "without a policy") {
		t.Errorf("without a policy: %v", err)
	}
}
