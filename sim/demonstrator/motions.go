package demonstrator

import (
	"fmt"
	"strings"
)

// Motion is one authored motion: what the demonstrator can show.
type Motion struct {
	Name        string
	Description string
	Seconds     float64

	at    func(tS float64) stance
	needs []string // props that it cannot do without
}

// Needs lists the props that the motion cannot do without.
func (m Motion) Needs() []string { return m.needs }

// Motions lists what the demonstrator can show a robot, in a fixed order.
func Motions() []Motion {
	return []Motion{
		{"wave", "raises the right arm to the side and waves four times", 6, wave, nil},
		{"squat_arm_raise", "squats slowly while both arms rise, holds, and stands up", 5.8, squatArmRaise, nil},
		{"side_step", "steps to the left, closes, and steps back to the right", 7, sideStep, nil},
		{"one_leg_balance", "shifts onto the left foot, lifts the right knee with the arms out, and holds", 6.6, oneLegBalance, nil},
		{"march", "marches on the spot: four steps with a clear knee lift and swinging arms", 6.6, march, nil},
	}
}

// Find returns the named motion of Motions or Trials; the error names the legal ones.
func Find(name string) (Motion, error) {
	var names []string
	for _, m := range append(Motions(), Trials()...) {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Motion{}, fmt.Errorf("demonstrator: unknown motion %q; legal: %s", name, strings.Join(names, ", "))
}

func wave(t float64) stance {
	s := standing()
	up := path(0.5, 0, 1.6, 1, 4.4, 1, 5.5, 0).at(t)
	a := &s.arm[right]
	a.flex = mix(a.flex, rad(8), up)
	a.abduct = mix(a.abduct, rad(88), up)
	a.twist = mix(0, rad(78), up)
	a.elbow = mix(a.elbow, rad(82), up)
	a.elbow += rad(24) * oscillate(t, 1.3, 4.7, 4, 0.35)
	s.arm[left].elbow = mix(s.arm[left].elbow, rad(20), up)
	s.head.roll = rad(5) * up
	s.head.yaw = rad(-6) * up
	s.loadLeft = 0.5 + 0.08*up
	return s
}

func squatArmRaise(t float64) stance {
	s := standing()
	down := path(0.5, 0, 2.3, 1, 3.1, 1, 5.0, 0).at(t)
	s.dropM += 0.25 * down
	s.pelvisPitch = rad(24) * down
	s.head.pitch = rad(-16) * down
	arms := path(0.6, 0, 2.2, 1, 3.2, 1, 4.9, 0).at(t)
	for i := range s.arm {
		a := &s.arm[i]
		// Almost straight out to the side, where one camera sees them best.
		a.flex = mix(a.flex, rad(70), arms)
		a.abduct = mix(a.abduct, rad(76), arms)
		a.elbow = mix(a.elbow, rad(8), arms)
		s.foot[i].y = sign(i) * 0.115
		s.foot[i].yaw = rad(9)
	}
	return s
}

func sideStep(t float64) stance {
	const stepM, liftM = 0.16, 0.055
	s := standing()
	steps := [...]struct {
		side     int
		from, to float64
		byM      float64
	}{
		{left, 1.2, 1.9, stepM},
		{right, 2.5, 3.2, stepM},
		{right, 3.7, 4.4, -stepM},
		{left, 5.0, 5.7, -stepM},
	}
	for _, p := range steps {
		s.swing(p.side, t, p.from, p.to, liftM, 0)
		s.foot[p.side].y += p.byM * minimumJerk((t-p.from-0.05)/(p.to-p.from-0.1))
	}
	s.loadLeft = path(0.5, 0.5, 1.2, 0, 1.9, 0, 2.5, 1, 4.4, 1, 5.0, 0, 5.7, 0, 6.4, 0.5).at(t)
	out := path(0.6, 0, 1.9, 1, 5.0, 1, 6.4, 0).at(t)
	for i := range s.arm {
		s.arm[i].abduct = mix(s.arm[i].abduct, rad(22), out)
		s.arm[i].elbow = mix(s.arm[i].elbow, rad(25), out)
	}
	s.dropM += 0.02 * out
	return s
}

func oneLegBalance(t float64) stance {
	s := standing()
	s.loadLeft = path(0.5, 0.5, 1.5, 1, 4.9, 1, 6.0, 0.5).at(t)
	lift := path(1.5, 0, 2.5, 1, 3.9, 1, 4.9, 0).at(t)
	f := &s.foot[right]
	f.swing = t > 1.5 && t < 4.9
	f.liftM = 0.21 * lift
	f.x = 0.13 * lift
	f.y += 0.02 * lift
	f.pitch = rad(10) * lift
	arms := path(0.7, 0, 2.0, 1, 4.5, 1, 5.9, 0).at(t)
	for i := range s.arm {
		a := &s.arm[i]
		a.flex = mix(a.flex, rad(5), arms)
		a.abduct = mix(a.abduct, rad(62), arms)
		a.elbow = mix(a.elbow, rad(12), arms)
	}
	return s
}

func march(t float64) stance {
	s := standing()
	steps := [...]struct {
		side     int
		from, to float64
	}{
		{left, 1.1, 2.0},
		{right, 2.3, 3.2},
		{left, 3.5, 4.4},
		{right, 4.7, 5.6},
	}
	load := path(0.5, 0.5, 1.1, 0, 2.0, 0, 2.3, 1, 3.2, 1, 3.5, 0, 4.4, 0, 4.7, 1, 5.6, 1, 6.1, 0.5)
	s.loadLeft = load.at(t)
	s.dropM += 0.012 * path(0.5, 0, 1.1, 1, 5.6, 1, 6.1, 0).at(t)
	for _, p := range steps {
		s.swing(p.side, t, p.from, p.to, 0.135, 0.07)
		up := bump(t, p.from, p.to)
		s.foot[p.side].pitch += rad(8) * up
		other := 1 - p.side
		s.arm[other].flex += rad(32) * up
		s.arm[other].elbow += rad(32) * up
		s.arm[p.side].flex -= rad(14) * up
	}
	return s
}

// swing lifts a foot off the floor between two instants.
func (s *stance) swing(side int, tS, fromS, toS, liftM, aheadM float64) {
	up := bump(tS, fromS, toS)
	f := &s.foot[side]
	f.liftM += liftM * up
	f.x += aheadM * up
	f.swing = f.swing || tS > fromS && tS < toS
}

func mix(a, b, share float64) float64 { return a + (b-a)*share }
