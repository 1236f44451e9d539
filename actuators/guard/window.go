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

func (w *window) clear() {
	clear(w.ring)
	w.sum = 0
}
