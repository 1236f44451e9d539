package demonstrator

import "math"

// Trials lists motions that are hard to see rather than good for a robot: turning, coming
// closer, another level, speed, flight, lying. Find knows them too.
func Trials() []Motion {
	approach := walk(1.8, 0.9)
	return []Motion{
		{"turn_360", "turns once around on the spot, to the left, in twelve small steps", 7, turn360, nil},
		{"approach", "walks 1.8 m towards where they face", approach.Seconds, approach.at, nil},
		{"step_up", "steps sideways onto a block of 0.35 m, to the left, and stands there", 6, stepUp, []string{"block"}},
		{"kick", "kicks ahead with the right foot, twice, as high as the hip", 6.2, kick, nil},
		{"jumps", "jumps twice on the spot, 0.11 m high", 5.4, jumps, nil},
		{"lying", "lies on the back and raises one arm after the other", 6, lyingDown, nil},
	}
}

func turn360(t float64) stance {
	const (
		beginS, everyS, swingS = 0.8, 0.46, 0.36
		steps                  = 12
		each                   = 2 * math.Pi / (steps / 2)
	)
	s := standing()
	load := curve{{0.4, 0.5}}
	for k := range steps {
		from := beginS + everyS*float64(k)
		side := k % 2
		load = append(load, key{from, float64(side)}, key{from + swingS, float64(side)})
		s.swing(side, t, from, from+swingS, 0.05, 0)
		// The outward angle of the right foot counts to the right.
		s.foot[side].yaw += sign(side) * each * minimumJerk((t-from-0.04)/(swingS-0.08))
	}
	end := beginS + everyS*steps
	s.loadLeft = append(load, key{end + 0.3, 0.5}).at(t)
	for i := range s.foot {
		heading := sign(i)*s.foot[i].yaw - sign(i)*rad(5)
		sin, cos := math.Sincos(heading)
		y := s.foot[i].y
		s.foot[i].x, s.foot[i].y = -sin*y, cos*y
		s.pelvisYaw += heading / 2
	}
	s.dropM += 0.02 * path(0.4, 0, beginS, 1, end, 1, end+0.4, 0).at(t)
	return s
}

func stepUp(t float64) stance {
	s := standing()
	const wayM = blockMiddleM
	for _, p := range [...]struct {
		side     int
		from, to float64
	}{{left, 1.1, 2.1}, {right, 3.1, 4.1}} {
		mid := (p.from + p.to) / 2
		f := &s.foot[p.side]
		on := minimumJerk((t - p.from) / (mid - p.from))
		f.baseM = blockTopM * on
		f.liftM += 0.07 * bump(t, p.from, p.to)
		f.y += wayM * minimumJerk((t-p.from-0.35)/(p.to-p.from-0.4))
		f.x += 0.05 * bump(t, p.from, p.to)
		f.swing = t > p.from && t < p.to
	}
	s.loadLeft = path(0.4, 0.5, 1.1, 0, 2.1, 0, 3.1, 1, 4.1, 1, 4.7, 0.5).at(t)
	s.dropM -= blockTopM * path(2.1, 0, 3.6, 1).at(t)
	lean := path(1.0, 0, 2.1, 1, 3.1, 1, 4.3, 0).at(t)
	s.pelvisPitch = rad(8) * lean
	for i := range s.arm {
		s.arm[i].abduct += rad(22) * lean
		s.arm[i].elbow += rad(12) * lean
	}
	return s
}

func kick(t float64) stance {
	s := standing()
	s.loadLeft = path(0.4, 0.5, 1.2, 1, 5.0, 1, 5.7, 0.5).at(t)
	up := path(1.2, 0, 1.6, 0.25, 2.1, 1, 2.6, 0.25, 3.2, 0.25, 3.7, 1, 4.3, 0.25, 4.9, 0).at(t)
	f := &s.foot[right]
	f.swing = t > 1.2 && t < 4.9
	f.liftM = 0.62 * up * (0.35 + 0.65*up)
	f.x = 0.62 * up * math.Sqrt(math.Max(0, 1.15-up*0.55))
	f.pitch = rad(-25) * up
	s.pelvisPitch = rad(-8) * up
	s.arm[left].flex += rad(45) * up
	s.arm[left].elbow += rad(30) * up
	s.arm[right].abduct += rad(35) * up
	s.dropM += 0.02 * path(0.6, 0, 1.2, 1, 4.9, 1, 5.5, 0).at(t)
	return s
}

// jumps leaves the floor at the speed that a flight of flightS needs, and comes down with
// it: the hips never change their speed from one moment to the next.
func jumps(t float64) stance {
	const flightS, crouchM = 0.30, 0.16
	off := gravityMPerS2 * flightS / 2 // m/s
	push := 2 * crouchM / off          // s, at constant acceleration
	s := standing()
	for _, begin := range [...]float64{0.6, 2.8} {
		down := begin + 0.7
		up, land := down+push, down+push+flightS
		switch low := land + push; {
		case t < begin || t > low+0.8:
		case t < down:
			s.dropM += crouchM * minimumJerk((t-begin)/(down-begin))
		case t < up:
			u := (t - down) / push
			s.dropM += crouchM * (1 - u*u)
		case t < land:
			rise := off*(t-up) - gravityMPerS2*(t-up)*(t-up)/2
			s.dropM -= rise
			for i := range s.foot {
				s.foot[i].liftM, s.foot[i].swing = rise, true
				s.foot[i].pitch = rad(20) * bump(t, up, land)
			}
		case t < low:
			u := (low - t) / push
			s.dropM += crouchM * (1 - u*u)
		default:
			s.dropM += crouchM * (1 - minimumJerk((t-low)/0.8))
		}
		arms := path(begin, 0, down, -1, up, 1, land, 0.6, land+0.8, 0).at(t)
		for i := range s.arm {
			s.arm[i].flex += rad(35) * arms
			s.arm[i].elbow += rad(15) * math.Abs(arms)
		}
	}
	s.pelvisPitch = rad(70) * math.Max(0, s.dropM-0.005)
	return s
}

func lyingDown(t float64) stance {
	s := standing()
	s.lying = true
	for i := range s.arm {
		s.arm[i].abduct += rad(12)
		s.arm[i].flex += rad(70) * path(0.6, 0, 1.6, 1, 2.2, 1, 3.2, 0).at(t-2.4*float64(i))
	}
	return s
}
