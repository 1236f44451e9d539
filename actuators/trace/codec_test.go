package trace

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// scramble fills every field below v with bits of rng: NaN, infinities and extremes too.
func scramble(v reflect.Value, rng *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			scramble(v.Field(i), rng)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i), rng)
		}
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 1)
	case reflect.Float64:
		odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64}
		if v.SetFloat(rng.NormFloat64()); rng.IntN(4) == 0 {
			v.SetFloat(odd[rng.IntN(len(odd))])
		}
	case reflect.String:
		text := make([]byte, rng.IntN(maxWord+1))
		for i := range text {
			text[i] = byte(rng.IntN(256))
		}
		v.SetString(string(text))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(rng.Uint64()))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rng.Uint64() >> (64 - v.Type().Bits()))
	default:
		panic("a sample has a " + v.Kind().String())
	}
}

// same compares two values bit by bit: NaN is NaN.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice, reflect.Array:
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return a.Len() == b.Len()
	case reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	}
	return a.Equal(b)
}

// Whatever a tick leaves arrives as it was: every field that a sample has, and will have.
func TestAnySampleSurvives(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, joints := range []int{0, 1, 3, 20} {
		r := NewRing(3, joints)
		for range 200 {
			want := newSample(joints)
			scramble(reflect.ValueOf(&want).Elem(), rng)
			want.CopyTo(r.Reserve())
			r.Publish()
			got := r.Next()
			if got == nil || !same(reflect.ValueOf(*got), reflect.ValueOf(want)) {
				t.Fatalf("%d joints: left as\n%+v\narrived as\n%+v", joints, want, got)
			}
			r.Release()
		}
	}
}

// Words that are too long are cut, and nothing else of the sample suffers.
func TestLongWordsAreCut(t *testing.T) {
	r := NewRing(1, 2)
	s := r.Reserve()
	s.Robot.Unfit.Joint, s.Tick = string(make([]byte, 3*maxWord)), 7
	r.Publish()
	if got := r.Next(); got == nil || len(got.Robot.Unfit.Joint) != maxWord || got.Tick != 7 {
		t.Errorf("%+v", got)
	}
}

func TestFillingAndTakingAllocateNothing(t *testing.T) {
	r := NewRing(8, 20)
	if n := testing.AllocsPerRun(100, func() {
		s := r.Reserve()
		s.Tick++
		s.Robot.Unfit.Joint = "l_knee"
		r.Publish()
		if r.Next() == nil {
			t.Fatal("nothing there")
		}
		r.Release()
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// mapped are two rings on one memory, as two processes have them.
func mapped(t *testing.T, size, joints int) (in, out *Ring, mem []byte) {
	t.Helper()
	mem = make([]byte, RingBytes(size, joints))
	in, err := RingOn(mem, size, joints)
	if err != nil {
		t.Fatal(err)
	}
	if out, err = RingOn(mem, size, joints); err != nil {
		t.Fatal(err)
	}
	return in, out, mem
}

// A record that was damaged is skipped and counted, wherever the damage is; the others
// arrive.
func TestDamageIsSkippedAndCounted(t *testing.T) {
	in, out, mem := mapped(t, 4, 3)
	first := mem[wordBytes:][:in.each]
	for at := range headBytes + recordBytes(3) {
		if at >= 12 && at < headBytes {
			continue // padding
		}
		before := out.Dropped()
		in.wrote, out.read = 0, 0
		in.words.head.Store(0)
		in.words.tail.Store(0)
		for tick := range int64(2) {
			in.Reserve().Tick = tick
			in.Publish()
		}
		first[at] ^= 0x40
		if s := out.Next(); s == nil || s.Tick != 1 || out.Dropped() != before+1 {
			t.Fatalf("byte %d: %v, %d skipped", at, s, out.Dropped()-before)
		}
		out.Release()
	}
}

// Overtaken by a producer that lost count of it, the consumer goes on with what is there
// and says how much is not.
func TestOvertakenNotices(t *testing.T) {
	in, out, _ := mapped(t, 4, 1)
	for tick := range int64(11) {
		in.words.tail.Store(in.wrote) // a producer that believes all was read
		in.Reserve().Tick = tick
		in.Publish()
	}
	for want := int64(7); want < 11; want++ {
		if s := out.Next(); s == nil || s.Tick != want {
			t.Fatalf("%v, want tick %d", s, want)
		}
		out.Release()
	}
	if out.Next() != nil || out.Dropped() != 7 {
		t.Errorf("%d lost, want 7", out.Dropped())
	}
}

// Whatever stands in the shared memory: the producer stays within it and allocates
// nothing, the consumer ends, and neither panics.
func FuzzSharedRing(f *testing.F) {
	f.Add([]byte{1}, uint64(0), uint64(0))
	f.Add([]byte{0xff, 0}, uint64(math.MaxUint64), uint64(1)<<63)
	f.Fuzz(func(t *testing.T, noise []byte, head, tail uint64) {
		in, out, mem := mapped(t, 3, 2)
		for i := range mem {
			if len(noise) > 0 {
				mem[i] = noise[i%len(noise)]
			}
		}
		binary.LittleEndian.PutUint64(mem, head)
		in.words.tail.Store(tail)
		for range 5 {
			if s := in.Reserve(); s != nil {
				in.Publish()
			}
			for range 5 {
				if out.Next() != nil {
					out.Release()
				}
			}
		}
	})
}

func TestRingOnRefusesOtherSizes(t *testing.T) {
	for _, c := range []struct{ size, joints, bytes int }{
		{0, 1, wordBytes}, {2, 1, RingBytes(2, 1) - 1}, {2, 1, RingBytes(2, 2)}, {MaxSlots + 1, 1, 8}, {2, -1, 1000},
	} {
		if r, err := RingOn(make([]byte, c.bytes), c.size, c.joints); err == nil {
			t.Errorf("%+v: %+v", c, r)
		}
	}
}

// One tick of 20 joints on its way out: the loop's share.
func BenchmarkPublish(b *testing.B) {
	r := NewRing(8, 20)
	for b.Loop() {
		r.Reserve().Tick++
		r.Publish()
		r.words.tail.Store(r.wrote)
	}
}
