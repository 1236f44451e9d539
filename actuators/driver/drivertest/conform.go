package drivertest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
)

// Rig is one fresh robot for the conformance suite.
type Rig struct {
	Driver driver.Driver
	Joints int
	// SafeRad is a pose inside every joint's limits, at least 0.1 rad from the
	// present pose in some joint.
	SafeRad []float64
	// ResolutionRad is the largest difference between a goal inside the limits
	// and what the servo is really asked for.
	ResolutionRad float64
	// Pass lets time go by so that joints may move.
	Pass func()
	// Cut breaks the link for good; nil when the rig cannot.
	Cut func()
	// Hold makes every answer come late by so much more than it is waited for, until it is
	// told 0; nil when the rig cannot.
	Hold func(d time.Duration)
	// Now is the driver's clock; nil: time.Now.
	Now func() time.Time
	// Torque counts the servos that really have torque; nil when the rig cannot tell.
	Torque func() int
}

// Conform runs the suite; open returns a new rig for each test.
func Conform(t *testing.T, open func(t *testing.T) Rig) {
	connect := func(t *testing.T) (Rig, *driver.State) {
		r := open(t)
		id, err := r.Driver.Connect(context.Background())
		if err != nil {
			t.Fatalf("Connect: %v", err)
		}
		if len(id.Servos) != r.Joints {
			t.Fatalf("Connect found %d servos, want %d", len(id.Servos), r.Joints)
		}
		return r, driver.NewState(r.Joints)
	}
	t.Run("connect leaves torque off and reads are fresh", func(t *testing.T) {
		r, s := connect(t)
		for range 4*r.Joints + 2 { // at least one round of slow registers
			if err := r.Driver.Read(s); err != nil {
				t.Fatalf("Read: %v", err)
			}
			r.Pass()
		}
		for j := range s.Fresh {
			if !s.Fresh[j] || s.TorqueOn[j] || !(s.BusV[j] > 0) || !(s.TempC[j] > 0) {
				t.Fatalf("joint %d: fresh %v, torque %v, %g V, %g C", j, s.Fresh[j], s.TorqueOn[j], s.BusV[j], s.TempC[j])
			}
		}
		if s.Transactions == 0 || s.Failures != 0 {
			t.Errorf("%d transactions, %d failures", s.Transactions, s.Failures)
		}
	})
	t.Run("a goal does not move a joint without torque", func(t *testing.T) {
		r, s := connect(t)
		before := read(t, r, s)
		write(t, r, r.SafeRad)
		for range 20 {
			r.Pass()
		}
		after := read(t, r, s)
		for j := range after {
			if math.Abs(after[j]-before[j]) > 0.02 {
				t.Fatalf("joint %d moved from %g to %g rad", j, before[j], after[j])
			}
		}
	})
	t.Run("with torque goals are reached, and applied tells them", func(t *testing.T) {
		r, s := connect(t)
		prepare(t, r, write(t, r, read(t, r, s))) // no jump
		if err := r.Driver.Torque(true); err != nil {
			t.Fatalf("Torque(true): %v", err)
		}
		var applied []float64
		for range 200 {
			applied = write(t, r, r.SafeRad)
			read(t, r, s)
			r.Pass()
		}
		got := read(t, r, s)
		for j := range got {
			if math.Abs(applied[j]-r.SafeRad[j]) > r.ResolutionRad {
				t.Errorf("joint %d: applied %g for a goal of %g", j, applied[j], r.SafeRad[j])
			}
			if math.Abs(got[j]-applied[j]) > 0.1 {
				t.Errorf("joint %d: at %g, applied %g", j, got[j], applied[j])
			}
		}
		if err := r.Driver.Torque(false); err != nil {
			t.Fatalf("Torque(false): %v", err)
		}
	})
	t.Run("goals that are not finite are refused", func(t *testing.T) {
		r, s := connect(t)
		goal := append([]float64(nil), read(t, r, s)...)
		applied := make([]float64, r.Joints)
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			goal[r.Joints-1] = v
			if err := r.Driver.Write(applied, goal); !errors.Is(err, driver.ErrNotFinite) {
				t.Errorf("Write of %g: %v, want ErrNotFinite", v, err)
			}
		}
	})
	t.Run("a huge goal is applied within the servo's range", func(t *testing.T) {
		r, _ := connect(t)
		goal := make([]float64, r.Joints)
		for j := range goal {
			goal[j] = 1e6
		}
		applied := make([]float64, r.Joints)
		if err := r.Driver.Write(applied, goal); err != nil {
			t.Fatalf("Write of a huge goal: %v; it is to be applied at the end of the range", err)
		}
		for j, q := range applied {
			if !(math.Abs(q) <= 4*math.Pi) {
				t.Errorf("joint %d: applied %g rad", j, q)
			}
			if goal[j] != 1e6 {
				t.Errorf("joint %d: Write changed the caller's goal to %g", j, goal[j])
			}
		}
	})
	t.Run("halt twice", func(t *testing.T) {
		r, _ := connect(t)
		if err := r.Driver.Halt(); err != nil {
			t.Errorf("first Halt: %v", err)
		}
		if err := r.Driver.Halt(); err != nil {
			t.Errorf("second Halt: %v", err)
		}
	})
	t.Run("a lost link is said and does not hang", func(t *testing.T) {
		r, s := connect(t)
		if r.Cut == nil {
			t.Skip("this rig cannot break its link")
		}
		r.Cut()
		var err error
		for range 3 {
			err = r.Driver.Read(s)
		}
		if !errors.Is(err, driver.ErrLinkLost) {
			t.Errorf("Read: %v, want ErrLinkLost", err)
		}
		for j, fresh := range s.Fresh {
			if fresh {
				t.Errorf("joint %d is fresh", j)
			}
		}
		if err := r.Driver.Torque(false); err == nil {
			t.Error("torque-off is claimed to be confirmed over a lost link")
		}
	})
	t.Run("what is fresh is young", func(t *testing.T) {
		r, s := connect(t)
		for j := range s.AgeS {
			if !math.IsInf(s.AgeS[j], 1) || !math.IsInf(s.SlowAgeS[j], 1) {
				t.Fatalf("joint %d: of age %g and %g before it was read", j, s.AgeS[j], s.SlowAgeS[j])
			}
		}
		round := driver.SlowRound(r.Joints)
		began := make([]time.Time, 0, 2*round)
		for k := range 2 * round {
			before := r.now()
			began = append(began, before)
			read(t, r, s)
			checkAges(t, s, r.now().Sub(before).Seconds())
			if k >= round {
				within := r.now().Sub(began[k-round]).Seconds()
				for j, age := range s.SlowAgeS {
					if !(age >= 0 && age <= within+ageSlackS) {
						t.Fatalf("joint %d: slow registers %g s old, want the %g s of a round at most", j, age, within)
					}
				}
			}
			r.Pass()
		}
	})
	t.Run("a late answer is none", func(t *testing.T) {
		for _, ms := range []time.Duration{1, 7, 16, 100} {
			conformLate(t, connect, ms*time.Millisecond)
		}
	})
	t.Run("a cut is torque-off, and stays it", func(t *testing.T) {
		r, s := connect(t)
		prepare(t, r, write(t, r, read(t, r, s)))
		if err := r.Driver.Torque(true); err != nil {
			t.Fatalf("Torque(true): %v", err)
		}
		if err := r.Driver.Cut(); err != nil {
			t.Fatalf("Cut: %v", err)
		}
		if r.Torque != nil && r.Torque() != 0 {
			t.Errorf("%d servos have torque after a cut", r.Torque())
		}
		if err := r.Driver.Torque(true); err == nil {
			t.Error("torque can be switched on after a cut")
		}
		if err := r.Driver.Write(make([]float64, r.Joints), s.PosRad); err == nil {
			t.Error("goals are taken after a cut")
		}
		if err := r.Driver.Prepare(); err == nil {
			t.Error("servos are made ready for torque after a cut")
		}
		if err := r.Driver.TakeUp(make([]float64, r.Joints), s.PosRad); err == nil || r.Torque != nil && r.Torque() != 0 {
			t.Errorf("servos are taken up after a cut: %v", err)
		}
		read(t, r, s)
		if err := r.Driver.Torque(false); err != nil {
			t.Errorf("torque-off cannot be confirmed after a cut: %v", err)
		}
		if _, err := r.Driver.Connect(context.Background()); err != nil {
			t.Fatalf("Connect: %v", err)
		}
		if err := r.Driver.Torque(true); err != nil {
			t.Errorf("connected anew, Torque(true): %v", err)
		}
	})
	t.Run("a tick allocates nothing", func(t *testing.T) {
		r, s := connect(t)
		goal := append([]float64(nil), read(t, r, s)...)
		applied := make([]float64, r.Joints)
		if n := testing.AllocsPerRun(100, func() {
			_ = r.Driver.Read(s)
			_ = r.Driver.Write(applied, goal)
		}); n != 0 {
			t.Errorf("%g allocations", n)
		}
	})
}

