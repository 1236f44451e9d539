package loop

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// clip is a controller that plays a sine for a number of control periods.
type clip struct {
	periods, at int
	playing     bool
	entered     int
	err         error
	nan         bool
}

func (c *clip) Enter([]float64) { c.entered++; c.playing, c.at = false, 0 }
func (c *clip) Phase() float64  { return float64(c.at) / float64(c.periods) }
func (c *clip) Act(dst []float64, _ *sensed.Robot, play bool) (bool, error) {
	if c.err != nil {
		return false, c.err
	}
	if play && !c.playing {
		c.playing, c.at = true, 0
	}
	if c.playing {
		if c.at++; c.at >= c.periods {
			c.playing = false
		}
	}
	for j := range dst {
		dst[j] = 0.2
		if c.playing {
			dst[j] += 0.3 * math.Sin(2*math.Pi*float64(c.at)/float64(c.periods))
		}
	}
	if c.nan {
		dst[0] = math.NaN()
	}
	return !c.playing, nil
}

func config(n int) Config {
	cfg := Config{
		RateHz: 100, ControlEvery: 2, MinRamp: MinRamp, PlayOut: 4 * time.Second,
		Thresholds: guard.DefaultThresholds(10.5, 9.9),
		StandRad:   make([]float64, n), SettleRad: make([]float64, n),
	}
	for j := range n {
		cfg.Limits = append(cfg.Limits, guard.Joint{MinRad: -1, MaxRad: 1, GentleRadPerS: 1.5, FullRadPerS: 12, AccelRadPerS2: 1200})
		cfg.Health = append(cfg.Health, guard.Health{Leg: j == 0, StallCurrentA: 2.3, TempWarnC: 60, TempStopC: 70})
		cfg.StandRad[j], cfg.SettleRad[j] = 0.2, -0.1
	}
	return cfg
}

// rig drives a loop tick by tick and checks, in every tick, what must always
// hold.
type rig struct {
	t    *testing.T
	l    *Loop
	fake *drivertest.Fake
	ctl  *clip
	ring *trace.Ring
	tick int64
	last trace.Sample
	prev []float64 // goals of the tick before, nil while torque is off
	why  []mode.Reason
}

func newRig(t *testing.T, withPolicy bool) *rig {
	t.Helper()
	r := &rig{t: t, fake: drivertest.NewFake(3), ring: trace.NewRing(4, 3)}
	var ctl Controller
	if withPolicy {
		r.ctl = &clip{periods: 100}
		ctl = r.ctl
	}
	copy(r.fake.PosRad, []float64{0.4, -0.5, 0.9})
	l, err := New(config(3), r.fake, ctl, r.ring)
	if err != nil {
		t.Fatal(err)
	}
	r.l = l
	return r
}

func (r *rig) step() {
	r.t.Helper()
	writes := r.fake.Writes
	r.l.Tick(Instant{Tick: r.tick, WallNs: r.tick * 1e7})
	r.tick++
	s := r.ring.Next()
	if s == nil {
		r.t.Fatal("a tick left no sample")
	}
	r.last = *s
	if s.From != s.Mode {
		r.why = append(r.why, s.Why)
	}
	r.ring.Release()
	if !s.Mode.Energised() {
		if r.fake.Writes != writes {
			r.t.Fatalf("tick %d: goals written in %v", r.tick, s.Mode)
		}
		r.prev = nil
		return
	}
	for j, q := range r.fake.GoalRad {
		switch {
		case math.IsNaN(q) || q < -1-1e-9 || q > 1+1e-9:
			r.t.Fatalf("tick %d: joint %d sent to %g", r.tick, j, q)
		case r.prev == nil && math.Abs(q-r.fake.PosRad[j]) > 1e-9:
			r.t.Fatalf("first command of joint %d is %g, measured %g", j, q, r.fake.PosRad[j])
		case r.prev != nil && math.Abs(q-r.prev[j]) > 12*0.01+1e-9:
			r.t.Fatalf("tick %d: joint %d stepped by %g", r.tick, j, q-r.prev[j])
		}
	}
	r.prev = append(r.prev[:0], r.fake.GoalRad...)
}

