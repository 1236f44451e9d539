// Package worlds runs many simulated worlds of one robot at once, for training
// and for evaluation: it implements policy/rollout.Env on the engine's batch.
//
// Each world has its own dynamics (masses, friction, servo gains, torque
// limits, joint zeros, delays), its own sensor noise and its own pushes, all
// drawn from a counter-based stream that starts at the episode's seed. An
// episode is therefore a function of its Start, its Randomization and the
// targets: neither the other worlds nor the number of threads change a bit of
// it, and a saved state continues to the bit.
//
// Servos are the ones of the emulated bus: torque = clamp(kp (goal - q),
// +-stall) - damping qd, which is MuJoCo's position actuator with a force range
// on a damped joint.
//
// What is not here: rewards and observations (policy/rollout, policy/obs), the
// test set (sim/eval), real time (sim/plant). An Env belongs to one goroutine.
package worlds

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/sim/mujoco"
	"github.com/mitori-robotics/mitori/sim/scene"
)

// Config sizes an Env.
type Config struct {
	Worlds   int      // 1 and more
	Threads  int      // 0: one per logical CPU
	SubSteps int      // engine steps in a policy period; 0: DefaultSubSteps
	Track    []string // bodies whose poses Telemetry reports
	// EllipticCone makes friction the same in all directions, as a real floor's
	// is; false keeps the cone of the robot's file, MuJoCo's pyramid by default.
	EllipticCone bool
}

// DefaultSubSteps divides a 20 ms period into steps of 5 ms, which contact and
// servos bear well and which is a sixth faster than steps of 4 ms.
const DefaultSubSteps = 4

// MaxDelayS bounds the delays that a Randomization may ask for.
const MaxDelayS = 0.2

// Env is a set of worlds.
type Env struct {
	layout   rollout.Layout
	scene    *scene.Scene
	batch    *mujoco.Batch
	period   *mujoco.Period
	track    int // number of tracked bodies
	sub      int
	elliptic bool
	worlds   []world
	fields   []field
	at       offsets
	zero     []float64 // worlds x joints: error of each joint's zero
	targets  []float64 // worlds x slots x joints: ring of commands
	sensed   []float64 // worlds x slots x (2 joints + 6): ring of sensor values
	slots    int
	alive    []int
	reset    []int
	noise    []float64
}

// world is the state of one world beside the engine's; fixed size, so that it
// is saved as it stands.
type world struct {
	Dynamics, Pushes, Noise stream
	Ranges                  rollout.Randomization
	Step                    int64
	DelaySub                int64 // command delay in engine steps
	SensorDelayS            float64
	NextPushS               float64
	Down                    spatial.Vec3 // direction of gravity in the world frame
	SpeedRadPerS            [2]float64
	Params                  [rollout.Params]float64
	Dead                    bool // broke down
	Parked                  bool
}

// offsets say where parts of the state lie in a row of the batch.
type offsets struct{ time, qpos, qvel, warm, ctrl, xfrc int }

// New makes the worlds of a robot, all standing still and untouched until Reset.
func New(b *body.Body, c Config) (*Env, error) {
	if c.SubSteps == 0 {
		c.SubSteps = DefaultSubSteps
	}
	if c.Worlds < 1 || c.SubSteps < 1 {
		return nil, fmt.Errorf("worlds: %d worlds of %d engine steps; legal: 1 and more of each", c.Worlds, c.SubSteps)
	}
	period := 1 / b.Desc.PolicyRateHz
	s, err := scene.Compile(b, period/float64(c.SubSteps))
	if err != nil {
		return nil, err
	}
	// Sensors are simulated here, from the state.
	s.Model.Disable(mujoco.Sensors | mujoco.Islands)
	if c.EllipticCone {
		s.Model.SetCone(mujoco.Elliptic)
	}
	e := &Env{scene: s, sub: c.SubSteps, elliptic: c.EllipticCone, track: len(c.Track), worlds: make([]world, c.Worlds)}
	if err := e.open(c, period); err != nil {
		e.Close()
		return nil, fmt.Errorf("worlds: %w", err)
	}
	return e, nil
}

