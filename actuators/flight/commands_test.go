package flight

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// bench is a loop on a faked bus that ticks when it is told to.
type bench struct {
	fake *drivertest.Fake
	desk *shared.Desk
	l    *loop.Loop
	cmd  Commands
	cfg  loop.Config
	tick int64
}

func newBench(t *testing.T) *bench {
	t.Helper()
	cfg := loop.Config{RateHz: 100, ControlEvery: 1, MinRamp: loop.MinRamp, Thresholds: guard.DefaultThresholds(10.5, 9.9),
		StandRad: make([]float64, 3), SettleRad: make([]float64, 3)}
	for range 3 {
		cfg.Limits = append(cfg.Limits, guard.Joint{MinRad: -1, MaxRad: 1, GentleRadPerS: 1.5, FullRadPerS: 12, AccelRadPerS2: 1200})
		cfg.Health = append(cfg.Health, guard.Health{TempWarnC: 60, TempStopC: 70})
	}
	b := &bench{fake: drivertest.NewFake(3), desk: &shared.Desk{}, cmd: Commands{Failed: &crash.Net{}}, cfg: cfg}
	b.cfg.Gateway = b.desk
	var err error
	if b.l, err = loop.New(b.cfg, b.fake, nil, nil); err != nil {
		t.Fatal(err)
	}
	b.cmd.Start(b.desk)
	return b
}

func (b *bench) ticks(n int) {
	for range n {
		b.desk.BeatGateway()
		b.l.Tick(loop.Instant{Tick: b.tick})
		b.tick++
	}
}

// What was true when a command came is not what the answer says: the loop's decision is.
func TestTheAnswerIsTheLoops(t *testing.T) {
	for _, tt := range []struct {
		name, verb string
		change     func(b *bench) // between arrival and decision
		want       string         // "": accepted
		state      mode.State
	}{
		{"as it was", "arm", func(*bench) {}, "", mode.Arming},
		{"a servo gets hot", "arm", func(b *bench) { b.fake.TempC = 65 }, "arming checks fail: temperatures", mode.Disarmed},
		{"the recorder fails", "arm", func(b *bench) { b.desk.Tell(mode.LogLost, true) },
			"arming checks fail: flight recorder", mode.Disarmed},
		{"somebody stops it", "arm", func(b *bench) { b.desk.Request(mode.EStop) }, "request estop", mode.Cut},
		{"no policy", "start", func(*bench) {}, "no policy is loaded", mode.Disarmed},
		{"not standing", "hold", func(*bench) {}, "not holding a pose", mode.Disarmed},
		{"no fault", "reset", func(*bench) {}, "there is no fault to reset", mode.Disarmed},
		{"a stop", "estop", func(*bench) {}, "", mode.Cut},
		{"another word", "dance", func(*bench) {}, `unknown verb "dance"`, mode.Disarmed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.ticks(20)
				answers := make(chan error, 2)
				b.cmd.Obey(tt.verb, func(_ string, err error) { answers <- err })
				tt.change(b)
				b.ticks(1)
				err := <-answers
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
					t.Errorf("answer %v, want %q", err, tt.want)
				}
				if b.l.Mode() != tt.state {
					t.Errorf("in %v, want %v", b.l.Mode(), tt.state)
				}
				time.Sleep(2 * Patience)
				if len(answers) != 0 {
					t.Error("answered twice")
				}
			})
		})
	}
}

// A loop that hangs is an answer too, and the command is not obeyed later.
func TestALoopThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.ticks(20)
		answers := make(chan error, 2)
		began := time.Now()
		b.cmd.Obey("arm", func(_ string, err error) { answers <- err })
		err := <-answers
		if !errors.Is(err, shared.ErrNoAnswer) || time.Since(began) != Patience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		b.ticks(5)
		if b.l.Mode() != mode.Disarmed {
			t.Errorf("obeyed after the operator was told that it is not: %v", b.l.Mode())
		}
	})
}

func TestCommandsBeforeThereIsALoop(t *testing.T) {
	var c Commands
	var got error
	c.Reachable(false)
	c.Obey("arm", func(_ string, err error) { got = err })
	if got == nil || got.Error() != "robotd is starting" {
		t.Errorf("answer %v", got)
	}
	c.Away()
	c.Obey("reset", func(_ string, err error) { got = err })
	if got == nil || !strings.HasPrefix(got.Error(), "the servos are gone") {
		t.Errorf("answer %v", got)
	}
}

func TestEveryVerbIsARequest(t *testing.T) {
	asked := map[mode.Request]bool{}
	for _, v := range Verbs() {
		if slices.Contains(lease.Verbs(), v) || v == verbPolicy {
			continue // those are others'
		}
		r, ok := request(v)
		if !ok {
			t.Errorf("%s asks for nothing", v)
		}
		asked[r] = true
	}
	if len(asked) != 7 {
		t.Errorf("%d requests have a verb, want 7", len(asked))
	}
}

// What was known of the command link before there was a loop holds from its first tick,
// and a robot whose name another one uses is not armed until that one is gone.
func TestTheLinksNewsReachALoopThatStartsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cmd.Reachable(false)
		b.cmd.Alone(false)
		ring := trace.NewRing(1, 3)
		b.desk = &shared.Desk{}
		b.cfg.Gateway = b.desk
		fresh, err := loop.New(b.cfg, b.fake, nil, ring)
		if err != nil {
			t.Fatal(err)
		}
		b.l = fresh
		b.cmd.Start(b.desk)
		b.ticks(1)
		if s := ring.Next(); !s.Conditions.Has(mode.LinkToBroker) || !s.Failing.Has(mode.CheckName) {
			t.Errorf("first tick: %v, checks %v", s.Conditions, s.Failing)
		}
		ring.Release()
		b.cmd.Reachable(true)
		b.cmd.Alone(true)
		b.ticks(1)
		if s := ring.Next(); s.Conditions.Has(mode.LinkToBroker) || s.Failing.Has(mode.CheckName) {
			t.Errorf("later: %v, checks %v", s.Conditions, s.Failing)
		}
	})
}
