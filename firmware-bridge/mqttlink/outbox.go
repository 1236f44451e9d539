package mqttlink

import "sync"

const (
	newsDepth = 256 // events that may wait
	acksDepth = 256 // answers that may wait
)

// outbox is what waits to be published. Events and answers have a queue each, and of
// the state only the latest counts: however many commands are answered, no event and no
// state is pushed out by them.
type outbox struct {
	news, acks *queue
	ready      chan struct{} // holds a token while something may wait

	mu      sync.Mutex
	state   message
	changed bool // state was not taken yet
}

func newOutbox() *outbox {
	return &outbox{news: newQueue(newsDepth), acks: newQueue(acksDepth), ready: make(chan struct{}, 1)}
}

// event, ack and latest put a message where it belongs; none of them waits.
func (o *outbox) event(topic string, payload []byte) { o.news.put(topic, payload, false); o.wake() }
func (o *outbox) ack(topic string, payload []byte)   { o.acks.put(topic, payload, false); o.wake() }
func (o *outbox) latest(topic string, payload []byte) {
	o.mu.Lock()
	o.state.topic, o.state.retained, o.changed = topic, true, true
	o.state.payload = append(o.state.payload[:0], payload...)
	o.mu.Unlock()
	o.wake()
}

// again sends the latest state once more, for a broker that has not seen it.
func (o *outbox) again() {
	o.mu.Lock()
	o.changed = o.state.payload != nil
	o.mu.Unlock()
	o.wake()
}

// wake makes whoever waits for ready look again.
func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take removes the most urgent message: what happened, how things are, then answers.
func (o *outbox) take() (m message, ok bool) {
	if m, ok = o.news.take(); ok {
		return m, true
	}
	o.mu.Lock()
	if ok = o.changed; ok {
		m, o.changed = o.state, false
		m.payload = append([]byte(nil), m.payload...)
	}
	o.mu.Unlock()
	if ok {
		return m, true
	}
	return o.acks.take()
}