// ageSlackS is for clocks that round.
const ageSlackS = 1e-6

// now reads the driver's clock.
func (r Rig) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// checkAges says that what is fresh is at most as old as the read took, and that the rest
// is not younger than the read before.
func checkAges(t *testing.T, s *driver.State, tookS float64) {
	t.Helper()
	for j, fresh := range s.Fresh {
		if fresh && !(s.AgeS[j] >= 0 && s.AgeS[j] <= tookS+ageSlackS) {
			t.Fatalf("joint %d: fresh, and %g s old after a read of %g s", j, s.AgeS[j], tookS)
		}
	}
}

// conformLate has every answer come late: nothing may be fresh, everything ages, and the
// first reads after the line is well again say so.
func conformLate(t *testing.T, connect func(*testing.T) (Rig, *driver.State), late time.Duration) {
	t.Helper()
	r, s := connect(t)
	if r.Hold == nil {
		t.Skip("this rig cannot hold answers back")
	}
	read(t, r, s)
	r.Hold(late)
	began := r.now()
	for k := range 60 {
		if err := r.Driver.Read(s); err == nil {
			t.Fatalf("answers %v late, read %d: no error", late, k)
		}
		since := r.now().Sub(began).Seconds()
		for j, fresh := range s.Fresh {
			if fresh || !(s.AgeS[j] >= since-ageSlackS) {
				t.Fatalf("answers %v late, read %d: joint %d is fresh: %v, %g s old after %g s", late, k, j, fresh, s.AgeS[j], since)
			}
		}
		if s.IMUFresh {
			t.Fatalf("answers %v late, read %d: the sensor is fresh", late, k)
		}
		r.Pass()
	}
	r.Hold(0)
	for range 30 { // what is under way arrives
		_ = r.Driver.Read(s)
		r.Pass()
	}
	read(t, r, s)
}

// prepare goes on with goal until the servos are ready for torque.
func prepare(t *testing.T, r Rig, goal []float64) {
	t.Helper()
	var err error
	for range 5 {
		write(t, r, goal)
		if err = r.Driver.Prepare(); err == nil {
			return
		}
	}
	t.Fatalf("Prepare: %v, five times", err)
}

func read(t *testing.T, r Rig, s *driver.State) []float64 {
	t.Helper()
	if err := r.Driver.Read(s); err != nil {
		t.Fatalf("Read: %v", err)
	}
	return append([]float64(nil), s.PosRad...)
}

func write(t *testing.T, r Rig, goal []float64) []float64 {
	t.Helper()
	applied := make([]float64, r.Joints)
	if err := r.Driver.Write(applied, goal); err != nil {
		t.Fatalf("Write: %v", err)
	}
	return applied
}
