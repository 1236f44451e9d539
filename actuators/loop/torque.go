package loop

import "github.com/mitori-robotics/mitori/actuators/mode"

// How a loop limits torque: where the monitor finds a joint so warm that it may use a part
// of its torque only, its servo is told so, while the robot stands or moves as it was
// asked. Whatever the loop does by itself, sitting down before all, has all of the torque:
// it is short, and a joint that is too weak for it drops the robot.

// limitSends is how often in the second after a change it is sent: nobody confirms it.
const limitSends = 10

// limitTorque tells the servos how much of their torque they may use, when that changes,
// now and then in the second after, and once a second while any has less than all.
func (l *Loop) limitTorque() {
	obeys := l.machine.State == mode.Hold || l.machine.State == mode.Active
	changed, whole := false, true
	for j, share := range l.mon.Torque() {
		if !obeys {
			share = 1
		}
		changed = changed || share != l.torque[j]
		whole = whole && share == 1
		l.torque[j] = share
	}
	if l.torqueAt++; changed {
		l.torqueAt = 0
	}
	second := int64(l.cfg.RateHz)
	again := l.torqueAt <= second && l.torqueAt%max(1, second/limitSends) == 0
	if changed || again || !whole && l.torqueAt%second == 0 {
		_ = l.drv.Limit(l.torque) // what came of it shows in the next reads
	}
}

// allTorque forgets every limit, where torque is off or about to be.
func (l *Loop) allTorque() {
	for j := range l.torque {
		l.torque[j] = 1
	}
	l.torqueAt = int64(l.cfg.RateHz) + 1
}
