package replay

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/mitori-robotics/mitori/actuators/recorder"
)

// DifferenceError is the first decision that came out otherwise.
type DifferenceError struct {
	Tick     int64
	AtS      float64 // since the first tick, on the loop's clock
	Joint    string  // "" where the field has no joints
	Field    string  // as in the recording's schema
	Recorded string
	Replayed string
	Others   int // further values of this tick that differ
}

// Error implements error.
func (d *DifferenceError) Error() string {
	where := d.Field
	if d.Joint != "" {
		where = d.Joint + ", " + d.Field
	}
	text := fmt.Sprintf("tick %d at %.3f s: %s: recorded %s, replayed %s", d.Tick, d.AtS, where, d.Recorded, d.Replayed)
	if d.Others > 0 {
		text += fmt.Sprintf(" (and %d more values of this tick)", d.Others)
	}
	return text
}

// notCompared are fields of a tick that are no decisions: words for people, and who asked.
// All others are compared; those that are inputs come back as they are.
func notCompared(field string) bool {
	return field == "Detail" || field == "AskedLink" || field == "AskedProgram"
}

// compare returns the first value in which two ticks differ, in the order of their fields;
// nil: none. Numbers are compared bit for bit.
func compare(joints []string, was, is *recorder.Tick) *DifferenceError {
	c := comparison{joints: joints}
	a, b := reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem()
	for i := range a.NumField() {
		if name := a.Type().Field(i).Name; !notCompared(name) {
			c.values([]string{name}, a.Field(i), b.Field(i))
		}
	}
	return c.first
}

// comparison is that of one tick.
type comparison struct {
	joints []string
	first  *DifferenceError
}

// values compares a field, whose path are Go names.
func (c *comparison) values(path []string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			c.values(append(path, a.Type().Field(i).Name), a.Field(i), b.Field(i))
		}
	case reflect.Slice:
		if a.Len() != b.Len() {
			c.note(append(path, "Len"), -1, reflect.ValueOf(a.Len()), reflect.ValueOf(b.Len()))
			return
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				c.note(path, i, a.Index(i), b.Index(i))
			}
		}
	default:
		if !same(a, b) {
			c.note(path, -1, a, b)
		}
	}
}

// note keeps the first difference; index is the place in a list, -1 where there is none.
func (c *comparison) note(path []string, index int, a, b reflect.Value) {
	if c.first != nil {
		c.first.Others++
		return
	}
	c.first = &DifferenceError{Field: snake(path[0]), Recorded: text(a), Replayed: text(b)}
	for _, name := range path[1:] {
		c.first.Field += "." + snake(name)
	}
	switch {
	case index >= len(c.joints) || index >= 0 && (path[0] == "Gravity" || path[0] == "GyroRadS"):
		c.first.Field += "[" + strconv.Itoa(index) + "]"
	case index >= 0:
		c.first.Joint = c.joints[index]
	}
}

func same(a, b reflect.Value) bool {
	if a.CanFloat() {
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	}
	return a.Equal(b)
}

// text says a value so exactly that two that differ look different.
func text(v reflect.Value) string {
	switch {
	case v.CanFloat() && math.IsNaN(v.Float()):
		return fmt.Sprintf("NaN (%#x)", math.Float64bits(v.Float()))
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case v.Kind() == reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// snake is the schema's spelling of a Go name: "IMUFresh" is imu_fresh.
func snake(name string) string {
	var b strings.Builder
	r := []rune(name)
	for i, c := range r {
		upper := unicode.IsUpper(c)
		after := i > 0 && !unicode.IsUpper(r[i-1])
		before := i > 0 && i+1 < len(r) && unicode.IsLower(r[i+1])
		if upper && (after || before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
