// Package calibrate finds what a robot's description must say of its servos, with the hands
// of a person and torque off: offsets in the zero pose, signs and ranges joint by joint.
//
// A [Session] asks, reads and judges: a joint that did not move, another one that did, two
// at once, or a pose that was not held are told, and asked for again. It writes to no
// servo. What comes out are changes of robot.yaml (models/robot writes them).
//
// What is not here: opening ports, people's terminals, fresh servos (package commission).
// A Session belongs to one goroutine.
package calibrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Session is one calibration of joints on one bus. Its fields are set before Run.
type Session struct {
	Bus    servotool.Bus
	Robot  *robot.Description
	Joints []int // indices of the joints on the bus, all of which are read
	Only   []int // those to find sign and range of; nil: all
	// Gesture says how a positive turn of a joint looks.
	Gesture func(joint int) string
	// Ask shows a text and waits until a person is ready. Its error ends the session.
	Ask  func(text string) error
	Tell func(format string, args ...any)

	Offsets, Signs, Ranges bool // what to find
}

// Joint is what was found of one joint.
type Joint struct {
	Joint     string  `json:"joint"`
	ID        int     `json:"id"`
	Sign      float64 `json:"sign"`
	OffsetRad float64 `json:"offset_rad"`
	MinRad    float64 `json:"min_rad"`
	MaxRad    float64 `json:"max_rad"`
	WasSign   float64 `json:"was_sign"`
	WasRad    float64 `json:"was_rad"` // offset
	WasMinRad float64 `json:"was_min_rad"`
	WasMaxRad float64 `json:"was_max_rad"`
}

const (
	reads = 10
	// maxSpreadRad is how far the readings of a joint that is held still may lie apart.
	maxSpreadRad = 0.01
	// movedRad is how far a joint must be moved to show its sign, and how far another one
	// may go without being taken for it.
	movedRad = 0.15
	// alongShare of the way is what others may go along: a shin swings when a thigh is lifted.
	alongShare = 0.6
	// leastSpanRad is the least range that a joint can have.
	leastSpanRad = 0.2
	// marginRad is kept between a command and what a hand found to be the end.
	marginRad = 0.02
	// slackRad is how far the zero pose may lie outside a range: it is posed by hand.
	slackRad = 0.1
	tries    = 3
)

// refusal is something that was read and makes no sense.
type refusal struct{ error }

func (r refusal) Is(target error) bool { return target == servotool.ErrRefused }
func (r refusal) Unwrap() error        { return r.error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// Run asks and reads. What was found comes beside no error only.
func (s *Session) Run() ([]Joint, error) {
	if err := s.torqueless(); err != nil {
		return nil, err
	}
	all := make([]Joint, len(s.Joints))
	for k, j := range s.Joints {
		jt := &s.Robot.Joints[j]
		all[k] = Joint{
			Joint: jt.Name, ID: jt.ID, Sign: jt.Sign, OffsetRad: jt.OffsetRad, MinRad: jt.MinRad, MaxRad: jt.MaxRad,
			WasSign: jt.Sign, WasRad: jt.OffsetRad, WasMinRad: jt.MinRad, WasMaxRad: jt.MaxRad,
		}
	}
	zero := make([]float64, len(all)) // servo angles in the zero pose
	for k := range all {
		zero[k] = -all[k].Sign * all[k].OffsetRad
	}
	if s.Offsets {
		var err error
		zero, err = s.posed("bring the robot into its zero pose by hand (upright, legs straight, arms hanging, feet forward), hold it, and press Enter")
		if err != nil {
			return nil, err
		}
	}
	for k := range all {
		if s.Signs && s.wanted(k) {
			if err := s.sign(k, &all[k]); err != nil {
				return nil, err
			}
		}
		all[k].OffsetRad = -all[k].Sign*zero[k] + 0 // never -0
	}
	for k := range all {
		if s.Ranges && s.wanted(k) {
			if err := s.span(k, &all[k]); err != nil {
				return nil, err
			}
		}
		if err := s.turns(k, &all[k]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Session) wanted(k int) bool { return s.Only == nil || slices.Contains(s.Only, s.Joints[k]) }

// torqueless refuses a robot whose servos would hold against the hand, or worse.
func (s *Session) torqueless() error {
	var on []string
	for _, j := range s.Joints {
		jt := &s.Robot.Joints[j]
		torque, err := s.Bus.TorqueOn(uint8(jt.ID))
		if err != nil {
			return fmt.Errorf("joint %s: %w", jt.Name, err)
		}
		if torque {
			on = append(on, fmt.Sprintf("servo %d (%s)", jt.ID, jt.Name))
		}
	}
	if len(on) > 0 {
		return refuse("the torque of %s is on; support the robot, then switch it off (mitori bus torque-off)",
			strings.Join(on, ", "))
	}
	return nil
}

// read returns the servo angle of every joint: the median of some readings, and an error
// that names what was not held still.
func (s *Session) read() ([]float64, error) {
	all := make([][]float64, len(s.Joints))
	for range reads {
		for k, j := range s.Joints {
			q, err := s.Bus.PositionRad(uint8(s.Robot.Joints[j].ID))
			if err != nil {
				return nil, fmt.Errorf("joint %s: %w", s.Robot.Joints[j].Name, err)
			}
			all[k] = append(all[k], q)
		}
	}
	median, moved := make([]float64, len(all)), []string{}
	for k, q := range all {
		slices.Sort(q)
		median[k] = (q[reads/2-1] + q[reads/2]) / 2
		if spread := q[reads-1] - q[0]; spread > maxSpreadRad {
			moved = append(moved, fmt.Sprintf("%s (by %.3f rad)", s.name(k), spread))
		}
	}
	if len(moved) > 0 {
		return nil, refuse("moved while being read: %s; hold it still", strings.Join(moved, ", "))
	}
	return median, nil
}

func (s *Session) name(k int) string { return s.Robot.Joints[s.Joints[k]].Name }

// posed asks for a pose and reads it.
func (s *Session) posed(text string) (q []float64, err error) {
	err = s.again(text, func() error {
		q, err = s.read()
		return err
	})
	return q, err
}

// again asks, and asks again where what was read makes no sense. What breaks off, or never
// makes sense, is refused with the last reason.
func (s *Session) again(text string, work func() error) error {
	var why error
	for range tries {
		if err := s.Ask(text); err != nil {
			return errors.Join(why, fmt.Errorf("nobody answers any more: %w", err))
		}
		if why = work(); why == nil {
			return nil
		}
		if !errors.Is(why, servotool.ErrRefused) {
			return why
		}
		s.Tell("%v", why)
	}
	return why
}
