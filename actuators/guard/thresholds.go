package guard

import (
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/energy"
)

// Thresholds are the start values of the failsafe table. Every value is in the
// flight recording's header. [DefaultThresholds] fills them.
type Thresholds struct {
	StaleTicks      int // consecutive reads a servo may miss
	SilentTicks     int // consecutive reads in which no servo answers
	IMUTicks        int // consecutive missed IMU samples
	FrozenS         float64
	StuckS          float64 // without the end of a tick, while there is torque
	GatewayS        float64 // without a heartbeat of the process that gives orders
	NoisyShare      float64 // failed joint reads among all in NoisyS; of sensor and slow registers likewise
	NoisyS          float64
	SlowRounds      float64 // rounds after which slow registers that were not read are stale
	TiltRad         float64
	BodyRateRadPerS float64
	FallS           float64
	UprightRad      float64 // arming: largest tilt
	EncoderSlack    float64 // arming: rad beyond a limit that a measured pose may lie
	StallErrRad     float64
	StallShare      float64 // of the stall current
	StallRadPerS    float64 // slower than this counts as blocked
	StallS          float64
	Winding         energy.Winding
	WindingWarnC    float64 // from here on the joint is slowed
	WindingStopC    float64
	WindingSlowest  float64 // share of its speed that a joint keeps at the stop limit
	WindingDerateC  float64 // from here on the joint gets less torque
	WindingWeakest  float64 // share of its torque that a joint keeps at the stop limit
	TorqueReserve   float64 // a joint must be allowed so many times what it lately needed
	NeedS           float64 // for so long what a joint needed is remembered: a time constant
	Battery         energy.Pack
	ChargeWarn      float64 // share of the charge that is left at worst
	ChargeStop      float64
	VoltTauS        float64
	WarnV           float64
	StopV           float64
	CutV            float64
	PolicyTicks     int     // consecutive unusable commands
	Overruns        int     // overruns within a second
	GapS            float64 // s: a gap of the loop so long is as bad as that many overruns
	Stops           int     // times within ten seconds that the servos stopped by their own watchdog
	ClampRad        float64
	ClampShare      float64 // of the ticks in a second with a change above ClampRad
	StopButtons     uint8   // of the hub: each of these bits is a stop
	LeaseS          float64 // s: so long after an operator's lease was lost the robot settles
	NoIMU           bool    // the robot has no inertial sensor: nothing is judged by it
}

// SlowLimitS is how old slow registers may become, in seconds, on a robot of that many
// joints and ticks of periodS seconds.
func (t *Thresholds) SlowLimitS(joints int, periodS float64) float64 {
	return t.SlowRounds * float64(driver.SlowRound(joints)) * periodS
}

// DefaultThresholds returns the start values for a supply of the given levels.
// Winding constants are deliberately pessimistic guesses for small geared
// servos, to be replaced by measurements of the real one. TiltRad lies below the
// tilt at which a robot has fallen (models/fall, 60 degrees): it protects, so that
// the servos are soft before the trunk meets the floor.
func DefaultThresholds(warnV, stopV float64) Thresholds {
	return Thresholds{
		StaleTicks: 5, SilentTicks: 5, IMUTicks: 3, FrozenS: 1, StuckS: 0.1, GatewayS: 0.5,
		NoisyShare: 0.10, NoisyS: 0.5, SlowRounds: 2,
		TiltRad: 1.0, BodyRateRadPerS: 6, FallS: 0.02, UprightRad: 0.5, EncoderSlack: 0.03,
		StallErrRad: 0.15, StallShare: 0.7, StallRadPerS: 0.1, StallS: 0.5,
		Winding: energy.Winding{KPerA2: 20, TauS: 90}, WindingWarnC: 80, WindingStopC: 110, WindingSlowest: 0.5,
		WindingDerateC: 100, WindingWeakest: 0.5, TorqueReserve: 1.3, NeedS: 10,
		ChargeWarn: 0.2, ChargeStop: 0.05,
		VoltTauS: 1, WarnV: warnV, StopV: stopV, CutV: stopV - 0.3,
		PolicyTicks: 3, Overruns: 3, GapS: 0.5, Stops: 2, ClampRad: 0.05, ClampShare: 0.8,
		LeaseS: 5,
	}
}
