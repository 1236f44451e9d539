package replay_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/replay"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
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
