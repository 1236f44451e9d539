// Package track follows one person through a video: it finds the person with
// the detector network, cuts a rotated square around them, reads 33 body
// landmarks from it with the landmark network, and places the next square
// from auxiliary landmarks, so that the detector runs only when the person is
// lost.
//
// The constants and the geometry are those of the BlazePose pipeline published
// with MediaPipe (modules/pose_detection, modules/pose_landmark). What is
// added: the choice of the person is explicit and sticky. Tracker.Step goes from
// picture to picture and never looks ahead. Video does more for a recorded video:
// frames before the first lock are filled by a backward pass, and a long video is
// split into parts, eight at most, that run side by side.
//
// Nothing here smooths landmarks or interprets the pose: the solver does both.
//
// A Tracker belongs to one goroutine. The same video, networks and options
// give the same result, whatever the number of cores.
package track
