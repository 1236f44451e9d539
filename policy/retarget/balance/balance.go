// Package balance plans where the robot's centre of mass goes so that the pressure point stays inside the standing
// feet, and measures where a finished motion needs it.
//
// The person's own centre of mass says where the pressure point should be; it is pulled into the (shrunken) soles
// that stand at that moment. From the pressure path p follows the centre of mass c of an inverted pendulum of height
// h: c - (h/g) c" = p, a boundary-value problem whose solution sees coming steps ahead of time (Kajita et al., Biped
// walking pattern generation by preview control, 2003, solve it with a gain; the tridiagonal system is exact).
//
// Paths are in metres over the floor, one point a frame. All functions are pure. Not here: the footfalls (policy/
// retarget/plan), joint angles.
package balance

import (
	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/observe"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// What of the feet the plan uses; tuned on kata20's steps and lifted feet.
const (
	// Shares of the sole that the planned pressure point may use, forward and sideways. What is left over is the policy's
	// room to correct.
	soleUseForward = 0.4
	soleUseSide    = 0.3
	shiftEarlyS    = 0.10 // the pressure is on the standing foot this long before the other lifts
	shiftLateS     = 0.04 // and until this long after it touches down
)

// gravityMPerS2 is the usual value.
const gravityMPerS2 = 9.81

// CentreOfMass returns the path of the centre of mass for a plan. correction, if not nil, holds the measured pressure
// error of an earlier solution (see Error), which is taken off.
func CentreOfMass(p *plan.Plan, correction [][2]float64) [][2]float64 {
	pressure := supported(p, natural(p))
	for t := range correction {
		for k := range pressure[t] {
			pressure[t][k] -= correction[t][k]
		}
	}
	// a = (h/g) / dt^2.
	com := pendulum(pressure, p.Robot.ComHeightM/gravityMPerS2*p.FPS*p.FPS)
	rest(p, com)
	return com
}

// pendulum solves -a c[t-1] + (1+2a) c[t] - a c[t+1] = p[t] with c = p at both ends (Thomas algorithm), for both axes.
func pendulum(p [][2]float64, a float64) [][2]float64 {
	n := len(p)
	out, diag, c := make([][2]float64, n), make([]float64, n), make([]float64, n)
	for k := range 2 {
		diag[0], c[0] = 1, p[0][k]
		diag[n-1], c[n-1] = 1, p[n-1][k]
		for t := 1; t < n-1; t++ {
			up := -a
			if t == 1 {
				up = 0
			}
			m := -a / diag[t-1]
			diag[t] = 1 + 2*a - m*up
			c[t] = p[t][k] - m*c[t-1]
		}
		out[n-1][k] = c[n-1]
		for t := n - 2; t > 0; t-- {
			c[t] = (c[t] + a*c[t+1]) / diag[t]
			out[t][k] = c[t]
		}
		out[0][k] = c[0]
	}
	return out
}

// rest makes the first and last moments quite still: seeing ahead never quite ends.
func rest(p *plan.Plan, com [][2]float64) {
	still, n := p.Frames(plan.HoldS), len(com)
	first, last := p.Robot.StandCom, p.End.Apply(p.Robot.StandCom)
	for t := 0; t < still; t++ {
		f := curve.MinJerk(float64(t) / float64(still))
		for k := range 2 {
			a, b := &com[t][k], &com[n-1-t][k]
			*a, *b = first[k]*(1-f)+*a*f, last[k]*(1-f)+*b*f
		}
	}
}

// natural returns where the person's centre of mass would be, carried over to the robot's feet. In lead-in and lead-out
// it goes over into the standing robot's.
func natural(p *plan.Plan) [][2]float64 {
	usual := usualPlace(p.Person)
	stand := p.Robot.StandFeet
	own := p.Robot.StandCom.Sub(stand[0].Lerp(stand[1], 0.5))
	out := make([][2]float64, len(p.Targets))
	for t := range out {
		in, tg := p.Intent(t), &p.Targets[t]
		c := offset(in).Sub(usual).Scale(p.ScaleM * (1 - in.Still)).Add(own).Yawed(tg.RootRot.YawRad())
		c = tg.Foot[0].At.Lerp(tg.Foot[1].At, 0.5).Add(c)
		if tg.Lead > 0 {
			end := plan.Place{}
			if t >= p.Lead[0] {
				end = p.End
			}
			c = c.Lerp(end.Apply(p.Robot.StandCom), tg.Lead)
		}
		out[t] = [2]float64{c[0], c[1]}
	}
	return out
}

// offset is where the person's centre of mass is from the middle between the feet, in the heading frame, leg lengths.
func offset(in *observe.Intent) spatial.Vec3 {
	return in.Com.Sub(in.Foot[0].Lerp(in.Foot[1], 0.5)).Yawed(-in.Heading)
}

// usualPlace is the person's usual offset while standing on both feet, to be replaced by the standing robot's; without
// such a moment, a little ahead of the ankles.
func usualPlace(person *observe.Performance) spatial.Vec3 {
	var x, y []float64
	for t := range person.Intents {
		if in := &person.Intents[t]; in.On[0] && in.On[1] {
			c := offset(in)
			x, y = append(x, c[0]), append(y, c[1])
		}
	}
	if len(x) == 0 {
		return spatial.Vec3{0.05, 0, 0}
	}
	return spatial.Vec3{curve.Median(x), curve.Median(y)}
}

// supported pulls a wanted pressure path into the feet that bear weight, in place, and returns it, smoothed.
func supported(p *plan.Plan, want [][2]float64) [][2]float64 {
	n := len(want)
	var smooth curve.Gauss
	for k := range 2 {
		smooth.Each(n, 0.06*p.FPS, func(t int) *float64 { return &want[t][k] })
	}
	for t := range want {
		at := area(p, t, bearing(p, t)).Project(spatial.Vec3{want[t][0], want[t][1]})
		want[t] = [2]float64{at[0], at[1]}
	}
	for k := range 2 {
		smooth.Each(n, 0.03*p.FPS, func(t int) *float64 { return &want[t][k] })
	}
	return want
}

// bearing says which feet bear weight at frame t: those that stand, but for a moment after they came down and before
// they lift.
func bearing(p *plan.Plan, t int) (bear [2]bool) {
	early, late, n := p.Frames(shiftEarlyS), p.Frames(shiftLateS), len(p.Contacts)
	for s := range bear {
		bear[s] = p.Contacts[t][s]
		for d := 1; d <= early && bear[s]; d++ {
			bear[s] = t+d >= n || p.Contacts[t+d][s]
		}
		for d := 1; d <= late && bear[s]; d++ {
			bear[s] = t-d < 0 || p.Contacts[t-d][s]
		}
	}
	if !bear[0] && !bear[1] {
		return p.Contacts[t]
	}
	return bear
}

// area returns the area in which the pressure may be planned while the given feet bear weight.
func area(p *plan.Plan, t int, bear [2]bool) anatomy.Polygon {
	var pts []spatial.Vec3
	for s, on := range bear {
		if !on {
			continue
		}
		f, l := p.Targets[t].Foot[s], &p.Robot.An.Legs[s]
		for i := 0; i < 4; i++ {
			c := spatial.Vec3{p.Robot.SoleOffset[s][0] + soleUseForward*l.HalfSizeM[0]*float64(1-2*(i&1)),
				p.Robot.SoleOffset[s][1] + soleUseSide*l.HalfSizeM[1]*float64(1-(i&2))}
			v := f.At.Add(c.Yawed(f.Yaw))
			pts = append(pts, spatial.Vec3{v[0], v[1], 0})
		}
	}
	return anatomy.Polygon(anatomy.Hull(pts))
}
