package guard

import (
	"errors"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Health holds what one joint's servo can stand.
type Health struct {
	Leg           bool    // losing this servo topples the robot
	StallCurrentA float64 // current of a blocked shaft; 0 switches stall detection off
	TempWarnC     float64
	TempDerateC   float64 // from here on it gets less torque; 0: the sensor takes none
	TempStopC     float64
	Motor         energy.Motor
}

// Observation is what one tick saw.
type Observation struct {
	State     *driver.State
	ReadErr   error
	GoalRad   []float64 // goals applied before this read
	Torque    []float64 // share of its torque that each servo may use; nil: all of it
	Energised bool
	Skipped   int64  // cycles the loop skipped before this one
	PolicyBad bool   // the controller gave no usable command
	Clamp     Report // what the guard changed in the previous tick
}

// Monitor turns observations into conditions. It belongs to one goroutine and
// allocates nothing after New.
type Monitor struct {
	health []Health
	th     Thresholds
	dt     float64

	stale    []int
	stall    []float64 // s
	heat     *energy.Heat
	pace     []float64 // share of its speed that each joint may go
	torque   []float64 // share of its torque that each joint may use
	push     []float64 // share of its torque that each joint gives, smoothed
	need     []float64 // likewise, the most of it lately
	gauge    *energy.Gauge
	silent   int
	imuStale int
	frozen   float64 // s
	lastIMU  [7]float64
	fall     float64 // s
	policy   int
	powered  int // ticks since torque was switched on
	lost     bool

	noise    window // failed joint reads
	asides   window // failed reads of sensor and slow registers
	lastSide uint64 // how many had failed
	overrun  window
	stops    window // ten seconds
	stopped  bool
	clamped  window
	supplyV  float64
	maxTempC float64
	maxWindC float64
	minV     float64
	tiltRad  float64
}

// NewMonitor returns a monitor for ticks of periodS seconds.
func NewMonitor(health []Health, th Thresholds, periodS float64) *Monitor {
	n := len(health)
	second, noisy := int(math.Round(1/periodS)), max(1, int(math.Round(th.NoisyS/periodS)))
	m := &Monitor{
		health: append([]Health(nil), health...), th: th, dt: periodS,
		stale: make([]int, n), stall: make([]float64, n), pace: make([]float64, n),
		torque: make([]float64, n), push: make([]float64, n), need: make([]float64, n),
		heat: energy.NewHeat(n, th.Winding, periodS), gauge: energy.NewGauge(th.Battery),
		noise: newWindow(noisy), asides: newWindow(noisy),
		overrun: newWindow(second), stops: newWindow(10 * second), clamped: newWindow(second),
	}
	for j := range m.pace {
		m.pace[j], m.torque[j] = 1, 1
	}
	return m
}

// Observe returns every condition that holds after this tick.
func (m *Monitor) Observe(o Observation) mode.Conditions {
	var c mode.Conditions
	s := o.State
	m.link(&c, o)
	m.body(&c, s)
	m.heats(&c, o)
	m.supply(&c, s)
	m.charge(&c, s)
	for j := range m.health {
		if s.Alert[j] != 0 {
			c.Set(mode.ServoAlert, true)
		}
		m.stalled(&c, o, j)
	}
	m.torqueLost(&c, o)
	c.Set(mode.EStopOpen, s.PowerCut || s.Buttons&m.th.StopButtons != 0)
	if o.PolicyBad {
		m.policy++
	} else {
		m.policy = 0
	}
	c.Set(mode.PolicyFault, m.policy >= m.th.PolicyTicks)
	m.overran(o.Skipped)
	c.Set(mode.LoopOverrun, m.overrun.sum >= m.th.Overruns)
	stopped := slices.Contains(s.Stopped, true)
	m.stops.add(boolInt(stopped && !m.stopped))
	m.stopped = stopped
	c.Set(mode.ServosStopped, m.stops.sum >= m.th.Stops)
	m.clamped.add(boolInt(o.Energised && o.Clamp.LargestRad > m.th.ClampRad))
	c.Set(mode.ClampedLong, float64(m.clamped.sum) > m.th.ClampShare*float64(len(m.clamped.ring)))
	return c
}

// overran counts an overrun, and lets the time pass that it took.
func (m *Monitor) overran(skipped int64) {
	for _, w := range []*window{&m.noise, &m.asides, &m.overrun, &m.stops, &m.clamped} {
		w.pass(skipped)
	}
	n := boolInt(skipped > 0)
	if float64(skipped)*m.dt > m.th.GapS {
		n = m.th.Overruns
	}
	m.overrun.add(n)
}

// Rearm forgets the history that belongs to one armed period.
func (m *Monitor) Rearm() {
	m.policy, m.powered, m.fall = 0, 0, 0
	m.noise.clear()
	m.asides.clear()
	m.overrun.clear()
	m.stops.clear()
	m.clamped.clear()
	clear(m.stall)
	clear(m.push)
	clear(m.need)
}

// Checks returns the arming checks that the measured side fails now.
func (m *Monitor) Checks(s *driver.State, c mode.Conditions, joints []Joint) mode.Checks {
	var f mode.Checks
	for j := range m.health {
		if !s.Fresh[j] {
			f.Set(mode.CheckFresh, true)
		}
		q := s.PosRad[j]
		if !(q >= joints[j].MinRad-m.th.EncoderSlack && q <= joints[j].MaxRad+m.th.EncoderSlack) {
			f.Set(mode.CheckEncoder, true)
		}
		if s.TorqueOn[j] {
			f.Set(mode.CheckTorqueOff, true)
		}
	}
	for j := range m.health { // every slow register must have been read once
		if math.IsNaN(s.TempC[j]) {
			f.Set(mode.CheckTemperature, true)
		}
		if math.IsNaN(s.BusV[j]) {
			f.Set(mode.CheckVoltage, true)
		}
	}
	if c.Has(mode.MonitoringStale) {
		f.Set(mode.CheckTemperature, true)
		f.Set(mode.CheckVoltage, true)
		f.Set(mode.CheckServoError, true)
	}
	f.Set(mode.CheckConnected, c.Has(mode.LinkLost) || c.Has(mode.LegServoLost) || c.Has(mode.ArmServoLost))
	f.Set(mode.CheckUpright, m.tiltRad > m.th.UprightRad)
	f.Set(mode.CheckIMU, c.Has(mode.IMULost))
	if c.Has(mode.Warm) || c.Has(mode.Overheated) {
		f.Set(mode.CheckTemperature, true)
	}
	if c.Has(mode.ChargeLow) || c.Has(mode.VoltageWarn) || c.Has(mode.VoltageLow) || c.Has(mode.VoltageCut) {
		f.Set(mode.CheckVoltage, true)
	}
	if c.Has(mode.ServoAlert) {
		f.Set(mode.CheckServoError, true)
	}
	f.Set(mode.CheckEStop, c.Has(mode.EStopOpen))
	f.Set(mode.CheckName, c.Has(mode.NameTaken))
	f.Set(mode.CheckRecorder, c.Has(mode.LogLost))
	f.Set(mode.CheckRealtime, c.Has(mode.LoopOverrun) || c.Has(mode.LoopStuck))
	return f
}

// Charge is between what the battery's charge lies, 0 to 1, and the current that it gives:
// 0, 1 and 0 where no battery is described.
func (m *Monitor) Charge() (low, high, supplyA float64) {
	low, high = m.gauge.Bounds()
	return low, high, m.gauge.SupplyA()
}

// TiltRad is the latest angle between the trunk's z axis and the vertical.
func (m *Monitor) TiltRad() float64 { return m.tiltRad }

// SupplyV is the filtered lowest servo voltage; 0 before the first reading.
func (m *Monitor) SupplyV() float64 { return m.supplyV }

// MinSupplyV is the lowest filtered voltage so far; 0 before the first reading.
func (m *Monitor) MinSupplyV() float64 { return m.minV }

// MaxTempC and MaxWindingC are the highest sensor and model temperatures so far.
func (m *Monitor) MaxTempC() float64 { return m.maxTempC }

// MaxWindingC is the highest estimated winding temperature so far.
func (m *Monitor) MaxWindingC() float64 { return m.maxWindC }

func (m *Monitor) link(c *mode.Conditions, o Observation) {
	missing := 0
	for j := range m.health {
		if o.State.Fresh[j] {
			m.stale[j] = 0
			continue
		}
		missing++
		m.stale[j]++
		if m.stale[j] >= m.th.StaleTicks {
			if m.health[j].Leg {
				c.Set(mode.LegServoLost, true)
			} else {
				c.Set(mode.ArmServoLost, true)
			}
		}
	}
	if missing == len(m.health) {
		m.silent++
	} else {
		m.silent = 0
	}
	m.lost = errors.Is(o.ReadErr, driver.ErrLinkLost)
	c.Set(mode.LinkLost, m.lost || m.silent >= m.th.SilentTicks)
	m.noise.add(missing)
	s := o.State
	m.asides.add(int(s.AsideFailures - m.lastSide))
	m.lastSide = s.AsideFailures
	// A read has two asides, and none on a robot without either: the share is of what
	// could have been asked.
	c.Set(mode.BusNoisy, float64(m.noise.sum) > m.th.NoisyShare*float64(len(m.health)*len(m.noise.ring)) ||
		float64(m.asides.sum) > m.th.NoisyShare*float64(asidesPerRead*len(m.asides.ring)))
	for _, age := range s.SlowAgeS {
		// What was never read fails the arming checks.
		if !math.IsInf(age, 1) && !(age <= m.th.SlowLimitS(len(m.health), m.dt)) {
			c.Set(mode.MonitoringStale, true)
		}
	}
}

// asidesPerRead is how many reads of a sensor and of slow registers a tick has.
const asidesPerRead = 2

func (m *Monitor) body(c *mode.Conditions, s *driver.State) {
	switch {
	case m.th.NoIMU:
		return
	case m.silent > 0: // nobody answers: that is the link's condition, not the sensor's
	case !s.IMUFresh:
		m.imuStale++
	default:
		m.imuStale = 0
		now := [7]float64{s.GyroRadPerS[0], s.GyroRadPerS[1], s.GyroRadPerS[2],
			s.GravityDir[0], s.GravityDir[1], s.GravityDir[2], float64(s.IMUSample)}
		if now == m.lastIMU {
			m.frozen += m.dt
		} else {
			m.frozen = 0
		}
		m.lastIMU = now
		m.tiltRad = spatial.TiltRad(s.GravityDir)
		if m.tiltRad > m.th.TiltRad || s.GyroRadPerS.Norm() > m.th.BodyRateRadPerS {
			m.fall += m.dt
		} else {
			m.fall = 0
		}
	}
	bad := !finite(s.GyroRadPerS[0]+s.GyroRadPerS[1]+s.GyroRadPerS[2]) || !finite(m.tiltRad)
	c.Set(mode.IMULost, m.imuStale >= m.th.IMUTicks || bad || (m.th.FrozenS > 0 && m.frozen >= m.th.FrozenS))
	c.Set(mode.Falling, m.fall >= m.th.FallS-1e-9)
}

// supply filters the lowest servo voltage, so that the sag of one step is not
// taken for an empty battery.
func (m *Monitor) supply(c *mode.Conditions, s *driver.State) {
	lowest := math.Inf(1)
	for _, v := range s.BusV {
		if v < lowest { // what was not read yet is not lower
			lowest = v
		}
	}
	if math.IsInf(lowest, 1) {
		return
	}
	if m.supplyV == 0 {
		m.supplyV, m.minV = lowest, lowest
	}
	m.supplyV += (lowest - m.supplyV) * min(1, m.dt/m.th.VoltTauS)
	m.minV = min(m.minV, m.supplyV)
	c.Set(mode.VoltageWarn, m.supplyV < m.th.WarnV)
	c.Set(mode.VoltageLow, m.supplyV < m.th.StopV)
	c.Set(mode.VoltageCut, m.supplyV < m.th.CutV)
}

// charge keeps account of the battery, where one is described: with the mean of what the
// servos' meters say, for each of them is coarse, and what all motors draw.
func (m *Monitor) charge(c *mode.Conditions, s *driver.State) {
	if !m.th.Battery.Known() {
		return
	}
	volts, drawn, n := 0.0, 0.0, 0.0
	for j, v := range s.BusV {
		if math.IsNaN(v) {
			continue
		}
		volts, n = volts+v, n+1
		drawn += m.health[j].Motor.SupplyA(s.CurrentA[j], s.VelRadPerS[j], v)
	}
	if n < float64(len(s.BusV)) {
		return // not all were read yet
	}
	m.gauge.Step(volts/n, drawn, m.dt)
	low, _ := m.gauge.Bounds()
	c.Set(mode.ChargeWarn, low <= m.th.ChargeWarn)
	c.Set(mode.ChargeLow, low <= m.th.ChargeStop)
}

// torqueLost looks only at what was read after torque was switched on.
func (m *Monitor) torqueLost(c *mode.Conditions, o Observation) {
	if !o.Energised {
		m.powered = 0
		return
	}
	if m.powered++; m.powered <= 1 {
		return
	}
	for _, on := range o.State.TorqueOn {
		if !on {
			c.Set(mode.TorqueLost, true)
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
