package loop_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/follow"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/sensed"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// sways is a controller that plays without end, until it is told otherwise.
type sways struct {
	rest    []float64
	at      int
	playing bool
	spoil   func(dst []float64, at int)
}

func (c *sways) Enter(holdRad []float64) { c.rest, c.playing = append(c.rest[:0], holdRad...), false }
func (c *sways) Stop()                   { c.playing = false }
func (c *sways) Phase() float64          { return 0.5 }
func (c *sways) Act(dst []float64, _ *sensed.Robot, play bool) (bool, error) {
	c.at, c.playing = c.at+1, c.playing || play
	copy(dst, c.rest)
	dst[13] += 0.1 * math.Sin(float64(c.at)/50)
	if c.spoil != nil {
		c.spoil(dst, c.at)
	}
	return !c.playing, nil
}

// fed is a follower to whom references come as it acts, for so many of its acts.
type fed struct {
	*follow.Follower
	desk *follow.Desk
	ref  follow.Reference
	acts int
}

func (c *fed) ready(cfg *loop.Config) {
	latest := shared.NewLatest(len(cfg.Limits))
	c.desk = follow.NewDesk(cfg.Limits, latest)
	c.Follower = follow.NewFollower(latest, cfg.StandRad, 2*tick)
	c.ref.PosRad = append([]float64(nil), cfg.StandRad...)
	c.acts -= int(cfg.MinRamp / (2 * tick)) // it acts from hold on
}

func (c *fed) Act(dst []float64, s *sensed.Robot, play bool) (bool, error) {
	if c.acts--; c.acts > 0 {
		c.ref.Seq, c.ref.TimeNs = c.ref.Seq+1, c.ref.TimeNs+int64(2*tick)
		if err := c.desk.Offer(c.ref, c.ref.TimeNs); err != nil {
			return false, err
		}
	}
	return c.Follower.Act(dst, s, play)
}

// scene is how one condition comes about.
type scene struct {
	what    string              // in words, for the table
	faults  []string            // of the line, from the start
	open    func() *onBus       // nil: a line in lockstep
	happen  func(b *onBus)      // at the time
	every   func(b *onBus) bool // from then on, before a tick; true: it was the tick
	change  func(*loop.Config)
	gateway *shared.Desk // beats until then; nil: none
	early   bool         // happens when arming, not while the controller plays
}

const (
	armAt    = time.Second
	playAt   = 4 * time.Second
	happenAt = 5 * time.Second
	flyFor   = 20 * time.Second
)

// lockstep is the robot on a line without time.
func lockstep(t *testing.T, set setting, faults ...string) *onBus {
	return newSet(t, set, func(l *busemu.Line) (dxl.Port, *busemu.TimedWire) { return busemu.NewWire(l), nil }, faults...)
}

// withBattery tells the loop of a battery, one that is empty within seconds.
func withBattery(c *loop.Config) {
	c.Thresholds.Battery = energy.Pack{Cells: 3, CapacityAh: 0.004, ResistanceOhm: 0.05, IdleA: 0.5}
}

