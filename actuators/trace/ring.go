package trace

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync/atomic"
	"unsafe"
)

// Ring is the queue of samples. One goroutine produces (Reserve, Publish), one consumes
// (Next, Release); the two may use one Ring, or each its own on the same memory.
//
// Neither believes the other. Where the producer writes and the consumer reads are their
// own counts, whatever the memory says; a record carries its number and a checksum, and
// one that is not whole is skipped and counted.
type Ring struct {
	words   *words
	records []byte
	each    int // bytes from a record to the next
	size    uint64
	table   *crc32.Table

	// The producer's.
	wrote uint64
	in    Sample

	// The consumer's.
	read    uint64
	out     Sample
	ready   bool // out is the oldest sample
	skipped uint64
}

// words are what both sides see; a cache line each.
type words struct {
	head    atomic.Uint64 // records written; the producer's
	_       [56]byte
	tail    atomic.Uint64 // records read; the consumer's
	_       [56]byte
	dropped atomic.Uint64 // by the producer
	_       [56]byte
}

const (
	wordBytes = int(unsafe.Sizeof(words{}))
	// A record begins with its number, counted from 1, and its checksum.
	headBytes = 16
)

// MaxSlots bounds a ring, so that its size is a number.
const MaxSlots = 1 << 20

// strideBytes is the distance of records of a robot of that many joints.
func strideBytes(joints int) int { return (headBytes + recordBytes(joints) + 63) / 64 * 64 }

// RingBytes is how much memory [RingOn] needs.
func RingBytes(size, joints int) int { return wordBytes + size*strideBytes(joints) }

// NewRing returns a ring of size samples for a robot of that many joints, on memory of
// its own.
func NewRing(size, joints int) *Ring {
	if size < 1 {
		panic("trace: ring without slots")
	}
	aligned := make([]uint64, RingBytes(size, joints)/8)
	r, err := RingOn(unsafe.Slice((*byte)(unsafe.Pointer(&aligned[0])), 8*len(aligned)), size, joints)
	if err != nil {
		panic(err)
	}
	return r
}

// RingOn returns a ring on memory that is zero, or that another ring of the same size
// uses and has not been used up from this side. It must be of exactly [RingBytes] and
// begin at a multiple of 8.
func RingOn(mem []byte, size, joints int) (*Ring, error) {
	if size < 1 || size > MaxSlots || joints < 0 || len(mem) != RingBytes(size, joints) || uintptr(unsafe.Pointer(&mem[0]))%8 != 0 {
		return nil, fmt.Errorf("trace: %d bytes for %d samples of %d joints; legal: 1 to %d samples, aligned memory of their size",
			len(mem), size, joints, MaxSlots)
	}
	return &Ring{
		words: (*words)(unsafe.Pointer(&mem[0])), records: mem[wordBytes:], each: strideBytes(joints), size: uint64(size),
		table: crc32.MakeTable(crc32.Castagnoli), in: newSample(joints), out: newSample(joints),
	}, nil
}

// record is the place of record number n, counted from 0.
func (r *Ring) record(n uint64) []byte {
	at := int(n%r.size) * r.each
	return r.records[at : at+r.each]
}

// Reserve returns the sample to fill, or nil (and counts a drop) when the
// consumer is a whole ring behind. The producer calls Publish when it is full.
func (r *Ring) Reserve() *Sample {
	if r.wrote-r.words.tail.Load() >= r.size {
		r.words.dropped.Add(1)
		return nil
	}
	return &r.in
}

// Publish hands the reserved sample to the consumer.
func (r *Ring) Publish() {
	b := r.record(r.wrote)
	r.in.lay(&cursor{b: b[headBytes:], write: true})
	r.wrote++
	binary.LittleEndian.PutUint64(b, r.wrote)
	binary.LittleEndian.PutUint32(b[8:], r.sum(b))
	r.words.head.Store(r.wrote)
}

// sum is the checksum of a record, its number included.
func (r *Ring) sum(b []byte) uint32 {
	return crc32.Update(crc32.Update(0, r.table, b[:8]), r.table, b[headBytes:])
}

// Next returns the oldest sample, or nil when there is none. It stays valid
// until Release.
func (r *Ring) Next() *Sample {
	if r.ready {
		return &r.out
	}
	head := r.words.head.Load()
	if head-r.read > r.size { // overtaken, or the count is damaged: what is older is gone
		r.skipped += head - r.read - r.size
		r.read = head - r.size
	}
	for ; r.read != head; r.pass() {
		b := r.record(r.read)
		if binary.LittleEndian.Uint64(b) != r.read+1 || binary.LittleEndian.Uint32(b[8:]) != r.sum(b) {
			r.skipped++
			continue
		}
		r.out.lay(&cursor{b: b[headBytes:]})
		r.ready = true
		return &r.out
	}
	return nil
}

// pass goes on to the next record.
func (r *Ring) pass() {
	r.read++
	r.words.tail.Store(r.read)
}

// Release gives the sample returned by Next back to the producer.
func (r *Ring) Release() {
	if r.ready {
		r.ready = false
		r.pass()
	}
}

// Dropped returns how many samples were lost: those that found no place, and to the
// consumer those that were not whole.
func (r *Ring) Dropped() uint64 { return r.words.dropped.Load() + r.skipped }
