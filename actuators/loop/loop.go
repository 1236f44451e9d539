// Package loop is the control loop: once a tick it reads the bus, judges what
// it sees, decides the operating state, obtains goals, passes them through the
// guard, writes them, and leaves a sample of it all in a ring.
//
// Everything a tick reaches runs without allocation, log, lock, channel or map.
// Requests and external conditions arrive as atomics; the decision on a command
// goes back to whoever asked ([Loop.Ask]); results leave through trace.Ring.
// [Loop.Tick] takes time as an argument and never sleeps, so tests and lockstep
// simulations drive it as fast as they like; [Loop.Run] is the same tick on absolute
// deadlines of the real clock.
//
// What is not here: what a policy is (Controller is declared here and
// implemented elsewhere), serial ports, files, operators.
package loop

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// Controller turns what was measured into goals. It is used by the loop's
// goroutine only; Act allocates nothing.
type Controller interface {
	// Enter is called when the loop hands the robot over, before the first
	// Act. holdRad is the pose commanded so far.
	Enter(holdRad []float64)
	// Act stores the wanted joint angles (rad, description order) for the
	// next control period. With play it begins the motion unless it is being
	// played; without, it finishes what is being played, then stands. standing
	// reports that nothing is being played. An error makes the loop keep the
	// previous goals and count the failure.
	Act(dst []float64, s *sensed.Robot, play bool) (standing bool, err error)
	// Stop breaks off what is being played: the following Acts lead to the standing
	// pose within a second. It does nothing while nothing is being played.
	Stop()
	// Phase is how far the motion is, 0..1, for the record.
	Phase() float64
}

// Paced is a [Controller] that can play slower, to spare a robot that is warm.
type Paced interface {
	// Pace is told before every Act how fast to play, as a share of the motion's own
	// speed, 1 for as it is.
	Pace(share float64)
}

// Led is a [Controller] that follows somebody, who may be lost.
type Led interface {
	// Lost says that there is nothing to follow although following was asked for.
	Lost() bool
}

// Config is what the loop needs to know about the robot.
type Config struct {
	RateHz       int
	ControlEvery int // ticks per control period
	Limits       []guard.Joint
	Health       []guard.Health
	Thresholds   guard.Thresholds
	StandRad     []float64     // held after arming
	SettleRad    []float64     // reached before torque goes off
	MinRamp      time.Duration // at least 1.5 s
	PlayOut      time.Duration // how long a motion may go on after a request to disarm
	Latched      bool          // begin in a fault: nothing arms before somebody has reset it

	// Gateway, if set, is where orders come from and decisions go; whoever writes there is
	// another process, whose heartbeat is judged.
	Gateway *shared.Desk
	// Began, if set, is told before the first tick of Run what the system did not
	// permit. It must not block.
	Began func(notes []string)
	// NowNs is the clock by which reads and decisions of the controller are timed, ns; nil:
	// that of the machine. A simulation has its own.
	NowNs func() int64
}

// MinRamp is the shortest ramp out of the measured pose.
const MinRamp = 1500 * time.Millisecond

// MaxPlayOut leaves a settling robot time to sit down within its time limit.
const MaxPlayOut = mode.SettleTimeout - 2500*time.Millisecond

// Loop owns the robot. Make one with [New].
type Loop struct {
	cfg   Config
	drv   driver.Driver
	ctl   Controller
	guard *guard.Guard
	mon   *guard.Monitor
	ring  *trace.Ring

	desk     *shared.Desk
	gateway  heartbeat
	request  atomic.Uint32 // wants no answer
	external atomic.Uint32
	stop     atomic.Bool
	pulse    atomic.Uint64 // ticks that ended, twice; plus one if there may be torque

	period   time.Duration
	state    *driver.State
	sensed   sensed.Robot // state as a controller sees it
	machine  mode.Machine
	paced    Paced // the controller, if it is one; nil: it is none
	led      Led   // likewise
	rules    mode.Rules
	linkGone bool // the latest read found the port gone
	ramp     ramp
	want     []float64 // before the guard
	goal     []float64 // after it
	applied  []float64 // as sent
	heard    []float64 // of applied, what was sent when the servo was last heard of
	clamp    guard.Report
	catchUp  bool // servos were taken up, and the commands have not caught up yet

	// What this tick was told and did, for the record.
	asked   trace.Asked
	outside mode.Conditions
	calls   trace.Calls
	act     trace.Act
	takenUp []float64

	torque   []float64 // share of its torque that each servo may use, as sent
	torqueAt int64     // ticks since that changed

	stats Stats
}