// scenes has one entry for each condition.
func scenes(t *testing.T, ctl *sways) map[mode.Condition]scene {
	line := func(what string, faults ...string) scene { return scene{what: what, faults: faults} }
	outside := func(what string, c mode.Condition) scene {
		return scene{what: what, happen: func(b *onBus) { b.l.External(c, true) }}
	}
	silent := scene{what: "an operator with a lease of 0.5 s falls silent", happen: func(b *onBus) {
		b.l.Lease(int64(happenAt + 500*time.Millisecond))
	}}
	gateway := &shared.Desk{}
	return map[mode.Condition]scene{
		mode.EStopOpen: line("the hub's button is pressed for 50 ms", "button:v=2,at=5s,for=50ms"),
		mode.LoopStuck: {what: "the supervisor has sent torque-off past the loop", happen: func(b *onBus) {
			_ = b.drv.Cut()
			b.l.External(mode.LoopStuck, true)
		}},
		mode.LinkLost:     line("no device answers", "silence:at=5s"),
		mode.TorqueLost:   line("servo 9 restarts", "reboot:id=9,at=5s"),
		mode.Falling:      {what: "the trunk tips over", open: func() *onBus { return lockstep(t, setting{ctl: ctl, tips: happenAt}) }},
		mode.IMULost:      line("the hub repeats its sample", "imu:at=5s"),
		mode.LegServoLost: line("servo 5 is silent", "silence:id=5,at=5s"),
		mode.ArmServoLost: line("servo 16 is silent", "silence:id=16,at=5s"),
		mode.BusNoisy:     line("15 % of all answers vanish", "drop:p=0.15,at=5s"),
		mode.VoltageCut:   line("the supply is at 9.5 V", "brownout:v=9.5,at=5s"),
		mode.VoltageLow:   line("the supply is at 9.7 V", "brownout:v=9.7,at=5s"),
		mode.VoltageWarn:  line("the supply is at 10.2 V", "brownout:v=10.2,at=5s"),
		mode.ChargeLow:    {what: "a small battery, described, is at 10.7 V", faults: []string{"brownout:v=10.7,at=5s"}, change: withBattery},
		mode.ChargeWarn:   {what: "a small battery, described, is at 11.2 V", faults: []string{"brownout:v=11.2,at=5s"}, change: withBattery},
		mode.ServoAlert:   line("the supply is below the servos' own limit", "brownout:v=9.2,at=5s"),
		mode.Overheated:   line("servo 3 is at 75 C", "heat:id=3,v=75,at=5s"),
		mode.Warm:         line("servo 3 is at 65 C", "heat:id=3,v=65,at=5s"),
		mode.LoopOverrun: {what: "the loop is away for 60 ms, three times", every: func(b *onBus) bool {
			if b.tick%20 != 0 || b.tick > int64((happenAt+time.Second)/tick) {
				return false
			}
			b.stall(60 * time.Millisecond)
			return true
		}},
		mode.ServosStopped: {what: "the host is away for 0.3 s, twice", every: func(b *onBus) bool {
			if b.tick%200 != 0 || b.tick > int64((happenAt+3*time.Second)/tick) {
				return false
			}
			b.stall(300 * time.Millisecond)
			return true
		}},
		mode.MonitoringStale: {what: "servo 3 answers no read of its slow registers", open: func() *onBus {
			return newSet(t, setting{ctl: ctl}, func(l *busemu.Line) (dxl.Port, *busemu.TimedWire) {
				w := busemu.NewTimedWire(l, 3_000_000)
				return &noSlow{w, dxl.NewDecoder(4096), time.Unix(0, 0).Add(happenAt), func(id dxl.ID, last int) bool {
					return id == 3 && last >= dxl.HealthAddr && last < dxl.HealthAddr+8
				}}, w
			})
		}},
		mode.PolicyFault: {what: "the policy answers NaN", happen: func(*onBus) {
			ctl.spoil = func(dst []float64, _ int) { dst[4] = math.NaN() }
		}},
		mode.ClampedLong: {what: "the policy jumps to and fro", happen: func(*onBus) {
			ctl.spoil = func(dst []float64, at int) { dst[13] = 3 * float64(1-at%2*2) }
		}},
		mode.Stalled: {what: "a knee is held while it moves", early: true, happen: func(b *onBus) { b.body.Jam(3, true) }},
		mode.ReferenceLost: {what: "live references end while they are followed", open: func() *onBus {
			c := &fed{acts: int((happenAt - armAt) / (2 * tick))}
			return lockstep(t, setting{ctl: c, change: c.ready})
		}},
		mode.GatewayLost:  {what: "the gateway process is gone", gateway: gateway, change: func(c *loop.Config) { c.Gateway = gateway }},
		mode.LeaseLost:    silent,
		mode.LeaseExpired: silent,
		mode.LogLost:      outside("the recorder cannot write", mode.LogLost),
		mode.LinkToBroker: outside("the command link is down", mode.LinkToBroker),
		mode.NameTaken:    outside("another robot of this name is heard", mode.NameTaken),
	}
}

// outcome is what one flight showed of a condition.
type outcome struct {
	seen, acted time.Duration // since it happened; negative: never
	to          mode.State    // where it led first
	end         mode.State
	torque      int // servos that carry it at the end
}

