//go:build mujoco && cgo

package eval

import (
	"math"
	"testing"
)

// Motions of the length that the hard set plays warm no winding so far that robotd would
// play slower or limit torque, which the evaluation does not do: ten seconds of knee bends
// with quickly swinging arms, in the worlds of the hard set, by playback, till most fall.
func TestTheHardSetStaysBelowWhereTheLoopPlaysSlower(t *testing.T) {
	ts := test(t, 10, func(q []float64, s float64) {
		bend := 0.06 * (1 - math.Cos(2*math.Pi*s/1.6))
		for _, side := range [][3]int{{lHipPitch, lKnee, lAnkle}, {rHipPitch, rKnee, rAnkle}} {
			q[side[0]] -= bend
			q[side[1]] += 2 * bend
			q[side[2]] -= bend
		}
		q[12] += math.Sin(5 * s)
		q[16] += math.Sin(5 * s)
	})
	p, err := newPlayer(t.Context(), &ts)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if _, err := p.play(Hard(), ts.Episodes, Playback); err != nil {
		t.Fatal(err)
	}
	hottest, longest := 0.0, 0
	for w := range p.guard.keepers {
		k := &p.guard.keepers[w]
		hottest, longest = max(hottest, k.monitor.MaxWindingC()), max(longest, k.kept.commands/p.layout.Joints)
	}
	th := p.guard.config.Thresholds
	t.Logf("cases of %g C: the hottest winding comes to %.1f C in %.1f s; warm is %g C", caseC, hottest, float64(longest)*p.layout.PeriodS, th.WindingWarnC)
	if hottest <= caseC || longest < 100 {
		t.Errorf("nothing was warmed in %d decisions", longest)
	}
	if hottest >= th.WindingWarnC {
		t.Errorf("the evaluation is not what robotd would do")
	}
}
