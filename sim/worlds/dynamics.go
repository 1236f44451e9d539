package worlds

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// field is a model field with a value of its own in every world.
type field struct {
	name string
	base []float64 // the model's
	all  []float64 // worlds x len(base)
}

// Fields of the model that worlds differ in; the order is that of fieldNames.
const (
	bodyMass = iota
	bodyInertia
	bodyIPos
	geomFriction
	geomSolref
	gainPrm
	biasPrm
	forceRange
	dofDamping
	dofFrictionLoss
	dofArmature
	numFields
)

var fieldNames = [numFields]string{"body_mass", "body_inertia", "body_ipos", "geom_friction", "geom_solref",
	"actuator_gainprm", "actuator_biasprm", "actuator_forcerange", "dof_damping", "dof_frictionloss", "dof_armature"}

func (e *Env) expand() error {
	for _, name := range fieldNames {
		all, size, err := e.batch.Expand(name)
		if err != nil {
			return err
		}
		e.fields = append(e.fields, field{name: name, base: append([]float64(nil), all[:size]...), all: all})
	}
	return nil
}

// of returns world w's values of a field, set back to the model's.
func (f *field) of(w int) []float64 {
	v := f.all[w*len(f.base) : (w+1)*len(f.base)]
	copy(v, f.base)
	return v
}

// check refuses ranges that no world can have.
func check(r rollout.Randomization) error {
	for _, p := range []struct {
		name   string
		v      [2]float64
		lo, hi float64
	}{
		{"Friction", r.Friction, 1e-3, 10}, {"MassScale", r.MassScale, 0.01, 100}, {"GainScale", r.GainScale, 0, 100},
		{"TorqueScale", r.TorqueScale, 0, 100}, {"FrictionScale", r.FrictionScale, 0, 100},
		{"ArmatureScale", r.ArmatureScale, 0.01, 100}, {"ContactSoftScale", r.ContactSoftScale, 0.1, 10},
		{"DelayS", r.DelayS, 0, MaxDelayS}, {"SensorDelayS", r.SensorDelayS, 0, MaxDelayS},
		{"PushSpeedMPerS", r.PushSpeedMPerS, 0, 100}, {"PushEveryS", r.PushEveryS, 0, math.MaxFloat64},
		{"ServoSpeedRadPerS", r.ServoSpeedRadPerS, 0, 1e4}, {"TorsoOffsetM", [2]float64{0, r.TorsoOffsetM}, 0, 1},
		{"TorsoPayloadKg", [2]float64{0, r.TorsoPayloadKg}, 0, 1e3}, {"FloorTiltRad", [2]float64{0, r.FloorTiltRad}, 0, 1},
		{"JointZeroRad", [2]float64{0, r.JointZeroRad}, 0, 1}, {"NoiseJointRad", [2]float64{0, r.NoiseJointRad}, 0, 10},
		{"NoiseJointRadPerS", [2]float64{0, r.NoiseJointRadPerS}, 0, 100}, {"NoiseGravity", [2]float64{0, r.NoiseGravity}, 0, 10},
		{"NoiseGyroRadPerS", [2]float64{0, r.NoiseGyroRadPerS}, 0, 100},
	} {
		if !(p.v[0] >= p.lo && p.v[1] >= p.v[0] && p.v[1] <= p.hi) {
			return fmt.Errorf("worlds: randomization %s is %g to %g; legal: rising, %g to %g", p.name, p.v[0], p.v[1], p.lo, p.hi)
		}
	}
	return nil
}

// check is the package's, and refuses a fixed delay that the engine's steps
// cannot make: it would be another delay than the one that was asked for. A delay
// that is drawn from a range goes to the nearest step.
func (e *Env) check(r rollout.Randomization) error {
	if err := check(r); err != nil {
		return err
	}
	stepS := e.layout.PeriodS / float64(e.sub)
	if n := r.DelayS[0] / stepS; r.DelayS[0] == r.DelayS[1] && math.Abs(n-math.Round(n)) > 1e-6 {
		return fmt.Errorf("worlds: a delay of %g ms is no multiple of the engine's step of %g ms; legal: a multiple, or a range to draw from",
			1e3*r.DelayS[0], 1e3*stepS)
	}
	return nil
}

// purposes of an episode's random streams.
const (
	forDynamics = iota + 1
	forPushes
	forNoise
)

// servoKnee is the share of the no-load speed up to which a servo has its full
// torque when Randomization.ServoSpeedRadPerS asks for a speed law.
const servoKnee = 0.8

