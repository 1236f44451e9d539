// Package plant is the robot behind the emulated servo bus: one simulated world
// that is driven by motor bridges instead of by targets, and read through
// sensors instead of through its state. It implements busemu.Plant.
//
// A motor is a voltage source with back-EMF, the law of the servos' data sheet:
//
//	torque = duty * stall * supply/nominal - damping * qd,
//
// which with the position loop's duty = clamp(kp (goal - q), +-1) is exactly the
// actuator that policies are trained on (sim/worlds). An open bridge gives no
// torque and does not brake; only the gears drag.
//
// The trunk can be held by a gantry, a stiff spring from the ceiling, because a
// robot without torque does not stand: it starts held, and a release lowers it
// over Config.ReleaseS so that the legs take the weight gradually, as an
// operator's hands do.
//
// A Plant belongs to one goroutine. After New, nothing but Truth allocates.
package plant

import (
	"fmt"
	"math"
	"time"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/busemu"
	"github.com/mitori-robotics/mitori/sim/mujoco"
	"github.com/mitori-robotics/mitori/sim/scene"
)

// Config says in what world the robot is.
type Config struct {
	StepS       float64 // engine step; 0: 2 ms
	Loose       bool    // start without the gantry
	ReleaseS    float64 // time a release takes; 0: 1 s
	Friction    float64 // of floor and feet; 0: the model's
	TorqueScale float64 // of all motors; 0: 1
	Battery     Battery
}

// Battery is an ideal source behind a resistance. Zero values mean: the
// robot's nominal voltage, 0.06 ohm (three cells and their wires), no limit.
type Battery struct {
	OpenV, ResistanceOhm, CapacityAh float64
}

// Gantry: a spring on the trunk's six degrees of freedom, stiff against the
// weight of a hobby humanoid (3 kg sag by 1 cm) and damped below one rebound.
const (
	holdNM        = 3000.0 // N/m
	holdNSM       = 150.0  // N s/m
	holdNmPerRad  = 40.0   // N m/rad
	holdNmSPerRad = 1.5    // N m s/rad
	idleA         = 0.3    // electronics and the computer
)

// Plant is one robot.
type Plant struct {
	scene *scene.Scene
	data  *mujoco.Data
	err   error

	step      time.Duration
	steps     int64
	stallNm   []float64 // at nominal voltage, canonical order
	brakeNms  []float64 // back-EMF damping
	dragNms   []float64 // what is left of it when the bridge is open: the gears
	ampsPerNm []float64
	damping   []float64 // view of the model's dof_damping
	torque    []float64
	nominalV  float64
	battery   Battery
	busV      float64
	usedAh    float64
	gyroAt    int // index into the sensor data
	accelAt   int
	imuSite   int
	held      bool
	release   float64 // share of the gantry that is left, 1 to 0
	releaseS  float64
	holdPos   spatial.Vec3
	holdQuat  spatial.Quat
	torqueMul float64
}

// New puts the robot on the floor in its standing keyframe, held by the gantry.
func New(b *body.Body, c Config) (*Plant, error) {
	for _, v := range []struct {
		name   string
		v, max float64
	}{
		{"StepS", c.StepS, 0.01}, {"ReleaseS", c.ReleaseS, 60}, {"Friction", c.Friction, 10}, {"TorqueScale", c.TorqueScale, 10},
		{"Battery.OpenV", c.Battery.OpenV, 100}, {"Battery.ResistanceOhm", c.Battery.ResistanceOhm, 10}, {"Battery.CapacityAh", c.Battery.CapacityAh, 1000},
	} {
		if !(v.v >= 0 && v.v <= v.max) {
			return nil, fmt.Errorf("plant: %s is %g; legal: 0 to %g", v.name, v.v, v.max)
		}
	}
	if c.StepS == 0 {
		c.StepS = 0.002
	}
	s, err := scene.Compile(b, c.StepS)
	if err != nil {
		return nil, err
	}
	p := &Plant{scene: s, step: time.Duration(math.Round(c.StepS * 1e9)), battery: c.Battery, nominalV: b.Desc.Battery.NominalV, releaseS: c.ReleaseS, torqueMul: 1}
	if err := p.open(b.Desc, c); err != nil {
		p.Close()
		return nil, fmt.Errorf("plant: %w", err)
	}
	return p, nil
}

