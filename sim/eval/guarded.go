package eval

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// guarded are worlds behind what stands between a policy and the servos of the
// real robot: each world has a guard that every command passes, tick by tick of
// the loop, and a monitor and the failsafe table, which end the motion where
// robotd would.
//
// A world holds a command for a whole policy period. It gets the one that the
// guard lets through in the period's first tick; in the others the guard goes on
// towards what the policy wanted. The two differ only where the guard changes a
// command, and then the world's robot is the slower one.
//
// What of the loop does not matter here: its ramps, which are over when a motion
// begins; its latency, a few milliseconds, beside the delays that the conditions
// draw; bus and supply, which are not simulated: the monitor is told that all
// servos answer, and no voltage. Windings are followed by the loop's own model from
// the currents, in cases of one temperature, and slow their joints as in the loop;
// that robotd then also plays slower, and limits torque, is left out: nobody's
// motion is so long that it gets there.
type guarded struct {
	env     rollout.Env
	layout  rollout.Layout
	config  loop.Config
	stallNm []float64
	keepers []keeper
	goals   []float64 // worlds x joints, after the guard
	spare   []float64 // joints
}

// keeper watches one world.
type keeper struct {
	guard   *guard.Guard
	monitor *guard.Monitor
	state   *driver.State
	clamps  []guard.Report // of the latest period, by tick
	kept    kept
}

// caseC is how warm the servos of a robot are that has moved for a while.
const caseC = 45.0

// kept is what guard and failsafes did in an episode so far.
type kept struct {
	commands, changed int         // joint targets: all, and those that the guard changed
	largestRad        float64     // largest change
	stopped           mode.Reason // why robotd would have ended the motion; NoReason: it would not
}

// newGuarded puts the worlds of a robot behind its guard.
func newGuarded(env rollout.Env, d *robot.Description, cfg loop.Config) (*guarded, error) {
	l := env.Layout()
	if n := len(cfg.Limits); n != l.Joints || len(cfg.Health) != n {
		return nil, fmt.Errorf("eval: limits of %d joints, the worlds have %d", n, l.Joints)
	}
	g := &guarded{env: env, layout: l, config: cfg, keepers: make([]keeper, l.Worlds),
		goals: make([]float64, l.Worlds*l.Joints), spare: make([]float64, l.Joints)}
	for j := range l.Joints {
		g.stallNm = append(g.stallNm, d.ServoOf(j).StallTorqueNm)
	}
	for w := range g.keepers {
		k := &g.keepers[w]
		var err error
		if k.guard, err = guard.New(cfg.Limits, 1/float64(cfg.RateHz)); err != nil {
			return nil, fmt.Errorf("eval: %w", err)
		}
		k.clamps = make([]guard.Report, cfg.ControlEvery)
		g.restart(w)
	}
	return g, nil
}

// restart forgets what world w was.
func (g *guarded) restart(w int) {
	k := &g.keepers[w]
	k.monitor, k.kept = guard.NewMonitor(g.config.Health, g.config.Thresholds, 1/float64(g.config.RateHz)), kept{}
	k.state = driver.NewState(g.layout.Joints)
	k.state.IMUFresh = true
	for j := range k.state.Fresh {
		k.state.Fresh[j], k.state.TorqueOn[j], k.state.TempC[j] = true, true, caseC
	}
}

// Layout implements rollout.Env.
func (g *guarded) Layout() rollout.Layout { return g.layout }

// Reset implements rollout.Env: the guard goes on from the command in force, as
// it does when a robot that stands begins to play.
func (g *guarded) Reset(starts []rollout.Start, r rollout.Randomization, rows []float64) error {
	if err := g.env.Reset(starts, r, rows); err != nil {
		return err
	}
	for i := range starts {
		w := starts[i].World
		g.restart(w)
		if !g.keepers[w].guard.Seed(starts[i].TargetRad) {
			return fmt.Errorf("eval: world %d begins with commands %v, which no robot can have", w, starts[i].TargetRad)
		}
	}
	return nil
}

// Step implements rollout.Env.
func (g *guarded) Step(targets, rows []float64) error {
	n := g.layout.Joints
	for w := range g.keepers {
		g.command(w, targets[w*n:(w+1)*n])
	}
	if err := g.env.Step(g.goals, rows); err != nil {
		return err
	}
	for w := range g.keepers {
		g.watch(w, g.layout.Row(rows, w))
	}
	return nil
}

// command passes world w's targets through the guard, once for each tick of the
// loop in a policy period.
func (g *guarded) command(w int, want []float64) {
	k, n := &g.keepers[w], g.layout.Joints
	goal := g.goals[w*n : (w+1)*n]
	to := goal
	k.guard.Slow(k.monitor.Pace())
	for tick := range k.clamps {
		k.clamps[tick], _ = k.guard.Apply(to, want, guard.Full)
		to = g.spare
	}
	for j, q := range goal {
		k.kept.commands++
		if q != want[j] {
			k.kept.changed++
			k.kept.largestRad = math.Max(k.kept.largestRad, math.Abs(q-want[j]))
		}
	}
}

// watch shows the monitor what world w's sensors say, in each tick of the period
// that has passed, and asks the failsafe table whether robotd would go on
// playing. The state of a world is known once a period, which all its ticks see.
func (g *guarded) watch(w int, row rollout.Row) {
	k, n := &g.keepers[w], g.layout.Joints
	s := k.state
	copy(s.PosRad, row.JointPosRad)
	copy(s.VelRadPerS, row.JointVelRadPerS)
	copy(s.GyroRadPerS[:], row.GyroRadPerS)
	copy(s.GravityDir[:], row.Gravity)
	for j, torque := range row.TorqueNm {
		s.CurrentA[j] = torque / g.stallNm[j] * g.config.Health[j].StallCurrentA
	}
	for _, clamp := range k.clamps {
		s.IMUSample++
		wrong := k.monitor.Observe(guard.Observation{
			State: s, GoalRad: g.goals[w*n : (w+1)*n], Energised: true, Clamp: clamp,
		})
		next := mode.Next(mode.Active, mode.Input{Conditions: wrong, CanPlay: true})
		if k.kept.stopped == mode.NoReason && next.State != mode.Active {
			k.kept.stopped = next.Why
		}
	}
}

// SaveState and LoadState belong to rollout.Env; an evaluation is played in one go.
func (g *guarded) SaveState(io.Writer) error { return errNotSaved }
func (g *guarded) LoadState(io.Reader) error { return errNotSaved }

var errNotSaved = errors.New("eval: an evaluation cannot be saved in its midst; play it again from its seed")
