package servos

import (
	"math"
	"strings"
	"testing"
)

// xm430 is the type that kata20 has.
func xm430(t *testing.T) *Type {
	t.Helper()
	s, ok := Shipped().Named("xm430-w350")
	if !ok {
		t.Fatal("xm430-w350 is not in the catalogue")
	}
	return &s
}

// Conversions against the data sheet's numbers.
func TestUnits(t *testing.T) {
	s := xm430(t)
	for _, c := range []struct {
		name      string
		got, want float64
		tol       float64
	}{
		{"a quarter turn", s.Rad(3072), math.Pi / 2, 1e-12},
		{"the centre", s.Rad(2048), 0, 0},
		{"46 rpm, no-load at 12 V", s.RadPerS(201), s.NoLoadRadPerS, 0.001},
		{"stall at 12 V", s.Ampere(855), s.StallCurrentA, 0.001},
		{"full duty", s.Duty(885), 1, 0},
		// 6.25 PWM counts per position count; 18.9 N m/rad / 4.1 N m.
		{"P gain 800", s.DutyPerRad(800), 4.604, 0.001},
	} {
		if math.Abs(c.got-c.want) > c.tol {
			t.Errorf("%s: %g, want %g", c.name, c.got, c.want)
		}
	}
}

// Every count of every type survives the way to SI and back.
func TestRoundTrips(t *testing.T) {
	for _, s := range Shipped() {
		for c := int32(-70000); c <= 70000; c += 7 {
			if got := s.PositionCount(s.Rad(c)); got != c {
				t.Fatalf("%s: position %d became %d", s.Name, c, got)
			}
			if got := s.VelocityCount(s.RadPerS(c)); got != c {
				t.Fatalf("%s: velocity %d became %d", s.Name, c, got)
			}
			if i := int16(c); s.CurrentCount(s.Ampere(i)) != i || s.DutyCount(s.Duty(i)) != i {
				t.Fatalf("%s: current or duty %d became another", s.Name, i)
			}
		}
		if s.PositionCount(math.NaN()) > -1e9 || s.PositionCount(math.Inf(1)) < 1e9 {
			t.Errorf("%s: values that are no angle must not look like one", s.Name)
		}
	}
}

// The catalogue's own promises: complete, named once, found by model number, and of
// one physics: a voltage source whose efficiency is below one.
func TestEveryEntryIsWhole(t *testing.T) {
	c := Shipped()
	for _, s := range c {
		if s.Name != strings.ToLower(s.Title) || !strings.HasPrefix(s.Source, "ROBOTIS e-Manual, https://") {
			t.Errorf("%s: title %q, source %q", s.Name, s.Title, s.Source)
		}
		for _, v := range []float64{
			s.AtV, s.StallTorqueNm, s.StallCurrentA, s.NoLoadRadPerS, s.DragNmPerRadPerS, s.MinV, s.MaxTempC, s.APerCount, s.RadPerSPerCount,
			s.PGainDivisor, s.DGainDivisor, float64(s.MaxPGain), float64(s.CountsPerTurn), float64(s.FullDutyCount), float64(s.Factory.PositionPGain),
		} {
			if !(v > 0) || math.IsInf(v, 0) {
				t.Errorf("%s: a number is %g", s.Name, v)
			}
		}
		if !(s.MinV <= s.AtV && s.AtV <= s.MaxV && s.Factory.LowestV <= s.MinV && s.Factory.HighestV >= s.MaxV) {
			t.Errorf("%s: %g to %g V, numbers at %g V, registers %g to %g V", s.Name, s.MinV, s.MaxV, s.AtV, s.Factory.LowestV, s.Factory.HighestV)
		}
		// A motor of constant k turns current into torque and speed into voltage by the
		// same k, so stall torque * no-load speed cannot exceed the electrical power at stall.
		if eta := s.StallTorqueNm * s.NoLoadRadPerS / (s.AtV * s.StallCurrentA); eta > 1 || eta < 0.4 {
			t.Errorf("%s: stall torque, current and no-load speed make %.2f of the supply's power", s.Name, eta)
		}
		if byName, ok := c.Named(s.Name); !ok || byName != s {
			t.Errorf("%s is not found by its name", s.Name)
		}
		if byModel, ok := c.Model(s.Protocol, s.ModelNumber); !ok || byModel != s {
			t.Errorf("%s is not found by its model number", s.Name)
		}
	}
	if _, ok := c.Named("sg90"); ok {
		t.Error("an unknown name is found")
	}
	if _, ok := c.Model("dynamixel2", 9999); ok {
		t.Error("an unknown model is found")
	}
	if _, ok := c.Model("morse", 1020); ok {
		t.Error("a model is found under another protocol")
	}
	if p := c.Protocols(); len(p) != 1 || p[0] != Dynamixel2 || !strings.Contains(c.Names(), "xm430-w350, xm430-w210") {
		t.Errorf("protocols %v, names %s", p, c.Names())
	}
}
