package replay_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/replay"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

const flight = 12 * time.Second

// flights is how many random flights are replayed; MITORI_FLIGHTS has another number.
func flights(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("MITORI_FLIGHTS")); err == nil {
		return n
	}
	if testing.Short() {
		return 5
	}
	return 50
}

// Whatever happens in a flight, its recording decides the same again, bit for bit.
func TestFlightsWithFaultsReplayEqual(t *testing.T) {
	reached := map[mode.State]int{}
	causes := map[string]int{}
	var ticks int
	var took time.Duration
	for seed := range flights(t) {
		rng := rand.New(rand.NewPCG(uint64(seed), 11))
		tips := time.Duration(0)
		if seed%7 == 3 {
			tips = time.Duration(2+8*rng.Float64()) * time.Second
		}
		var desk *shared.Desk
		if seed%2 == 1 {
			desk = &shared.Desk{}
		}
		b := newBench(t, seed%3 != 0, tips, desk)
		name, end := b.record(t)
		record := b.seen
		b.seen = func(s *trace.Sample) {
			record(s)
			if s.From != s.Mode {
				reached[s.Mode]++
				causes[s.Why.String()]++
			}
		}
		b.fly(mishaps(t, rng, b, seed%faultKinds, flight), flight)
		end()
		began := time.Now()
		sum, err := replay.Files([]string{name}, replay.Options{})
		took += time.Since(began)
		ticks += sum.Ticks
		if err != nil {
			t.Errorf("flight %d: %v", seed, err)
		}
		if sum.Truncated || sum.Ticks < int(flight/period)/4 {
			t.Errorf("flight %d: %+v", seed, sum)
		}
	}
	t.Logf("%d ticks replayed in %v (%.0f times as fast as flown); entered %v; for %v", ticks, took,
		float64(ticks)*period.Seconds()/took.Seconds(), reached, causes)
	for _, c := range []mode.Condition{mode.GatewayLost, mode.LeaseLost, mode.ReferenceLost} {
		if causes[mode.Caused(c).String()] == 0 && !testing.Short() {
			t.Errorf("no flight had %v", c)
		}
	}
	for s := mode.Disarmed; s <= mode.Fault; s++ {
		if reached[s] == 0 && !testing.Short() {
			t.Errorf("no flight came to %v", s)
		}
	}
}

// BenchmarkReplay replays a minute of flight.
func BenchmarkReplay(b *testing.B) {
	m := newBench(b, true, 0, nil)
	name, end := m.record(b)
	var events []happens
	for at := 3500 * time.Millisecond; at < time.Minute; at += 3 * time.Second {
		events = append(events, happens{at, func(m *bench) { m.loop.Request(mode.Activate) }})
	}
	m.fly(append(events, happens{time.Second, func(m *bench) { m.loop.Request(mode.Arm) }}), time.Minute)
	end()
	for b.Loop() {
		sum, err := replay.Files([]string{name}, replay.Options{})
		if err != nil || sum.Ticks < 6000 || sum.Changes < 20 {
			b.Fatalf("%+v, %v", sum, err)
		}
	}
}

// A flight in which a joint is held back for its heat replays equal, and who had all of its
// torque in one tick more is found out.
func TestADeratedFlightReplaysEqual(t *testing.T) {
	const hot = 4
	b := newBench(t, true, 0, nil)
	if err := b.world.Inject(busemu.Fault{Kind: busemu.FaultHeat, ID: dxl.ID(b.desc.Joints[hot].ID), V: 68, P: 1, At: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	name, end := b.record(t)
	derated, record := 0, b.seen
	b.seen = func(s *trace.Sample) {
		record(s)
		if s.Torque[hot] < 1 {
			derated++
		}
	}
	b.fly([]happens{
		{time.Second, func(b *bench) { b.loop.Request(mode.Arm) }}, {4 * time.Second, func(b *bench) { b.loop.Request(mode.Activate) }},
		{10 * time.Second, func(b *bench) { b.loop.Request(mode.Disarm) }},
	}, flight)
	end()
	f, err := recorder.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, tick := range f.Ticks {
		if tick.TorqueShare != nil && tick.TorqueShare[hot] < 1 && tick.TorqueShare[hot+1] == 1 {
			told++
		}
	}
	if derated < 100 || told != derated {
		t.Errorf("%d ticks with less torque, %d recorded", derated, told)
	}
	if _, err := replay.Files([]string{name}, replay.Options{}); err != nil {
		t.Error(err)
	}
	k := slices.IndexFunc(f.Ticks, func(t *recorder.Tick) bool { return t.TorqueShare != nil })
	d := first(t, b, f.Ticks, k, func(t *recorder.Tick) { t.TorqueShare = nil })
	if d == nil || d.Tick != f.Ticks[k].Index || !strings.HasPrefix(d.Field, "torque_share") {
		t.Errorf("a tick with all of the torque: %v", d)
	}
}
