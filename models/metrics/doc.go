// Package metrics compares two human motions, usually one extracted from a
// video with the exact truth, and judges how plausible one motion is by itself.
//
// The two motions are aligned by time stamps (start time plus frame over rate);
// the second is interpolated at the frames of the first. Position errors follow
// the usual names of the field: MPJPE with the pelvis aligned, N-MPJPE with the
// best scale, PA-MPJPE with the best similarity transform of every frame,
// G-MPJPE in the world. Joint angles compare rotations relative to the parent
// segment: a small MPJPE does not imply small joint angles, and retargeting
// uses the angles. [Limbs] are errors that means hide: feet, knees, elbows, contacts.
//
// All functions are pure.
package metrics
