package obs

import "fmt"

// Term is a run of numbers of an observation, for people and for programs that
// build it without this package.
type Term struct {
	Name string `json:"name"`
	At   int    `json:"at"`   // index of its first number
	Size int    `json:"size"` // of numbers
}

// Terms lists the parts of the observation in their order, without gaps. What
// each name means stands in docs/formats/bundle.md.
func (s *Spec) Terms() []Term {
	var out []Term
	add := func(size int, format string, a ...any) {
		at := 0
		if n := len(out); n > 0 {
			at = out[n-1].At + out[n-1].Size
		}
		out = append(out, Term{fmt.Sprintf(format, a...), at, size})
	}
	n := s.Joints()
	for k := range s.Frames {
		add(n, "joint_error[%d]", k)
		add(n, "joint_speed_error[%d]", k)
		add(3, "gyro[%d]", k)
		add(3, "gravity[%d]", k)
	}
	add(n, "last_action")
	add(n, "reference_pose")
	for _, a := range s.AheadS {
		add(n, "reference_ahead[%gs]", a)
	}
	add(3, "reference_gravity")
	add(2*s.PhaseHarmonics, "phase")
	return out
}