func (e *Env) open(c Config, period float64) error {
	s := e.scene
	var err error
	if e.batch, err = mujoco.NewBatch(s.Model, mujoco.BatchConfig{Worlds: c.Worlds, Threads: c.Threads}); err != nil {
		return err
	}
	track := make([]int, len(c.Track))
	for i, name := range c.Track {
		if track[i], err = s.Model.ID(mujoco.Body, name); err != nil {
			return err
		}
	}
	if e.period, err = e.batch.NewPeriod(c.SubSteps, track, s.Feet[:]); err != nil {
		return err
	}
	for _, part := range []struct {
		bit mujoco.StateSpec
		at  *int
	}{
		{mujoco.StateTime, &e.at.time}, {mujoco.StateQPos, &e.at.qpos}, {mujoco.StateQVel, &e.at.qvel},
		{mujoco.StateWarmstart, &e.at.warm}, {mujoco.StateCtrl, &e.at.ctrl}, {mujoco.StateXFrcApplied, &e.at.xfrc},
	} {
		if *part.at, _, err = e.batch.Component(part.bit); err != nil {
			return err
		}
	}
	if err := e.expand(); err != nil {
		return err
	}
	nj := len(s.Joints)
	e.layout = rollout.Layout{Worlds: c.Worlds, Joints: nj, PeriodS: period}
	e.slots = int(math.Ceil(MaxDelayS/period)) + 2
	e.zero = make([]float64, c.Worlds*nj)
	e.targets = make([]float64, c.Worlds*e.slots*nj)
	e.sensed = make([]float64, c.Worlds*e.slots*(2*nj+6))
	e.noise = make([]float64, 2*nj+6)
	for w := range e.worlds {
		e.worlds[w] = world{Down: spatial.Vec3{0, 0, -1}, Ranges: rollout.Nominal()}
	}
	return nil
}

// Close frees the worlds.
func (e *Env) Close() {
	if e.batch != nil {
		e.batch.Close()
	}
	e.scene.Close()
}

// Layout implements rollout.Env.
func (e *Env) Layout() rollout.Layout { return e.layout }

// Scene returns the compiled robot; it must not be changed.
func (e *Env) Scene() *scene.Scene { return e.scene }

// StandHeightM is the height of the standing robot's root.
func (e *Env) StandHeightM() float64 { return e.scene.StandQPos[e.scene.RootQPos+2] }

// Threads returns how many threads step the worlds.
func (e *Env) Threads() int { return e.batch.Threads }

// Telemetry is what the metrics need of a world beyond its row, for the last
// period. The slices are views and are overwritten by the next Step.
type Telemetry struct {
	BodyPoses      []float64 // bodies of Config.Track x 7: world position, wxyz
	FootSlideMPerS []float64 // left, right: sliding speed while loaded
	TorqueSqNm2    []float64 // by actuator of the model: mean square torque
	TorqueSat      []float64 // by actuator of the model: share of the period at the limit
	OtherContact   bool      // something besides the feet touched the floor
}

// Telemetry returns world w's.
func (e *Env) Telemetry(w int) Telemetry {
	p, nu := e.period, e.scene.Model.NU
	return Telemetry{
		BodyPoses:      p.Poses[w*e.track*7 : (w+1)*e.track*7],
		FootSlideMPerS: p.FootSlideMPerS[w*rollout.Feet : (w+1)*rollout.Feet],
		TorqueSqNm2:    p.TorqueSqNm2[w*nu : (w+1)*nu], TorqueSat: p.TorqueSat[w*nu : (w+1)*nu],
		OtherContact: p.OtherContact[w] != 0,
	}
}

// Park stops a world until its next Reset: it costs nothing and its row stays.
func (e *Env) Park(w int) { e.worlds[w].Parked = true }

