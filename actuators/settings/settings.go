// Package settings gives every number that decides when robotd acts by itself a name with a unit, legal values and a
// meaning: the block failsafes: of its configuration, the facts in a recording, the table in docs/settings.md.
//
// The numbers themselves live where they are used (guard, limits, loop, the servo drivers); this package reads and
// changes them there. Legal values are such that none switches a failsafe off: whatever is chosen, what the failsafe is
// for still sets it off. Only an emulated bus has some of them off (limits.OnEmulatedBus).
//
// What is not here: the configuration file, and numbers that describe the robot (ranges, speeds, supply voltages, the
// servos' temperature limits), which stand in its description. Everything is a pure function of its arguments.
package settings

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Values are chosen numbers by name; what is not among them keeps its default.
type Values map[string]float64

// Robot is what the numbers belong to.
type Robot struct {
	Desc     *robot.Description
	Loop     *loop.Config
	Watchdog time.Duration // how long a servo may hear nothing before it stops by itself
	Margin   time.Duration // how long an answer may take beyond its time on the wire
}

// Setting is one number.
type Setting struct {
	Key     string // ends in its unit, where it has one
	Unit    string // for people; what is counted
	Lo, Hi  float64
	Whole   bool // whole numbers only
	Meaning string

	get func(*Robot) float64
	set func(*Robot, float64)
}

// Legal says what the number may be.
func (s Setting) Legal() string {
	kind := ""
	if s.Whole {
		kind = "whole numbers, "
	}
	return fmt.Sprintf("%s%s to %s %s", kind, plain(s.Lo), plain(s.Hi), s.Unit)
}

// allows reports whether v is legal; not a number never is.
func (s Setting) allows(v float64) bool {
	return v >= s.Lo && v <= s.Hi && (!s.Whole || v == math.Trunc(v))
}

// Unfit is what is wrong with one value.
type Unfit struct {
	Key string
	Why string // the value, and what is legal
}

// Check judges chosen values as far as that needs no robot, in the order of their names.
func Check(chosen Values) (bad []Unfit) {
	known := map[string]Setting{}
	for _, s := range All() {
		known[s.Key] = s
	}
	for _, key := range slices.Sorted(maps.Keys(chosen)) {
		v := chosen[key]
		s, ok := known[key]
		if !ok {
			bad = append(bad, Unfit{key, fmt.Sprintf("unknown; legal: %v", slices.Sorted(maps.Keys(known)))})
		} else if !s.allows(v) {
			bad = append(bad, Unfit{key, fmt.Sprintf("%s; legal: %s", plain(v), s.Legal())})
		}
	}
	return bad
}

// Apply puts chosen values, which Check has passed, into r, and judges what they are together. On a fault r is not to
// be used.
func Apply(r *Robot, chosen Values) (bad []Unfit) {
	for _, s := range All() {
		if v, ok := chosen[s.Key]; ok {
			s.set(r, v)
		}
	}
	for _, rule := range rules() {
		key, asked := rule.concerns(chosen)
		if !asked {
			continue
		}
		if why := rule.broken(r); why != "" {
			bad = append(bad, Unfit{key, why})
		}
	}
	return bad
}

// InForce are all numbers as they are in r, but for those that an emulated bus has switched off.
func InForce(r *Robot) Values {
	out := Values{}
	for _, s := range All() {
		if v := s.get(r); !math.IsInf(v, 0) {
			out[s.Key] = math.Round(v*1e9) / 1e9 // differences of decimal numbers
		}
	}
	return out
}

// Watchdog is how long servos may hear nothing before they stop by themselves.
func Watchdog(chosen Values) time.Duration {
	return chosen.span(watchdogKey, dynamixel.DefaultWatchdog)
}

// Margin is how long an answer may take beyond its time on the wire; usual where none was chosen.
func Margin(chosen Values, usual time.Duration) time.Duration { return chosen.span(marginKey, usual) }

// span is a chosen time, or its default.
func (v Values) span(key string, usual time.Duration) time.Duration {
	if s, ok := v[key]; ok {
		return time.Duration(s * float64(time.Second))
	}
	return usual
}

func plain(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
