package servos

import "math"

// Units of registers: e-Manual, "Control Table of RAM Area" of each model.
const (
	radPerRevolution = 2 * math.Pi
	// xVelocity is 0.229 rev/min, of every X model.
	xVelocity = 0.229 * radPerRevolution / 60
	// xCurrent is 2.69 mA, of the X430 and X540; the X330 count milliamperes.
	xCurrent   = 2.69e-3
	x330Amps   = 1e-3
	rpm        = radPerRevolution / 60
	fullDuty   = 885 // e-Manual, "PWM Limit(36)": 885 is 100 %
	gearDrag   = 0.02
	eManual    = "ROBOTIS e-Manual, https://emanual.robotis.com/docs/en/dxl/x/"
	maxXGain   = 16383
	turnCounts = 4096 // "Resolution: 4096 [pulse/rev]"
	turnCentre = 2048 // e-Manual, "Goal Position(116)": 2,048 is 180 deg
)

// dynamixelX fills in what all X models have in common.
func dynamixelX(t Type) Type {
	t.Protocol, t.Source = Dynamixel2, eManual+t.Name+"/"
	t.CountsPerTurn, t.ZeroCount = turnCounts, turnCentre
	t.RadPerSPerCount = xVelocity
	t.FullDutyCount, t.PGainDivisor, t.DGainDivisor, t.MaxPGain = fullDuty, 128, 16, maxXGain
	t.DragNmPerRadPerS = gearDrag
	t.Factory.Firmware = 48
	t.MinFirmware = 38 // e-Manual, "Bus Watchdog(98)"
	return t
}

// Shipped is the catalogue of the servos that this project drives. Torques,
// currents and speeds are "Stall Torque" and "No Load Speed" of the specifications
// at AtV; supplies and temperatures are "Input Voltage" and the registers'
// factory values.
func Shipped() Catalogue {
	return Catalogue{
		dynamixelX(Type{
			Name: "xm430-w350", Title: "XM430-W350", ModelNumber: 1020,
			AtV: 12, StallTorqueNm: 4.1, StallCurrentA: 2.3, NoLoadRadPerS: 4.82, // 46 rpm
			MinV: 10, MaxV: 14.8, MaxTempC: 80, APerCount: xCurrent,
			Factory: Factory{LowestV: 9.5, HighestV: 16, CurrentLimitCount: 1193, VelocityLimitCount: 200, PositionPGain: 800},
		}),
		dynamixelX(Type{
			Name: "xm430-w210", Title: "XM430-W210", ModelNumber: 1030,
			AtV: 12, StallTorqueNm: 3.0, StallCurrentA: 2.3, NoLoadRadPerS: 77 * rpm,
			MinV: 10, MaxV: 14.8, MaxTempC: 80, APerCount: xCurrent,
			Factory: Factory{LowestV: 9.5, HighestV: 16, CurrentLimitCount: 1193, VelocityLimitCount: 330, PositionPGain: 800},
		}),
		dynamixelX(Type{
			Name: "xm540-w270", Title: "XM540-W270", ModelNumber: 1120,
			AtV: 12, StallTorqueNm: 10.6, StallCurrentA: 4.4, NoLoadRadPerS: 30 * rpm,
			MinV: 10, MaxV: 14.8, MaxTempC: 80, APerCount: xCurrent,
			Factory: Factory{LowestV: 9.5, HighestV: 16, CurrentLimitCount: 2047, VelocityLimitCount: 128, PositionPGain: 800},
		}),
		dynamixelX(Type{
			Name: "xc330-t288", Title: "XC330-T288", ModelNumber: 1220,
			AtV: 12, StallTorqueNm: 1.0, StallCurrentA: 0.88, NoLoadRadPerS: 71 * rpm,
			MinV: 6.5, MaxV: 12, MaxTempC: 70, APerCount: x330Amps,
			Factory: Factory{LowestV: 5.5, HighestV: 14, CurrentLimitCount: 910, VelocityLimitCount: 320, PositionPGain: 900},
		}),
		dynamixelX(Type{
			// It measures current on the supply's side of the bridge: not proportional to torque.
			Name: "xl330-m288", Title: "XL330-M288", ModelNumber: 1200,
			AtV: 5, StallTorqueNm: 0.52, StallCurrentA: 1.47, NoLoadRadPerS: 103 * rpm,
			MinV: 3.7, MaxV: 6, MaxTempC: 70, APerCount: x330Amps,
			Factory: Factory{LowestV: 3.5, HighestV: 7, CurrentLimitCount: 1750, VelocityLimitCount: 445, PositionPGain: 400},
		}),
		dynamixelX(Type{
			// Where others report current it reports load, in 0.1 % of the torque it thinks it
			// could give: taken here as that share of the stall current, an estimate.
			Name: "xl430-w250", Title: "XL430-W250", ModelNumber: 1060,
			AtV: 12, StallTorqueNm: 1.5, StallCurrentA: 1.4, NoLoadRadPerS: 61 * rpm,
			MinV: 6.5, MaxV: 12, MaxTempC: 72, APerCount: 1.4e-3, NoCurrentLimit: true,
			Factory: Factory{LowestV: 6, HighestV: 14, CurrentLimitCount: 1000, VelocityLimitCount: 265, PositionPGain: 800},
		}),
	}
}
