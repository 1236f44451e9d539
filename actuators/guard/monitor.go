package guard

import (
	"errors"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Health holds what one joint's servo can stand.
type Health struct {
	Leg           bool    // losing this servo topples the robot
	StallCurrentA float64 // current of a blocked shaft; 0 switches stall detection off
	TempWarnC     float64
	TempStopC     float64
}

// Thresholds are the start values of the failsafe table. Every value is in the
// flight recording's header. [DefaultThresholds] fills them.
type Thresholds struct {
	StaleTicks      int // consecutive reads a servo may miss
	SilentTicks     int // consecutive reads in which no servo answers
	IMUTicks        int // consecutive missed IMU samples
	FrozenS         float64
	NoisyShare      float64 // failed joint reads among all in NoisyS
	NoisyS          float64
	TiltRad         float64
	BodyRateRadPerS float64
	FallS           float64
	UprightRad      float64 // arming: largest tilt
	EncoderSlack    float64 // arming: rad beyond a limit that a measured pose may lie
	StallErrRad     float64
	StallShare      float64 // of the stall current
	StallRadPerS    float64 // slower than this counts as blocked
	StallS          float64
	WindingK        float64 // K/A^2 above the case, in steady state
	WindingTauS     float64
	WindingWarnC    float64
	WindingStopC    float64
	VoltTauS        float64
	WarnV           float64
	StopV           float64
	CutV            float64
	PolicyTicks     int // consecutive unusable commands
	Overruns        int // overruns within a second
	Stops           int // times within ten seconds that the servos stopped by their own watchdog
	ClampRad        float64
	ClampShare      float64 // of the ticks in a second with a change above ClampRad
}

// DefaultThresholds returns the start values for a supply of the given levels.
// Winding constants are deliberately pessimistic guesses for small geared
// servos, to be replaced by measurements of the real one. TiltRad lies below the
// tilt at which a robot has fallen (models/fall, 60 degrees): it protects, so that
// the servos are soft before the trunk meets the floor.
func DefaultThresholds(warnV, stopV float64) Thresholds {
	return Thresholds{
		StaleTicks: 5, SilentTicks: 5, IMUTicks: 3, FrozenS: 1,
		NoisyShare: 0.10, NoisyS: 0.5,
		TiltRad: 1.0, BodyRateRadPerS: 6, FallS: 0.02, UprightRad: 0.5, EncoderSlack: 0.05,
		StallErrRad: 0.15, StallShare: 0.7, StallRadPerS: 0.1, StallS: 0.5,
		WindingK: 20, WindingTauS: 90, WindingWarnC: 80, WindingStopC: 110,
		VoltTauS: 1, WarnV: warnV, StopV: stopV, CutV: stopV - 0.3,
		PolicyTicks: 3, Overruns: 3, Stops: 2, ClampRad: 0.05, ClampShare: 0.8,
	}
}

// Observation is what one tick saw.
type Observation struct {
	State     *driver.State
	ReadErr   error
	GoalRad   []float64 // goals applied before this read
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
	winding  []float64 // C
	silent   int
	imuStale int
	frozen   float64 // s
	lastIMU  [7]float64
	fall     float64 // s
	policy   int
	torque   int // ticks since torque was switched on
	lost     bool

	noise    window // failed joint reads
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
	second := int(math.Round(1 / periodS))
	return &Monitor{
		health: append([]Health(nil), health...), th: th, dt: periodS,
		stale: make([]int, n), stall: make([]float64, n), winding: make([]float64, n),
		noise: newWindow(max(1, int(math.Round(th.NoisyS/periodS)))), overrun: newWindow(second), stops: newWindow(10 * second), clamped: newWindow(second),
	}
}

// Observe returns every condition that holds after this tick.
func (m *Monitor) Observe(o Observation) mode.Conditions {
	var c mode.Conditions
	s := o.State
	m.link(&c, o)
	m.body(&c, s)
	m.heat(&c, s)
	m.supply(&c, s)
	for j := range m.health {
		if s.Alert[j] != 0 {
			c.Set(mode.ServoAlert, true)
		}
		m.stalled(&c, o, j)
	}
	m.torqueLost(&c, o)
	if o.PolicyBad {
		m.policy++
	} else {
		m.policy = 0
	}
	c.Set(mode.PolicyFault, m.policy >= m.th.PolicyTicks)
	m.overrun.add(boolInt(o.Skipped > 0))
	c.Set(mode.LoopOverrun, m.overrun.sum >= m.th.Overruns)
	stopped := slices.Contains(s.Stopped, true)
	m.stops.add(boolInt(stopped && !m.stopped))
	m.stopped = stopped
	c.Set(mode.ServosStopped, m.stops.sum >= m.th.Stops)
	m.clamped.add(boolInt(o.Energised && o.Clamp.LargestRad > m.th.ClampRad))
	c.Set(mode.ClampedLong, float64(m.clamped.sum) > m.th.ClampShare*float64(len(m.clamped.ring)))
	return c
}

// Rearm forgets the history that belongs to one armed period.
func (m *Monitor) Rearm() {
	m.policy, m.torque, m.fall = 0, 0, 0
	m.noise.clear()
	m.overrun.clear()
	m.stops.clear()
	m.clamped.clear()
	for j := range m.stall {
		m.stall[j] = 0
	}
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
		if s.TempC[j] == 0 {
			f.Set(mode.CheckTemperature, true)
		}
		if s.BusV[j] == 0 {
			f.Set(mode.CheckVoltage, true)
		}
	}
	f.Set(mode.CheckConnected, c.Has(mode.LinkLost) || c.Has(mode.LegServoLost) || c.Has(mode.ArmServoLost))
	f.Set(mode.CheckUpright, m.tiltRad > m.th.UprightRad)
	f.Set(mode.CheckIMU, c.Has(mode.IMULost))
	if c.Has(mode.Warm) || c.Has(mode.Overheated) {
		f.Set(mode.CheckTemperature, true)
	}
	if c.Has(mode.VoltageWarn) || c.Has(mode.VoltageLow) || c.Has(mode.VoltageCut) {
		f.Set(mode.CheckVoltage, true)
	}
	f.Set(mode.CheckServoError, c.Has(mode.ServoAlert))
	f.Set(mode.CheckEStop, c.Has(mode.EStopOpen))
	f.Set(mode.CheckRecorder, c.Has(mode.LogLost))
	f.Set(mode.CheckRealtime, c.Has(mode.LoopOverrun))
	f.Set(mode.CheckLease, c.Has(mode.LeaseLost) || c.Has(mode.LeaseExpired))
	return f
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
	c.Set(mode.BusNoisy, float64(m.noise.sum) > m.th.NoisyShare*float64(len(m.health)*len(m.noise.ring)))
}

