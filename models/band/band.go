// Package band solves systems whose matrix is symmetric, positive definite and
// banded, as the normal equations of a motion are: an unknown touches only those
// of the frames beside it.
//
// What is not here: general matrices (gonum's mat). A Matrix belongs to one
// goroutine; Factor and Solve allocate nothing, and Reset only to grow.
//
// gonum's BandCholesky does the same. BenchmarkFactor holds the two beside each
// other: gonum's took 4 times as long at a half width of 15 and 13 times at 119
// (on a busy machine), and it copies the matrix.
package band

import (
	"fmt"
	"math"
	"slices"
)

// Matrix is of order N; entries farther than Width from the diagonal are zero.
// Row i keeps columns i-Width to i; the Cholesky factor replaces the matrix.
type Matrix struct {
	// InTurn takes the products of a row off one after the other, instead of the sum of four sums of them: slower, and
	// other bits. What was computed so once stays the same to the bit.
	InTurn bool

	n, width int
	a        []float64
}

// New returns the zero matrix of order n and half width width.
func New(n, width int) *Matrix {
	m := &Matrix{}
	m.Reset(n, width)
	return m
}

// Reset makes it the zero matrix of order n and half width width, in the memory that it has if that is enough.
func (m *Matrix) Reset(n, width int) {
	if n < 0 || width < 0 {
		panic("band: a negative order or width")
	}
	size := n * (width + 1)
	m.n, m.width, m.a = n, width, slices.Grow(m.a[:0], size)[:size]
	m.Clear()
}

// Copy gives it the entries of from, in the memory that it has if that is enough.
func (m *Matrix) Copy(from *Matrix) {
	m.n, m.width, m.a = from.n, from.width, append(m.a[:0], from.a...)
}

// Clear makes it the zero matrix again.
func (m *Matrix) Clear() { clear(m.a) }

// Add adds v to the entry (i, j), i-Width <= j <= i.
func (m *Matrix) Add(i, j int, v float64) { m.a[i*(m.width+1)+j-i+m.width] += v }

// Damp adds lambda times one plus the diagonal to the diagonal (Levenberg and
// Marquardt's step).
func (m *Matrix) Damp(lambda float64) {
	for i := range m.n {
		d := &m.a[i*(m.width+1)+m.width]
		*d += lambda * (1 + *d)
	}
}

// PivotError says at which row a matrix proved not to be positive definite, or not to hold numbers: its pivot, the
// square of the factor's diagonal, is what is left there.
type PivotError struct {
	Row          int
	Pivot, Least float64 // legal: above Least, finite
}

func (e *PivotError) Error() string {
	return fmt.Sprintf("band: row %d: the pivot is %g; legal: above %g and finite", e.Row, e.Pivot, e.Least)
}

// Factor computes the Cholesky factor in place. A pivot that is not above 0 is a
// [PivotError], and the matrix is then lost.
func (m *Matrix) Factor() error { return m.FactorAbove(0) }

// FactorAbove is Factor for matrices whose pivots are known to be above least: what
// is smaller there is rounding's, not the matrix's, and as much a [PivotError].
func (m *Matrix) FactorAbove(least float64) error {
	w := m.width
	for i := range m.n {
		from := max(0, i-w)
		row := m.a[i*(w+1) : (i+1)*(w+1)] // column c at c-i+w
		for j := from; j < i; j++ {
			other := m.a[j*(w+1) : (j+1)*(w+1)]
			start := max(from, j-w)
			row[j-i+w] = m.less(row[j-i+w], row[start-i+w:j-i+w], other[start-j+w:w]) / other[w]
		}
		d := m.less(row[w], row[from-i+w:w], row[from-i+w:w])
		if !(d > least) || math.IsInf(d, 1) {
			return &PivotError{Row: i, Pivot: d, Least: least}
		}
		row[w] = math.Sqrt(d)
	}
	return nil
}

// Solve overwrites b (N numbers) with the solution of the factored system.
func (m *Matrix) Solve(b []float64) {
	if len(b) != m.n {
		panic("band: right-hand side of another order")
	}
	w := m.width
	for i := range m.n {
		from := max(0, i-w)
		row := m.a[i*(w+1) : (i+1)*(w+1)]
		b[i] = m.less(b[i], row[from-i+w:w], b[from:i]) / row[w]
	}
	for i := m.n - 1; i >= 0; i-- {
		from := max(0, i-w)
		row := m.a[i*(w+1) : (i+1)*(w+1)]
		b[i] /= row[w]
		v := b[i]
		r, x := row[from-i+w:w], b[from:i]
		for k := range r {
			x[k] -= r[k] * v
		}
	}
}

// less returns v less the inner product of a and b.
func (m *Matrix) less(v float64, a, b []float64) float64 {
	if !m.InTurn {
		return v - dot(a, b)
	}
	b = b[:len(a)]
	for i, x := range a {
		v -= x * b[i]
	}
	return v
}

// dot returns the inner product; four sums, because one is a chain of waiting
// additions.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}
