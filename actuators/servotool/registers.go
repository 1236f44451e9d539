package servotool

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Register is one entry of a device's memory, in the words and units of people. What it
// holds is a count; its value is (count - Zero) * Scale in Unit.
type Register struct {
	Name        string // as the maker writes it
	Addr, Size  int
	Signed      bool
	Writable    bool
	Kept        bool                     // without power; such registers take writes only while torque is off
	Min, Max    int64                    // counts that a write may carry
	Unit        string                   // of its value; empty: the count is all there is to say
	Scale, Zero float64                  // see above
	Words       func(count int64) string // what a code or a set of bits means; nil: nothing
	Moves       bool                     // writing it may move the servo
	Instead     string                   // what changes it with all that belongs to it; empty: a write does
}

// Value is the physical value of a count.
func (r *Register) Value(count int64) float64 { return (float64(count) - r.Zero) * r.Scale }

// Count is the count nearest to a physical value.
func (r *Register) Count(value float64) int64 {
	return int64(math.Round(max(-math.MaxInt32, min(math.MaxInt32, value/r.Scale+r.Zero))))
}

// Text is a count with its physical value or meaning, for people.
func (r *Register) Text(count int64) string {
	s := strconv.FormatInt(count, 10)
	if r.Unit != "" {
		s += fmt.Sprintf(" (%.4g %s)", r.Value(count), r.Unit)
	}
	if r.Words != nil {
		s += " (" + r.Words(count) + ")"
	}
	return s
}

// Legal is what a write may carry, for people.
func (r *Register) Legal() string {
	s := fmt.Sprintf("%d to %d", r.Min, r.Max)
	if r.Unit != "" {
		s += fmt.Sprintf(" (%.4g to %.4g %s)", r.Value(r.Min), r.Value(r.Max), r.Unit)
	}
	return s
}

// Parse reads what a person wants the register to hold: a whole number is a count, a
// number followed by the register's unit is a value. What the register does not take is
// refused.
func (r *Register) Parse(text string) (int64, error) {
	count, err := strconv.ParseInt(strings.TrimSpace(text), 0, 64)
	if number, ok := strings.CutSuffix(strings.TrimSpace(text), r.Unit); err != nil && ok && r.Unit != "" {
		var v float64
		if v, err = strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil && !(math.Abs(v) < math.MaxInt32) {
			err = strconv.ErrRange
		}
		count = r.Count(v)
	}
	if err != nil || count < r.Min || count > r.Max {
		unit := ""
		if r.Unit != "" {
			unit = fmt.Sprintf("; a number alone is counts, with %s behind it a value", r.Unit)
		}
		return 0, refuse("%s (register %d): %q; legal: %s%s", r.Name, r.Addr, text, r.Legal(), unit)
	}
	return count, nil
}

// plain is a name as Find compares it.
func plain(name string) string {
	return strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(name))
}

// Find returns the register of that name, written in any way, or of that address.
func Find(all []Register, name string) (Register, error) {
	addr, err := strconv.Atoi(name)
	var names []string
	for _, r := range all {
		if err == nil && r.Addr == addr || plain(r.Name) == plain(name) {
			return r, nil
		}
		names = append(names, fmt.Sprintf("%s (%d)", r.Name, r.Addr))
	}
	return Register{}, refuse("register %q; legal: %s", name, strings.Join(names, ", "))
}

// Holding is a register and what a device holds in it.
type Holding struct {
	Register
	Holds int64
}

// Read reads the named registers of a device, all of them if none is named. What was read
// comes beside the error.
func Read(bus Bus, id uint8, names ...string) (Device, []Holding, error) {
	d, err := bus.Ping(id)
	if err != nil {
		return d, nil, err
	}
	all, err := bus.Registers(d)
	if err != nil {
		return d, nil, err
	}
	wanted := all
	if len(names) > 0 {
		wanted = nil
		var faults []error
		for _, n := range names {
			r, err := Find(all, n)
			wanted, faults = append(wanted, r), append(faults, err)
		}
		if err := errors.Join(faults...); err != nil {
			return d, nil, err
		}
	}
	var out []Holding
	for _, r := range wanted {
		v, err := bus.ReadRegister(id, r)
		if err != nil {
			return d, out, fmt.Errorf("%s: %w", r.Name, err)
		}
		out = append(out, Holding{r, v})
	}
	return d, out, nil
}

// Written is what became of a write.
type Written struct {
	Register
	Was, Holds int64
}

// Write makes a register hold what text says (see [Register.Parse]), and reads it back.
// It refuses what the servo would not take, and what may move it unless mayMove.
func Write(bus Bus, id uint8, name, text string, mayMove bool) (Written, error) {
	d, err := bus.Ping(id)
	if err != nil {
		return Written{}, err
	}
	all, err := bus.Registers(d)
	if err != nil {
		return Written{}, err
	}
	r, err := Find(all, name)
	if err != nil {
		return Written{}, err
	}
	w := Written{Register: r}
	switch {
	case !r.Writable:
		return w, refuse("%s (register %d) can only be read", r.Name, r.Addr)
	case r.Instead != "":
		return w, refuse("%s (register %d) decides whether the servo is found again: use %s", r.Name, r.Addr, r.Instead)
	}
	count, err := r.Parse(text)
	if err != nil {
		return w, err
	}
	if r.Moves && count != 0 && !mayMove {
		return w, refuse("%s (register %d) = %d may move servo %d at once; make room, then say --may-move",
			r.Name, r.Addr, count, id)
	}
	return write(bus, id, w, count)
}

// write writes and reads back.
func write(bus Bus, id uint8, w Written, count int64) (Written, error) {
	if w.Kept {
		if err := torqueless(bus, id, fmt.Sprintf("%s (register %d) is kept without power and takes no writes under torque", w.Name, w.Addr)); err != nil {
			return w, err
		}
	}
	var err error
	if w.Was, err = bus.ReadRegister(id, w.Register); err != nil {
		return w, err
	}
	// A servo may be set to answer no writes: what it holds then says what is true.
	sent := bus.WriteRegister(id, w.Register, count)
	if sent != nil && !errors.Is(sent, ErrSilent) {
		return w, sent
	}
	if w.Holds, err = bus.ReadRegister(id, w.Register); err != nil {
		return w, errors.Join(sent, err)
	}
	if w.Holds != count {
		return w, errors.Join(fmt.Errorf("%s (register %d) of servo %d holds %d after %d was written", w.Name, w.Addr,
			id, w.Holds, count), sent)
	}
	return w, nil
}

// torqueless refuses what a servo under torque does not take, or would drop its load in.
func torqueless(bus Bus, id uint8, why string) error {
	on, err := bus.TorqueOn(id)
	if err != nil {
		return err
	}
	if on {
		return refuse("the torque of servo %d is on: %s; support the robot, then switch its torque off (mitori bus torque-off)", id, why)
	}
	return nil
}

// Setting is a register and what it is to hold.
type Setting struct {
	Register
	Want    int64
	Answers bool // it decides whether the device answers anything but pings
}

// Set makes a register hold what a setting wants, and reads it back.
func Set(bus Bus, id uint8, s Setting) error {
	_, err := write(bus, id, Written{Register: s.Register}, s.Want)
	return err
}