func (p *Plant) open(d *robot.Description, c Config) error {
	if p.releaseS == 0 {
		p.releaseS = 1
	}
	if c.TorqueScale > 0 {
		p.torqueMul = c.TorqueScale
	}
	if p.nominalV == 0 {
		p.nominalV = 12
	}
	if p.battery.OpenV == 0 {
		p.battery.OpenV = p.nominalV
	}
	if p.battery.ResistanceOhm == 0 {
		p.battery.ResistanceOhm = 0.06
	}
	m := p.scene.Model
	if err := p.takeMotors(c); err != nil {
		return err
	}
	if err := p.findIMU(d); err != nil {
		return err
	}
	var err error
	if p.data, err = mujoco.NewData(m); err != nil {
		return err
	}
	if err := p.data.Reset(p.scene.StandKey); err != nil {
		return err
	}
	p.torque = make([]float64, len(p.scene.Joints))
	p.busV = p.battery.OpenV
	if err := p.data.Forward(); err != nil {
		return err
	}
	p.Hold(!c.Loose)
	return nil
}

// takeMotors switches the model's own servos off: bridges and motors of the
// description's servo types drive the joints instead.
func (p *Plant) takeMotors(c Config) error {
	m := p.scene.Model
	get := func(err *error, name string) []float64 {
		if *err != nil {
			return nil
		}
		var v []float64
		v, *err = m.Field(name)
		return v
	}
	var err error
	gain, bias := get(&err, "actuator_gainprm"), get(&err, "actuator_biasprm")
	p.damping = get(&err, "dof_damping")
	friction := get(&err, "geom_friction")
	if err != nil {
		return err
	}
	for i := range p.scene.Joints {
		servo := p.scene.Body.Desc.ServoOf(i)
		p.dragNms = append(p.dragNms, servo.Entry.DragNmPerRadPerS)
		p.ampsPerNm = append(p.ampsPerNm, servo.Entry.StallCurrentA/servo.Entry.StallTorqueNm)
		p.stallNm = append(p.stallNm, servo.StallTorqueNm)
		p.brakeNms = append(p.brakeNms, servo.DampingNmSPerRad)
	}
	clear(gain)
	clear(bias)
	if c.Friction > 0 {
		for _, g := range p.scene.Ground {
			friction[3*g] = c.Friction
		}
	}
	return nil
}

// Numbers of mjtSensor.
const (
	sensorAccelerometer = 1
	sensorGyro          = 3
)

func (p *Plant) findIMU(d *robot.Description) error {
	m := p.scene.Model
	var err error
	if p.imuSite, err = m.ID(mujoco.Site, d.IMU.Site); err != nil {
		return err
	}
	kind, err := m.IntField("sensor_type")
	if err != nil {
		return err
	}
	obj, err := m.IntField("sensor_objid")
	if err != nil {
		return err
	}
	adr, err := m.IntField("sensor_adr")
	if err != nil {
		return err
	}
	p.gyroAt, p.accelAt = -1, -1
	for i := range kind {
		if int(obj[i]) != p.imuSite {
			continue
		}
		switch kind[i] {
		case sensorGyro:
			p.gyroAt = int(adr[i])
		case sensorAccelerometer:
			p.accelAt = int(adr[i])
		}
	}
	if p.gyroAt < 0 || p.accelAt < 0 {
		return fmt.Errorf("the model's site %q has no gyro and accelerometer; add <gyro site=%q/> and <accelerometer site=%q/> under <sensor>",
			d.IMU.Site, d.IMU.Site, d.IMU.Site)
	}
	return nil
}

// Close frees the world.
func (p *Plant) Close() {
	if p.data != nil {
		p.data.Close()
	}
	p.scene.Close()
}

// Err returns what stopped the physics, nil while it runs.
func (p *Plant) Err() error { return p.err }

// Scene returns the compiled robot; it must not be changed.
func (p *Plant) Scene() *scene.Scene { return p.scene }

// QPos returns a view of the position vector in the engine's order.
func (p *Plant) QPos() []float64 { return p.data.QPos }

// Step implements busemu.Plant.
func (p *Plant) Step() time.Duration { return p.step }

// Advance implements busemu.Plant. If the physics break down it stops there and
// Err says why.
func (p *Plant) Advance(steps int, drives []busemu.Drive) {
	if len(drives) != len(p.scene.Joints) {
		panic("plant: one drive for each joint is needed")
	}
	for range steps {
		if p.err != nil {
			return
		}
		p.motors(drives)
		p.gantry()
		if p.err = p.data.Step(1); p.err != nil {
			return
		}
		for w, n := range p.data.Warnings() {
			if n > 0 && mujoco.Warning(w).Diverged() {
				p.err = fmt.Errorf("plant: the simulation broke down after %.3f s: %s", float64(p.steps)*p.step.Seconds(), mujoco.Warning(w))
				return
			}
		}
		p.steps++
	}
}

