package settings

import (
	"slices"
	"time"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
)

// The settings of the buses, which no loop keeps.
const (
	watchdogKey = "bus_watchdog_s"
	marginKey   = "answer_margin_s"
)

// All are the settings, in the order of the failsafe table.
func All() []Setting {
	return slices.Concat(link(), attitude(), load(), heat(), supply(), commands(), motion())
}

// link are the settings of the loop and its lines.
func link() []Setting {
	return []Setting{
		count("all_silent_reads", "reads", 2, 20, "link-lost: reads in a row in which no servo answers",
			func(t *guard.Thresholds) *int { return &t.SilentTicks }),
		count("servo_lost_reads", "reads", 2, 20, "leg-servo-lost, arm-servo-lost: reads in a row that a servo misses",
			func(t *guard.Thresholds) *int { return &t.StaleTicks }),
		number("bus_noisy_share", "of the reads", 0.01, 0.4, "bus-noisy: reads that fail",
			func(t *guard.Thresholds) *float64 { return &t.NoisyShare }),
		number("bus_noisy_s", "s", 0.1, 5, "bus-noisy: the time in which they are counted",
			func(t *guard.Thresholds) *float64 { return &t.NoisyS }),
		number("monitoring_stale_rounds", "rounds", 1.5, 5,
			"monitoring-stale: rounds through the slow registers in which one of them was not read",
			func(t *guard.Thresholds) *float64 { return &t.SlowRounds }),
		number("loop_stuck_s", "s", 0.05, 0.5, "loop-stuck: without the end of a tick, while there may be torque",
			func(t *guard.Thresholds) *float64 { return &t.StuckS }),
		number("gateway_lost_s", "s", 0.1, 2, "gateway-lost: without a sign of life of the process that gives orders",
			func(t *guard.Thresholds) *float64 { return &t.GatewayS }),
		number("lease_expired_s", "s", 0.5, 30, "lease-expired: since an operator's lease was lost",
			func(t *guard.Thresholds) *float64 { return &t.LeaseS }),
		count("loop_overruns", "in a second", 1, 20, "loop-overrun: ticks that came a period late or more",
			func(t *guard.Thresholds) *int { return &t.Overruns }),
		number("loop_gap_s", "s", 0.1, 1, "loop-overrun: one gap so long is as bad as all of them",
			func(t *guard.Thresholds) *float64 { return &t.GapS }),
		{Key: watchdogKey, Unit: "s", Lo: 0.06, Hi: 1,
			Meaning: "the servos stop by themselves when they hear nothing for so long; steps of 0.02 s",
			get:     func(r *Robot) float64 { return r.Watchdog.Seconds() },
			set:     func(r *Robot, v float64) { r.Watchdog = time.Duration(v * float64(time.Second)) }},
		{Key: marginKey, Unit: "s", Lo: 0.001, Hi: 0.02,
			Meaning: "an answer may take so long beyond its time on the wire; more is failed",
			get:     func(r *Robot) float64 { return r.Margin.Seconds() },
			set:     func(r *Robot, v float64) { r.Margin = time.Duration(v * float64(time.Second)) }},
		count("watchdog_stops", "in 10 s", 1, 5, "servos-stopped: times that the servos stopped by themselves",
			func(t *guard.Thresholds) *int { return &t.Stops }),
	}
}

// attitude are the settings of the trunk and its sensor.
func attitude() []Setting {
	return []Setting{
		count("imu_lost_samples", "samples", 1, 20, "imu-lost: samples in a row that are missed",
			func(t *guard.Thresholds) *int { return &t.IMUTicks }),
		number("imu_frozen_s", "s", 0.05, 2, "imu-lost: the same sample for so long",
			func(t *guard.Thresholds) *float64 { return &t.FrozenS }),
		number("tilt_rad", "rad", 0.2, 1.04, "falling: tilt of the trunk",
			func(t *guard.Thresholds) *float64 { return &t.TiltRad }),
		number("body_rate_rad_s", "rad/s", 1, 15, "falling: speed of rotation of the trunk",
			func(t *guard.Thresholds) *float64 { return &t.BodyRateRadPerS }),
		number("falling_s", "s", 0.005, 0.2, "falling: for so long",
			func(t *guard.Thresholds) *float64 { return &t.FallS }),
		number("arm_tilt_rad", "rad", 0.05, 1, "arming check: largest tilt of the trunk",
			func(t *guard.Thresholds) *float64 { return &t.UprightRad }),
		number("arm_encoder_slack_rad", "rad", 0, 0.2, "arming check: how far outside its range a joint may be",
			func(t *guard.Thresholds) *float64 { return &t.EncoderSlack }),
	}
}

