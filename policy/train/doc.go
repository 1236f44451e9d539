// Package train learns tracking policies: residual PPO around a reference motion, with episodes that start anywhere in
// it, and behaviour cloning of an expert. Gorgonia differentiates and runs the learning step; this is the only package
// that imports it. Roll-outs and evaluation run exported weights through policy/infer.
//
// Physics is not here: the worlds come in as a rollout.Env. The result is a plain struct; policy/bundle packs it.
//
// With the same Config, seed, worlds and a budget in steps, training gives the same bytes on the same machine, also
// across interruptions: everything random comes from seeded streams that are part of the checkpoint, work is split
// between goroutines along fixed lines, and every decision is a function of steps. Budgets of time or energy end a
// run at a moment that depends on the machine, but change nothing before it.
//
// A Trainer belongs to one goroutine and starts its helpers only within a call.
package train
