package busemu

import (
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

const hubTableSize = 64

// Hub is the sensor hub on the bus: docs/formats/imu-hub.md. Like the firmware it
// imitates it knows ping, read, write and the sync and bulk forms, and neither fast
// reads nor reboot.
type Hub struct {
	mem     [hubTableSize]byte
	sample  uint16
	frozen  bool
	onPower func(on bool)
}

func newHub(id dxl.ID, baud dxl.BaudCode, powerOn bool) *Hub {
	h := &Hub{}
	dxl.ModelNumber.Put(h.mem[0:], dxl.HubModel)
	h.mem[2] = dxl.HubFirmwareExtended
	h.mem[3] = byte(id)
	h.mem[4] = byte(baud)
	h.mem[16] = 2 // status return level
	if powerOn {
		h.mem[dxl.HubServoPower] = 1
	}
	return h
}

func (h *Hub) id() dxl.ID                 { return dxl.ID(h.mem[3]) }
func (h *Hub) answers(time.Duration) bool { return true }
func (h *Hub) rate() int                  { return dxl.BaudCode(h.mem[4]).Rate() }
func (h *Hub) alert() bool                { return false }

func (h *Hub) read(addr int, dst []byte) dxl.Code {
	if len(dst) == 0 {
		return dxl.CodeDataLength
	}
	if addr+len(dst) > len(h.mem) {
		return dxl.CodeAccess
	}
	copy(dst, h.mem[addr:])
	return dxl.CodeOK
}

func (h *Hub) write(addr int, data []byte) dxl.Code {
	if len(data) == 0 {
		return dxl.CodeDataLength
	}
	for i, v := range data {
		switch a := addr + i; {
		case a == 3 || a == 4 || a == 5 || a == 16 || a >= 18 && a < 24 || a >= 25 && a < 30 || a == int(dxl.HubIMUControl):
		case a == int(dxl.HubServoPower):
			if v > 1 {
				return dxl.CodeDataRange
			}
		default:
			return dxl.CodeAccess
		}
	}
	was := h.mem[dxl.HubServoPower]
	copy(h.mem[addr:], data)
	h.mem[dxl.HubIMUControl] = 0 // self-clearing: there is nothing to calibrate here
	if now := h.mem[dxl.HubServoPower]; now != was && h.onPower != nil {
		h.onPower(now == 1)
	}
	return dxl.CodeOK
}

// measure refreshes the inertial registers.
func (h *Hub) measure(imu *IMU, busV float64) {
	if h.frozen {
		return
	}
	h.sample++
	s := dxl.HubState{
		BusV: busV, GyroRadPerS: imu.GyroRadPerS, AccelMPerS2: imu.AccelMPerS2,
		WorldFromHub: imu.WorldFromHub, Sample: h.sample,
	}
	dxl.EncodeHub(h.mem[dxl.HubBlockAddr:], &s)
}
