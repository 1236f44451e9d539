package servotool

import (
	"fmt"
	"slices"

	"github.com/mitori-robotics/mitori/models/robot"
)

// Offset is a proposal for one joint.
type Offset struct {
	Joint     string  `json:"joint"`
	ID        int     `json:"id"`
	OffsetRad float64 `json:"offset_rad"`
	WasRad    float64 `json:"was_rad"`
	SpreadRad float64 `json:"spread_rad"` // largest minus smallest reading
}

const (
	calibrateReads = 10
	// MaxSpreadRad is how far the readings of a joint that was held still may lie apart.
	MaxSpreadRad = 0.01
)

// Calibrate reads the servos that d has on the bus of that name and proposes offsets: the
// median of the readings becomes the angle zero.
func Calibrate(bus Bus, d *robot.Description, name string) ([]Offset, error) {
	var out []Offset
	for _, i := range d.JointsOn(name) {
		j := &d.Joints[i]
		id := uint8(j.ID)
		on, err := bus.TorqueOn(id)
		if err != nil {
			return nil, fmt.Errorf("joint %s: %w", j.Name, err)
		}
		if on {
			return nil, refuse("joint %s: the torque of servo %d is on; disarm the robot first", j.Name, id)
		}
		var reads []float64
		for range calibrateReads {
			q, err := bus.PositionRad(id)
			if err != nil {
				return nil, fmt.Errorf("joint %s: %w", j.Name, err)
			}
			reads = append(reads, q)
		}
		slices.Sort(reads)
		median := (reads[calibrateReads/2-1] + reads[calibrateReads/2]) / 2
		out = append(out, Offset{
			Joint: j.Name, ID: j.ID, OffsetRad: -j.Sign * median, WasRad: j.OffsetRad,
			SpreadRad: reads[calibrateReads-1] - reads[0],
		})
	}
	return out, nil
}
