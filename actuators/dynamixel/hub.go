package dynamixel

import (
	"github.com/mitori-robotics/mitori/actuators/imu"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Hub is the sensor hub as a source of inertial readings. The driver of its bus does
// its exchange, between the servos' and the slow registers', in each of its Reads.
type Hub struct {
	id    dxl.ID
	size  int // bytes of its block
	block *dxl.SyncReader
	raw   dxl.HubState
	now   imu.Reading
}

// IMU returns the inertial sensor on this bus, nil if there is none. It is read by the
// goroutine that reads the driver, after the driver.
func (d *Driver) IMU() imu.Source {
	if d.hub == nil {
		return nil
	}
	return d.hub
}

// exchange reads the hub's block; it reports whether it came.
func (h *Hub) exchange() bool {
	if h.block.Read() != nil {
		return false
	}
	dxl.DecodeHub(&h.raw, h.block.Data(0))
	h.now.GyroRadPerS, h.now.GravityDir, h.now.IMUFresh = h.raw.GyroRadPerS, spatial.GravityInBase(h.raw.WorldFromHub), true
	if h.raw.Extended {
		h.now.IMUSample = h.raw.Sample
	}
	return true
}

// Read implements imu.Source.
func (h *Hub) Read(dst *imu.Reading) {
	if h.now.IMUFresh {
		*dst = h.now
	}
	dst.IMUFresh, h.now.IMUFresh = h.now.IMUFresh, false
}

var _ imu.Source = (*Hub)(nil)
