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
// Nothing here reads pictures or files. Everything is deterministic and works
// on a whole recording; no state is kept between calls, so Solve may be called
// from several goroutines.
package solve