// until steps until the state is reached, at most limit of simulated time.
func (r *rig) until(want mode.State, limit time.Duration) time.Duration {
	r.t.Helper()
	for n := 0; ; n++ {
		d := time.Duration(n) * 10 * time.Millisecond
		if r.l.Mode() == want {
			return d
		}
		if d > limit {
			r.t.Fatalf("%v not reached within %v; in %v, conditions %v, reasons %v", want, limit, r.l.Mode(), r.last.Conditions, r.why)
		}
		r.step()
	}
}

func (r *rig) steps(n int) {
	for range n {
		r.step()
	}
}

func (r *rig) arm() {
	r.t.Helper()
	r.steps(20)
	r.l.Request(mode.Arm)
	r.until(mode.Hold, 5*time.Second)
}

func TestWholeLifeWithoutPolicy(t *testing.T) {
	r := newRig(t, false)
	r.steps(100)
	if r.fake.Writes != 0 || r.fake.TorqueOn {
		t.Fatal("something moved before arming")
	}
	r.l.Request(mode.Arm)
	if took := r.until(mode.Hold, 5*time.Second); took < MinRamp {
		t.Errorf("armed within %v", took)
	}
	r.steps(50)
	for j, q := range r.fake.PosRad {
		if math.Abs(q-0.2) > 1e-3 {
			t.Errorf("joint %d holds %g, want 0.2", j, q)
		}
	}
	if c := r.l.Result().Guard; c != (guard.Counts{}) {
		t.Errorf("the guard had to change the loop's own ramps: %+v", c)
	}
	r.l.Request(mode.Activate)
	r.step()
	if !r.last.Refused || r.last.Why != mode.NoController {
		t.Errorf("activate without a policy: %+v", r.last.Why)
	}
	r.l.Request(mode.Disarm)
	r.until(mode.Disarmed, 5*time.Second)
	r.steps(5)
	if r.fake.TorqueOn || !r.last.TorqueOff {
		t.Error("torque is on after disarming")
	}
	for j, q := range r.fake.PosRad {
		if math.Abs(q+0.1) > 1e-3 {
			t.Errorf("joint %d settled at %g, want -0.1", j, q)
		}
	}
}

func TestPolicyPlaysOnceAndDisarmLetsItFinish(t *testing.T) {
	r := newRig(t, true)
	r.arm()
	r.l.Request(mode.Activate)
	r.until(mode.Active, time.Second)
	if d := r.until(mode.Hold, 5*time.Second); d < 1900*time.Millisecond || d > 2100*time.Millisecond {
		t.Errorf("100 periods of 20 ms took %v", d)
	}
	if r.ctl.entered != 1 {
		t.Errorf("the controller was entered %d times", r.ctl.entered)
	}
	r.l.Request(mode.Activate)
	r.until(mode.Active, time.Second)
	r.steps(50)
	r.l.Request(mode.Disarm)
	r.step()
	if r.l.Mode() != mode.Settle || !r.ctl.playing {
		t.Fatalf("after disarm: %v, playing %v", r.l.Mode(), r.ctl.playing)
	}
	r.until(mode.Disarmed, 6*time.Second)
	if r.ctl.playing {
		t.Error("the motion was cut short")
	}
}

