package arms

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// What an arm may miss; tuned on fast arm swings on kata20.
const (
	lagRad   = 0.25 // by which a fast arm may miss a direction before the motion is slowed down for it
	full     = 0.97 // of the speed in use: an arm this fast is as fast as it can be
	lostRad  = 0.6  // an arm without speed limits that misses by this has turned itself into a corner
	foundRad = 0.2
)

// errors returns, for every frame, how far the farthest off of the arm's segments is from where it shall point, in rad.
func (x *path) errors() []float64 {
	out := make([]float64, len(x.q))
	angle := func(a, b, want spatial.Vec3) float64 {
		return math.Acos(curve.Clamp(b.Sub(a).Unit(want).Dot(want), -1, 1))
	}
	for t := range x.q {
		tg := &x.plan.Targets[t]
		if tg.Lead > 0 {
			continue
		}
		x.r.Kin.ForwardPath(x.d, x.q[t], x.arm.End.Body)
		elbow := x.arm.Elbow.At(x.d)
		out[t] = angle(x.arm.Shoulder.At(x.d), elbow, tg.Upper[x.side])
		if x.arm.HasElbow {
			out[t] = math.Max(out[t], angle(elbow, x.arm.End.At(x.d), tg.Fore[x.side]))
		}
	}
	return out
}

// unlimited finds the path that an arm without speed limits would take and returns its errors. Where that arm has
// turned itself into a corner of its joint limits, it starts again from the standing pose and takes what is better.
func (x *path) unlimited() ([]float64, error) {
	x.free = true
	defer func() { x.free = false }()
	if err := x.solve(); err != nil {
		return nil, err
	}
	miss := x.errors()
	from := x.corners(miss)
	if from == nil {
		return miss, nil
	}
	old := clone(x.q)
	for t := range x.q {
		for k, i := range x.dofs {
			if from[t] {
				*x.angle(t, k) = x.r.An.Ref[x.r.DofQ[i]]
			}
		}
	}
	was := x.rounds
	x.rounds = rounds
	err := x.solve()
	x.rounds = was
	if err != nil {
		return nil, err
	}
	again := x.errors()
	sum := 0.0
	for t := range miss {
		sum += again[t]*again[t] - miss[t]*miss[t]
	}
	if sum < 0 {
		return again, nil
	}
	for t := range x.q {
		for _, i := range x.dofs {
			x.q[t][x.r.DofQ[i]] = old[t][x.r.DofQ[i]]
		}
	}
	return miss, nil
}

// corners says in which frames an arm that misses so much has turned itself into a corner, with the frames around
// them in which it still misses; nil for none.
func (x *path) corners(miss []float64) []bool {
	from := make([]bool, len(miss))
	lost := false
	for t := range miss {
		from[t] = miss[t] > lostRad || t > 0 && from[t-1] && miss[t] > foundRad
		lost = lost || from[t]
	}
	if !lost {
		return nil
	}
	for t := len(miss) - 2; t >= 0; t-- {
		from[t] = from[t] || from[t+1] && (miss[t] > foundRad || x.plan.Targets[t].Lead > 0)
	}
	return from
}

// lag raises needs to what the motion must be slower by for this arm. An arm cuts a corner rather than slow everything
// down: while it is as fast as it can be, it may miss its directions by lagRad more than an arm without limits would
// (best). What is beyond is won by more time, for just as long as the arm is at its limit.
func (x *path) lag(best, needs []float64) {
	miss := x.errors()
	for a := 0; a < len(needs); {
		if x.full(a) == 0 {
			a++
			continue
		}
		b, worst, way := a, 0.0, 0.0
		for ; b < len(needs) && x.full(b) > 0; b++ {
			worst = math.Max(worst, math.Max(miss[b]-best[b], miss[b+1]-best[b+1]))
			way += x.full(b) / x.plan.FPS
		}
		if worst > lagRad {
			for t := a; t < b; t++ {
				needs[t] = math.Max(needs[t], 1+(worst-lagRad)/way)
			}
		}
		a = b
	}
}

// full returns the speed limit (rad/s) of the first joint that is at it in the step from frame t, 0 for none.
func (x *path) full(t int) float64 {
	for k, i := range x.dofs {
		most := x.r.SpeedRadPerS[i] * speedUse
		if math.Abs(*x.angle(t+1, k)-*x.angle(t, k))*x.plan.FPS > full*most {
			return most
		}
	}
	return 0
}