// QPos returns a view of world w's position vector in the engine's order, as
// the renderer wants it.
func (e *Env) QPos(w int) []float64 {
	row := e.row(w)
	return row[e.at.qpos : e.at.qpos+e.scene.Model.NQ]
}

func (e *Env) row(w int) []float64 {
	return e.batch.State[w*e.batch.NState : (w+1)*e.batch.NState]
}

// Reset implements rollout.Env.
func (e *Env) Reset(starts []rollout.Start, r rollout.Randomization, rows []float64) error {
	if len(rows) != len(e.worlds)*e.layout.RowLen() {
		panic("worlds: rows must hold every world")
	}
	if err := e.check(r); err != nil {
		return err
	}
	e.reset = e.reset[:0]
	for i := range starts {
		s := &starts[i]
		if s.World < 0 || s.World >= len(e.worlds) {
			return fmt.Errorf("worlds: reset of world %d; legal: 0 to %d", s.World, len(e.worlds)-1)
		}
		if n := e.layout.Joints; len(s.JointPosRad) != n || len(s.JointVelRadPerS) != n || len(s.TargetRad) != n {
			return fmt.Errorf("worlds: start of world %d has %d, %d, %d joint values; the robot has %d joints",
				s.World, len(s.JointPosRad), len(s.JointVelRadPerS), len(s.TargetRad), n)
		}
		if !(s.FirstPushS >= 0) {
			return fmt.Errorf("worlds: first push of world %d after %g s; legal: 0 (drawn) and more", s.World, s.FirstPushS)
		}
		e.reset = append(e.reset, s.World)
		e.draw(s.World, s.Seed, r)
		if s.FirstPushS > 0 {
			e.worlds[s.World].NextPushS = s.FirstPushS
		}
	}
	if len(starts) == 0 {
		return nil
	}
	if err := e.batch.SetConst(e.reset); err != nil {
		return fmt.Errorf("worlds: %w", err)
	}
	for i := range starts {
		e.place(&starts[i])
	}
	if err := e.period.Refresh(e.reset); err != nil {
		return fmt.Errorf("worlds: %w", err)
	}
	for _, w := range e.reset {
		e.fillSensors(w)
		e.write(w, e.layout.Row(rows, w))
	}
	return nil
}

// place writes the starting state of a world into its state row.
func (e *Env) place(s *rollout.Start) {
	w := &e.worlds[s.World]
	row, sc := e.row(s.World), e.scene
	clear(row[e.at.warm : e.at.warm+sc.Model.NV])
	row[e.at.time] = 0
	qpos, qvel := row[e.at.qpos:e.at.qpos+sc.Model.NQ], row[e.at.qvel:e.at.qvel+sc.Model.NV]
	copy(qpos, sc.StandQPos)
	clear(qvel)
	copy(qpos[sc.RootQPos:], s.RootPosM[:])
	q := spatial.Quat(s.RootQuat).Normalize()
	copy(qpos[sc.RootQPos+3:], q[:])
	copy(qvel[sc.RootDof:], s.RootLinVelMPerS[:])
	copy(qvel[sc.RootDof+3:], s.RootAngVelRadPerS[:])
	nj := e.layout.Joints
	for j, at := range sc.Joints {
		qpos[at.QPos], qvel[at.Dof] = s.JointPosRad[j], s.JointVelRadPerS[j]
	}
	for slot := range e.slots {
		copy(e.targets[(s.World*e.slots+slot)*nj:][:nj], s.TargetRad)
	}
	e.tilt(s.World)
	w.Step, w.Dead, w.Parked = 0, false, false
	e.batch.ClearWarnings(s.World)
	p := e.period
	nu := sc.Model.NU
	clear(p.TorqueNm[s.World*nu:][:nu])
	clear(p.FootForceN[s.World*rollout.Feet:][:rollout.Feet])
	copy(p.SpeedRadPerS[2*s.World:], w.SpeedRadPerS[:])
}
