package robot

import (
	"time"

	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/settings"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/control"
)

// describe reads the description and puts the configured baud rate in.
func describe(o *Options) (*robot.Description, error) {
	desc, err := robot.Load(o.Robot)
	if err != nil || o.Baud == 0 {
		return desc, err
	}
	copied := *desc
	copied.Buses = append([]robot.Bus(nil), desc.Buses...)
	for i := range copied.Buses {
		copied.Buses[i].Baud = o.Baud
	}
	return &copied, nil
}

// prepare derives the loop's configuration, and loads the policy if there is one.
func prepare(desc *robot.Description, o *Options) (loop.Config, *policy, error) {
	bound, err := body.New(desc)
	if err != nil {
		return loop.Config{}, nil, infile.Refuse(desc.Source, err)
	}
	rate, every := o.RateHz, 1
	if rate == 0 {
		rate = int(desc.LoopRateHz)
	}
	var pol *policy
	if err := fits(desc, rate); err != nil {
		return loop.Config{}, nil, err
	}
	if o.Policy != "" && desc.IMU.Bus == "" {
		return loop.Config{}, nil, fault.Refuse("%s: %s has no inertial sensor (imu: in its robot.yaml), and a policy balances by it", o.Policy, desc.Name)
	}
	if o.Policy != "" {
		if pol, err = loadPolicy(o.Policy, desc, o.Anyway); err != nil {
			return loop.Config{}, nil, err
		}
		if every, err = ticksPerDecision(o.Policy, rate, pol.PeriodS()); err != nil {
			return loop.Config{}, nil, err
		}
	}
	cfg := limits.Derive(desc, limits.ShapeOf(bound), rate, every)
	cfg.Latched = o.Latched
	if cfg.Thresholds.StopButtons = hubButtons()[o.Button]; o.Button != "" && desc.IMU.Bus == "" {
		return loop.Config{}, nil, fault.Usage("stop_button: %s has no sensor hub on a servo bus that could have one", desc.Name)
	}
	if pol != nil {
		copy(cfg.StandRad, pol.StartRad())
	}
	if cfg.Thresholds.Battery, err = battery(desc, &o.Battery); err != nil {
		return loop.Config{}, nil, err
	}
	if o.forgiving() {
		cfg = limits.OnEmulatedBus(cfg)
	}
	if bad := o.unfit(settings.Apply(o.tuned(desc, &cfg), o.Failsafes)); len(bad) > 0 {
		return loop.Config{}, nil, usage(o.located(bad))
	}
	return cfg, pol, nil
}

// battery is the battery that the configuration describes; the zero value if it does not.
func battery(desc *robot.Description, b *BatteryConfig) (energy.Pack, error) {
	if *b == (BatteryConfig{}) {
		return energy.Pack{}, nil
	}
	p := energy.Pack{Cells: b.Cells, CapacityAh: b.Ah, ResistanceOhm: b.Ohm, IdleA: b.IdleA, Chemistry: b.Chemistry}
	if p.Cells == 0 {
		p.Cells = desc.Battery.Cells
	}
	if p.Cells == 0 {
		return p, fault.Usage("battery.cells: 0, and %s does not tell either; legal: 1 to 24", desc.Name)
	}
	return p, nil
}

// tuned is what the settings of the configuration belong to.
func (o *Options) tuned(desc *robot.Description, cfg *loop.Config) *settings.Robot {
	return &settings.Robot{Desc: desc, Loop: cfg, Watchdog: settings.Watchdog(o.Failsafes), Margin: o.margin()}
}

// margin is how long an answer may take beyond its time on the wire.
func (o *Options) margin() time.Duration {
	if o.forgiving() {
		return settings.Margin(o.Failsafes, limits.EmulatedMargin)
	}
	return settings.Margin(o.Failsafes, dynamixel.DefaultMargin)
}

// fits refuses a rate at which a tick does not fit on the robot's lines.
func fits(desc *robot.Description, rateHz int) error {
	for _, b := range desc.Buses {
		need := dynamixel.TickTime(len(desc.JointsOn(b.Name)), desc.IMU.Bus == b.Name, b.Baud)
		if period := time.Second / time.Duration(rateHz); need > period {
			return fault.Refuse("bus %s: a tick of %d servos needs %.1f ms at %d bits/s, and %d Hz leave %.1f ms; legal: up to %d Hz, or a faster line",
				b.Name, len(desc.JointsOn(b.Name)), need.Seconds()*1e3, b.Baud, rateHz, period.Seconds()*1e3, int(time.Second/need))
		}
	}
	return nil
}

// ticksPerDecision is how many ticks a policy's period has, which must be whole.
func ticksPerDecision(name string, rateHz int, periodS float64) (int, error) {
	ticks := float64(rateHz) * periodS
	every := int(ticks + 0.5)
	if every < 1 || ticks-float64(every) > 1e-6 || float64(every)-ticks > 1e-6 {
		return 0, fault.Refuse("%s wants a decision every %g s, which is %g ticks at %d Hz; legal rates: multiples of %g Hz",
			name, periodS, ticks, rateHz, 1/periodS)
	}
	return every, nil
}

// policy is a player and what is known of it.
type policy struct {
	*control.Player
	hash string // SHA-256 of the bundle file
	poor error  // why its own evaluation would not let it run; nil: it passed
}

// hashOf is the policy's hash; "" for none.
func (p *policy) hashOf() string {
	if p == nil {
		return ""
	}
	return p.hash
}

// loadPolicy reads and verifies a bundle for this robot. Every fault but a missing or
// unreadable file is a refusal that names the file. A policy whose own evaluation is
// absent or below bundle.Gate is one too, unless it is to run anyway.
func loadPolicy(name string, desc *robot.Description, anyway bool) (*policy, error) {
	b, err := bundle.Load(name)
	if err != nil {
		return nil, err
	}
	player, err := control.New(b, desc)
	if err != nil {
		return nil, fault.Refuse("%s: %w", name, err)
	}
	poor := b.CheckGate()
	if poor != nil && !anyway {
		return nil, fault.Refuse("%s: %w; train further (mitori learn), or run it all the same with --anyway", name, poor)
	}
	return &policy{Player: player, hash: b.SHA256, poor: poor}, nil
}
