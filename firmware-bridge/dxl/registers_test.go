package dxl

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/servos"
)

// TestUnits checks conversions against the data sheet's numbers.
func TestUnits(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
		tol       float64
	}{
		{"the factory's return delay", DelayCount(250).Seconds(), 500e-6, 1e-12},
		{"12 V", VoltageCount(120).V(), 12, 1e-12},
		{"watchdog of 100 ms", WatchdogFromSeconds(0.1).Seconds(), 0.1, 1e-12},
		{"watchdog of 101 ms", WatchdogFromSeconds(0.101).Seconds(), 0.12, 1e-12},
		{"shortest watchdog", WatchdogFromSeconds(0).Seconds(), 0.02, 1e-12},
		{"longest watchdog", WatchdogFromSeconds(100).Seconds(), 2.54, 1e-12},
		{"tripped watchdog", WatchdogCount(-1).Seconds(), 0, 0},
	} {
		if math.Abs(c.got-c.want) > c.tol {
			t.Errorf("%s: %g, want %g", c.name, c.got, c.want)
		}
	}
}

func TestRegisterBytes(t *testing.T) {
	var b [4]byte
	PresentVelocity.Put(b[:], -3)
	if b != [4]byte{0xFD, 0xFF, 0xFF, 0xFF} || PresentVelocity.Get(b[:]) != -3 {
		t.Errorf("-3 is % X", b)
	}
	PresentCurrent.Put(b[:], -1)
	if b[0] != 0xFF || b[1] != 0xFF || PresentCurrent.Get(b[:]) != -1 {
		t.Errorf("-1 is % X", b[:2])
	}
	if BusWatchdog.Size() != 1 || PresentCurrent.Size() != 2 || GoalPosition.Size() != 4 {
		t.Error("sizes do not follow from the types")
	}
}

// TestTable: the control table is in order, its defaults are legal, and its ranges tell the same of signs as the types.
// (Where registers are, the manufacturer's SDK judges: interop_test.go of sim/busemu.)
func TestTable(t *testing.T) {
	at := map[uint16]Info{}
	last := -1
	for _, r := range XTable(servos.Shipped()[0]) {
		if int(r.Addr) <= last {
			t.Errorf("%s at %d overlaps or is out of order", r.Name, r.Addr)
		}
		last = int(r.Addr) + r.Size - 1
		if r.Access == ReadWrite && (r.Default < r.Min || r.Default > r.Max) {
			t.Errorf("%s: default %d outside %d..%d", r.Name, r.Default, r.Min, r.Max)
		}
		at[r.Addr] = r
	}
	for _, r := range []register{ModelNumber, HomingOffset, BusWatchdog, GoalPWM, GoalCurrent, GoalVelocity, ProfileVelocity, GoalPosition,
		PresentCurrent, PresentVelocity, PresentPosition, InputVoltage, Temperature} {
		if in, ok := at[r.Addr()]; !ok || in.Signed != r.Signed() {
			t.Errorf("register %d: signed %v; the table has %+v", r.Addr(), r.Signed(), in)
		}
	}
	if StateAddr != PresentCurrent || StateAddr+StateSize != PresentPosition.Addr()+4 || HealthAddr != InputVoltage {
		t.Error("the state and health blocks do not cover their registers")
	}
}

// TestHubRoundTrip: what a hub encodes a master decodes, within the resolution of the
// registers.
func TestHubRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		var in, out HubState
		var n2 float64
		for i := range 4 {
			in.WorldFromHub[i] = rng.NormFloat64()
			n2 += in.WorldFromHub[i] * in.WorldFromHub[i]
		}
		for i := range 4 {
			in.WorldFromHub[i] /= math.Sqrt(n2)
		}
		for i := range 3 {
			in.GyroRadPerS[i] = 10 * (rng.Float64() - 0.5)
			in.AccelMPerS2[i] = 30 * (rng.Float64() - 0.5)
		}
		in.BusV, in.Sample = 9+6*rng.Float64(), uint16(rng.Uint32())
		block := make([]byte, HubBlockSize)
		EncodeHub(block, &in)
		DecodeHub(&out, block)
		if out.Sample != in.Sample || math.Abs(out.BusV-in.BusV) > 1e-3 || !out.Extended {
			t.Fatalf("in %+v\nout %+v", in, out)
		}
		for i := range 3 {
			if math.Abs(out.GyroRadPerS[i]-in.GyroRadPerS[i]) > gyroRadPerSPerCount || math.Abs(out.AccelMPerS2[i]-in.AccelMPerS2[i]) > 1e-3 {
				t.Fatalf("in %+v\nout %+v", in, out)
			}
		}
		if a := angleBetween(in.WorldFromHub, out.WorldFromHub); a > 1e-4 {
			t.Fatalf("orientation off by %g rad", a)
		}
		// A hub without the extension tells the same orientation by roll, pitch, yaw of
		// 0.1 degree each.
		DecodeHub(&out, block[:27])
		if out.Extended {
			t.Fatal("27 bytes are no extended block")
		}
		if a := angleBetween(in.WorldFromHub, out.WorldFromHub); a > 0.005 {
			t.Fatalf("orientation by angles off by %g rad", a)
		}
	}
}

// angleBetween is the angle of the rotation from a to b.
func angleBetween(a, b [4]float64) float64 {
	dot := 0.0
	for i := range 4 {
		dot += a[i] * b[i]
	}
	return 2 * math.Acos(min(1, math.Abs(dot)))
}

func TestHubSaturates(t *testing.T) {
	in := HubState{GyroRadPerS: [3]float64{100, -100, 0}, AccelMPerS2: [3]float64{90, -90, 0}, WorldFromHub: [4]float64{1, 0, 0, 0}, BusV: 12}
	block := make([]byte, HubBlockSize)
	EncodeHub(block, &in)
	var out HubState
	DecodeHub(&out, block)
	if out.GyroRadPerS[0] < 34 || out.GyroRadPerS[1] > -34 || out.AccelMPerS2[0] < 19 || out.AccelMPerS2[1] > -19 {
		t.Errorf("beyond the range: %+v; a sensor saturates, it does not wrap", out)
	}
}
