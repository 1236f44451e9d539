package guard

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// WindingC is the estimated temperature of each winding, not a number before the first
// reading. The caller must not change it.
func (m *Monitor) WindingC() []float64 { return m.heat.TempC() }

// Pace is the share of its speed at which each joint may go for its heat. The caller must
// not change it.
func (m *Monitor) Pace() []float64 { return m.pace }

// Torque is the share of its torque that each joint may use for its heat. The caller must
// not change it.
func (m *Monitor) Torque() []float64 { return m.torque }

// torqueSteps is how many steps the share of torque falls in between all and nothing:
// each is a packet on the bus.
const torqueSteps = 50

// TorqueShare is the share of its torque that a joint may use with its case and winding so
// warm: 1 up to where derating begins, WindingWeakest where the robot settles.
func (t *Thresholds) TorqueShare(h *Health, caseC, windingC float64) float64 {
	share := energy.Derate(windingC, t.WindingDerateC, t.WindingStopC, t.WindingWeakest)
	if h.TempDerateC > 0 {
		share = min(share, energy.Derate(caseC, h.TempDerateC, h.TempStopC, t.WindingWeakest))
	}
	return math.Floor(share*torqueSteps) / torqueSteps
}

// heats follows each winding by a model above its case: the sensor sits in the housing and
// reads 50 C while the winding dies. A joint whose winding is warm goes slower, then gets
// less torque; before that were less than it needs, the robot is to sit down.
func (m *Monitor) heats(c *mode.Conditions, o Observation) {
	s := o.State
	for j := range m.health {
		h, t := &m.health[j], s.TempC[j]
		if math.IsNaN(t) { // not read yet
			continue
		}
		winding := m.heat.Step(j, t, s.CurrentA[j])
		m.pace[j] = energy.Derate(winding, m.th.WindingWarnC, m.th.WindingStopC, m.th.WindingSlowest)
		m.torque[j] = m.th.TorqueShare(h, t, winding)
		m.needs(j, o)
		m.maxTempC = max(m.maxTempC, t)
		m.maxWindC = max(m.maxWindC, winding)
		if t >= h.TempWarnC || winding >= m.th.WindingWarnC {
			c.Set(mode.Warm, true)
		}
		weak := m.torque[j] < 1 && m.th.TorqueReserve*m.need[j] > m.torque[j]
		if t >= h.TempStopC || winding >= m.th.WindingStopC || weak {
			c.Set(mode.Overheated, true)
		}
	}
}

// pushS smooths what a joint gives: a start or a step on the floor is shorter.
const pushS = 0.1

// needs keeps the torque that joint j lately gave, as a share of what it has.
func (m *Monitor) needs(j int, o Observation) {
	most := m.health[j].StallCurrentA
	if !o.Energised || !(most > 0) || !finite(o.State.CurrentA[j]) {
		return
	}
	m.push[j] += (math.Abs(o.State.CurrentA[j])/most - m.push[j]) * min(1, m.dt/pushS)
	m.need[j] = max(m.push[j], m.need[j]*(1-min(1, m.dt/m.th.NeedS)))
}

// stalled looks for a joint that pushes with most of what it has and does not move.
func (m *Monitor) stalled(c *mode.Conditions, o Observation, j int) {
	h, s := m.health[j], o.State
	most := h.StallCurrentA
	if o.Torque != nil {
		most *= o.Torque[j]
	}
	blocked := o.Energised && h.StallCurrentA > 0 &&
		math.Abs(s.CurrentA[j]) > m.th.StallShare*most &&
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
