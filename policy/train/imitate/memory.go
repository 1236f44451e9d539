package imitate

import (
	"encoding/binary"
	"fmt"
	"math"
)

// memoryRows is how many observations are remembered: eight iterations of 128 worlds and 32 steps.
const memoryRows = 32768

// memory holds observations and what the expert would have done; new ones take the place of the oldest.
type memory struct {
	rows, dim, acts int
	seen            []float32 // rows x dim
	wanted          []float32 // rows x acts
	count           int       // rows filled
	next            int       // row to be overwritten next
}

func newMemory(rows, dim, acts int) *memory {
	return &memory{rows: rows, dim: dim, acts: acts, seen: make([]float32, rows*dim), wanted: make([]float32, rows*acts)}
}

func (m *memory) add(obs, label []float32) {
	copy(m.seen[m.next*m.dim:], obs)
	copy(m.wanted[m.next*m.acts:], label)
	m.next++
	m.count = max(m.count, m.next)
	if m.next == m.rows {
		m.next = 0
	}
}

// memoryState is a memory in a checkpoint, as little-endian bytes: gob takes a second for as many numbers.
type memoryState struct {
	Seen, Wanted []byte
	Count, Next  int
}

func (m *memory) state() memoryState {
	return memoryState{Seen: toBytes(m.seen[:m.count*m.dim]), Wanted: toBytes(m.wanted[:m.count*m.acts]), Count: m.count, Next: m.next}
}

func (m *memory) setState(s memoryState) error {
	if s.Count < 0 || s.Count > m.rows || s.Next < 0 || s.Next >= m.rows ||
		len(s.Seen) != 4*s.Count*m.dim || len(s.Wanted) != 4*s.Count*m.acts {
		return fmt.Errorf("imitate: memory of %d rows in %d and %d bytes; legal: at most %d rows of %d and %d",
			s.Count, len(s.Seen), len(s.Wanted), m.rows, 4*m.dim, 4*m.acts)
	}
	fromBytes(m.seen, s.Seen)
	fromBytes(m.wanted, s.Wanted)
	m.count, m.next = s.Count, s.Next
	return nil
}

func toBytes(x []float32) []byte {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func fromBytes(dst []float32, b []byte) {
	for i := range len(b) / 4 {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}
