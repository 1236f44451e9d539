package selftest

import (
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/preflight"
)

// Before judges the joints of a robot that may not move, by a look at it that moved
// nothing. It returns nil for a robot that is ready.
func Before(r *preflight.Report) []Verdict {
	if r.Ready {
		return nil
	}
	var all []Verdict
	for i := range r.Joints {
		j := &r.Joints[i]
		v := Verdict{Joint: j.Joint, ID: j.ID, Finding: Untested, What: "the robot may not be armed"}
		switch faults := strings.Join(j.Faults, "; "); {
		case !j.Answers:
			v.Finding, v.What = Dead, "it does not answer"
			v.Do = "Check its plug, the cable before it, its power and its id (mitori bus scan)"
		case strings.Contains(faults, "model number"):
			v.Finding, v.What, v.Do = Ratio, faults, "Build in the servo that robot.yaml names, or name the one that is built in"
		case faults != "":
			v.Finding, v.What = Unfit, faults
		case j.PosRad != nil && !j.InRange:
			v.Finding, v.What = Slipped, fmt.Sprintf("it is at %.2f rad, its range is %.2f to %.2f", *j.PosRad,
				j.MinRad, j.MaxRad)
			v.Do = "Move it into its range; if it is there already, its horn or offset has slipped: run mitori bus calibrate"
		case j.Missed*50 > j.Reads:
			v.Finding, v.What = BadCable, fmt.Sprintf("%d of %d answers were missing", j.Missed, j.Reads)
			v.Do = "Check its plug and the cable before it"
		}
		all = append(all, v)
	}
	return all
}
