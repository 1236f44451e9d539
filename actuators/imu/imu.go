// Package imu is the contract between the control loop and whatever tells how the
// trunk turns and where down is: a hub on a servo bus today, a chip on a bus of its
// own tomorrow.
//
// A source is not part of a servo driver. Where both hang on one bus the driver
// carries the sensor's exchange inside its own Read, because a bus has one master
// and a tick one order of exchanges; the source then only hands over what that
// exchange brought.
//
// What is not here: filters and judgements (package guard). A Source is used by the
// goroutine that reads the driver it travels with. Read allocates nothing.
package imu

import "github.com/mitori-robotics/mitori/models/spatial"

// Reading is one reading in the trunk frame. Its fields are named as they appear in
// driver.State, which embeds it.
type Reading struct {
	GyroRadPerS spatial.Vec3 // body rate
	GravityDir  spatial.Vec3 // unit vector along which gravity pulls; upright is (0, 0, -1)
	IMUFresh    bool         // answered in the latest read
	IMUSample   uint16       // the sensor's own sample counter, where it has one
}

// Source is an inertial sensor.
type Source interface {
	// Read stores the newest reading in dst. If none came since the last Read, IMUFresh
	// is false and the rest of dst stays as it was.
	Read(dst *Reading)
}
