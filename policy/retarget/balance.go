package retarget

import (
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Shares of the sole that the planned pressure point may use, forward and sideways. What is left over is the policy's
// room to correct.
const (
	soleUseForward = 0.4
	soleUseSide    = 0.3
	shiftEarlyS    = 0.10 // the pressure is on the standing foot this long before the other lifts
	shiftLateS     = 0.04 // and until this long after it touches down
)

// balance plans the horizontal path of the centre of mass.
//
// The person's own centre of mass says where the pressure point should be; it is pulled into the (shrunken) soles
// that stand at that moment. From the pressure path p follows the centre of mass c of an inverted pendulum of height
// h: c - (h/g) c” = p, a boundary-value problem whose solution sees coming steps ahead of time (Kajita et al.,
// Biped walking pattern generation by preview control, 2003, solve it with a gain; the tridiagonal system is exact).
// correction, if not nil, holds the measured pressure error of an earlier solution, which is taken off.
func (pl *planner) balance(correction [][2]float64) {
	o, r := pl.out, pl.r
	n := len(o.targets)
	want := make([][2]float64, n)
	pl.natural(want)
	buf, buf2 := make([]float64, n), make([]float64, n)
	for k := 0; k < 2; k++ {
		gaussEach(n, 0.06*pl.fps, func(t int) *float64 { return &want[t][k] }, buf, buf2)
	}
	early, late := pl.frames(shiftEarlyS), pl.frames(shiftLateS)
	for t := range want {
		var bear [2]bool
		for s := range bear {
			bear[s] = o.contacts[t][s]
			for d := 1; d <= early && bear[s]; d++ {
				bear[s] = t+d >= n || o.contacts[t+d][s]
			}
			for d := 1; d <= late && bear[s]; d++ {
				bear[s] = t-d < 0 || o.contacts[t-d][s]
			}
		}
		if !bear[0] && !bear[1] {
			bear = o.contacts[t]
		}
		p := pl.supportAt(t, bear).Project(spatial.Vec3{want[t][0], want[t][1]})
		want[t] = [2]float64{p[0], p[1]}
	}
	for k := 0; k < 2; k++ {
		gaussEach(n, 0.03*pl.fps, func(t int) *float64 { return &want[t][k] }, buf, buf2)
	}
	if correction != nil {
		for t := range want {
			for k := range want[t] {
				want[t][k] -= correction[t][k]
			}
		}
	}
	// Thomas algorithm; a = (h/g) / dt^2.
	a := r.comHeightM / 9.81 * pl.fps * pl.fps
	diag := make([]float64, n)
	for k := 0; k < 2; k++ {
		c := make([]float64, n)
		diag[0], c[0] = 1, want[0][k]
		diag[n-1], c[n-1] = 1, want[n-1][k]
		// Forward sweep; row t is -a c[t-1] + (1+2a) c[t] - a c[t+1] = p[t], the end rows hold c = p.
		for t := 1; t < n-1; t++ {
			up := -a
			if t == 1 {
				up = 0
			}
			m := -a / diag[t-1]
			diag[t] = 1 + 2*a - m*up
			c[t] = want[t][k] - m*c[t-1]
		}
		o.targets[n-1].com[k] = c[n-1]
		for t := n - 2; t > 0; t-- {
			c[t] = (c[t] + a*c[t+1]) / diag[t]
			o.targets[t].com[k] = c[t]
		}
		o.targets[0].com[k] = c[0]
	}
	// Seeing ahead never quite ends; the first and last moments shall be quite still all the same.
	still := pl.frames(holdS)
	last := o.end.apply(r.standCom)
	for t := 0; t < still; t++ {
		f := smoothstep(float64(t) / float64(still))
		for k := 0; k < 2; k++ {
			a, b := &o.targets[t].com[k], &o.targets[n-1-t].com[k]
			*a, *b = r.standCom[k]*(1-f)+*a*f, last[k]*(1-f)+*b*f
		}
	}
}

// natural writes where the person's centre of mass would be, carried over to the robot's feet. In lead-in and
// lead-out it goes over into the standing robot's.
func (pl *planner) natural(dst [][2]float64) {
	o, r := pl.out, pl.r
	mid := func(in *intent) spatial.Vec3 { return in.foot[0].Lerp(in.foot[1], 0.5) }
	// The person's usual place between the feet, to be replaced by the standing robot's.
	var rest [2][]float64
	for t := range pl.pf.intents {
		if in := &pl.pf.intents[t]; in.on[0] && in.on[1] {
			c := turn(in.com.Sub(mid(in)), -in.heading)
			rest[0], rest[1] = append(rest[0], c[0]), append(rest[1], c[1])
		}
	}
	usual := spatial.Vec3{median(rest[0]), median(rest[1])}
	if len(rest[0]) == 0 {
		usual = spatial.Vec3{0.05, 0, 0}
	}
	own := r.standCom.Sub(r.standFeet[0].Lerp(r.standFeet[1], 0.5))
	for t := range dst {
		in, tg := pl.inMotion(t), &o.targets[t]
		c := turn(turn(in.com.Sub(mid(in)), -in.heading).Sub(usual).Scale(o.scale).Add(own), tg.rootRot.YawRad())
		c = tg.foot[0].at.Lerp(tg.foot[1].at, 0.5).Add(c)
		if tg.lead > 0 {
			end := place{}
			if t >= pl.lead[0] {
				end = o.end
			}
			c = c.Lerp(end.apply(r.standCom), tg.lead)
		}
		dst[t] = [2]float64{c[0], c[1]}
	}
}

// supportAt returns the area in which the pressure may be planned while the given feet bear weight.
func (pl *planner) supportAt(t int, bear [2]bool) anatomy.Polygon {
	var pts []spatial.Vec3
	for s, on := range bear {
		if !on {
			continue
		}
		f := pl.out.targets[t].foot[s]
		l := &pl.r.an.Legs[s]
		for i := 0; i < 4; i++ {
			c := spatial.Vec3{pl.r.soleOffset[s][0] + soleUseForward*l.HalfSizeM[0]*float64(1-2*(i&1)),
				pl.r.soleOffset[s][1] + soleUseSide*l.HalfSizeM[1]*float64(1-(i&2))}
			v := f.at.Add(turn(c, f.yaw))
			pts = append(pts, spatial.Vec3{v[0], v[1], 0})
		}
	}
	return anatomy.Polygon(anatomy.Hull(pts))
}
