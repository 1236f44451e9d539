package loop

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

func TestTickAllocatesNothing(t *testing.T) {
	r := newRig(t, true)
	measure := func(name string, n int) {
		if a := testing.AllocsPerRun(n, func() {
			r.l.Tick(Instant{Tick: r.tick})
			r.tick++
			if r.ring.Next() != nil {
				r.ring.Release()
			}
		}); a != 0 {
			t.Errorf("%s: %g allocations per tick", name, a)
		}
	}
	measure("disarmed", 50)
	r.l.Request(mode.Arm)
	measure("arming", 100)
	r.prev = append([]float64(nil), r.fake.GoalRad...)
	r.until(mode.Hold, 5*time.Second)
	measure("hold", 50)
	r.l.Request(mode.Activate)
	measure("active", 100)
	r.l.Request(mode.Disarm)
	measure("settle", 50)
	r.l.Request(mode.EStop)
	measure("cut", 5)
}

func TestNewRefusesUnsafeConfigs(t *testing.T) {
	for name, spoil := range map[string]func(c *Config){
		"rate 0":                 func(c *Config) { c.RateHz = 0 },
		"control period":         func(c *Config) { c.ControlEvery = 0 },
		"shortest ramp":          func(c *Config) { c.MinRamp = time.Second },
		"pose of joint 1 is 2":   func(c *Config) { c.StandRad[1] = 2 },
		"pose of joint 0 is NaN": func(c *Config) { c.SettleRad[0] = math.NaN() },
		"poses of 2":             func(c *Config) { c.StandRad = c.StandRad[:2] },
		"play-out":               func(c *Config) { c.PlayOut = time.Minute },
		"upper limit": func(c *Config) {
			c.Limits[0].MinRad, c.Limits[0].MaxRad, c.StandRad[0] = 0.2, 0.2, 0.2
			c.SettleRad[0] = 0.2
		},
	} {
		cfg := config(3)
		spoil(&cfg)
		if _, err := New(cfg, drivertest.NewFake(3), nil, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
