//go:build mujoco && cgo

package plant

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/policy/idle"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// The physics is the judge of the idle stance: servos that give way, feet that press against each other, friction in the
// gears, none of which the search knows. The robot is brought there from its standing pose, stands for 20 s, and heats
// its motors by so much less as was foretold.
func TestIdleStanceHeatsLess(t *testing.T) {
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	s, err := idle.Find(b, idle.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	goal := make([]float64, len(s.Joints))
	for i := range goal {
		goal[i] = s.Joints[i].Idle.AngleRad
	}
	p := open(t, Config{Loose: true})
	drives, sensed := stand(p), sense(p)
	standing := squares(p, drives, &sensed, 10)
	from := truth(p)
	for k := range 100 { // two seconds on the way
		share := 0.5 - 0.5*math.Cos(math.Pi*float64(k+1)/100)
		for i := range drives {
			drives[i].GoalRad = (1-share)*p.scene.StandRad[i] + share*goal[i]
		}
		p.Advance(seconds(p, 0.02), drives)
	}
	idling := squares(p, drives, &sensed, 20)
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	end := truth(p)
	rise, drift := end.TrunkHeightM-from.TrunkHeightM, math.Hypot(end.TrunkPosM[0]-from.TrunkPosM[0], end.TrunkPosM[1]-from.TrunkPosM[1])
	told, got := s.IdleW/s.StandW, idling/standing
	t.Logf("of the heat of standing %.2f foretold, %.2f in physics (%.3f and %.3f (N m)^2); the trunk rises by %.1f mm (foretold %.1f), moves by %.1f mm, leans by %.3f rad",
		told, got, standing, idling, 1e3*rise, 1e3*s.RiseM, 1e3*drift, end.TiltRad)
	if math.Abs(got-told) > 0.1 {
		t.Errorf("%.2f of the heat, foretold %.2f; legal: within 0.1", got, told)
	}
	if math.Abs(rise-s.RiseM) > 0.005 || drift > 0.03 || end.TiltRad > 0.25 {
		t.Error("that is not the stance")
	}
}

// squares advances so many seconds and returns the mean of the squared torques, summed over the joints, of the last
// seconds but one.
func squares(p *Plant, drives []busemu.Drive, s *busemu.Sense, durationS int) float64 {
	p.Advance(seconds(p, 1), drives)
	sum, n := 0.0, 0
	for range 50 * (durationS - 1) {
		p.Advance(seconds(p, 0.02), drives)
		p.Sense(s)
		for _, j := range s.Joints {
			sum += j.TorqueNm * j.TorqueNm
		}
		n++
	}
	return sum / float64(n)
}
