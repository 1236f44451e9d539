package loop

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// A gateway that has lost its mind writes into the shared memory whatever it likes, at any
// time: the loop goes on ticking, torque and controller stay in their places, and no
// servo is driven by anything but the machine's states.
func TestAScribblerDoesNotMisleadTheLoop(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	armed, lost := 0, 0
	for range 40 {
		desk := &shared.Desk{}
		memory := unsafe.Slice((*byte)(unsafe.Pointer(desk)), int(unsafe.Sizeof(*desk)))
		w := &witness{Fake: drivertest.NewFake(3), t: t}
		g := &guest{clip: clip{periods: 20}, t: t}
		c := config(3)
		c.Gateway = desk
		l, err := New(c, w, g, trace.NewRing(4, 3))
		if err != nil {
			t.Fatal(err)
		}
		w.l, g.l = l, l
		wild := rng.IntN(200)
		for tick := range int64(1500) {
			if tick%200 == 120 {
				l.Request(mode.Arm)
			}
			if rng.IntN(100) < wild/2 {
				memory[rng.IntN(len(memory))] = byte(rng.Uint32())
			}
			if tick < 1000 {
				desk.BeatGateway()
			}
			l.Tick(Instant{Tick: tick})
		}
		s := l.Result()
		if s.Armed > 0 {
			armed++
		}
		if wild < 2 && l.gateway.gone {
			lost++
		}
		if l.gateway.gone && s.End.Energised() && s.End != mode.Settle && s.End != mode.Limp {
			t.Errorf("in %v without a gateway", s.End)
		}
	}
	if armed == 0 {
		t.Error("no robot was armed: the test shows nothing")
	}
	t.Logf("%d armed, %d lost their gateway", armed, lost)
}
