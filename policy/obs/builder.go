package obs

import "math"

// Measurement is what a robot senses at one policy step. The slices are only read during Observe.
type Measurement struct {
	JointPosRad, JointVelRadPerS []float64
	GyroRadPerS                  [3]float64 // root axes
	Gravity                      [3]float64 // unit vector down, root axes; (0, 0, -1) upright
}

// Builder makes one robot's observations and targets, step by step: Reset, then Observe and Target in turn.
type Builder struct {
	spec    Spec
	ahead   []int
	history []float64 // Frames x frameDim, newest first
	action  []float64 // last action as applied
	target  []float64 // last target
	primed  bool      // history holds measurements
}

// NewBuilder makes a builder; the spec is copied by value and its slices must not change.
func NewBuilder(spec Spec) (*Builder, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	b := &Builder{spec: spec, history: make([]float64, spec.Frames*spec.frameDim()),
		action: make([]float64, spec.Joints()), target: make([]float64, spec.Joints())}
	for _, a := range spec.AheadS {
		b.ahead = append(b.ahead, int(math.Round(a/spec.PeriodS)))
	}
	return b, nil
}

// Reset forgets the past. lastTarget is the command in force, which the next target must stay near; the first Observe
// after it fills the whole history with its measurement.
func (b *Builder) Reset(lastTarget []float64) {
	if len(lastTarget) != len(b.target) {
		panic("obs: Reset: lastTarget must have one entry a joint")
	}
	copy(b.target, lastTarget)
	clear(b.action)
	clear(b.history)
	b.primed = false
}

// Observe takes in the measurement at a step of the reference and writes the observation, Dim numbers.
func (b *Builder) Observe(dst []float32, ref *Reference, step int, m *Measurement) {
	n := b.spec.Joints()
	if len(dst) != b.spec.Dim() || len(m.JointPosRad) != n || len(m.JointVelRadPerS) != n {
		panic("obs: Observe: dst must have Dim entries and the measurement one a joint")
	}
	fd := b.spec.frameDim()
	copy(b.history[fd:], b.history[:len(b.history)-fd])
	now, f := ref.At(step), b.history[:fd]
	moving := 1.0
	if ref.Resting(step) {
		moving = 0
	}
	for j := range n {
		f[j] = m.JointPosRad[j] - now.JointPosRad[j]
		f[n+j] = (m.JointVelRadPerS[j] - moving*now.JointVelRadPerS[j]) * b.spec.SpeedScale
	}
	for i := range 3 {
		f[2*n+i] = m.GyroRadPerS[i] * b.spec.GyroScale
		f[2*n+3+i] = m.Gravity[i]
	}
	if !b.primed {
		for k := 1; k < b.spec.Frames; k++ {
			copy(b.history[k*fd:], f)
		}
		b.primed = true
	}

	for i, v := range b.history {
		dst[i] = float32(v)
	}
	dst = dst[len(b.history):]
	for j := range n {
		dst[j] = float32(b.action[j])
		dst[n+j] = float32(now.JointPosRad[j])
	}
	dst = dst[2*n:]
	for _, a := range b.ahead {
		next := ref.At(step + a)
		for j := range n {
			dst[j] = float32(next.JointPosRad[j] - now.JointPosRad[j])
		}
		dst = dst[n:]
	}
	for i := range 3 {
		dst[i] = float32(now.Gravity[i])
	}
	dst = dst[3:]
	// Half a turn over the clip, so that its two ends differ.
	phase := math.Pi * ref.Phase(step)
	for k := range b.spec.PhaseHarmonics {
		s, c := math.Sincos(float64(k+1) * phase)
		dst[2*k], dst[2*k+1] = float32(s), float32(c)
	}
}

// Target maps a network output to joint targets in rad and remembers what was applied. An output that is not a
// number counts as 0.
func (b *Builder) Target(dst []float64, ref *Reference, step int, output []float32) {
	n := b.spec.Joints()
	if len(dst) != n || len(output) != n {
		panic("obs: Target: dst and output must have one entry a joint")
	}
	m, now := &b.spec.Action, ref.At(step)
	for j := range n {
		a := float64(output[j])
		if a != a {
			a = 0
		}
		t := now.JointPosRad[j] + m.ScaleRad*a
		t = min(max(t, b.target[j]-m.MaxStepRad[j]), b.target[j]+m.MaxStepRad[j])
		t = min(max(t, m.MinRad[j]), m.MaxRad[j])
		b.action[j] = (t - now.JointPosRad[j]) / m.ScaleRad
		b.target[j], dst[j] = t, t
	}
}

// Applied gives the last action as applied, in network units; it changes with the next Target.
func (b *Builder) Applied() []float64 { return b.action }

// StateLen is the number of float64 that State writes.
func (b *Builder) StateLen() int { return len(b.history) + len(b.action) + len(b.target) + 1 }

// State copies everything that later calls depend on; SetState restores it to the bit.
func (b *Builder) State(dst []float64) {
	dst = dst[:b.StateLen()]
	k := copy(dst, b.history)
	k += copy(dst[k:], b.action)
	k += copy(dst[k:], b.target)
	dst[k] = 0
	if b.primed {
		dst[k] = 1
	}
}

// SetState restores what State wrote.
func (b *Builder) SetState(src []float64) {
	src = src[:b.StateLen()]
	k := copy(b.history, src)
	k += copy(b.action, src[k:])
	k += copy(b.target, src[k:])
	b.primed = src[k] != 0
}