// New returns a loop that is disarmed. ctl may be nil: the robot then only
// holds its pose. ring may be nil.
func New(cfg Config, drv driver.Driver, ctl Controller, ring *trace.Ring) (*Loop, error) {
	n := len(cfg.Limits)
	switch {
	case cfg.RateHz < 1 || cfg.RateHz > clock.MaxRateHz:
		return nil, fmt.Errorf("loop: rate %d Hz; legal: 1..%d Hz", cfg.RateHz, clock.MaxRateHz)
	case cfg.ControlEvery < 1:
		return nil, fmt.Errorf("loop: %d ticks per control period; legal: 1 or more", cfg.ControlEvery)
	case len(cfg.Health) != n || len(cfg.StandRad) != n || len(cfg.SettleRad) != n:
		return nil, fmt.Errorf("loop: %d limits, %d servo limits, poses of %d and %d joints; legal: the same number of each",
			n, len(cfg.Health), len(cfg.StandRad), len(cfg.SettleRad))
	case cfg.MinRamp < MinRamp:
		return nil, fmt.Errorf("loop: shortest ramp %v; legal: %v or more", cfg.MinRamp, MinRamp)
	case cfg.PlayOut < 0 || cfg.PlayOut > MaxPlayOut:
		return nil, fmt.Errorf("loop: play-out %v; legal: 0..%v", cfg.PlayOut, MaxPlayOut)
	}
	for j, l := range cfg.Limits {
		for _, q := range []float64{cfg.StandRad[j], cfg.SettleRad[j]} {
			if !(q >= l.MinRad && q <= l.MaxRad) {
				return nil, fmt.Errorf("loop: pose of joint %d is %g rad; legal: %g..%g rad", j, q, l.MinRad, l.MaxRad)
			}
		}
	}
	desk := cfg.Gateway
	if desk == nil {
		desk = &shared.Desk{}
	}
	period := 1 / float64(cfg.RateHz)
	if cfg.NowNs == nil {
		cfg.NowNs = realtime.NowNs
	}
	g, err := guard.New(cfg.Limits, period)
	if err != nil {
		return nil, fmt.Errorf("loop: %w", err)
	}
	paced, _ := ctl.(Paced)
	led, _ := ctl.(Led)
	l := &Loop{
		paced: paced, led: led, cfg: cfg, drv: drv, ctl: ctl, guard: g, ring: ring, desk: desk,
		gateway: heartbeat{limit: int64(cfg.Thresholds.GatewayS * float64(cfg.RateHz))},
		mon:     guard.NewMonitor(cfg.Health, cfg.Thresholds, period),
		period:  time.Second / time.Duration(cfg.RateHz),
		state:   driver.NewState(n), ramp: newRamp(n),
		want: make([]float64, n), goal: make([]float64, n), applied: make([]float64, n), heard: make([]float64, n), takenUp: make([]float64, n),
		torque: make([]float64, n),
		rules:  mode.Rules{RateHz: cfg.RateHz, ControlEvery: cfg.ControlEvery, PlayOut: cfg.PlayOut, CanPlay: ctl != nil},
		stats:  Stats{Joints: n, RateHz: cfg.RateHz},
	}
	l.allTorque()
	if cfg.Latched {
		l.machine.State = mode.Fault
	}
	return l, nil
}

// Request asks for a change of state and wants no answer ([Loop.Ask] does). It may
// be called from any goroutine. Of several requests within one tick the strongest
// counts; an e-stop is never lost.
func (l *Loop) Request(r mode.Request) {
	for {
		old := l.request.Load()
		if old >= uint32(r) || l.request.CompareAndSwap(old, uint32(r)) {
			return
		}
	}
}

// External sets or clears a condition that the loop cannot see by itself, such
// as a recorder that cannot write. Any goroutine may call it.
func (l *Loop) External(c mode.Condition, on bool) {
	for {
		old := l.external.Load()
		set := mode.Conditions(old)
		set.Set(c, on)
		if l.external.CompareAndSwap(old, uint32(set)) {
			return
		}
	}
}

// Lease says until when an operator is sure to be there, see shared.Desk. Any goroutine may
// call it.
func (l *Loop) Lease(untilNs int64) { l.desk.Lease(untilNs) }

// Ask hands the loop a request whose answer is wanted. Any goroutine may call it.
func (l *Loop) Ask(r mode.Request) (shared.Ticket, error) { return l.desk.Ask(r) }

// Pulse is what a supervisor looks at; any goroutine may.
func (l *Loop) Pulse() (ticks uint64, torque bool) {
	p := l.pulse.Load()
	return p >> 1, p&1 == 1
}

// beat shows how many ticks have ended and whether there may be torque.
func (l *Loop) beat(ended uint64) {
	p := (l.pulse.Load()>>1 + ended) << 1
	if l.machine.Torque != mode.TorqueOff {
		p |= 1
	}
	l.pulse.Store(p)
	l.desk.BeatLoop()
}

// StuckAfter is how long the loop may stand still while there is torque.
func (l *Loop) StuckAfter() time.Duration {
	return time.Duration(l.cfg.Thresholds.StuckS * float64(time.Second))
}

// Abandoned is what can be said of a loop that stands still and will not come back.
func (l *Loop) Abandoned() Stats {
	return Stats{
		Joints: l.stats.Joints, RateHz: l.stats.RateHz, End: mode.Fault, FirstCause: mode.Caused(mode.LoopStuck),
		Notes: []string{"the loop stood still in its driver and was given up; the counts are those of its ticks until then"},
	}
}

// Stop makes Run return once the robot carries no torque; it asks for a
// controlled stop first.
func (l *Loop) Stop() {
	l.stop.Store(true)
	l.Request(mode.Disarm)
}
