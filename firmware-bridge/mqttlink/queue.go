package mqttlink

import "sync"

// message is one thing to publish.
type message struct {
	topic    string
	payload  []byte
	retained bool
}

// queue is a bounded first-in first-out queue that drops its oldest entry when full:
// whoever puts never waits, and what is delivered is fresh. Slots are reused.
type queue struct {
	mu      sync.Mutex
	slots   []message
	head, n int
}

func newQueue(size int) *queue {
	return &queue{slots: make([]message, size)}
}

// put copies payload into the queue. It allocates only while slots grow.
func (q *queue) put(topic string, payload []byte, retained bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == len(q.slots) {
		q.head = (q.head + 1) % len(q.slots)
		q.n--
	}
	s := &q.slots[(q.head+q.n)%len(q.slots)]
	s.topic, s.retained = topic, retained
	s.payload = append(s.payload[:0], payload...)
	q.n++
}

// take removes the oldest message; its payload is a copy of the caller's own.
func (q *queue) take() (m message, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == 0 {
		return m, false
	}
	m = q.slots[q.head]
	m.payload = append([]byte(nil), m.payload...)
	q.head = (q.head + 1) % len(q.slots)
	q.n--
	return m, true
}
