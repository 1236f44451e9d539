package perform

import (
	"fmt"
	"slices"

	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/record"
)

// cutTrace cuts the clip out of the record of the whole run: from where robotd
// began to play it.
func (j *Job) cutTrace(name string, states []record.Transition) (*Flight, error) {
	a, err := npz.Load(name)
	if err != nil {
		return nil, err
	}
	q, err := a.Get("qpos", -1, -1)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rows, width := q.Shape[0], q.Shape[1]
	at, err := a.Get("time_s", rows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	on, err := a.Get("torque_on", rows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	first, ok := firstPlayed(at.Data, on.Data, states)
	if !ok || rows == 0 || first > at.Data[rows-1] {
		return nil, fmt.Errorf("%s: robotd ended before the motion began", name)
	}
	f := &Flight{PeriodS: 1.0 / traceHz, FallS: first}
	// On a busy machine the rows lie further apart than they should.
	last := min(at.Data[rows-1], first+j.Clip.Seconds()+0.5)
	for i, n := 0, 0; first+float64(n)*f.PeriodS <= last; n++ {
		for i+1 < rows && at.Data[i+1] <= first+float64(n)*f.PeriodS+1e-9 {
			i++
		}
		f.QPos = append(f.QPos, q.Data[i*width:(i+1)*width])
	}
	return f, nil
}

// firstPlayed returns when robotd first went active, on the clock of the
// emulator's record. The two processes have clocks of their own; they meet where
// robotd arms, for then the torque goes on. timeS (T) is the record's clock,
// torqueOn (T) counts the servos with torque. ok is false where robotd never
// went active.
func firstPlayed(timeS, torqueOn []float64, states []record.Transition) (atS float64, ok bool) {
	powered := slices.IndexFunc(torqueOn, func(n float64) bool { return n > 0 })
	if powered < 0 {
		return 0, false
	}
	var armedS float64
	for _, s := range states {
		switch s.To {
		case "arming":
			if armedS == 0 {
				armedS = s.AtS
			}
		case "active":
			return timeS[powered] + s.AtS - armedS, true
		}
	}
	return 0, false
}
