// Package follow plays what somebody outside sends while he sends it: joint angles, 20 to
// 100 times a second, with a sequence number and a time ([Reference]).
//
// A reference passes [Desk.Offer] first, on whatever goroutine it came in, which refuses
// the absurd by name: a wrong number of joints, what is no number, beyond a joint's range,
// a jump, out of order, late. What passes is left in a slot for the control loop, which
// takes the latest without waiting and without allocating. [Follower] is the controller: it
// goes from one reference to the next in the time between the two; when none comes it holds
// the last one, then leads to the standing pose, and says that the reference is lost.
//
// It keeps no balance: the references of a robot that stands on its feet must.
//
// What is not here: where references come from (firmware-bridge/refsocket, a command link),
// who may send them (package lease), and the limits on what reaches the servos, which are
// the guard's as for every controller. A Desk may be used from any goroutine; a Follower
// belongs to the loop's.
package follow
