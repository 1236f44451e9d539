// Package solve turns the landmarks of one person in one video into a human
// motion: metres, gravity up, feet on the floor, constant bone lengths.
//
// The steps, each in a file of its own: left/right swaps are repaired, outliers
// rejected, gaps filled, coordinates low-pass filtered without lag; the camera's
// tilt and the subject's bone lengths are estimated; a sparse non-linear least
// squares problem fits all frames at once to the picture, to the network's
// depth, to the bone lengths and to the floor; stance feet are locked; segment
// rotations are built.
//
// A single camera does not reveal absolute size: the subject's height sets it.
// Solve works on a whole recording and keeps nothing between calls, so it may be
// called from several goroutines. Causal does the same to a short window with every
// frame that arrives, and hands out the pose of a few frames before: a fixed-lag
// smoother. It belongs to one goroutine.
//
// Nothing here reads pictures or files. Everything is deterministic.
package solve
