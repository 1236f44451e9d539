package guard

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/fall"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// rig is a two-servo robot (a leg and an arm) in perfect health.
type rig struct {
	m    *Monitor
	o    Observation
	tick int
}

func newRig() *rig {
	health := []Health{
		{Leg: true, StallCurrentA: 2.3, TempWarnC: 60, TempStopC: 70},
		{StallCurrentA: 2.3, TempWarnC: 60, TempStopC: 70},
	}
	s := driver.NewState(2)
	for j := range 2 {
		s.Fresh[j], s.TempC[j], s.BusV[j], s.TorqueOn[j] = true, 35, 12, true
	}
	s.IMUFresh = true
	return &rig{m: NewMonitor(health, DefaultThresholds(10.5, 9.9), period), o: Observation{State: s, GoalRad: make([]float64, 2), Energised: true}}
}

// run observes n ticks and returns the last conditions.
func (r *rig) run(n int) (c mode.Conditions) {
	for range n {
		r.tick++
		r.o.State.GyroRadPerS[0] = 1e-4 * float64(r.tick%3) // a live sensor is never still
		c = r.m.Observe(r.o)
	}
	return c
}

func tilted(rad float64) spatial.Vec3 { return spatial.Vec3{math.Sin(rad), 0, -math.Cos(rad)} }

// Each fault: not reported one tick too early, reported in time, gone when it is
// over.
func TestEachFaultIsDetectedInTime(t *testing.T) {
	tests := []struct {
		name   string
		inject func(o *Observation)
		want   mode.Condition
		ticks  int // it must appear exactly in this tick
	}{
		{"port gone", func(o *Observation) { o.ReadErr = driver.ErrLinkLost }, mode.LinkLost, 1},
		{"all silent", func(o *Observation) { o.State.Fresh[0], o.State.Fresh[1] = false, false }, mode.LinkLost, 5},
		{"leg silent", func(o *Observation) { o.State.Fresh[0] = false }, mode.LegServoLost, 5},
		{"arm silent", func(o *Observation) { o.State.Fresh[1] = false }, mode.ArmServoLost, 5},
		{"bus noisy", func(o *Observation) { o.State.Fresh[1] = false }, mode.BusNoisy, 11},
		{"IMU silent", func(o *Observation) { o.State.IMUFresh = false }, mode.IMULost, 3},
		{"IMU broken", func(o *Observation) { o.State.GravityDir[0] = math.NaN() }, mode.IMULost, 1},
		{"tilted", func(o *Observation) { o.State.GravityDir = tilted(1.01) }, mode.Falling, 2},
		{"spinning", func(o *Observation) { o.State.GyroRadPerS[1] = 6.1 }, mode.Falling, 2},
		{"warm", func(o *Observation) { o.State.TempC[1] = 60 }, mode.Warm, 1},
		{"hot", func(o *Observation) { o.State.TempC[1] = 70 }, mode.Overheated, 1},
		{"alert", func(o *Observation) { o.State.Alert[0] = 0x20 }, mode.ServoAlert, 1},
		{"stalled", func(o *Observation) { o.State.CurrentA[0], o.GoalRad[0] = -2, -0.2 }, mode.Stalled, 50},
		{"policy", func(o *Observation) { o.PolicyBad = true }, mode.PolicyFault, 3},
		{"overruns", func(o *Observation) { o.Skipped = 1 }, mode.LoopOverrun, 3},
		{"torque lost", func(o *Observation) { o.State.TorqueOn[1] = false }, mode.TorqueLost, 1},
		{"clamped", func(o *Observation) { o.Clamp.LargestRad = 0.06 }, mode.ClampedLong, 81},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig()
			if c := r.run(200); c != 0 {
				t.Fatalf("healthy robot: %v", c)
			}
			healthy := *r.o.State
			healthy.Fresh = append([]bool(nil), r.o.State.Fresh...)
			tt.inject(&r.o)
			for i := 1; i < tt.ticks; i++ {
				if c := r.run(1); c.Has(tt.want) {
					t.Fatalf("reported after %d ticks, want %d", i, tt.ticks)
				}
			}
			if c := r.run(1); !c.Has(tt.want) {
				t.Fatalf("after %d ticks: %v", tt.ticks, c)
			}
		})
	}
}

