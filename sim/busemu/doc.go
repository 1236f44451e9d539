// Package busemu is a servo bus made of bytes: stateful DYNAMIXEL servos and a sensor
// hub that answer Protocol 2.0 packets as the hardware does, with physics behind them.
// A runtime opens it like any serial device and cannot tell the difference, except
// that it can be told to fail in every way a real bus fails.
//
// The parts:
//
//   - Plant is the physics: joints in radians, motors as voltage-driven servos. Ideal
//     is a small one for tests; sim/plant has the robot in MuJoCo.
//   - Servo and Hub are devices: control tables, access rules, errors, watchdog.
//   - Line is one bus: who answers what, in which order, and which Faults spoil it.
//   - World is one robot: its physics, its clock and its lines.
//   - Server puts each Line behind a pseudo-terminal and lets time pass, by the wall
//     clock or in lockstep with the master.
//
// What is not here: the master's side (firmware-bridge/dxl) and physics worth the name
// (sim/plant). Not emulated: secondary ids, Protocol 1.0, changes of the baud rate on
// the fly (the register is kept, the line speed stays).
//
// Concurrency: a World belongs to one goroutine; a Server guards its World with a mutex.
// Nothing but construction and Truth allocates.
package busemu

import "time"

// Drive is what one servo's motor bridge does until the next Advance: the duty is
//
//	clamp(DutyPerRad*(GoalRad-q) - DutyPerRadPerS*qd + Duty, -MaxDuty, MaxDuty)
//
// of the supply voltage, evaluated by the plant at its own step. With On false the
// bridge is open: no torque and no back-EMF braking.
type Drive struct {
	On             bool
	GoalRad        float64 // joint angle
	DutyPerRad     float64
	DutyPerRadPerS float64
	Duty           float64
	MaxDuty        float64 // 0..1
}

// Motor evaluates the drive at joint angle q (rad) and speed qd (rad/s).
func (d *Drive) Motor(q, qd float64) (duty float64) {
	if !d.On {
		return 0
	}
	return max(-d.MaxDuty, min(d.MaxDuty, d.DutyPerRad*(d.GoalRad-q)-d.DutyPerRadPerS*qd+d.Duty))
}

// Joint is what a servo's sensors could tell if they were perfect.
type Joint struct {
	PosRad, VelRadPerS float64
	TorqueNm           float64 // of the motor, at the joint
}

// IMU is what an inertial sensor in the trunk could tell if it were perfect, in its
// own frame: x forward, y left, z up.
type IMU struct {
	GyroRadPerS  [3]float64
	AccelMPerS2  [3]float64 // specific force: +9.81 along z at rest
	WorldFromHub [4]float64 // w, x, y, z
}

// Sense is one reading of a plant. The caller allocates Joints once.
type Sense struct {
	Joints []Joint
	IMU    IMU
	BusV   float64
}

// Truth is what no robot can know about itself; it goes into reports and traces.
type Truth struct {
	SimS         float64
	TrunkPosM    [3]float64
	TrunkQuat    [4]float64 // worldFromTrunk, w, x, y, z
	TrunkHeightM float64
	TiltRad      float64   // angle between the trunk's z axis and the vertical
	QPos         []float64 // generalised positions of the simulator, if it has any
}

// Plant is the physics of one robot. Joint vectors are in the order of the robot
// description.
type Plant interface {
	// Step is the time one step of Advance takes.
	Step() time.Duration
	// Advance integrates steps steps with the drives held.
	Advance(steps int, drives []Drive)
	// Sense reads the sensors into dst, whose Joints has one entry per joint.
	Sense(dst *Sense)
	// Truth reports the state of the world. It may allocate.
	Truth(dst *Truth)
	// Hold fixes the trunk where it is, as a gantry does (true), or lets go of it.
	Hold(on bool)
}