// load are the settings of joints that do not get where they should.
func load() []Setting {
	return []Setting{
		number("stall_share", "of the stall current", 0.1, 0.95, "stalled: current of the servo",
			func(t *guard.Thresholds) *float64 { return &t.StallShare }),
		number("stall_error_rad", "rad", 0.03, 0.5, "stalled: how far the joint is from its goal",
			func(t *guard.Thresholds) *float64 { return &t.StallErrRad }),
		number("stall_slow_rad_s", "rad/s", 0.01, 1, "stalled: slower than this is not moving",
			func(t *guard.Thresholds) *float64 { return &t.StallRadPerS }),
		number("stall_s", "s", 0.1, 2, "stalled: for so long",
			func(t *guard.Thresholds) *float64 { return &t.StallS }),
	}
}

// heat are the settings of sensors and windings. Warm and overheated follow from the sensor in the housing, and from a
// model of the winding above it.
func heat() []Setting {
	return []Setting{
		{Key: "temp_warn_below_k", Unit: "K", Lo: 5, Hi: 50, Meaning: "warm: sensor so far below the servo's own limit",
			get: func(r *Robot) float64 { return r.Desc.ServoOf(0).MaxTempC - r.Loop.Health[0].TempWarnC },
			set: func(r *Robot, v float64) {
				for i := range r.Loop.Health {
					r.Loop.Health[i].TempWarnC = r.Desc.ServoOf(i).MaxTempC - v
				}
			}},
		{Key: "temp_derate_below_k", Unit: "K", Lo: 3, Hi: 50,
			Meaning: "sensor so far below the servo's own limit from which the joint gets less torque",
			get:     func(r *Robot) float64 { return r.Desc.ServoOf(0).MaxTempC - r.Loop.Health[0].TempDerateC },
			set: func(r *Robot, v float64) {
				for i := range r.Loop.Health {
					r.Loop.Health[i].TempDerateC = r.Desc.ServoOf(i).MaxTempC - v
				}
			}},
		{Key: "temp_stop_below_k", Unit: "K", Lo: 3, Hi: 40, Meaning: "overheated: sensor so far below the servo's own limit",
			get: func(r *Robot) float64 { return r.Desc.ServoOf(0).MaxTempC - r.Loop.Health[0].TempStopC },
			set: func(r *Robot, v float64) {
				for i := range r.Loop.Health {
					r.Loop.Health[i].TempStopC = r.Desc.ServoOf(i).MaxTempC - v
				}
			}},
		number("winding_k_per_a2", "K/A^2", 5, 500, "winding model: temperature above the sensor's in the long run",
			func(t *guard.Thresholds) *float64 { return &t.Winding.KPerA2 }),
		number("winding_tau_s", "s", 5, 600, "winding model: time constant",
			func(t *guard.Thresholds) *float64 { return &t.Winding.TauS }),
		number("winding_warn_c", "C", 40, 120, "warm: estimated temperature of a winding",
			func(t *guard.Thresholds) *float64 { return &t.WindingWarnC }),
		number("winding_stop_c", "C", 60, 130, "overheated: estimated temperature of a winding",
			func(t *guard.Thresholds) *float64 { return &t.WindingStopC }),
		number("winding_slowest_share", "of the speed", 0.2, 1, "what a joint keeps of its speed at winding_stop_c",
			func(t *guard.Thresholds) *float64 { return &t.WindingSlowest }),
		number("winding_derate_c", "C", 50, 130, "estimated temperature of a winding from which the joint gets less torque",
			func(t *guard.Thresholds) *float64 { return &t.WindingDerateC }),
		number("winding_weakest_share", "of the torque", 0.2, 1, "what a joint keeps of its torque where the robot settles for heat",
			func(t *guard.Thresholds) *float64 { return &t.WindingWeakest }),
		number("torque_reserve", "times", 1, 3, "overheated: a joint that gets less torque must get so much more than it needed",
			func(t *guard.Thresholds) *float64 { return &t.TorqueReserve }),
		number("torque_need_s", "s", 1, 60, "for so long (a time constant) what a joint needed counts",
			func(t *guard.Thresholds) *float64 { return &t.NeedS }),
	}
}