// play flies through a scene and looks for c.
func (sc *scene) play(t *testing.T, ctl *sways, c mode.Condition) outcome {
	at := happenAt
	if sc.early {
		at = armAt
	}
	var b *onBus
	if sc.open != nil {
		b = sc.open()
	} else {
		b = lockstep(t, setting{ctl: ctl, change: sc.change}, sc.faults...)
	}
	o := outcome{seen: -1, acted: -1}
	b.see = func(s *trace.Sample) {
		since := time.Duration(s.Tick)*tick - at
		if o.seen < 0 && s.Conditions.Has(c) && since >= 0 {
			o.seen = since
		}
		if o.acted < 0 && s.From != s.Mode && s.Why == mode.Caused(c) {
			o.acted, o.to = since, s.Mode
		}
	}
	for b.tick < int64(flyFor/tick) {
		switch now := time.Duration(b.tick) * tick; now {
		case armAt:
			b.l.Request(mode.Arm)
		case playAt:
			b.l.Request(mode.Activate)
		}
		if sc.gateway != nil && time.Duration(b.tick)*tick < at {
			sc.gateway.BeatGateway()
		}
		if time.Duration(b.tick)*tick == at && sc.happen != nil {
			sc.happen(b)
		}
		if time.Duration(b.tick)*tick >= at && sc.every != nil && sc.every(b) {
			continue
		}
		began := b.now()
		b.step(0)
		b.passFrom(began)
	}
	o.end, o.torque = b.l.Mode(), b.line.TorqueOn()
	return o
}

// tabled is the state that an action leads to, and where the flight ends.
func tabled(a mode.Action) (to, end mode.State) {
	switch a {
	case mode.ActCut:
		return mode.Cut, mode.Fault
	case mode.ActLimp:
		return mode.Limp, mode.Fault
	case mode.ActSettle:
		return mode.Settle, mode.Disarmed
	case mode.ActHold:
		return mode.Hold, mode.Hold
	}
	return mode.Active, mode.Active // it goes on
}

// coverageFile is written by this test and committed: who reads it sees what was tried.
const coverageFile = "../../docs/failsafes.md"

// Each row of the failsafe table has a source in the code and a flight through the real
// loop on the emulated bus, byte by byte in virtual time, that ends as the table says.
func TestFailsafeCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("flies every row of the table")
	}
	sources := sourcesOf(t)
	var doc strings.Builder
	doc.WriteString(coverageHead)
	for c := range mode.AllConditions() {
		t.Run(c.String(), func(t *testing.T) {
			ctl := &sways{}
			sc, ok := scenes(t, ctl)[c]
			if !ok {
				t.Fatal("no test makes it happen")
			}
			if len(sources[c]) == 0 {
				t.Fatal("nothing in the program sets it: remove the row, or write its source")
			}
			o := sc.play(t, ctl, c)
			action := mode.Answer(c)
			to, end := tabled(action)
			first := o.acted
			if action == mode.ActWarn {
				first, o.to = o.seen, o.end
			}
			if first < 0 || o.to != to {
				t.Errorf("seen after %v, acted on after %v, led to %v; want %v", o.seen, o.acted, o.to, to)
			}
			if worse := end == mode.Disarmed && o.end == mode.Fault || c == mode.LeaseLost && o.end == mode.Disarmed; o.end != end && !worse {
				t.Errorf("ends in %v, want %v", o.end, end)
			}
			if on := o.torque; on > 1 && !o.end.Energised() && c != mode.LinkLost {
				t.Errorf("%d servos carry torque in %v", on, o.end)
			}
			fmt.Fprintf(&doc, "| %v | %v | %s | %s | %d ms | %v | %d |\n", c, action, strings.Join(sources[c], ", "), sc.what,
				first.Milliseconds(), o.end, o.torque)
		})
	}
	if t.Failed() {
		return
	}
	if os.Getenv("MITORI_WRITE") != "" {
		if err := os.WriteFile(coverageFile, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(coverageFile)
	if err != nil || string(committed) != doc.String() {
		t.Errorf("%s (%v) is not what these flights showed; run this test with MITORI_WRITE=1 and look at the difference", coverageFile, err)
	}
}

const coverageHead = `# Failsafe coverage

Written by ` + "`TestFailsafeCoverage`" + ` (` + "`MITORI_WRITE=1 go test ./actuators/loop -run Coverage`" + `): each row of the failsafe table of
[robotd.md](robotd.md), who sets it, and one flight through the real loop with the limits for hardware, on the emulated
bus, byte by byte in virtual time. *After* is from the fault until the action (of a warning: until it is told); *torque*
is how many servos carry it 15 s later: a servo that does not answer keeps what it has.

| Condition | Action | Set by | Flight | After | Ends | Torque |
|---|---|---|---|---|---|---|
`
