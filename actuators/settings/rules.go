package settings

import (
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/guard"
)

// rule is what several settings, or a setting and the robot, must be together.
type rule struct {
	keys   []string
	broken func(r *Robot) string // the values, and what is legal; "": it holds
}

// concerns says whether any setting of the rule was chosen, and which first. What nobody chose is the robot's or this
// program's own business, and no fault of a configuration.
func (u rule) concerns(chosen Values) (key string, yes bool) {
	for _, k := range u.keys {
		if _, ok := chosen[k]; ok {
			return k, true
		}
	}
	return "", false
}

// rules are checked after all values are in their places.
func rules() []rule {
	return []rule{
		{[]string{"arm_tilt_rad", "tilt_rad"}, func(r *Robot) string {
			t := &r.Loop.Thresholds
			return above(t.TiltRad, t.UprightRad, "tilt_rad", "arm_tilt_rad", "rad")
		}},
		{[]string{"temp_warn_below_k", "temp_stop_below_k"}, func(r *Robot) string {
			h, own := &r.Loop.Health[0], r.Desc.ServoOf(0).MaxTempC
			return above(own-h.TempWarnC, own-h.TempStopC, "temp_warn_below_k", "temp_stop_below_k", "K")
		}},
		{[]string{"temp_derate_below_k", "temp_stop_below_k"}, func(r *Robot) string {
			h, own := &r.Loop.Health[0], r.Desc.ServoOf(0).MaxTempC
			return above(own-h.TempDerateC, own-h.TempStopC, "temp_derate_below_k", "temp_stop_below_k", "K")
		}},
		{[]string{"winding_derate_c", "winding_stop_c"}, func(r *Robot) string {
			t := &r.Loop.Thresholds
			return above(t.WindingStopC, t.WindingDerateC, "winding_stop_c", "winding_derate_c", "C")
		}},
		{[]string{"winding_warn_c", "winding_stop_c"}, func(r *Robot) string {
			t := &r.Loop.Thresholds
			return above(t.WindingStopC, t.WindingWarnC, "winding_stop_c", "winding_warn_c", "C")
		}},
		{[]string{"winding_k_per_a2", "winding_stop_c"}, windingIsReached},
		{[]string{watchdogKey}, func(r *Robot) string { return outlasts(r, r.Watchdog.Seconds()) }},
		{[]string{"loop_stuck_s"}, func(r *Robot) string { return outlasts(r, r.Loop.Thresholds.StuckS) }},
		{[]string{"loop_gap_s"}, func(r *Robot) string { return outlasts(r, r.Loop.Thresholds.GapS) }},
	}
}

// above says that one setting must be larger than another.
func above(large, small float64, largeKey, smallKey, unit string) string {
	if large > small {
		return ""
	}
	return fmt.Sprintf("%s is %s %s and %s is %s %s; legal: a larger %s than %s",
		largeKey, plain(large), unit, smallKey, plain(small), unit, largeKey, smallKey)
}

// ticksOfPatience is how many ticks must fit into whatever waits for a tick.
const ticksOfPatience = 2

// outlasts says that what waits for a tick must wait for more than one.
func outlasts(r *Robot, seconds float64) string {
	need := ticksOfPatience / float64(r.Loop.RateHz)
	if seconds >= need {
		return ""
	}
	return fmt.Sprintf("%s; legal: %d ticks and more, which at %d Hz are %s s", plain(seconds), ticksOfPatience, r.Loop.RateHz, plain(need))
}

// roomC is the temperature at which a motor is cold.
const roomC = 25.0

// windingIsReached says that a cold servo that is blocked must come to be overheated: with smaller constants the model
// would never say anything. Servos for which the default constants are too small are left out.
func windingIsReached(r *Robot) string {
	t, first := &r.Loop.Thresholds, guard.DefaultThresholds(0, 0)
	for i, h := range r.Loop.Health {
		square := h.StallCurrentA * h.StallCurrentA
		if roomC+first.Winding.KPerA2*square < first.WindingStopC {
			continue
		}
		if hottest := roomC + t.Winding.KPerA2*square; hottest < t.WindingStopC {
			return fmt.Sprintf("a blocked %s would come to %.0f C and never to winding_stop_c, %s C; legal: winding_k_per_a2 of %.3g and more",
				r.Desc.Joints[i].Name, hottest, plain(t.WindingStopC), (t.WindingStopC-roomC)/square)
		}
	}
	return ""
}
