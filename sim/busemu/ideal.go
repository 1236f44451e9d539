package busemu

import (
	"math"
	"time"

	"github.com/mitori-robotics/mitori/models/servos"
)

// Ideal is the smallest plant: every joint a servo without inertia, whose
// speed is its duty's share of the no-load speed, and a trunk that stands still. It is
// for tests of everything that is not physics.
type Ideal struct {
	BusV   float64
	TipsAt time.Duration // when the trunk falls forward by tippedRad; 0: never
	LoadNm []float64     // on each joint while its servo drives it; nil: none
	Stops  [][2]float64  // where each joint ends, in rad; nil: nowhere
	step   time.Duration
	motors []servos.Type
	joints []Joint
	jammed []bool
	now    time.Duration
}

// NewIdeal returns a plant of one joint for each motor, all at zero, that advances in
// steps of step. Its supply is the voltage at which the first motor's data are given.
func NewIdeal(motors []servos.Type, step time.Duration) *Ideal {
	if step <= 0 || len(motors) == 0 {
		panic("busemu: NewIdeal: at least one motor and a positive step are needed")
	}
	return &Ideal{BusV: motors[0].AtV, step: step, motors: motors, joints: make([]Joint, len(motors)), jammed: make([]bool, len(motors))}
}

// Set puts joint i at rad.
func (p *Ideal) Set(i int, rad float64) { p.joints[i].PosRad = rad }

// Jam holds joint i where it is, as an obstacle does, or lets go of it: its motor then
// pushes in vain.
func (p *Ideal) Jam(i int, on bool) { p.jammed[i] = on }

// Step implements Plant.
func (p *Ideal) Step() time.Duration { return p.step }

// Advance implements Plant.
func (p *Ideal) Advance(steps int, drives []Drive) {
	dt := p.step.Seconds()
	for range steps {
		for i := range p.joints {
			j, d, m := &p.joints[i], &drives[i], &p.motors[i]
			speed := m.NoLoadRadPerS * p.BusV / m.AtV
			duty, load := d.Motor(j.PosRad, j.VelRadPerS), 0.0
			if p.LoadNm != nil {
				load = p.LoadNm[i]
			}
			v := duty*speed - load/m.StallTorqueNm*m.NoLoadRadPerS
			// A proportional servo must not overshoot within one step, however long; one under load
			// rests beside its goal, and needs short steps.
			if gap := d.GoalRad - j.PosRad; load == 0 && d.DutyPerRad > 0 && math.Abs(v*dt) > math.Abs(gap) {
				v = gap / dt
			}
			if !d.On || p.jammed[i] {
				v = 0
			}
			if p.Stops != nil { // a joint that is set beyond its end comes back freely
				low, high := min(p.Stops[i][0], j.PosRad), max(p.Stops[i][1], j.PosRad)
				v = max((low-j.PosRad)/dt, min((high-j.PosRad)/dt, v))
			}
			j.VelRadPerS = v
			j.PosRad += v * dt
			j.TorqueNm = m.StallTorqueNm * (duty*p.BusV/m.AtV - v/m.NoLoadRadPerS)
		}
	}
	p.now += time.Duration(steps) * p.step
}

// Sense implements Plant.
func (p *Ideal) Sense(dst *Sense) {
	copy(dst.Joints, p.joints)
	dst.BusV = p.BusV
	q, _ := p.trunk()
	dst.IMU = IMU{AccelMPerS2: [3]float64{0, 0, 9.80665}, WorldFromHub: q}
}

// tippedRad is far beyond what any robot stands up from.
const tippedRad = 1.2

// trunk is the trunk's orientation in the world, and its tilt.
func (p *Ideal) trunk() (worldFromTrunk [4]float64, tiltRad float64) {
	if p.TipsAt > 0 && p.now > p.TipsAt {
		tiltRad = tippedRad
	}
	s, c := math.Sincos(tiltRad / 2)
	return [4]float64{c, 0, s, 0}, tiltRad
}

// Truth implements Plant: all that the trunk of an ideal robot ever does is tip over.
func (p *Ideal) Truth(dst *Truth) {
	dst.SimS = p.now.Seconds()
	dst.TrunkQuat, dst.TiltRad = p.trunk()
	dst.TrunkHeightM, dst.TrunkPosM = 1, [3]float64{0, 0, 1}
	dst.QPos = dst.QPos[:0]
	for _, j := range p.joints {
		dst.QPos = append(dst.QPos, j.PosRad)
	}
}

// Hold implements Plant; an ideal trunk is always held.
func (p *Ideal) Hold(bool) {}
