// Package episode takes one robot through one motion, period by period: which moment of its reference it is at, what
// the policy sees there, and what the policy's output asks of the joints. The worlds of training, the test sets, the
// evaluation and the flight play through this one Player, so that none can be a step ahead of another.
//
// In each period: Observe, run the policy, Act, let the robot move, Next.
//
// Not here: the policy itself (policy/infer), rewards and verdicts (policy/rollout), when a flight begins to play
// (whoever holds the robot). A Player belongs to one goroutine; after New it allocates nothing.
package episode

import (
	"github.com/mitori-robotics/mitori/policy/obs"
)

// Player is at one moment of one reference. Make one with [New]; the first call is Begin.
type Player struct {
	builder *obs.Builder
	ref     *obs.Reference
	step    int
}

// New makes a player for policies of a spec.
func New(spec obs.Spec) (*Player, error) {
	b, err := obs.NewBuilder(spec)
	if err != nil {
		return nil, err
	}
	return &Player{builder: b}, nil
}

// Begin forgets the past and goes to a step of a reference. inForceRad is the command that the joints have.
func (p *Player) Begin(ref *obs.Reference, step int, inForceRad []float64) {
	p.builder.Reset(inForceRad)
	p.GoTo(ref, step)
}

// GoTo changes the moment, and the motion, under a robot that is being balanced: what the policy remembers stays.
func (p *Player) GoTo(ref *obs.Reference, step int) { p.ref, p.step = ref, step }

// Rest goes to where the present reference has ended: its last pose is kept.
func (p *Player) Rest() { p.step = len(p.ref.Frames) }

// Observe takes in what the robot senses at this moment and writes the policy's observation.
func (p *Player) Observe(dst []float32, m *obs.Measurement) { p.builder.Observe(dst, p.ref, p.step, m) }

// Act turns the policy's output for this moment into joint targets in rad.
func (p *Player) Act(dstRad []float64, output []float32) {
	p.builder.Target(dstRad, p.ref, p.step, output)
}

// Next goes on by one period.
func (p *Player) Next() { p.step++ }

// Ref and Step give the moment; Frame is what the reference does then.
func (p *Player) Ref() *obs.Reference  { return p.ref }
func (p *Player) Step() int            { return p.step }
func (p *Player) Frame() *obs.RefFrame { return p.ref.At(p.step) }

// Moving is 1 while the reference moves and 0 where it rests: a factor for the speeds of Frame, which hold only there.
func (p *Player) Moving() float64 {
	if p.ref.Resting(p.step) {
		return 0
	}
	return 1
}

// Phase is the time in the motion, from 0 at its start to 1 at its end and after.
func (p *Player) Phase() float64 { return p.ref.Phase(p.step) }

// Ended says whether the last frame was reached holdSteps ago or earlier.
func (p *Player) Ended(holdSteps int) bool { return p.step >= len(p.ref.Frames)-1+holdSteps }

// Applied gives the last output as applied, within all limits, in the network's units; the next Act changes it.
func (p *Player) Applied() []float64 { return p.builder.Applied() }

// StateLen is the number of float64 in the memory that State copies and SetState restores to the bit. The moment is
// the caller's to keep: a reference is no number.
func (p *Player) StateLen() int          { return p.builder.StateLen() }
func (p *Player) State(dst []float64)    { p.builder.State(dst) }
func (p *Player) SetState(src []float64) { p.builder.SetState(src) }
