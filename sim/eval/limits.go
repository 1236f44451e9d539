package eval

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/robot"
)

// flightConfig is how robotd drives this robot under a policy of the given
// period: the guard's limits, the monitor's and the loop's rates.
func flightConfig(d *robot.Description, periodS float64) loop.Config {
	every := max(1, int(math.Round(d.LoopRateHz*periodS)))
	cfg := loop.Config{RateHz: int(d.LoopRateHz), ControlEvery: every,
		Thresholds: guard.DefaultThresholds(d.Battery.WarnV, d.Battery.StopV)}
	for i, j := range d.Joints {
		full := j.SpeedLimitRadS * float64(every) * 1.01
		cfg.Limits = append(cfg.Limits, guard.Joint{MinRad: j.MinRad, MaxRad: j.MaxRad, GentleRadS: min(1.5, full), FullRadS: full,
			AccelRadS2: 2 * full * d.LoopRateHz})
		cfg.Health = append(cfg.Health, guard.Health{StallCurrentA: d.ServoOf(i).StallTorqueNm / (4.1 / 2.3)})
	}
	return cfg
}