func TestSupplyIsFilteredAndGraded(t *testing.T) {
	r := newRig()
	r.run(100)
	r.o.State.BusV[1] = 9 // sag of a tenth of a second
	if c := r.run(10); c != 0 {
		t.Errorf("a short sag: %v", c)
	}
	c := r.run(1000)
	if !c.Has(mode.VoltageWarn) || !c.Has(mode.VoltageLow) || !c.Has(mode.VoltageCut) {
		t.Errorf("an empty battery: %v at %.2f V", c, r.m.SupplyV())
	}
	r.o.State.BusV[1] = 10.2
	if c := r.run(1000); c != 1<<mode.VoltageWarn {
		t.Errorf("10.2 V: %v", c)
	}
}

func TestWindingModelActsBelowTheSensorLimit(t *testing.T) {
	r := newRig()
	r.o.State.CurrentA[0], r.o.State.TempC[0] = 2.3, 50 // held against an obstacle, case still cool
	ticks := 0
	for ; ticks < 120*100; ticks++ {
		if r.run(1).Has(mode.Overheated) {
			break
		}
	}
	if ticks < 500 || ticks >= 120*100 {
		t.Errorf("a stalled winding was stopped after %d ticks", ticks)
	}
	if r = newRig(); func() bool { r.o.State.CurrentA[0] = 0.6; return r.run(60000).Has(mode.Overheated) }() {
		t.Error("ten minutes at 0.6 A were taken for overheating")
	}
}

func TestFrozenIMU(t *testing.T) {
	r := newRig()
	r.run(10)
	for i := range 101 {
		c := r.m.Observe(r.o)
		if i < 95 && c.Has(mode.IMULost) {
			t.Fatalf("frozen after %d ticks", i)
		}
		if i == 100 && !c.Has(mode.IMULost) {
			t.Fatal("an IMU that repeats itself for a second was trusted")
		}
	}
}

