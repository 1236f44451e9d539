package train

import (
	"fmt"
	"time"
)

// clock measures what a Run uses, on top of what earlier runs used.
type clock struct {
	now    func() time.Time
	start  time.Time
	before Used
	meter  Meter
	joules float64 // of the meter at the start
	every  time.Duration
	saved  time.Time
}

func newClock(o Options, before Used) (*clock, error) {
	set := 0
	for _, b := range []bool{o.Budget.Time > 0, o.Budget.Steps > 0, o.Budget.Joules > 0} {
		if b {
			set++
		}
	}
	if set != 1 {
		return nil, fmt.Errorf("train: the budget must be one of time, steps or energy, %d are set", set)
	}
	c := &clock{now: o.Now, before: before, meter: o.Meter, every: o.CheckpointEvery}
	if c.now == nil {
		c.now = time.Now
	}
	if c.every <= 0 {
		c.every = 5 * time.Second
	}
	c.start = c.now()
	c.saved = c.start
	if o.Meter == nil {
		if o.Budget.Joules > 0 {
			return nil, fmt.Errorf("train: budget %s: %w", o.Budget, ErrNoMeter)
		}
		return c, nil
	}
	var err error
	c.joules, err = o.Meter.Joules()
	return c, err
}

// update brings time and energy up to now.
func (c *clock) update(u *Used) error {
	u.Time = c.before.Time + c.now().Sub(c.start)
	if c.meter == nil {
		return nil
	}
	j, err := c.meter.Joules()
	u.Joules = c.before.Joules + j - c.joules
	return err
}

func (c *clock) checkpointDue() bool {
	if c.now().Sub(c.saved) < c.every {
		return false
	}
	c.saved = c.now()
	return true
}
