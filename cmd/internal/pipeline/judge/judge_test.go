package judge

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/sim/eval"
)

// fill puts a random value into everything that v holds.
func fill(v reflect.Value, rng *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), rng)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), rng)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+rng.IntN(3), 4))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), rng)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, rng)
		fill(value, rng)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("\"%x\n<>", rng.Uint64()))
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(rng.Int64())
	case reflect.Uint64:
		v.SetUint(rng.Uint64())
	case reflect.Float64:
		v.SetFloat(rng.NormFloat64())
	default:
		panic("fill: " + v.Type().String())
	}
}

// What is kept of an evaluation comes back as it was, to the bit.
func TestReportsAreKeptWhole(t *testing.T) {
	kept, rng := (&Subject{}).Stage().Kept, rand.New(rand.NewPCG(1, 2))
	for range 50 {
		r := &eval.Report{}
		fill(reflect.ValueOf(r).Elem(), rng)
		var b bytes.Buffer
		if err := kept.Write(&b, r); err != nil {
			t.Fatal(err)
		}
		got, err := kept.Read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r, got) {
			t.Fatalf("kept %+v, got back %+v", r, got)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	damaged := filepath.Join(t.TempDir(), "x.bundle")
	if err := os.WriteFile(damaged, []byte("no bundle"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]int{damaged: fault.ExitRefused, damaged + ".none": fault.ExitFailed} {
		if _, err := Load(name, ""); fault.Code(err) != code {
			t.Errorf("%s: %v; want code %d", name, err, code)
		}
	}
}
