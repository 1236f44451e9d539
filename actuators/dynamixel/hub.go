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

// sized decides how many bytes are read of a hub that answered so.
func (h *Hub) sized(found dxl.Found) {
	h.size = dxl.HubBlockSize
	if found.Firmware < dxl.HubFirmwareExtended {
		h.size = int(dxl.HubIMUControl) - dxl.HubBlockAddr + 1
	}
}

// exchange reads the hub's block; the error is that of dxl.SyncReader.Read.
func (h *Hub) exchange() error {
	if err := h.block.Read(); err != nil {
		return err
	}
	dxl.DecodeHub(&h.raw, h.block.Data(0))
	h.now.GyroRadPerS, h.now.GravityDir, h.now.IMUFresh = h.raw.GyroRadPerS, spatial.GravityInBase(h.raw.WorldFromHub), true
	h.now.Buttons, h.now.PowerCut = h.raw.Buttons, !h.raw.PowerOn
	if h.raw.Extended {
		h.now.IMUSample = h.raw.Sample
	}
	return nil
}

// Read implements imu.Source.
func (h *Hub) Read(dst *imu.Reading) {
	if h.now.IMUFresh {
		*dst = h.now
	}
	dst.IMUFresh, h.now.IMUFresh = h.now.IMUFresh, false
}

var _ imu.Source = (*Hub)(nil)
