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
