package solve

import "math"

// banded is a symmetric positive definite matrix of order n whose entries
// farther than width from the diagonal are zero. Row i keeps columns i-width to
// i; the Cholesky factor replaces the matrix in place.
type banded struct {
	n, width int
	a        []float64
}

func newBanded(n, width int) *banded {
	m := &banded{}
	m.resize(n, width)
	clear(m.a)
	return m
}

// resize makes m a matrix of order n, in the memory it has if that is enough. Its
// entries have any value.
func (m *banded) resize(n, width int) {
	m.n, m.width, m.a = n, width, sized(m.a, n*(width+1))
}

// add adds v to the entry (i, j), j <= i.
func (m *banded) add(i, j int, v float64) { m.a[i*(m.width+1)+j-i+m.width] += v }

// damp adds lambda times one plus the diagonal to the diagonal.
func (m *banded) damp(lambda float64) {
	for i := range m.n {
		d := &m.a[i*(m.width+1)+m.width]
		*d += lambda * (1 + *d)
	}
}

// factor computes the Cholesky factor in place. A pivot that rounding has made
// too small is replaced: the step is then shorter than exact, never wild.
func (m *banded) factor() {
	w := m.width
	for i := range m.n {
		from := max(0, i-w)
		row := m.a[i*(w+1) : (i+1)*(w+1)] // column c at c-i+w
		for j := from; j < i; j++ {
			other := m.a[j*(w+1) : (j+1)*(w+1)]
			start := max(from, j-w)
			row[j-i+w] = (row[j-i+w] - dot(row[start-i+w:j-i+w], other[start-j+w:w])) / other[w]
		}
		d := row[w] - dot(row[from-i+w:w], row[from-i+w:w])
		row[w] = math.Sqrt(math.Max(d, 1e-9))
	}
}

// solve overwrites b with the solution of the factored system.
func (m *banded) solve(b []float64) {
	w := m.width
	for i := range m.n {
		from := max(0, i-w)
		row := m.a[i*(w+1) : (i+1)*(w+1)]
		b[i] = (b[i] - dot(row[from-i+w:w], b[from:i])) / row[w]
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
