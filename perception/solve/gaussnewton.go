package solve

import "math"

// minimise runs damped Gauss-Newton steps on p.x until the cost settles. Each
// linear system is solved by conjugate gradients; frames couple only along
// single coordinates, so the matrix is a dense block per frame plus a stencil
// in time, and the blocks' Cholesky factors precondition it.
func (p *problem) minimise(maxSteps int) {
	const m = frameVars
	size := p.n * m
	blocks, factors := make([]float64, size*m), make([]float64, size*m)
	grad, step, old := make([]float64, size), make([]float64, size), make([]float64, size)
	cg := newConjugateGradients(size)
	lambda := 1e-3
	cost := p.cost(old)
	for range maxSteps {
		p.assemble(blocks, grad)
		copy(old, p.x)
		accepted := false
		for range 4 {
			p.precondition(factors, blocks, lambda)
			cg.solve(step, grad, p, blocks, factors, lambda)
			for i := range p.x {
				p.x[i] = old[i] - step[i]
			}
			if c := p.cost(cg.q); c < cost {
				accepted = cost-c > 1e-4*cost
				cost = c
				lambda = max(lambda/5, 1e-6)
				break
			}
			copy(p.x, old)
			lambda *= 10
			accepted = true // try a shorter step
		}
		if !accepted {
			return
		}
	}
}

// assemble builds the per-frame blocks of J^T J and the whole gradient J^T r.
func (p *problem) assemble(blocks, grad []float64) {
	const m = frameVars
	clear(blocks)
	clear(grad)
	for t := range p.n {
		h, g := blocks[t*m*m:(t+1)*m*m], grad[t*m:(t+1)*m]
		p.visit(t, func(r *row) {
			for i := range r.n {
				vi := r.val[i]
				if vi == 0 {
					continue
				}
				g[r.idx[i]] += vi * r.r
				line := h[r.idx[i]*m:]
				for j := range r.n {
					line[r.idx[j]] += vi * r.val[j]
				}
			}
		})
	}
	p.temporal(grad, p.x)
}

// precondition fills factors with the Cholesky factors of the damped blocks,
// the diagonal of the temporal stencil included.
func (p *problem) precondition(factors, blocks []float64, lambda float64) {
	const m = frameVars
	copy(factors, blocks)
	for t := range p.n {
		f := factors[t*m*m : (t+1)*m*m]
		for k := range m {
			// The second difference touches a sample three times: 1, 4 and 1.
			w := 6.0
			if t == 0 || t == p.n-1 {
				w = 1
			} else if t == 1 || t == p.n-2 {
				w = 5
			}
			f[k*m+k] += w*p.accelWeight(k) + lambda*(1+blocks[t*m*m+k*m+k])
		}
		for c, j := range footJoints {
			w := 0.0
			if t+1 < p.n {
				w += p.stillWeight(t, c)
			}
			if t > 0 {
				w += p.stillWeight(t-1, c)
			}
			for k := range 3 {
				o := 3*freeIndex[j] + k
				f[o*m+o] += w
			}
		}
		cholesky(f, m)
	}
}

// cholesky overwrites the lower triangle of the m x m matrix a with its factor.
func cholesky(a []float64, m int) {
	for i := range m {
		ai := a[i*m : i*m+m]
		for j := 0; j <= i; j++ {
			aj := a[j*m : j*m+m]
			s := ai[j]
			for k := range j {
				s -= ai[k] * aj[k]
			}
			if i == j {
				ai[i] = math.Sqrt(math.Max(s, 1e-12))
			} else {
				ai[j] = s / aj[j]
			}
		}
	}
}

// choleskySolve solves L L^T y = b.
func choleskySolve(y, b, l []float64, m int) {
	for i := range m {
		s := b[i]
		li := l[i*m : i*m+m]
		for k := range i {
			s -= li[k] * y[k]
		}
		y[i] = s / li[i]
	}
	for i := m - 1; i >= 0; i-- {
		s := y[i] / l[i*m+i]
		y[i] = s
		li := l[i*m : i*m+m]
		for k := range i {
			y[k] -= li[k] * s
		}
	}
}

// conjugateGradients holds the work vectors of the linear solver.
type conjugateGradients struct{ r, z, d, q []float64 }

func newConjugateGradients(n int) *conjugateGradients {
	return &conjugateGradients{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
}

const (
	cgMaxSteps  = 60
	cgTolerance = 1e-3 // residual in the preconditioned norm, relative to the start
)

// solve finds x with (blocks + stencil + damping) x = b.
func (c *conjugateGradients) solve(x, b []float64, p *problem, blocks, factors []float64, lambda float64) {
	const m = frameVars
	clear(x)
	copy(c.r, b)
	apply := func() {
		for t := range p.n {
			choleskySolve(c.z[t*m:(t+1)*m], c.r[t*m:(t+1)*m], factors[t*m*m:(t+1)*m*m], m)
		}
	}
	apply()
	copy(c.d, c.z)
	rz := dot(c.r, c.z)
	stop := rz * cgTolerance * cgTolerance
	for range cgMaxSteps {
		if rz <= stop || rz == 0 {
			return
		}
		for t := range p.n {
			d, q := c.d[t*m:(t+1)*m], c.q[t*m:(t+1)*m]
			for i := range m {
				line := blocks[(t*m+i)*m : (t*m+i+1)*m]
				q[i] = dot(line, d) + lambda*(1+line[i])*d[i]
			}
		}
		p.temporal(c.q, c.d)
		alpha := rz / dot(c.d, c.q)
		for i := range x {
			x[i] += alpha * c.d[i]
			c.r[i] -= alpha * c.q[i]
		}
		apply()
		next := dot(c.r, c.z)
		beta := next / rz
		for i := range c.d {
			c.d[i] = c.z[i] + beta*c.d[i]
		}
		rz = next
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
