package clock

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Histogram counts durations in log-linear buckets: exact to 1 us below 64 us,
// then within 1/32 of the value up to about 70 s. Adding costs a few
// instructions and no allocation. The zero value is ready to use.
type Histogram struct {
	counts [bucketCount]uint64
	total  uint64
	maxUs  int64
}

const (
	subBits     = 5
	sub         = 1 << subBits // buckets per octave
	bucketCount = 2*sub + 21*sub
)

// AddNs counts one duration; negative ones (an early wake-up) count as zero.
func (h *Histogram) AddNs(ns int64) {
	us := max(ns, 0) / 1000
	h.counts[bucketOf(us)]++
	h.total++
	h.maxUs = max(h.maxUs, us)
}

// MarshalBinary implements encoding.BinaryMarshaler, for another process of this program.
func (h *Histogram) MarshalBinary() ([]byte, error) {
	b := binary.AppendVarint(nil, h.maxUs)
	for _, n := range h.counts {
		b = binary.AppendUvarint(b, n)
	}
	return b, nil
}

// errHistogram: the bytes are not those of a histogram.
var errHistogram = errors.New("clock: not a histogram")

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (h *Histogram) UnmarshalBinary(b []byte) error {
	var got Histogram
	maxUs, used := binary.Varint(b)
	for i := range got.counts {
		if used <= 0 {
			return errHistogram
		}
		b = b[used:]
		got.counts[i], used = binary.Uvarint(b)
		got.total += got.counts[i]
	}
	if used <= 0 || used != len(b) {
		return errHistogram
	}
	got.maxUs = maxUs
	*h = got
	return nil
}

// MaxUs returns the largest duration, exactly.
func (h *Histogram) MaxUs() int64 { return h.maxUs }

// QuantileUs returns the smallest bucket's upper edge below which at least the
// fraction q of all durations lies, never above the maximum; 0 when empty.
func (h *Histogram) QuantileUs(q float64) int64 {
	if h.total == 0 {
		return 0
	}
	need := uint64(q * float64(h.total))
	if float64(need) < q*float64(h.total) || need == 0 {
		need++
	}
	var seen uint64
	for b := range h.counts {
		seen += h.counts[b]
		if seen >= need && b < bucketCount-1 {
			return min(upperUs(b), h.maxUs)
		}
	}
	return h.maxUs // the last bucket has no upper edge
}

func bucketOf(us int64) int {
	if us < 2*sub {
		return int(us)
	}
	shift := bits.Len64(uint64(us)) - subBits - 1 // mantissa keeps subBits+1 bits
	b := shift*sub + int(us>>shift)
	return min(b, bucketCount-1)
}

// upperUs is the largest duration in bucket b.
func upperUs(b int) int64 {
	if b < 2*sub {
		return int64(b)
	}
	shift := b/sub - 1
	return (int64(b-shift*sub)+1)<<shift - 1
}
