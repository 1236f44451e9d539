package guard

// window is a running sum over the latest values.
type window struct {
	ring []int
	at   int
	sum  int
}

func newWindow(n int) window { return window{ring: make([]int, n)} }

func (w *window) add(v int) {
	w.sum += v - w.ring[w.at]
	w.ring[w.at] = v
	w.at = (w.at + 1) % len(w.ring)
}

// pass lets n ticks go by of which nothing is known.
func (w *window) pass(n int64) {
	for range min(n, int64(len(w.ring))) {
		w.add(0)
	}
}

func (w *window) clear() {
	clear(w.ring)
	w.sum = 0
}
