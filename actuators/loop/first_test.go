package loop

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// triplesVariable sets how many triples of start, target and limits are tried.
const triplesVariable = "MITORI_TRIPLES"

// kicked looks at what servos with torque are asked for, from torque-on on.
type kicked struct {
	*drivertest.Fake
	t      *testing.T
	limits []guard.Joint
	dt     float64
	at     []float64 // goals in force
	step   []float64
	on     bool
	checks int
}

func (k *kicked) Torque(on bool) error {
	if on && !k.on {
		copy(k.at, k.GoalRad)
		for j, q := range k.GoalRad {
			// Who stands a little out of range is on the way back: the first step of it.
			k.step[j] = q - k.PosRad[j]
			l, d := &k.limits[j], math.Abs(k.step[j])
			in := k.PosRad[j] >= l.MinRad && k.PosRad[j] <= l.MaxRad
			if !(d <= min(l.GentleRadPerS*k.dt, l.AccelRadPerS2*k.dt*k.dt)+1e-12) || in && d != 0 {
				k.t.Fatalf("torque goes on at %g rad with a goal of %g, limits %+v", k.PosRad[j], q, k.limits[j])
			}
		}
	}
	k.on = on
	return k.Fake.Torque(on)
}

func (k *kicked) Write(applied, goals []float64) error {
	err := k.Fake.Write(applied, goals)
	if !k.on {
		return err
	}
	for j, q := range applied {
		l, step := &k.limits[j], q-k.at[j]
		if !(math.Abs(step) <= l.GentleRadPerS*k.dt+1e-9) || !(math.Abs(step-k.step[j]) <= l.AccelRadPerS2*k.dt*k.dt+1e-9) {
			k.t.Fatalf("a step of %g rad after one of %g, from %g rad; limits %+v", step, k.step[j], k.at[j], *l)
		}
		k.at[j], k.step[j] = q, step
		k.checks++
	}
	return err
}

// triple draws limits, and a start and a target within them.
func triple(rng *rand.Rand) (l guard.Joint, start, target float64) {
	l = guard.Joint{MinRad: -3 * rng.Float64(), GentleRadPerS: 0.2 + 1.3*rng.Float64(), Burst: rng.IntN(5)}
	l.MaxRad = l.MinRad + 0.05 + 4*rng.Float64()
	l.FullRadPerS = l.GentleRadPerS + 10*rng.Float64()
	l.AccelRadPerS2 = math.Pow(10, 0.5+3*rng.Float64())
	within := func() float64 { return l.MinRad + rng.Float64()*(l.MaxRad-l.MinRad) }
	start, target = within(), within()
	switch rng.IntN(8) {
	case 0:
		start = l.MinRad
	case 1:
		start = l.MaxRad
	case 2: // as far outside as an encoder may read before arming is refused
		start = l.MaxRad + 0.03*rng.Float64()
	}
	return l, start, target
}

// The first command cannot jump: for random starts, targets and limits, with goals in the
// servos that have nothing to do with either, and with the first writes lost, a servo
// gets torque with a goal where it stands, and every later one is within the limits.
func TestFirstCommandNeverJumps(t *testing.T) {
	triples := 1_000_000
	if testing.Short() {
		triples /= 10
	}
	if text := os.Getenv(triplesVariable); text != "" {
		var err error
		if triples, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", triplesVariable, err)
		}
	}
	const joints, ticks = 50, 14
	rng := rand.New(rand.NewPCG(10, 6))
	cfg := config(joints)
	armed, flights, checks := 0, triples/joints, 0
	for range flights {
		k := &kicked{Fake: drivertest.NewFake(joints), t: t, limits: cfg.Limits, dt: 0.01, at: make([]float64, joints), step: make([]float64, joints)}
		k.RangeRad, k.SpeedRad = 10, 0.05
		for j := range joints {
			cfg.Limits[j], k.PosRad[j], cfg.StandRad[j] = triple(rng)
			cfg.SettleRad[j] = cfg.StandRad[j]
			k.GoalRad[j] = 6 * (rng.Float64() - 0.5)
		}
		l, err := New(cfg, k, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.Tick(Instant{})
		l.Request(mode.Arm)
		k.Lose = max(0, rng.IntN(10)-4)
		for n := range int64(ticks) {
			l.Tick(Instant{Tick: n + 1})
		}
		if l.Mode() == mode.Arming && l.machine.Torque == mode.TorqueOn {
			armed++
		}
		checks += k.checks
	}
	if armed != flights || checks < 4*triples {
		t.Errorf("%d of %d robots armed, %d commands looked at", armed, flights, checks)
	}
	t.Logf("%d triples, %d commands after torque-on", flights*joints, checks)
}