// motors lays the torque of every bridge on its joint. The back-EMF part is the
// joint's damping, so that the integrator treats it implicitly.
func (p *Plant) motors(drives []busemu.Drive) {
	amps := idleA
	supply := p.busV / p.nominalV
	for i, at := range p.scene.Joints {
		d := &drives[i]
		q, qd := p.data.QPos[at.QPos], p.data.QVel[at.Dof]
		if !d.On {
			p.damping[at.Dof] = p.dragNms[i]
			p.data.QFrcApplied[at.Dof], p.torque[i] = 0, 0
			continue
		}
		duty := d.Motor(q, qd)
		push := duty * p.stallNm[i] * p.torqueMul * supply
		p.damping[at.Dof] = p.brakeNms[i]
		p.data.QFrcApplied[at.Dof] = push
		p.torque[i] = push - p.brakeNms[i]*qd
		// What the bridge takes from the supply is the motor current's share of the duty.
		amps += math.Abs(duty * p.torque[i] * p.ampsPerNm[i])
	}
	p.usedAh += amps * p.step.Seconds() / 3600
	open := p.battery.OpenV
	if c := p.battery.CapacityAh; c > 0 {
		// A lithium cell loses about a quarter of its voltage over its charge.
		open *= 1 - 0.25*math.Min(1, p.usedAh/c)
	}
	p.busV = open - p.battery.ResistanceOhm*amps
}

// gantry lays the holding force on the trunk.
func (p *Plant) gantry() {
	f := p.data.QFrcApplied[p.scene.RootDof : p.scene.RootDof+6]
	clear(f)
	if !p.held && p.release > 0 {
		p.release = math.Max(0, p.release-p.step.Seconds()/p.releaseS)
	}
	if p.release == 0 {
		return
	}
	qpos, qvel := p.data.QPos[p.scene.RootQPos:], p.data.QVel[p.scene.RootDof:]
	q := spatial.Quat(qpos[3:7])
	turn := q.Inv().Mul(p.holdQuat).Log() // root frame, as is the angular velocity
	for k := range 3 {
		f[k] = p.release * (holdNM*(p.holdPos[k]-qpos[k]) - holdNSM*qvel[k])
		f[3+k] = p.release * (holdNmPerRad*turn[k] - holdNmSPerRad*qvel[3+k])
	}
}

// Hold implements busemu.Plant: it fixes the trunk where it is, or begins to
// lower it.
func (p *Plant) Hold(on bool) {
	if on {
		qpos := p.data.QPos[p.scene.RootQPos:]
		p.holdPos, p.holdQuat = spatial.Vec3(qpos[:3]), spatial.Quat(qpos[3:7]).Normalize()
		p.release = 1
	}
	p.held = on
}

// Sense implements busemu.Plant.
func (p *Plant) Sense(dst *busemu.Sense) {
	for i, at := range p.scene.Joints {
		dst.Joints[i] = busemu.Joint{PosRad: p.data.QPos[at.QPos], VelRadPerS: p.data.QVel[at.Dof], TorqueNm: p.torque[i]}
	}
	copy(dst.IMU.GyroRadPerS[:], p.data.SensorData[p.gyroAt:])
	copy(dst.IMU.AccelMPerS2[:], p.data.SensorData[p.accelAt:])
	m := p.data.SiteXMat[9*p.imuSite:]
	dst.IMU.WorldFromHub = spatial.FromAxes(spatial.Vec3{m[0], m[3], m[6]}, spatial.Vec3{m[1], m[4], m[7]}, spatial.Vec3{m[2], m[5], m[8]})
	dst.BusV = p.busV
}

// Truth implements busemu.Plant.
func (p *Plant) Truth(dst *busemu.Truth) {
	qpos := p.data.QPos[p.scene.RootQPos:]
	dst.SimS = float64(p.steps) * p.step.Seconds()
	copy(dst.TrunkPosM[:], qpos)
	q := spatial.Quat(qpos[3:7])
	dst.TrunkQuat = q
	dst.TrunkHeightM, dst.TiltRad = qpos[2], q.TiltRad()
	dst.QPos = append(dst.QPos[:0], p.data.QPos...)
}
