package robot

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/follow"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
	"github.com/mitori-robotics/mitori/firmware-bridge/refsocket"
)

// Over MQTT only who holds the lease is followed, over the socket whoever reached it; what
// is refused is told, and not for each reference.
func TestWhoIsFollowed(t *testing.T) {
	var out bytes.Buffer
	tell := console.New(&out, &crash.Net{})
	now := int64(0)
	f := &references{leases: &lease.Desk{Now: func() int64 { return now }}, tell: tell}
	latest := shared.NewLatest(1)
	pos := make([]float64, 1)
	seq := uint64(0)
	send := func(issuer string, q float64) bool {
		seq++
		f.message(mqttlink.Reference{Issuer: issuer, Seq: seq, TimeUs: int64(seq), PosRad: []float64{q}}, nil)
		_, _, isNew := latest.Take(pos)
		return isNew && pos[0] == q
	}
	send("ann", 0) // there is no loop yet
	f.desk.Store(follow.NewDesk([]guard.Joint{{MinRad: -1, MaxRad: 1, FullRadPerS: 4}}, latest))
	if send("ann", 0.1) {
		t.Error("followed without a lease")
	}
	if _, err := f.leases.Admit(lease.Order{Issuer: "ann", Verb: "lease", Ask: time.Second}); err != nil {
		t.Fatal(err)
	}
	if !send("ann", 0.1) || send("bob", 0.1) || send("ann", 7) || !send("ann", 0.11) {
		t.Error("not the one with the lease, and nobody else")
	}
	if now += 2e9; send("ann", 0.1) {
		t.Error("followed after the lease was lost")
	}
	f.message(mqttlink.Reference{}, errors.New("rubbish"))
	seq++
	f.frame(refsocket.Frame{Seq: seq, TimeUs: int64(seq), PosRad: []float64{0.12}})
	if _, _, isNew := latest.Take(pos); !isNew || pos[0] != 0.12 {
		t.Error("the socket is not followed")
	}
	tell.Close()
	if n := strings.Count(out.String(), "references refused"); n != 1 || !strings.Contains(out.String(), "lease") {
		t.Errorf("told %d times: %q", n, out.String())
	}
}
