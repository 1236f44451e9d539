package dynamixel

import (
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

const (
	bitsPerByte = 10 // with start and stop bit
	// Instruction bytes of a tick beside the ids: fast sync read, hub read, slow read, and
	// a sync write.
	instructions = 14 + 14 + 14 + 14
	hubAnswer    = 11 + dxl.HubBlockSize
	slowAnswer   = 11 + statusSize
	exchanges    = 3 // with an answer, each after a turnaround
)

// TickTime is how long a tick of a bus keeps a line of baud bits/s busy, with or without
// a sensor hub on it: what the loop rate must leave room for.
func TickTime(servos int, hub bool, baud int) time.Duration {
	bytes := instructions + servos + dxl.FastStatusLen(servos, dxl.StateSize) + slowAnswer + servos*(1+4)
	if hub {
		bytes += hubAnswer
	}
	return time.Duration(bytes)*bitsPerByte*time.Second/time.Duration(baud) + exchanges*turnaround
}
