// Package train learns tracking policies. The Trainer keeps what every way of learning needs: worlds in which episodes
// start anywhere in the reference, dynamics that widen, tests, budgets, the best policy and checkpoints. How the policy
// learns is a Method's affair: policy/train/ppo, imitate and guided are the ones that exist.
//
// Physics is not here: the worlds come in as a rollout.Env. Networks and Gorgonia are in policy/train/network. The
// result is a plain struct; policy/bundle packs it.
//
// With the same method and settings, seed, worlds and a budget in steps, training gives the same bytes on the same
// machine, also across interruptions and on any number of its cores: everything random comes from seeded streams that
// are part of the checkpoint, work is cut by size, and every decision is a function of steps. Budgets of time or energy
// end a run at a moment that depends on the machine, but change nothing before it.
//
// A Trainer belongs to one goroutine and starts its helpers only within a call.
package train