// supply are the settings of the battery; its voltages stand in the robot's description.
func supply() []Setting {
	return []Setting{
		number("supply_filter_s", "s", 0.1, 5, "voltage-warn, -low, -cut: time constant of the filter on the supply",
			func(t *guard.Thresholds) *float64 { return &t.VoltTauS }),
		{Key: "supply_cut_below_v", Unit: "V", Lo: 0.05, Hi: 1, Meaning: "voltage-cut: supply so far below stop_v of the robot",
			get: func(r *Robot) float64 { return r.Loop.Thresholds.StopV - r.Loop.Thresholds.CutV },
			set: func(r *Robot, v float64) { r.Loop.Thresholds.CutV = r.Loop.Thresholds.StopV - v }},
		number("charge_warn_share", "of the charge", 0.1, 0.5, "charge-warn: what is left at worst, where a battery is described",
			func(t *guard.Thresholds) *float64 { return &t.ChargeWarn }),
		number("charge_stop_share", "of the charge", 0.02, 0.3, "charge-low: what is left at worst",
			func(t *guard.Thresholds) *float64 { return &t.ChargeStop }),
	}
}

// commands are the settings of policies and of what the guard makes of them.
func commands() []Setting {
	return []Setting{
		{Key: "policy_faults", Unit: "decisions", Lo: 1, Hi: 10, Whole: true,
			Meaning: "policy-fault: decisions in a row that are not usable",
			get:     func(r *Robot) float64 { return float64(r.Loop.Thresholds.PolicyTicks) / float64(r.Loop.ControlEvery) },
			set:     func(r *Robot, v float64) { r.Loop.Thresholds.PolicyTicks = int(v) * r.Loop.ControlEvery }},
		number("clamped_rad", "rad", 0.005, 0.3, "clamped-long: changes of commands that count",
			func(t *guard.Thresholds) *float64 { return &t.ClampRad }),
		number("clamped_share", "of a second", 0.1, 0.95, "clamped-long: share of ticks with such a change",
			func(t *guard.Thresholds) *float64 { return &t.ClampShare }),
	}
}

// motion are the settings of what robotd does by itself.
func motion() []Setting {
	return []Setting{
		{Key: "gentle_rad_s", Unit: "rad/s", Lo: 0.2, Hi: 3, Meaning: "ramps and poses: speed of the fastest joint at most",
			get: func(r *Robot) (fastest float64) {
				for _, l := range r.Loop.Limits {
					fastest = max(fastest, l.GentleRadPerS)
				}
				return fastest
			},
			set: func(r *Robot, v float64) {
				for i := range r.Loop.Limits {
					r.Loop.Limits[i].GentleRadPerS = min(v, r.Loop.Limits[i].FullRadPerS)
				}
			}},
		lasting("ramp_s", loop.MinRamp, 10*time.Second, "arming, settling: shortest ramp",
			func(c *loop.Config) *time.Duration { return &c.MinRamp }),
		lasting("play_out_s", 0, loop.MaxPlayOut, "an operator's disarm lets a motion go on for so long at most",
			func(c *loop.Config) *time.Duration { return &c.PlayOut }),
	}
}

// number is a setting that stands in the thresholds as it is.
func number(key, unit string, lo, hi float64, meaning string, at func(*guard.Thresholds) *float64) Setting {
	return Setting{Key: key, Unit: unit, Lo: lo, Hi: hi, Meaning: meaning,
		get: func(r *Robot) float64 { return *at(&r.Loop.Thresholds) },
		set: func(r *Robot, v float64) { *at(&r.Loop.Thresholds) = v }}
}

// count is one that is a whole number.
func count(key, unit string, lo, hi int, meaning string, at func(*guard.Thresholds) *int) Setting {
	return Setting{Key: key, Unit: unit, Lo: float64(lo), Hi: float64(hi), Whole: true, Meaning: meaning,
		get: func(r *Robot) float64 { return float64(*at(&r.Loop.Thresholds)) },
		set: func(r *Robot, v float64) { *at(&r.Loop.Thresholds) = int(v) }}
}

// lasting is one that is a time of the loop's configuration.
func lasting(key string, lo, hi time.Duration, meaning string, at func(*loop.Config) *time.Duration) Setting {
	return Setting{Key: key, Unit: "s", Lo: lo.Seconds(), Hi: hi.Seconds(), Meaning: meaning,
		get: func(r *Robot) float64 { return at(r.Loop).Seconds() },
		set: func(r *Robot, v float64) { *at(r.Loop) = time.Duration(v * float64(time.Second)) }}
}
