package replay

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/loop"
)

// Settings is everything that a loop is told at its start, as text: a line for each
// value, "Limits[3].MinRad=-1.25", in the order of the fields of loop.Config; a list has a
// line with its length first. Numbers come back bit for bit, infinities included.
func Settings(cfg loop.Config) string {
	var b strings.Builder
	_ = walk("", reflect.ValueOf(&cfg).Elem(), func(path string, v reflect.Value) error {
		b.WriteString(path + "=" + valueText(v) + "\n")
		return nil
	})
	return b.String()
}

// ParseSettings reads what Settings wrote. A value that is missing, unknown or no number
// is an error: the text is that of another version.
func ParseSettings(text string) (cfg loop.Config, err error) {
	lines := map[string]string{}
	for line := range strings.Lines(text) {
		path, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		lines[path] = value
	}
	err = walk("", reflect.ValueOf(&cfg).Elem(), func(path string, v reflect.Value) error {
		value, ok := lines[path]
		if !ok {
			return fmt.Errorf("the settings lack %s", path)
		}
		delete(lines, path)
		return setValue(path, v, value)
	})
	if err == nil && len(lines) > 0 {
		err = fmt.Errorf("the settings have %s, which this version does not know",
			slices.Min(slices.Collect(maps.Keys(lines))))
	}
	return cfg, err
}

// walk calls leaf for every value below v that a text can hold. Functions and pointers are none.
func walk(path string, v reflect.Value, leaf func(string, reflect.Value) error) error {
	switch v.Kind() {
	case reflect.Func, reflect.Pointer: // the clock, and the line to another process
		return nil
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if path != "" {
				name = path + "." + name
			}
			if err := walk(name, v.Field(i), leaf); err != nil {
				return err
			}
		}
		return nil
	case reflect.Slice:
		if err := leaf(path, v); err != nil {
			return err
		}
		for i := range v.Len() {
			if err := walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i), leaf); err != nil {
				return err
			}
		}
		return nil
	}
	return leaf(path, v)
}

func valueText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		return strconv.Itoa(v.Len())
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(plain(v))
}

// maxJoints bounds the lists of a text that may be damaged.
const maxJoints = 1000

func setValue(path string, v reflect.Value, text string) error {
	bad := fmt.Errorf("%s is %q; legal: %s", path, text, v.Kind())
	switch {
	case v.Kind() == reflect.Slice:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxJoints {
			return fmt.Errorf("%s is %q; legal: 0 to %d", path, text, maxJoints)
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
	case v.CanFloat():
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return bad
		}
		v.SetFloat(x)
	case v.CanInt():
		x, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v.OverflowInt(x) {
			return bad
		}
		v.SetInt(x)
	case v.CanUint():
		x, err := strconv.ParseUint(text, 10, 64)
		if err != nil || v.OverflowUint(x) {
			return bad
		}
		v.SetUint(x)
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		x, err := strconv.ParseBool(text)
		if err != nil {
			return bad
		}
		v.SetBool(x)
	default:
		return errors.Join(bad, errors.ErrUnsupported)
	}
	return nil
}

// plain is a value without the words that its type has for it.
func plain(v reflect.Value) any {
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	}
	return v.Interface()
}
