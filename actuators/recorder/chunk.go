package recorder

import "time"

// chunkTime is how much time the ticks of a chunk may take, but for one tick. What is cut off
// a file, or not yet written when robotd is killed, is a chunk at most.
const chunkTime = 80 * time.Millisecond

// chunk decides with which tick a chunk ends. It goes by the loop's own clock.
type chunk struct {
	periodNs int64
	begins   bool
	fromNs   int64
}

func newChunk(rateHz int) chunk {
	return chunk{periodNs: int64(time.Second) / int64(max(rateHz, 1)), begins: true}
}

// endsWith reports whether the chunk is full with the tick at monoNs.
func (c *chunk) endsWith(monoNs int64) bool {
	if c.begins {
		c.fromNs = monoNs
	}
	// Half a period is for ticks that come early.
	c.begins = monoNs-c.fromNs+c.periodNs*3/2 > int64(chunkTime)
	return c.begins
}
