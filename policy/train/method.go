package train

import "io"

// Method is a way to learn. A new one is a package that implements this interface on a Practice, and a line in the
// caller's table; traintest.Conformance says whether it keeps the promises.
//
// The Trainer calls Start once, then Iterate again and again, and one of the State methods only between two of those.
// Everything random comes from the Practice's streams, and parallel work is cut by size (policy/train/parallel), so
// that the same seed gives the same bits on any number of cores.
type Method interface {
	// Plan says what is to be done; it never changes and may be asked before Start.
	Plan() Plan
	// Start makes what the method needs beside the policy. The worlds stand at the beginning of their first episodes.
	// The Practice stays the same for the method's life.
	Start(p *Practice) error
	// Iterate is one iteration: exactly one Practice.Play, and what is learnt from it.
	Iterate() (Learnt, error)
	// SaveState writes all that later iterations depend on and that is not in the Practice. LoadState restores it to
	// the bit in a method that was started with the same arguments; after an error the method is of no more use.
	SaveState(w io.Writer) error
	LoadState(r io.Reader) error
}

// Plan is what a Trainer knows of its method.
type Plan struct {
	Name   string // in commands, bundles and checkpoints
	Course Course
	// Settings are everything else that the method's results depend on. They are encoded as JSON to tell whether a
	// checkpoint fits, so every field that counts is exported.
	Settings any
}

// Learnt is what an iteration says for the learning curve; a method leaves out what it does not have.
type Learnt struct {
	PolicyLoss float64 `json:"policy_loss"`
	ValueLoss  float64 `json:"value_loss"`
	KL         float64 `json:"kl"`          // mean of a minibatch
	Clipped    float64 `json:"clipped"`     // share of clipped samples
	ActorSteps float64 `json:"actor_steps"` // share of the minibatches that the policy learnt from
	ActorRate  float64 `json:"actor_rate"`
}
