package dxl

import "math"

// The sensor hub is a microcontroller that speaks DYNAMIXEL on the servo bus, like the
// OpenCR of the ROBOTIS OP3 (id 200, model 0x7400): inertial measurement, buttons,
// voltage, and the switch that feeds the servos. Registers 0..50 are the OpenCR's;
// 52..63 are this project's own and are there from firmware HubFirmwareExtended on.
// docs/formats/imu-hub.md describes the whole map.
const (
	// HubID is the id the hub answers to.
	HubID ID = 200
	// HubModel is its model number.
	HubModel uint16 = 0x7400
	// HubFirmwareExtended is the first firmware with registers 52..63.
	HubFirmwareExtended uint8 = 32

	HubServoPower Reg[uint8]  = 24 // 1 feeds the servos; 0 cuts them off
	HubButtons    Reg[uint8]  = 30 // bit 0 mode, 1 start, 2 user, 3 reset
	HubVoltage    Reg[uint8]  = 31 // 0.1 V
	HubGyroX      Reg[int16]  = 32
	HubGyroY      Reg[int16]  = 34
	HubGyroZ      Reg[int16]  = 36
	HubAccelX     Reg[int16]  = 38
	HubAccelY     Reg[int16]  = 40
	HubAccelZ     Reg[int16]  = 42
	HubRoll       Reg[int16]  = 44 // 0.1 deg
	HubPitch      Reg[int16]  = 46
	HubYaw        Reg[int16]  = 48
	HubIMUControl Reg[uint8]  = 50
	HubQuatW      Reg[int16]  = 52 // 1/32767; w, x, y, z to 59
	HubQuatX      Reg[int16]  = 54
	HubQuatY      Reg[int16]  = 56
	HubQuatZ      Reg[int16]  = 58
	HubSample     Reg[uint16] = 60 // counts inertial samples; a value that stays says the sensor froze
	HubMillivolts Reg[uint16] = 62

	// HubBlockAddr and HubBlockSize are what one read of the hub covers: power,
	// buttons, voltage and all of the inertial registers.
	HubBlockAddr = 24
	HubBlockSize = 40
	// hubBasicSize is the same block on a hub without the extension.
	hubBasicSize = 27

	gyroRadPerSPerCount = 2000.0 / 32800 * math.Pi / 180
	accelGPerCount      = 2.0 / 32768
	angleRadPerCount    = 0.1 * math.Pi / 180
	quatScale           = 32767
	// StandardGravity is 1 g in m/s2, the unit behind the accelerometer's counts.
	StandardGravity = 9.80665
)

// HubState is one reading of the hub. Vectors are in the hub's frame: x forward,
// y left, z up when it lies flat.
type HubState struct {
	PowerOn      bool
	Buttons      uint8
	BusV         float64
	GyroRadPerS  [3]float64
	AccelMPerS2  [3]float64 // specific force: +9.81 along z at rest
	WorldFromHub [4]float64 // w, x, y, z
	Sample       uint16     // sample counter; valid if Extended
	Extended     bool       // quaternion, sample counter and millivolts came from the hub
	RPYRad       [3]float64 // roll, pitch, yaw as the hub reports them
}

// DecodeHub reads one HubBlockSize (or shorter, of a hub without the extension) block
// that begins at HubBlockAddr. It allocates nothing.
func DecodeHub(out *HubState, block []byte) {
	if len(block) < hubBasicSize {
		panic("dxl: DecodeHub: block too short")
	}
	at := func(r Reg[int16]) float64 { return float64(r.Get(block[r-HubBlockAddr:])) }
	out.PowerOn = block[0] != 0
	out.Buttons = block[HubButtons-HubBlockAddr]
	out.BusV = float64(block[HubVoltage-HubBlockAddr]) * voltsPerCount
	for i := range 3 {
		step := Reg[int16](2 * i)
		out.GyroRadPerS[i] = at(HubGyroX+step) * gyroRadPerSPerCount
		out.AccelMPerS2[i] = at(HubAccelX+step) * accelGPerCount * StandardGravity
		out.RPYRad[i] = at(HubRoll+step) * angleRadPerCount
	}
	if out.Extended = len(block) >= HubBlockSize; !out.Extended {
		out.WorldFromHub = quatFromRPY(out.RPYRad)
		return
	}
	var n2 float64
	for i := range 4 {
		q := at(HubQuatW+Reg[int16](2*i)) / quatScale
		out.WorldFromHub[i] = q
		n2 += q * q
	}
	if n2 < 0.5 { // no orientation yet: a hub that has not converged reports zeros
		out.WorldFromHub = quatFromRPY(out.RPYRad)
	} else {
		for i, inv := 0, 1/math.Sqrt(n2); i < 4; i++ {
			out.WorldFromHub[i] *= inv
		}
	}
	out.Sample = HubSample.Get(block[HubSample-HubBlockAddr:])
	out.BusV = float64(HubMillivolts.Get(block[HubMillivolts-HubBlockAddr:])) * 1e-3
}

// EncodeHub is the inverse of DecodeHub: it writes the inertial registers 31..49 and
// 52..63 of sample s into block, which begins at HubBlockAddr. Values beyond a
// register's range saturate, as a sensor does.
func EncodeHub(block []byte, s *HubState) {
	if len(block) < HubBlockSize {
		panic("dxl: EncodeHub: block too short")
	}
	put := func(r Reg[int16], v float64) {
		r.Put(block[r-HubBlockAddr:], int16(nearest(v, math.MinInt16, math.MaxInt16)))
	}
	block[HubVoltage-HubBlockAddr] = byte(nearest(s.BusV/voltsPerCount, 0, 255))
	for i := range 3 {
		step := Reg[int16](2 * i)
		put(HubGyroX+step, s.GyroRadPerS[i]/gyroRadPerSPerCount)
		put(HubAccelX+step, s.AccelMPerS2[i]/(accelGPerCount*StandardGravity))
		put(HubRoll+step, rpyFromQuat(s.WorldFromHub)[i]/angleRadPerCount)
	}
	for i := range 4 {
		put(HubQuatW+Reg[int16](2*i), s.WorldFromHub[i]*quatScale)
	}
	HubSample.Put(block[HubSample-HubBlockAddr:], s.Sample)
	HubMillivolts.Put(block[HubMillivolts-HubBlockAddr:], uint16(nearest(s.BusV*1e3, 0, math.MaxUint16)))
}

// quatFromRPY is the rotation Rz(yaw) Ry(pitch) Rx(roll), w, x, y, z.
func quatFromRPY(rpy [3]float64) [4]float64 {
	sr, cr := math.Sincos(rpy[0] / 2)
	sp, cp := math.Sincos(rpy[1] / 2)
	sy, cy := math.Sincos(rpy[2] / 2)
	return [4]float64{
		cr*cp*cy + sr*sp*sy,
		sr*cp*cy - cr*sp*sy,
		cr*sp*cy + sr*cp*sy,
		cr*cp*sy - sr*sp*cy,
	}
}

// rpyFromQuat is the inverse of quatFromRPY; at pitch +-90 deg roll and yaw are not
// unique and one pair is returned.
func rpyFromQuat(q [4]float64) [3]float64 {
	w, x, y, z := q[0], q[1], q[2], q[3]
	sinPitch := max(-1, min(1, 2*(w*y-z*x)))
	return [3]float64{
		math.Atan2(2*(w*x+y*z), 1-2*(x*x+y*y)),
		math.Asin(sinPitch),
		math.Atan2(2*(w*z+x*y), 1-2*(y*y+z*z)),
	}
}
