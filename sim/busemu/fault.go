package busemu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// FaultKind names a way in which a bus fails.
type FaultKind string

// The faults.
const (
	FaultDrop     FaultKind = "drop"     // answers vanish with probability P
	FaultCRC      FaultKind = "crc"      // a bit of an answer flips with probability P
	FaultNoise    FaultKind = "noise"    // junk arrives before an answer with probability P
	FaultSilence  FaultKind = "silence"  // device ID (all devices if it is 0) does not answer, with probability P
	FaultDelay    FaultKind = "delay"    // answers come Delay later, with probability P
	FaultBrownOut FaultKind = "brownout" // the supply is at V
	FaultClash    FaultKind = "clash"    // a second device shares ID and talks over it
	FaultStuck    FaultKind = "stuck"    // the encoder of servo ID stands still
	FaultReboot   FaultKind = "reboot"   // servo ID restarts once, as after a loose cable
	FaultHeat     FaultKind = "heat"     // servo ID is at V degrees
	FaultIMU      FaultKind = "imu"      // the hub repeats its last sample
	FaultButton   FaultKind = "button"   // somebody presses the hub's buttons V, one bit each
	FaultDead     FaultKind = "dead"     // the motor of servo ID gets no current
	FaultWeak     FaultKind = "weak"     // the motor of servo ID has V percent of its strength
	FaultReversed FaultKind = "reversed" // the motor of servo ID turns the wrong way round
	FaultCrossed  FaultKind = "crossed"  // the motor of servo ID moves the joint of servo V, and the other way round
	FaultLoose    FaultKind = "loose"    // between motor and encoder of servo ID are V degrees of play
)

func faultKinds() []FaultKind {
	return []FaultKind{FaultDrop, FaultCRC, FaultNoise, FaultSilence, FaultDelay, FaultBrownOut, FaultClash, FaultStuck, FaultReboot, FaultHeat,
		FaultIMU, FaultButton, FaultDead, FaultWeak, FaultReversed, FaultCrossed, FaultLoose}
}

// Fault is one thing that goes wrong, for a while.
type Fault struct {
	Kind  FaultKind
	Bus   string // the line; empty: every line
	ID    dxl.ID
	P     float64       // probability per answer; default 1
	V     float64       // volt of a brown-out, degrees of heat or play, buttons, percent, the other servo
	Delay time.Duration // of a delay
	At    time.Duration // when it begins, on the world's clock
	For   time.Duration // how long it lasts; 0 is for good
	done  bool          // of a one-off
}

func (f *Fault) active(now time.Duration) bool {
	return now >= f.At && (f.For == 0 || now < f.At+f.For)
}

// ParseFault reads "kind" or "kind:key=value,...": the keys are bus, id, p, v, ms, at
// and for, e.g. "silence:id=7,at=2s,for=500ms" or "crc:p=0.01".
func ParseFault(text string) (Fault, error) {
	kind, rest, _ := strings.Cut(text, ":")
	f := Fault{Kind: FaultKind(kind), P: 1}
	if !slices.Contains(faultKinds(), f.Kind) {
		return f, fmt.Errorf("busemu: fault %q: unknown kind %q; legal: %v", text, kind, faultKinds())
	}
	seen := map[string]bool{}
	for _, item := range strings.FieldsFunc(rest, func(r rune) bool { return r == ',' }) {
		key, val, ok := strings.Cut(item, "=")
		if !ok || seen[key] {
			return f, fmt.Errorf("busemu: fault %q: %q; legal: key=value, each key once", text, item)
		}
		seen[key] = true
		if err := f.set(key, val); err != nil {
			return f, fmt.Errorf("busemu: fault %q: %w", text, err)
		}
	}
	needs := map[FaultKind]string{FaultDelay: "ms", FaultBrownOut: "v", FaultHeat: "v", FaultButton: "v", FaultClash: "id", FaultStuck: "id", FaultReboot: "id",
		FaultDead: "id", FaultWeak: "v", FaultReversed: "id", FaultCrossed: "v", FaultLoose: "v"}
	if k := needs[f.Kind]; k != "" && !seen[k] {
		return f, fmt.Errorf("busemu: fault %q: needs %s=", text, k)
	}
	return f, nil
}

func (f *Fault) set(key, val string) error {
	num, numErr := strconv.ParseFloat(val, 64)
	span, spanErr := time.ParseDuration(val)
	switch key {
	case "bus":
		f.Bus = val
	case "id":
		if numErr != nil || num != float64(int(num)) || num < 0 || num > float64(dxl.MaxID) {
			return fmt.Errorf("id %q; legal: 0 to %d", val, dxl.MaxID)
		}
		f.ID = dxl.ID(num)
	case "p":
		if numErr != nil || !(num >= 0 && num <= 1) {
			return fmt.Errorf("p %q; legal: 0 to 1", val)
		}
		f.P = num
	case "v":
		if numErr != nil || !(num >= 0 && num <= 150) {
			return fmt.Errorf("v %q; legal: 0 to 150", val)
		}
		f.V = num
	case "ms":
		if numErr != nil || !(num >= 0 && num <= 10_000) {
			return fmt.Errorf("ms %q; legal: 0 to 10000", val)
		}
		f.Delay = time.Duration(num * float64(time.Millisecond))
	case "at", "for":
		if spanErr != nil || span < 0 {
			return fmt.Errorf("%s %q; legal: a duration like 500ms or 2s", key, val)
		}
		if key == "at" {
			f.At = span
		} else {
			f.For = span
		}
	default:
		return fmt.Errorf("unknown key %q; legal: bus, id, p, v, ms, at, for", key)
	}
	return nil
}