// draw gives a world the dynamics of a new episode. Every value is drawn even
// where its range is a point, so that one range does not shift the others.
func (e *Env) draw(w int, seed uint64, r rollout.Randomization) {
	wd := &e.worlds[w]
	*wd = world{
		Dynamics: newStream(seed, forDynamics), Pushes: newStream(seed, forPushes), Noise: newStream(seed, forNoise),
		Ranges: r, Down: spatial.Vec3{0, 0, -1},
	}
	s := &wd.Dynamics
	friction := s.in(r.Friction)
	torque := s.in(r.TorqueScale)
	soft := s.in(r.ContactSoftScale)
	delay := s.in(r.DelayS)
	wd.SensorDelayS = s.in(r.SensorDelayS)
	wd.DelaySub = int64(math.Round(delay / e.layout.PeriodS * float64(e.sub)))
	noLoad := s.in(r.ServoSpeedRadPerS)
	wd.SpeedRadPerS = [2]float64{servoKnee * noLoad, noLoad}
	tilt, heading := r.FloorTiltRad*s.unit(), 2*math.Pi*s.unit()
	wd.Down = spatial.Vec3{math.Sin(tilt) * math.Cos(heading), math.Sin(tilt) * math.Sin(heading), -math.Cos(tilt)}

	mass := e.drawMasses(w, s, r)
	gain := e.drawServos(w, s, r, torque)
	fr, sol := e.fields[geomFriction].of(w), e.fields[geomSolref].of(w)
	stride := len(sol) / e.scene.Model.NGeom
	for _, g := range e.scene.Ground {
		fr[3*g] = friction
		sol[stride*g] *= soft
	}
	zero := e.zero[w*e.layout.Joints : (w+1)*e.layout.Joints]
	for j := range zero {
		zero[j] = s.within(r.JointZeroRad)
	}
	wd.Params = [rollout.Params]float64{friction, mass, gain, torque, float64(wd.DelaySub) * e.layout.PeriodS / float64(e.sub), wd.SensorDelayS}
	wd.NextPushS = wd.Pushes.in(r.PushEveryS)
}

// drawMasses scales every link and loads the torso; returns the scale of the
// whole robot's mass.
func (e *Env) drawMasses(w int, s *stream, r rollout.Randomization) float64 {
	mass, inertia, ipos := e.fields[bodyMass].of(w), e.fields[bodyInertia].of(w), e.fields[bodyIPos].of(w)
	before, after := 0.0, 0.0
	for b := 1; b < len(mass); b++ {
		k := s.in(r.MassScale)
		if b == e.scene.RootBody {
			for axis := range 3 {
				ipos[3*b+axis] += s.within(r.TorsoOffsetM)
			}
			if mass[b] > 0 {
				k += s.unit() * r.TorsoPayloadKg / mass[b]
			}
		}
		before += mass[b]
		mass[b] *= k
		after += mass[b]
		for axis := range 3 {
			inertia[3*b+axis] *= k
		}
	}
	return after / before
}

// drawServos scales gains, torque limits and joint friction; returns the mean
// scale of the gains.
func (e *Env) drawServos(w int, s *stream, r rollout.Randomization, torque float64) float64 {
	gain, bias, limit := e.fields[gainPrm].of(w), e.fields[biasPrm].of(w), e.fields[forceRange].of(w)
	damping, loss, armature := e.fields[dofDamping].of(w), e.fields[dofFrictionLoss].of(w), e.fields[dofArmature].of(w)
	gs, bs := len(gain)/e.scene.Model.NU, len(bias)/e.scene.Model.NU
	mean := 0.0
	for _, at := range e.scene.Joints {
		k := s.in(r.GainScale)
		gain[gs*at.Actuator] *= k
		bias[bs*at.Actuator+1] *= k
		limit[2*at.Actuator] *= torque
		limit[2*at.Actuator+1] *= torque
		f := s.in(r.FrictionScale)
		damping[at.Dof] *= f
		loss[at.Dof] *= f
		armature[at.Dof] *= s.in(r.ArmatureScale)
		mean += k / float64(len(e.scene.Joints))
	}
	return mean
}

// tilt turns gravity by an equal force on every link, which is the same as a
// floor that slopes and needs no other floor.
func (e *Env) tilt(w int) {
	m := e.scene.Model
	xfrc := e.row(w)[e.at.xfrc:][:6*m.NBody]
	clear(xfrc)
	down := e.worlds[w].Down
	if down == (spatial.Vec3{0, 0, -1}) {
		return
	}
	const g = 9.81
	mass := e.fields[bodyMass].all[w*m.NBody : (w+1)*m.NBody]
	for b := 1; b < m.NBody; b++ {
		xfrc[6*b], xfrc[6*b+1], xfrc[6*b+2] = g*mass[b]*down[0], g*mass[b]*down[1], g*mass[b]*(down[2]+1)
	}
}