func (m *Monitor) body(c *mode.Conditions, s *driver.State) {
	switch {
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

// heat follows each winding with a first-order model above its case: the sensor
// sits in the housing and reads 50 C while the winding dies.
func (m *Monitor) heat(c *mode.Conditions, s *driver.State) {
	for j, h := range m.health {
		t := s.TempC[j]
		if !(t > 0) { // not read yet
			continue
		}
		if m.winding[j] == 0 {
			m.winding[j] = t
		}
		if i := s.CurrentA[j]; finite(i) {
			m.winding[j] += (t + m.th.WindingK*i*i - m.winding[j]) * m.dt / m.th.WindingTauS
		}
		m.maxTempC = max(m.maxTempC, t)
		m.maxWindC = max(m.maxWindC, m.winding[j])
		if t >= h.TempWarnC || m.winding[j] >= m.th.WindingWarnC {
			c.Set(mode.Warm, true)
		}
		if t >= h.TempStopC || m.winding[j] >= m.th.WindingStopC {
			c.Set(mode.Overheated, true)
		}
	}
}

// supply filters the lowest servo voltage, so that the sag of one step is not
// taken for an empty battery.
func (m *Monitor) supply(c *mode.Conditions, s *driver.State) {
	lowest := 0.0
	for _, v := range s.BusV {
		if v > 0 && (lowest == 0 || v < lowest) {
			lowest = v
		}
	}
	if lowest == 0 {
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

func (m *Monitor) stalled(c *mode.Conditions, o Observation, j int) {
	h, s := m.health[j], o.State
	blocked := o.Energised && h.StallCurrentA > 0 &&
		math.Abs(s.CurrentA[j]) > m.th.StallShare*h.StallCurrentA &&
		math.Abs(o.GoalRad[j]-s.PosRad[j]) > m.th.StallErrRad &&
		math.Abs(s.VelRadPerS[j]) < m.th.StallRadPerS
	if !blocked {
		m.stall[j] = 0
		return
	}
	m.stall[j] += m.dt
	if m.stall[j] >= m.th.StallS-1e-9 {
		c.Set(mode.Stalled, true)
	}
}

// torqueLost looks only at what was read after torque was switched on.
func (m *Monitor) torqueLost(c *mode.Conditions, o Observation) {
	if !o.Energised {
		m.torque = 0
		return
	}
	if m.torque++; m.torque <= 1 {
		return
	}
	for _, on := range o.State.TorqueOn {
		if !on {
			c.Set(mode.TorqueLost, true)
		}
	}
}

// window is a running sum over the latest values.
type window struct {
	ring []int
	at   int
	sum  int
}

func newWindow(n int) window { return window{ring: make([]int, n)} }

func (w *window) add(v int) {
	w.sum += v - w.ring[w.at]
	w.ring[w.at] = v
	w.at = (w.at + 1) % len(w.ring)
}

func (w *window) clear() {
	clear(w.ring)
	w.sum = 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
