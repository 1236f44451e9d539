// Package newest hands values from one goroutine to another one that may be too slow for
// them: what waits is bounded, and where it is too much the oldest value is left out.
//
// What is not here: queues that lose nothing. A Slot has one goroutine that puts; any
// number may take.
package newest

// Slot holds values on their way; its capacity (make's second argument, at least 1) is
// how many may wait. It is taken from, and closed, like any channel.
type Slot[T any] chan T

// Put leaves v; where there is no place, the oldest value is handed back instead.
func (s Slot[T]) Put(v T) (old T, dropped bool) {
	for {
		select {
		case s <- v:
			return old, dropped
		default:
		}
		select {
		case old = <-s:
			dropped = true
		default: // taken meanwhile
		}
	}
}
