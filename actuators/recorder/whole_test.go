package recorder

import (
	"reflect"
	"slices"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"google.golang.org/protobuf/proto"
)

// Whatever a sample holds is recorded: with any value of it changed, another tick is
// written. A new field of a sample, a driver's state or the machine that the recorder does
// not know fails here.
func TestEverythingInASampleIsRecorded(t *testing.T) {
	known := []string{ // what is recorded as something else
		"Request",       // the strongest of Asked
		"Machine.State", // Mode
	}
	full := func() *trace.Sample {
		s := sample(7)
		s.Calls = trace.Calls{Read: trace.Failed, Write: trace.Confirmed, TakeUp: trace.Confirmed}
		s.Act = trace.Act{Asked: true}
		s.Guard.Range = 1
		s.Robot.Unfit = driver.Unfit{Joint: "knee", ID: 3, Setting: "gain", Got: 1, Want: 2}
		return s
	}
	written := func(s *trace.Sample) []byte {
		m := newMessages(nil)
		m.setTick(s, "")
		m.setTime(s.WallNs)
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.tick)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	before := written(full())
	if !slices.Equal(before, written(full())) {
		t.Fatal("a sample is not written the same twice")
	}
	n := 0
	var walk func(path string, get func(*trace.Sample) reflect.Value)
	walk = func(path string, get func(*trace.Sample) reflect.Value) {
		v := get(full())
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Field(i).Name
				if path != "" {
					name = path + "." + name
				}
				walk(name, func(s *trace.Sample) reflect.Value { return get(s).Field(i) })
			}
			return
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(path, func(s *trace.Sample) reflect.Value { return get(s).Index(i) })
			}
			if v.Len() == 0 {
				t.Errorf("%s is empty: the test's sample lacks it", path)
			}
			return
		}
		if slices.Contains(known, path) {
			return
		}
		s := full()
		change(get(s))
		if n++; slices.Equal(before, written(s)) {
			t.Errorf("%s is not recorded", path)
		}
	}
	walk("", func(s *trace.Sample) reflect.Value { return reflect.ValueOf(s).Elem() })
	if n < 100 {
		t.Errorf("%d values", n)
	}
}

// change gives a value another one.
func change(v reflect.Value) {
	switch {
	case v.CanFloat():
		v.SetFloat(v.Float() + 1)
	case v.CanInt():
		v.SetInt(v.Int() ^ 1)
	case v.CanUint():
		v.SetUint(v.Uint() ^ 2) // the first bit of a set of requests stands for none
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	default:
		v.SetString(v.String() + "x")
	}
}
