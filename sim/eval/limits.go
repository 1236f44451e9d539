package eval

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/robot"
)

// flightConfig is how robotd drives this robot under a policy of the given
// period: the guard's limits, what the monitor watches, the loop's rates. The
// poses of arming and settling are left out: they lie before and after a motion.
func flightConfig(d *robot.Description, periodS float64) loop.Config {
	every := max(1, int(math.Round(d.LoopRateHz*periodS)))
	cfg := loop.Config{RateHz: int(d.LoopRateHz), ControlEvery: every,
		Thresholds: guard.DefaultThresholds(d.Battery.WarnV, d.Battery.StopV)}
	cfg.Thresholds.PolicyTicks = 3 * every
	for i, j := range d.Joints {
		servo := d.ServoOf(i)
		// A policy may move its target by the speed limit times its own period at
		// once; the guard lets exactly this through, and any stop or reversal of it.
		full := j.SpeedLimitRadS * float64(every) * 1.01
		cfg.Limits = append(cfg.Limits, guard.Joint{MinRad: j.MinRad, MaxRad: j.MaxRad,
			GentleRadS: min(1.5, full), FullRadS: full, AccelRadS2: 2 * full * d.LoopRateHz})
		h := guard.Health{StallCurrentA: servo.StallCurrentA(), TempWarnC: 60, TempStopC: 70}
		if servo.MaxTempC > 0 {
			h.TempWarnC, h.TempStopC = servo.MaxTempC-20, servo.MaxTempC-10
		}
		cfg.Health = append(cfg.Health, h)
	}
	return cfg
}
