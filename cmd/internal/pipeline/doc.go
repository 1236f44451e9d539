// Package pipeline runs stages: pieces of work that make one result each, such as a
// human motion out of a video or a policy out of a reference motion. The way from a
// video to a robot that moves is a list of them (package learn); each command for a
// part of the way runs the very same stage alone.
//
// A [Stage] says what its result depends on, by content, not by name or date. From
// this follows what a [Run] does with it:
//
//   - it is not run twice on the same inputs, however often the path comes by;
//   - where a run is resumed, a result that an earlier one kept is taken, if and only
//     if all inputs are what they were;
//   - it ends soon after its context, and leaves whole files or none;
//   - it has a wall time of its own: stages stand beside each other, never inside.
//
// Nothing here prints: whoever runs stages (a command, a server, a worker) is told of
// progress by a callback. What is not here: what the stages do (the packages below),
// and the decision which one comes next. A Run belongs to one goroutine.
package pipeline