// Every fault, injected while the policy plays: the tabled state, torque off in
// bounded time, and no way back without an operator.
func TestFaultsEndInTheTabledState(t *testing.T) {
	tests := []struct {
		name   string
		inject func(r *rig)
		end    mode.State
		why    mode.Reason
		within time.Duration
	}{
		{"port gone", func(r *rig) { r.fake.Gone = true }, mode.Fault, mode.Caused(mode.LinkLost), 600 * time.Millisecond},
		{"all silent", func(r *rig) {
			for j := range r.fake.Silent {
				r.fake.Silent[j] = true
			}
		}, mode.Fault, mode.Caused(mode.LinkLost), 700 * time.Millisecond},
		{"leg silent", func(r *rig) { r.fake.Silent[0] = true }, mode.Fault, mode.Caused(mode.LegServoLost), 1100 * time.Millisecond},
		{"arm silent", func(r *rig) { r.fake.Silent[2] = true }, mode.Disarmed, mode.Caused(mode.ArmServoLost), 4 * time.Second},
		{"tilt", func(r *rig) { r.fake.GravityDir = [3]float64{0.9, 0, -math.Sqrt(1 - 0.81)} }, mode.Fault, mode.Caused(mode.Falling), 1100 * time.Millisecond},
		{"IMU silent", func(r *rig) { r.fake.IMUSilent = true }, mode.Fault, mode.Caused(mode.IMULost), 1100 * time.Millisecond},
		{"over-temperature", func(r *rig) { r.fake.TempC = 71 }, mode.Disarmed, mode.Caused(mode.Overheated), 4 * time.Second},
		{"empty battery", func(r *rig) { r.fake.BusV = 9 }, mode.Fault, mode.Caused(mode.VoltageCut), 9 * time.Second},
		{"servo error", func(r *rig) { r.fake.Alert = 0x20 }, mode.Disarmed, mode.Caused(mode.ServoAlert), 4 * time.Second},
		{"policy error", func(r *rig) { r.ctl.err = errors.New("late") }, mode.Disarmed, mode.Caused(mode.PolicyFault), 4 * time.Second},
		{"policy NaN", func(r *rig) { r.ctl.nan = true }, mode.Disarmed, mode.Caused(mode.PolicyFault), 4 * time.Second},
		{"e-stop", func(r *rig) { r.l.Request(mode.EStop) }, mode.Fault, mode.Requested(mode.EStop), 20 * time.Millisecond},
		{"stop button", func(r *rig) { r.l.External(mode.EStopOpen, true) }, mode.Fault, mode.Caused(mode.EStopOpen), 20 * time.Millisecond},
		{"torque lost", func(r *rig) { r.fake.TorqueOn = false }, mode.Fault, mode.Caused(mode.TorqueLost), 1100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, true)
			r.arm()
			r.l.Request(mode.Activate)
			r.steps(40)
			r.why = nil
			tt.inject(r)
			r.until(tt.end, tt.within)
			r.steps(3)
			if r.why[0] != tt.why && tt.name != "empty battery" {
				t.Errorf("first reason %v, want %v", r.why[0], tt.why)
			}
			if r.fake.TorqueOn && !r.fake.Gone {
				t.Error("torque is on")
			}
			if known := tt.name != "port gone" && !strings.HasSuffix(tt.name, "silent") || tt.name == "IMU silent"; r.last.TorqueOff != known {
				t.Errorf("torque-off confirmed: %v, want %v", r.last.TorqueOff, known)
			}
			r.steps(500)
			if r.l.Mode() != tt.end {
				t.Errorf("left %v by itself for %v", tt.end, r.l.Mode())
			}
		})
	}
}

// Servos that their own watchdog stopped, because this host was silent, are taken
// up from where they stand; a host that is silent again soon must not go on.
func TestStoppedServosAreTakenUpOnce(t *testing.T) {
	r := newRig(t, true)
	r.arm()
	r.ctl.periods = 1000
	r.l.Request(mode.Activate)
	r.steps(40)
	sagged := r.fake.PosRad[1] - 0.4 // the load moves a joint meanwhile
	r.fake.Stopped, r.fake.PosRad[1] = true, sagged
	r.l.Tick(Instant{Tick: r.tick})
	if r.fake.Stopped {
		t.Fatal("not taken up")
	}
	if d := math.Abs(r.fake.GoalRad[1] - sagged); d > 0.12+1e-9 { // one tick at the joint's largest acceleration
		t.Errorf("the first goal is %g rad from the measured pose", d)
	}
	for r.ring.Next() != nil {
		r.ring.Release()
	}
	r.prev = append(r.prev[:0], r.fake.GoalRad...)
	r.steps(100)
	if d := math.Abs(r.fake.PosRad[1] - r.fake.GoalRad[1]); r.l.Mode() != mode.Active || d > 0.05 {
		t.Errorf("a second later: %v, %g rad from the goal", r.l.Mode(), d)
	}
	if n := r.l.Result().TakenUp; n != 1 {
		t.Errorf("counted %d times", n)
	}
	r.why = nil
	r.fake.Stopped = true
	r.step()
	if r.l.Mode() != mode.Settle || r.why[0] != mode.Caused(mode.ServosStopped) {
		t.Errorf("after the second time: %v because of %v", r.l.Mode(), r.why)
	}
	r.until(mode.Disarmed, 5*time.Second)
	if q := r.fake.PosRad[1]; math.Abs(q+0.1) > 1e-3 {
		t.Errorf("settled at %g rad, want -0.1: the servos were not taken up", q)
	}
}

