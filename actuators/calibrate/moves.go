package calibrate

import (
	"fmt"
	"math"
	"strings"
)

// sign finds the sense of rotation of joint k.
func (s *Session) sign(k int, found *Joint) error {
	before, err := s.read()
	if err != nil {
		before, err = s.posed("hold the robot still, and press Enter")
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf("move %s alone, by 20 degrees or more, so that %s; hold it, and press Enter", found.Joint,
		s.Gesture(s.Joints[k]))
	return s.again(text, func() error {
		after, err := s.read()
		if err != nil {
			return err
		}
		if err := s.alone(k, before, after, movedRad); err != nil {
			return err
		}
		if found.Sign = math.Copysign(1, after[k]-before[k]); found.Sign != found.WasSign {
			s.Tell("%s: its sign is %+.0f, the description has %+.0f", found.Joint, found.Sign, found.WasSign)
		}
		return nil
	})
}

// alone refuses a move in which joint k was not the one that moved.
func (s *Session) alone(k int, before, after []float64, least float64) error {
	way := make([]float64, len(before))
	var others []string
	for i := range before {
		way[i] = after[i] - before[i]
		if i != k && math.Abs(way[i]) > max(least, alongShare*math.Abs(way[k])) {
			others = append(others, fmt.Sprintf("%s (servo %d, by %+.2f rad)", s.name(i),
				s.Robot.Joints[s.Joints[i]].ID, way[i]))
		}
	}
	id := s.Robot.Joints[s.Joints[k]].ID
	switch still := math.Abs(way[k]) < least; {
	case still && len(others) == 1:
		return refuse("%s (servo %d) did not move, and %s did: their cables or ids are exchanged (mitori bus set-id), or another part was moved",
			s.name(k), id, others[0])
	case still && len(others) > 1:
		return refuse("%s (servo %d) did not move, and others did: %s; move one part alone", s.name(k), id,
			strings.Join(others, ", "))
	case still:
		return refuse("%s (servo %d) did not move: %+.3f rad were read, %.2f are needed; if the part was moved, its horn slips or another servo has its place",
			s.name(k), id, way[k], least)
	case len(others) > 0:
		return refuse("%s (servo %d, by %+.2f rad) moved, and so did %s; move one part alone, and hold the others",
			s.name(k), id, way[k], strings.Join(others, ", "))
	}
	return nil
}

// span finds how far joint k can be turned, and shrinks its range to that. A range that is
// narrower than what a hand finds stays: it may have its reasons.
func (s *Session) span(k int, found *Joint) error {
	first, err := s.posed(fmt.Sprintf("move %s to one end of its way, without force; hold it, and press Enter",
		found.Joint))
	if err != nil {
		return err
	}
	return s.again(fmt.Sprintf("move %s to its other end, without force; hold it, and press Enter", found.Joint), func() error {
		second, err := s.read()
		if err != nil {
			return err
		}
		if err := s.alone(k, first, second, leastSpanRad); err != nil {
			return err
		}
		a, b := found.Sign*first[k]+found.OffsetRad, found.Sign*second[k]+found.OffsetRad
		low, high := min(a, b), max(a, b)
		if low > slackRad || high < -slackRad {
			return refuse("%s turns from %.2f to %.2f rad, and its zero pose does not lie in between: the zero pose was not right, or an end was not reached",
				found.Joint, low, high)
		}
		found.MinRad, found.MaxRad = max(found.WasMinRad, low+marginRad), min(found.WasMaxRad, high-marginRad)
		if !(found.MinRad < found.MaxRad) {
			return refuse("%s turns from %.2f to %.2f rad, and its range in the description is %.2f to %.2f: they do not meet; its sign or zero pose is wrong",
				found.Joint, low, high, found.WasMinRad, found.WasMaxRad)
		}
		if found.MinRad != found.WasMinRad || found.MaxRad != found.WasMaxRad {
			s.Tell("%s: its range is %.3f to %.3f rad, the description has %.3f to %.3f", found.Joint, found.MinRad,
				found.MaxRad, found.WasMinRad, found.WasMaxRad)
		}
		return nil
	})
}

// turns refuses a servo that is mounted so that its joint's range passes the end of its
// turn, where angles jump.
func (s *Session) turns(k int, found *Joint) error {
	a, b := found.Sign*(found.MinRad-found.OffsetRad), found.Sign*(found.MaxRad-found.OffsetRad)
	low, high := min(a, b), max(a, b)
	if low >= -math.Pi && high <= math.Pi {
		return nil
	}
	middle := (low + high) / 2
	return refuse("%s (servo %d): its range is %.2f to %.2f rad of the servo, which turns from -3.14 to 3.14: "+
		"mount its horn about %.0f degrees further, so that the middle of its range is the servo's",
		found.Joint, found.ID, low, high, math.Remainder(-middle, 2*math.Pi)*180/math.Pi)
}
