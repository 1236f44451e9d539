package shared

import (
	"errors"
	"math"
	"sync/atomic"
	"unsafe"
)

// Latest carries the latest of a stream of references from the gateway to the loop: three
// records, one that is written, one that is read, one in between, which change their roles
// by one atomic word. Neither side waits, and nothing is torn. Each side has its own on the
// same memory, and uses it from one goroutine at a time.
type Latest struct {
	words   []atomic.Uint64 // the role word, then three records
	joints  int
	writing uint64
	reading uint64
}

const (
	latestHead = 2 // sequence number, sender's time
	news       = 4 // in the role word: the record in between was not taken yet
)

// latestWords is the size of a Latest in 8 bytes.
func latestWords(joints int) int { return 8 + 3*(latestHead+joints) }

// NewLatest returns one on the heap, for both sides in one process.
func NewLatest(joints int) *Latest {
	return latestOn(make([]atomic.Uint64, latestWords(joints)), joints)
}

func latestOn(words []atomic.Uint64, joints int) *Latest {
	return &Latest{words: words, joints: joints, writing: 1, reading: 2}
}

// latestIn lays one on shared memory.
func latestIn(mem []byte, joints int) (*Latest, error) {
	if len(mem) < 8*latestWords(joints) || uintptr(unsafe.Pointer(&mem[0]))%8 != 0 {
		return nil, errors.New("shared: no room for references")
	}
	return latestOn(unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&mem[0])), latestWords(joints)), joints), nil
}

// record is where record i begins. Whatever stands in the role word, it is one of three.
func (l *Latest) record(i uint64) []atomic.Uint64 {
	size := latestHead + l.joints
	return l.words[8+int(i%3)*size:][:size]
}

// Put leaves a reference. Gateway.
func (l *Latest) Put(seq uint64, timeNs int64, posRad []float64) {
	r := l.record(l.writing)
	r[0].Store(seq)
	r[1].Store(uint64(timeNs))
	for j := range l.joints {
		r[latestHead+j].Store(math.Float64bits(posRad[j]))
	}
	l.writing = l.words[0].Swap(l.writing%3|news) &^ news
}

// Take copies the latest reference, and reports whether it is another than before. What it
// says may be anything: the other side is not trusted. Loop.
func (l *Latest) Take(posRad []float64) (seq uint64, timeNs int64, isNew bool) {
	if l.words[0].Load()&news == 0 {
		return 0, 0, false
	}
	l.reading = l.words[0].Swap(l.reading%3) &^ news
	r := l.record(l.reading)
	for j := range l.joints {
		posRad[j] = math.Float64frombits(r[latestHead+j].Load())
	}
	return r[0].Load(), int64(r[1].Load()), true
}
