package feed

import "sync"

// pool keeps the pixels of pictures for reuse. They come back from other goroutines.
type pool struct {
	mu   sync.Mutex
	free [][]byte
}

// spare is how many pictures are kept: one is read, one waits, one is looked at.
const spare = 3

func (p *pool) take(n int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := len(p.free); k > 0; k = len(p.free) {
		b := p.free[k-1]
		p.free = p.free[:k-1]
		if len(b) == n {
			return b
		}
	}
	return make([]byte, n)
}

func (p *pool) give(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < spare {
		p.free = append(p.free, b)
	}
}