func TestArmingChecks(t *testing.T) {
	limits := []Joint{joint(), joint()}
	tests := []struct {
		name   string
		inject func(s *driver.State)
		want   mode.Check
	}{
		{"stale", func(s *driver.State) { s.Fresh[1] = false }, mode.CheckFresh},
		{"encoder", func(s *driver.State) { s.PosRad[0] = 1.6 }, mode.CheckEncoder},
		{"encoder NaN", func(s *driver.State) { s.PosRad[0] = math.NaN() }, mode.CheckEncoder},
		{"tilted", func(s *driver.State) { s.GravityDir = tilted(0.6) }, mode.CheckUpright},
		{"imu", func(s *driver.State) { s.IMUFresh = false }, mode.CheckIMU},
		{"warm", func(s *driver.State) { s.TempC[0] = 65 }, mode.CheckTemperature},
		{"voltage", func(s *driver.State) { s.BusV[0] = 9 }, mode.CheckVoltage},
		{"alert", func(s *driver.State) { s.Alert[1] = 4 }, mode.CheckServoError},
		{"torque", func(s *driver.State) { s.TorqueOn[1] = true }, mode.CheckTorqueOff},
	}
	for _, tt := range tests {
		r := newRig()
		r.o.Energised = false
		r.o.State.TorqueOn[0], r.o.State.TorqueOn[1] = false, false
		if f := r.m.Checks(r.o.State, r.run(100), limits); f != 0 {
			t.Fatalf("healthy: %v", f)
		}
		tt.inject(r.o.State)
		if f := r.m.Checks(r.o.State, r.run(400), limits); !f.Has(tt.want) {
			t.Errorf("%s: %v", tt.name, f)
		}
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	r := newRig()
	if n := testing.AllocsPerRun(100, func() { r.run(1) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// The monitor lets go of a robot that tilts before it counts as fallen: soft servos meet the floor.
func TestLettingGoComesBeforeTheFall(t *testing.T) {
	if tilt := DefaultThresholds(11, 10).TiltRad; !(tilt < fall.TiltRad) {
		t.Errorf("the monitor lets go at %g rad, a robot has fallen at %g", tilt, fall.TiltRad)
	}
}

// A servo in the cold may be armed, also at and below freezing; one that was never read
// may not.
func TestAColdServoMayArm(t *testing.T) {
	for _, tt := range []struct {
		tempC float64
		fails bool
	}{{25, false}, {0, false}, {-5, false}, {math.NaN(), true}, {65, true}} {
		m, s, joints := calmRobot(t, DefaultThresholds(10.5, 9.9))
		s.TempC[1] = tt.tempC
		var c mode.Conditions
		for i := range 20 {
			s.IMUSample = uint16(i)
			c = m.Observe(Observation{State: s, GoalRad: make([]float64, 2)})
		}
		if f := m.Checks(s, c, joints); f.Has(mode.CheckTemperature) != tt.fails || f&^(1<<mode.CheckTemperature) != 0 {
			t.Errorf("%g C: checks fail: %v", tt.tempC, f)
		}
	}
}

// A robot without an inertial sensor has nothing that could be lost, and arms; one with
// a sensor that is silent does not.
func TestARobotWithoutIMU(t *testing.T) {
	for _, none := range []bool{true, false} {
		th := DefaultThresholds(10.5, 9.9)
		th.NoIMU = none
		m, s, joints := calmRobot(t, th)
		s.IMUFresh = false
		var c mode.Conditions
		for range 20 {
			c = m.Observe(Observation{State: s, GoalRad: make([]float64, 2)})
		}
		if lost := m.Checks(s, c, joints).Has(mode.CheckIMU); lost == none || c.Has(mode.IMULost) == none {
			t.Errorf("no sensor described: %v; check fails %v, conditions %v", none, lost, c)
		}
	}
}

// calmRobot is a monitor of two joints, and a state in which nothing is wrong.
func calmRobot(t *testing.T, th Thresholds) (*Monitor, *driver.State, []Joint) {
	t.Helper()
	health := []Health{{TempWarnC: 60, TempStopC: 70}, {TempWarnC: 60, TempStopC: 70}}
	s := driver.NewState(2)
	for j := range health {
		s.Fresh[j], s.TempC[j], s.BusV[j] = true, 25, 12
	}
	s.IMUFresh = true
	return NewMonitor(health, th, 0.01), s, []Joint{{MinRad: -1, MaxRad: 1}, {MinRad: -1, MaxRad: 1}}
}

// A joint that gets less torque: the share falls evenly with the winding and with the case,
// the colder of the two decides nothing, and the robot is to sit down exactly when what the
// joint lately gave, with its reserve, is more than that.
func TestTorqueIsDeratedAndNeverBelowWhatIsNeeded(t *testing.T) {
	th, h := DefaultThresholds(10.5, 9.9), Health{StallCurrentA: 2.3, TempDerateC: 65, TempStopC: 70}
	for _, tt := range []struct{ caseC, windingC, want float64 }{
		{30, 30, 1}, {65, 100, 1}, {30, 105, 0.74}, {67.5, 30, 0.74}, {67.5, 109, 0.54}, {70, 30, 0.5}, {30, 200, 0.5},
	} { // steps of 0.02, never above the line
		if got := th.TorqueShare(&h, tt.caseC, tt.windingC); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("case %g C, winding %g C: %g, want %g", tt.caseC, tt.windingC, got, tt.want)
		}
	}
	for _, amps := range []float64{0.3, 0.9, 1.3, 1.7} {
		r := newRig()
		r.m.health[0].TempDerateC = 65
		r.o.State.CurrentA[0] = amps
		r.run(300)
		for caseC := 60.0; ; caseC += 0.05 {
			r.o.State.TempC[0] = caseC
			hot := r.run(1).Has(mode.Overheated)
			share := r.m.Torque()[0]
			if r.m.Torque()[1] != 1 {
				t.Fatalf("the other joint may use %g", r.m.Torque()[1])
			}
			if short := share < 1 && 1.3*amps/2.3 > share; hot != (short || caseC >= 70) {
				t.Errorf("%g A at %.2f C, may use %g: overheated %v", amps, caseC, share, hot)
			}
			if hot {
				break
			}
		}
	}
}

// What a joint needed is forgotten slowly, and with the torque.
func TestNeedIsRemembered(t *testing.T) {
	r := newRig()
	r.m.health[0].TempDerateC = 65
	r.o.State.CurrentA[0] = 2
	r.run(100)
	r.o.State.CurrentA[0] = 0
	r.o.State.TempC[0] = 67.5
	if !r.run(200).Has(mode.Overheated) {
		t.Error("what it needed two seconds ago is forgotten")
	}
	if r.run(1500).Has(mode.Overheated) {
		t.Error("what it needed 17 seconds ago is not forgotten")
	}
	r.o.State.CurrentA[0] = 2
	r.run(100)
	if r.m.Rearm(); r.m.need[0] != 0 {
		t.Error("a new flight remembers the one before")
	}
}

// A joint that may use half of its torque is stalled at half of the current.
func TestAWeakJointStalls(t *testing.T) {
	r := newRig()
	r.o.Torque = []float64{0.5, 1}
	r.o.State.CurrentA[0], r.o.GoalRad[0] = -0.9, -0.2
	if !r.run(50).Has(mode.Stalled) {
		t.Error("not noticed")
	}
	if r.o.Torque[0] = 1; r.run(50).Has(mode.Stalled) {
		t.Error("0.9 A of 2.3 are no stall of a joint with all of its torque")
	}
}
