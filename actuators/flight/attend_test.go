package flight

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/mission"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// puppet is a loop's process that lives as long as it is told to.
type puppet struct {
	once sync.Once
	gone chan struct{}
	at   time.Time // when it was killed
}

func (p *puppet) Kill() {
	p.once.Do(func() { p.at = time.Now(); close(p.gone) })
}
func (p *puppet) Gone() <-chan struct{} { return p.gone }

// attended runs the gateway's half beside a process that does what life says, from its
// first beat on, and returns how it ended and how long after life had returned.
func attended(ord Orders, life func(desk *shared.Desk, p *puppet)) (end End, after time.Duration) {
	desk, p := &shared.Desk{}, &puppet{gone: make(chan struct{})}
	w := &Watch{Ring: trace.NewRing(4, 2), Desk: desk, Mission: &mission.Script{}, Tell: &notebook{}}
	var since atomic.Int64 // Unix time, ns
	go func() {
		desk.Enter(shared.Flying)
		life(desk, p)
		since.Store(time.Now().UnixNano())
	}()
	Attend(ord, w, p, DefaultTolerance(), &crash.Net{}, func(e End) { end = e })
	return end, p.at.Sub(time.Unix(0, since.Load()))
}

// beats lets the process live for a while.
func beats(desk *shared.Desk, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		desk.BeatLoop()
	}
}

// A process that stands still is killed in time, wherever it is; one that dies needs no
// killing; one that lives is left alone, however long.
func TestTheLoopsProcessIsWatched(t *testing.T) {
	tol := DefaultTolerance()
	for _, c := range []struct {
		name string
		ord  func() Orders
		life func(*shared.Desk, *puppet)
		end  End
		in   time.Duration
	}{
		{"stands still", nil, func(d *shared.Desk, _ *puppet) { beats(d, 5*time.Second) }, Frozen, tol.Frozen},
		{"never begins", nil, func(*shared.Desk, *puppet) {}, Frozen, tol.Frozen},
		{"stands still at its end", nil, func(d *shared.Desk, _ *puppet) { beats(d, time.Second); d.Enter(shared.Over) }, Frozen, passage},
		{"dies", nil, func(d *shared.Desk, p *puppet) { beats(d, 30*time.Second); p.Kill() }, ByItself, 0},
		{"does not hear", func() Orders { return insisting(3 * time.Second) },
			func(d *shared.Desk, p *puppet) { beats(d, 3*time.Second); go beats(d, time.Minute) }, Deaf, tol.Deaf},
		{"hears", func() Orders { return insisting(3 * time.Second) },
			func(d *shared.Desk, p *puppet) { beats(d, 3*time.Second); d.Hear(); beats(d, time.Minute); p.Kill() }, ByItself, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ord := Orders(noOrders{})
				if c.ord != nil {
					ord = c.ord()
				}
				end, after := attended(ord, c.life)
				if end != c.end || after < c.in-lookPeriod || after > c.in+3*lookPeriod {
					t.Errorf("%v after %v; want %v after %v", end, after, c.end, c.in)
				}
				time.Sleep(2 * time.Minute) // whoever still beats
			})
		})
	}
}

// insisting are orders to settle at once, and to cut after d.
func insisting(d time.Duration) Orders {
	g := given{make(chan struct{})}
	time.AfterFunc(d, func() { close(g.insisted) })
	return g
}

// A host that was stopped as a whole finds the process as late as itself.
func TestAStoppedHostAccusesNobody(t *testing.T) {
	desk := &shared.Desk{}
	desk.Enter(shared.Flying)
	a := Attention{Tolerance: DefaultTolerance()}
	for i := range 1000 {
		if i%4 == 0 {
			desk.BeatLoop()
		}
		if end := a.Look(desk, time.Hour); end != ByItself {
			t.Fatalf("look %d: %v", i, end)
		}
	}
}
