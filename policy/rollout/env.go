// Package rollout runs tracking episodes of one robot in many simulated worlds at once: it declares what a set of
// worlds must offer (Env), and turns their raw state into observations, rewards and verdicts for training and for
// evaluation alike.
//
// Not here: learning (policy/train), physics (sim/worlds implements Env), and the observation itself (policy/obs).
// Nothing in this package starts a goroutine that outlives a call. An Env and a Runner belong to one goroutine.
package rollout

import "io"

// Env is a set of independent worlds of one robot, stepped together by one policy period.
//
// All state crosses the interface as packed float64 rows, one row a world, laid out by Layout. Targets are joint
// angles in rad, worlds x joints, in the measured frame of the robot: an Env that simulates a joint zero error z
// reports q+z and drives the joint to target-z. Delays of command and sensors, noise and pushes are the Env's
// work; they are drawn from the world's own random stream, which is seeded by Start.Seed and nothing else, so an
// episode is a function of its Start, its Randomization and the targets.
type Env interface {
	// Layout gives the sizes; it never changes.
	Layout() Layout
	// Reset puts the named worlds, each at most once, into their starting states under newly drawn dynamics,
	// and writes their rows (only theirs) in rows, which holds all worlds.
	Reset(starts []Start, r Randomization, rows []float64) error
	// Step advances every world by one policy period towards targets and writes all rows.
	// A world that diverged is reported in its row (Row.Diverged) and stays put until its next Reset.
	Step(targets, rows []float64) error
	// SaveState writes everything that later steps depend on; LoadState restores it to the bit.
	SaveState(w io.Writer) error
	LoadState(r io.Reader) error
}

// Start is the starting state of one world. The slices belong to the caller and are only read during Reset.
type Start struct {
	World             int
	Seed              uint64
	RootPosM          [3]float64
	RootQuat          [4]float64 // worldFromRoot, wxyz
	RootLinVelMPerS   [3]float64 // of the root's origin, in the world frame
	RootAngVelRadPerS [3]float64 // in the root frame
	JointPosRad       []float64
	JointVelRadPerS   []float64
	TargetRad         []float64 // the command in force before the first step; fills the delay line
	FirstPushS        float64   // when the first push comes; 0: drawn as the time between pushes is
}

// Randomization holds the ranges that an episode's dynamics are drawn from, uniformly between the two numbers of a
// pair. The zero value is not useful; see Nominal, Hard and Lerp.
type Randomization struct {
	Friction          [2]float64 // sliding friction of floor and feet
	MassScale         [2]float64 // every link's mass and inertia, each link drawn by itself
	TorsoOffsetM      float64    // torso centre of mass moves by up to this much along each axis
	JointZeroRad      float64    // error of each joint's zero, +-
	GainScale         [2]float64 // position gain of each servo
	TorqueScale       [2]float64 // stall torque, one factor for all servos (battery)
	FrictionScale     [2]float64 // joint friction loss and damping
	ArmatureScale     [2]float64
	DelayS            [2]float64 // from command to servo, constant over an episode
	SensorDelayS      [2]float64 // from sensor to policy, constant over an episode
	NoiseJointRad     float64    // standard deviations of white noise, each policy step
	NoiseJointRadPerS float64
	NoiseGravity      float64
	NoiseGyroRadPerS  float64
	PushSpeedMPerS    [2]float64 // horizontal change of the root's speed in a random direction
	PushEveryS        [2]float64 // time between pushes; no pushes where the second number is 0
	FloorTiltRad      float64    // gravity tilts by up to this much in a random direction
	TorsoPayloadKg    float64    // extra mass at the torso, 0 to this much
	ServoSpeedRadPerS [2]float64 // no-load speed above which a servo gives no torque; 0, 0: the model's own
	ContactSoftScale  [2]float64 // contact time constant of the floor, as a factor
}

// Nominal is the model as described: no noise, no delay, no pushes.
func Nominal() Randomization {
	one := [2]float64{1, 1}
	return Randomization{Friction: [2]float64{0.8, 0.8}, MassScale: one, GainScale: one, TorqueScale: one,
		FrictionScale: one, ArmatureScale: one, ContactSoftScale: one}
}

// Hard is the widest set that training uses: the field's usual ranges for small servo humanoids, see docs/training.md.
func Hard() Randomization {
	return Randomization{
		Friction: [2]float64{0.35, 1.2}, MassScale: [2]float64{0.9, 1.1}, TorsoOffsetM: 0.01, JointZeroRad: 0.03,
		GainScale: [2]float64{0.85, 1.15}, TorqueScale: [2]float64{0.75, 1.1},
		FrictionScale: [2]float64{0.8, 1.2}, ArmatureScale: [2]float64{0.8, 1.2},
		DelayS: [2]float64{0, 0.04}, SensorDelayS: [2]float64{0, 0.01},
		NoiseJointRad: 0.01, NoiseJointRadPerS: 0.3, NoiseGravity: 0.02, NoiseGyroRadPerS: 0.1,
		PushSpeedMPerS: [2]float64{0.1, 0.4}, PushEveryS: [2]float64{1, 3},
		ContactSoftScale: [2]float64{1, 1},
	}
}

// Lerp widens from a to b: t = 0 gives a, t = 1 gives b. Where a has no pushes, b's rhythm with t times its speed is used.
func Lerp(a, b Randomization, t float64) Randomization {
	t = min(max(t, 0), 1)
	f := func(x, y float64) float64 { return x + t*(y-x) }
	p := func(x, y [2]float64) [2]float64 { return [2]float64{f(x[0], y[0]), f(x[1], y[1])} }
	out := Randomization{
		Friction: p(a.Friction, b.Friction), MassScale: p(a.MassScale, b.MassScale),
		TorsoOffsetM: f(a.TorsoOffsetM, b.TorsoOffsetM), JointZeroRad: f(a.JointZeroRad, b.JointZeroRad),
		GainScale: p(a.GainScale, b.GainScale), TorqueScale: p(a.TorqueScale, b.TorqueScale),
		FrictionScale: p(a.FrictionScale, b.FrictionScale), ArmatureScale: p(a.ArmatureScale, b.ArmatureScale),
		DelayS: p(a.DelayS, b.DelayS), SensorDelayS: p(a.SensorDelayS, b.SensorDelayS),
		NoiseJointRad: f(a.NoiseJointRad, b.NoiseJointRad), NoiseJointRadPerS: f(a.NoiseJointRadPerS, b.NoiseJointRadPerS),
		NoiseGravity: f(a.NoiseGravity, b.NoiseGravity), NoiseGyroRadPerS: f(a.NoiseGyroRadPerS, b.NoiseGyroRadPerS),
		PushSpeedMPerS: p(a.PushSpeedMPerS, b.PushSpeedMPerS), PushEveryS: b.PushEveryS,
		FloorTiltRad: f(a.FloorTiltRad, b.FloorTiltRad), TorsoPayloadKg: f(a.TorsoPayloadKg, b.TorsoPayloadKg),
		ServoSpeedRadPerS: b.ServoSpeedRadPerS, ContactSoftScale: p(a.ContactSoftScale, b.ContactSoftScale),
	}
	if t == 0 {
		out.PushEveryS, out.ServoSpeedRadPerS = a.PushEveryS, a.ServoSpeedRadPerS
	}
	return out
}
