package observe

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/human"
)

// How far what is seen unsurely is followed.
const (
	// sureAt is the confidence from which an arm is followed in full; below it, down to Missing, its weight falls by
	// mostDoubt, so that smoothness decides rather than a guess.
	sureAt, mostDoubt = 0.5, 0.8
	// stillS is the width of the change from legs that are copied to legs that stand still, and back.
	stillS = 0.25
)

// sight notes what of the person was seen: how surely the arms, whether the legs, and where both were lost for longer
// than is bridged.
func (perf *Performance) sight(ps []pose, fps float64) {
	n := len(ps)
	lost := [2][]bool{make([]bool, n), make([]bool, n)}
	for t := range ps {
		in, c := &perf.Intents[t], &ps[t].sure
		for s, a := range armJoints {
			sure := math.Min(c[a[1]], c[a[2]])
			in.ArmDoubt[s] = mostDoubt * curve.Clamp((sureAt-sure)/(sureAt-human.Missing), 0, 1)
		}
		for s, l := range legJoints {
			lost[s][t] = math.Max(c[l[1]], c[l[2]]) < human.Missing
		}
	}
	for s := range lost {
		longOnly(lost[s], int(human.BridgeS*fps))
	}
	var smooth curve.Gauss
	for t := range ps {
		in := &perf.Intents[t]
		in.LegLost = [2]bool{lost[0][t], lost[1][t]}
		if lost[0][t] && lost[1][t] {
			in.Still = 1
			perf.Legless += 1 / float64(n)
		}
		for s := range armJoints {
			if math.Max(ps[t].sure[armJoints[s][1]], ps[t].sure[armJoints[s][2]]) < human.Missing {
				perf.Armless[s] += 1 / float64(n)
			}
		}
	}
	smooth.Each(n, stillS*fps, func(t int) *float64 { return &perf.Intents[t].Still })
	for s := range lost {
		smooth.Each(n, stillS*fps, func(t int) *float64 { return &perf.Intents[t].ArmDoubt[s] })
	}
}

// longOnly clears the runs of true that are not longer than limit.
func longOnly(run []bool, limit int) {
	for a := 0; a < len(run); {
		b := a
		for b < len(run) && run[b] == run[a] {
			b++
		}
		if run[a] && b-a <= limit {
			clear(run[a:b])
		}
		a = b
	}
}

// stand lets legs that are lost stand: hips at their height, feet that face ahead.
func (perf *Performance) stand() {
	for t := range perf.Intents {
		in := &perf.Intents[t]
		in.Hip += in.Still * (1 - in.Hip)
		for s := range in.FootYaw {
			if in.LegLost[s] {
				in.FootYaw[s] *= 1 - in.Still
			}
		}
	}
}