func TestFallIsRecorded(t *testing.T) {
	r := newRig(t, false)
	r.arm()
	r.fake.GyroRadPerS = [3]float64{0, 7, 0}
	r.until(mode.Limp, time.Second)
	if s := r.l.Result(); !s.Fell || s.FirstCause != mode.Caused(mode.Falling) {
		t.Errorf("fell %v, cause %v", s.Fell, s.FirstCause)
	}
}

// A falling robot is damped: its goals follow the measured pose.
func TestLimpFollowsTheMeasuredPose(t *testing.T) {
	r := newRig(t, true)
	r.arm()
	r.fake.GyroRadPerS = [3]float64{7, 0, 0}
	r.until(mode.Limp, time.Second)
	r.fake.SpeedRad = 0 // weaker than the fall
	for range 50 {
		r.fake.PosRad[1] -= 0.01 // the fall moves the joint
		r.step()
		if r.l.Mode() != mode.Limp {
			break
		}
		if d := math.Abs(r.fake.GoalRad[1] - r.last.Robot.PosRad[1]); d > 1e-9 {
			t.Fatalf("goal %g rad from the measured pose", d)
		}
	}
}

func TestArmingIsRefusedByName(t *testing.T) {
	r := newRig(t, false)
	r.fake.TempC = 65
	r.fake.GravityDir = [3]float64{0.7, 0, -math.Sqrt(1 - 0.49)}
	r.steps(20)
	r.l.Request(mode.Arm)
	r.step()
	if !r.last.Refused || r.last.Why != mode.ChecksFail || !r.last.Failing.Has(mode.CheckTemperature) || !r.last.Failing.Has(mode.CheckUpright) {
		t.Errorf("refused %v because %v: %v", r.last.Refused, r.last.Why, r.last.Failing)
	}
	if r.l.Mode() != mode.Disarmed || r.fake.TorqueOn {
		t.Error("armed all the same")
	}
}

func TestServoThatIgnoresTorqueOn(t *testing.T) {
	r := newRig(t, false)
	r.steps(20)
	r.fake.Deaf = true
	r.l.Request(mode.Arm)
	r.until(mode.Fault, 3*time.Second)
	if r.why[1] != mode.Caused(mode.TorqueLost) {
		t.Errorf("reasons %v", r.why)
	}
}

func TestResetThenArmAgain(t *testing.T) {
	r := newRig(t, true)
	r.arm()
	r.l.Request(mode.EStop)
	r.until(mode.Fault, time.Second)
	r.l.Request(mode.Arm)
	r.step()
	if r.last.Why != mode.FaultLatched {
		t.Errorf("arm in fault: %v", r.last.Why)
	}
	r.l.Request(mode.Reset)
	r.until(mode.Disarmed, time.Second)
	copy(r.fake.PosRad, []float64{-0.7, 0.1, 0})
	r.arm()
	if r.ctl.entered != 1 {
		r.steps(3)
	}
}

func TestStrongestRequestWins(t *testing.T) {
	r := newRig(t, false)
	r.arm()
	r.l.Request(mode.EStop)
	r.l.Request(mode.Arm)
	r.step()
	if r.l.Mode() != mode.Cut {
		t.Errorf("an e-stop was replaced by a later request: %v", r.l.Mode())
	}
}

// A loop that hardly gets to run keeps its time limits by the clock.
func TestTimeLimitsCountSkippedTicks(t *testing.T) {
	r := newRig(t, true)
	r.ctl.periods = 10000
	r.arm()
	r.l.Request(mode.Activate)
	r.steps(10)
	r.l.Request(mode.Disarm)
	elapsed := time.Duration(0)
	for r.l.Mode() != mode.Disarmed && r.l.Mode() != mode.Fault {
		r.l.Tick(Instant{Tick: r.tick, Skipped: 9})
		r.tick += 10
		elapsed += 100 * time.Millisecond
		if r.ring.Next() != nil {
			r.ring.Release()
		}
		if elapsed > time.Minute {
			t.Fatalf("still in %v after a minute", r.l.Mode())
		}
	}
	if elapsed > mode.SettleTimeout+mode.CutTimeout+time.Second {
		t.Errorf("settled in %v", elapsed)
	}
}
