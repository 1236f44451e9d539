package loop

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

func (r *rig) ask(req mode.Request) shared.Ticket {
	r.t.Helper()
	k, err := r.l.Ask(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

func (r *rig) answer(k shared.Ticket) mode.Decision {
	r.t.Helper()
	d, ok := k.Poll()
	if !ok {
		r.t.Fatal("a tick did not answer")
	}
	return d
}

// What holds when a command arrives may hold no more when a tick decides: the
// answer is what the loop did.
func TestAnswerIsWhatTheLoopDid(t *testing.T) {
	tests := []struct {
		name    string
		arm     bool
		request mode.Request
		change  func(r *rig) // after the command arrived
		refused bool
		why     mode.Reason
		failing mode.Check
	}{
		{"arm, then a servo is hot", false, mode.Arm, func(r *rig) { r.fake.TempC = 65 },
			true, mode.ChecksFail, mode.CheckTemperature},
		{"arm, then it leans", false, mode.Arm, func(r *rig) { r.fake.GravityDir = [3]float64{0.7, 0, -0.714} },
			true, mode.ChecksFail, mode.CheckUpright},
		{"arm, nothing changes", false, mode.Arm, func(*rig) {}, false, mode.Requested(mode.Arm), 0},
		{"start, then it falls", true, mode.Activate, func(r *rig) { r.fake.GravityDir = [3]float64{0.9, 0, -0.436} },
			true, mode.Caused(mode.Falling), 0},
		{"start, then an e-stop", true, mode.Activate, func(r *rig) { r.l.Request(mode.EStop) },
			true, mode.Requested(mode.EStop), 0},
		{"start, nothing changes", true, mode.Activate, func(*rig) {}, false, mode.Requested(mode.Activate), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, true)
			r.steps(20)
			if tt.arm {
				r.arm()
				r.fake.GravityDir = [3]float64{0, 0, -1}
			}
			if tt.why == mode.Caused(mode.Falling) { // one tick before the failsafe
				tt.change(r)
				r.step()
			}
			k := r.ask(tt.request)
			if _, answered := k.Poll(); answered {
				t.Fatal("answered before a tick")
			}
			tt.change(r)
			for range 40 { // slow registers take a round
				r.step()
				if tt.refused == r.last.Refused {
					break
				}
			}
			d := r.answer(k)
			if d.Refused != tt.refused || d.Why != tt.why || tt.failing != 0 && !d.Failing.Has(tt.failing) {
				t.Errorf("refused %v because of %v (%v), want %v because of %v", d.Refused, d.Why, d.Failing, tt.refused, tt.why)
			}
			if moved := r.l.Mode() == mode.Arming || r.l.Mode() == mode.Active; moved == tt.refused {
				t.Errorf("the answer was refused %v, the robot is in %v", tt.refused, r.l.Mode())
			}
		})
	}
}

// A command that no tick took in time is withdrawn: it is not obeyed later.
func TestWithdrawnCommandsAreNotObeyed(t *testing.T) {
	r := newRig(t, false)
	r.steps(20)
	k := r.ask(mode.Arm)
	if _, err := k.Withdraw(); !errors.Is(err, shared.ErrNoAnswer) {
		t.Fatalf("error %v", err)
	}
	r.steps(20)
	if r.l.Mode() != mode.Disarmed {
		t.Errorf("obeyed all the same: %v", r.l.Mode())
	}
	k = r.ask(mode.EStop)
	if _, err := k.Withdraw(); !errors.Is(err, shared.ErrNoAnswer) {
		t.Fatalf("error %v", err)
	}
	r.step()
	if r.l.Mode() != mode.Cut && r.l.Mode() != mode.Fault {
		t.Errorf("an e-stop was withdrawn: %v", r.l.Mode())
	}
}

func TestFullMailboxStillStops(t *testing.T) {
	r := newRig(t, false)
	r.arm()
	for full := false; !full; {
		_, err := r.l.Ask(mode.HoldPose)
		full = errors.Is(err, shared.ErrBusy)
	}
	if _, err := r.l.Ask(mode.Activate); !errors.Is(err, shared.ErrBusy) {
		t.Errorf("error %v", err)
	}
	if _, err := r.l.Ask(mode.EStop); !errors.Is(err, shared.ErrBusy) {
		t.Errorf("error %v", err)
	}
	r.step()
	if r.l.Mode() != mode.Cut {
		t.Errorf("the e-stop got lost: %v", r.l.Mode())
	}
}

// Many ask while the loop ticks: each gets exactly one answer, and every arming
// and every stop that was accepted happened.
func TestEveryoneIsAnsweredOnce(t *testing.T) {
	r := newRig(t, false)
	r.steps(20)
	var asking sync.WaitGroup
	var answers, armed, over atomic.Int64
	for n := range 8 {
		asking.Add(1)
		go func() {
			defer asking.Done()
			for i := range 200 {
				req := []mode.Request{mode.Arm, mode.EStop, mode.Reset, mode.Arm}[(i+n)%4]
				k, err := r.l.Ask(req)
				if err != nil {
					continue
				}
				for {
					if d, ok := k.Poll(); ok {
						answers.Add(1)
						if req == mode.Arm && !d.Refused {
							armed.Add(1)
						}
						break
					}
					time.Sleep(50 * time.Microsecond) // let others run; nothing depends on it
				}
			}
			over.Add(1)
		}()
	}
	var transitions int64
	for end := time.Now().Add(time.Minute); over.Load() < 8; {
		if time.Now().After(end) {
			t.Fatal("somebody waits for ever")
		}
		r.step()
		if r.last.From != mode.Arming && r.last.Mode == mode.Arming {
			transitions++
		}
	}
	asking.Wait()
	if answers.Load() < 1000 || (armed.Load() == 0) != (transitions == 0) || armed.Load() < transitions {
		t.Errorf("%d answers, %d times told that it arms, %d times it did", answers.Load(), armed.Load(), transitions)
	}
	r.step()
	for slot := range 16 {
		if _, err := r.l.Ask(mode.Reset); err != nil {
			t.Errorf("%d slots are left, %v", slot, err)
		}
	}
}

func TestMailAllocatesNothingInATick(t *testing.T) {
	r := newRig(t, false)
	r.steps(20)
	if n := testing.AllocsPerRun(50, func() {
		k, _ := r.l.Ask(mode.HoldPose)
		r.l.Tick(Instant{Tick: r.tick})
		r.tick++
		if r.ring.Next() != nil {
			r.ring.Release()
		}
		k.Poll()
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// A tick that looks at a gateway, there or not, leaves nothing for the collector.
func TestATickWithAGatewayAllocatesNothing(t *testing.T) {
	desk := &shared.Desk{}
	c := config(3)
	c.Gateway = desk
	fake, ring := drivertest.NewFake(3), trace.NewRing(4, 3)
	l, err := New(c, fake, nil, ring)
	if err != nil {
		t.Fatal(err)
	}
	for _, beats := range []bool{true, false} {
		tick := int64(0)
		if n := testing.AllocsPerRun(100, func() {
			if beats {
				desk.BeatGateway()
			}
			desk.Tell(mode.LogLost, tick%2 == 0)
			l.Tick(Instant{Tick: tick})
			tick++
			if ring.Next() != nil {
				ring.Release()
			}
		}); n != 0 {
			t.Errorf("the gateway beats %v: %g allocations", beats, n)
		}
	}
	if !l.Finished() {
		t.Error("the loop was not at its end: the test shows less than it says")
	}
}
