package flight

import (
	"math"

	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/explain"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/record"
)

// outlook looks ahead from the samples: how long windings and battery last at what the
// robot does now. It belongs to the watcher's goroutine.
type outlook struct {
	words  *explain.Robot
	ahead  *energy.Forecast
	lastNs int64

	now   figures // of the latest look
	worst figures // heat while there was torque; charge as now
}

// derated lists the joints that are held back for their heat.
func derated(words *explain.Robot, s *trace.Sample) (list []record.Derated) {
	for j := range words.Joints {
		if torque, speed := s.Torque[j], s.Pace[j]; torque < 1 || speed < 1 {
			list = append(list, record.Derated{
				Joint: words.Joints[j].Name, TorqueShare: torque, SpeedShare: math.Round(speed*100) / 100,
			})
		}
	}
	return list
}

// figures are an outlook in numbers; +Inf is no limit in sight.
type figures struct {
	low, high     float64 // charge
	charge        bool    // a battery is described
	chargeS, heat float64 // s
	joint         int     // that is first; -1: none
}

func newOutlook(words *explain.Robot) *outlook {
	th := &words.Thresholds
	limits := make([]energy.Limits, len(words.Health))
	for j, h := range words.Health {
		limits[j] = energy.Limits{CaseC: h.TempStopC, WindingC: th.WindingStopC}
	}
	none := figures{charge: th.Battery.Known(), high: 1, chargeS: math.Inf(1), heat: math.Inf(1), joint: -1}
	return &outlook{
		words: words, now: none, worst: none,
		ahead: energy.NewForecast(th.Winding, limits, th.Battery, th.ChargeStop),
	}
}

// longest is what a gap between two samples counts for at most, in seconds.
const longest = 1.0

// take takes in one sample.
func (o *outlook) take(s *trace.Sample) {
	dt := min(max(float64(s.MonoNs-o.lastNs)/1e9, 0), longest)
	if o.lastNs == 0 {
		dt = 0
	}
	o.lastNs = s.MonoNs
	o.ahead.Joints(dt, s.Robot.CurrentA, s.Robot.TempC, s.WindingC)
	o.ahead.Battery(s.ChargeLow, s.ChargeHigh, s.SupplyA, dt)
	o.now.low, o.now.high = s.ChargeLow, s.ChargeHigh
}

// look reckons; it takes a millisecond, and is done once a second.
func (o *outlook) look(s *trace.Sample) {
	n := &o.now
	n.chargeS, _ = o.ahead.ChargeS()
	n.heat, n.joint = o.ahead.HeatS()
	heat, joint := o.worst.heat, o.worst.joint
	if s.Mode.Energised() && n.heat < heat {
		heat, joint = n.heat, n.joint
	}
	o.worst = *n
	o.worst.heat, o.worst.joint = heat, joint
}

// record is the outlook as it is told; nil where there is nothing to tell.
func (o *outlook) record(f *figures) *record.Energy {
	minutes := func(s float64) *float64 {
		if math.IsInf(s, 1) {
			return nil
		}
		m := math.Round(s/6) / 10
		return &m
	}
	e := record.Energy{HeatLeftMin: minutes(f.heat)}
	if f.joint >= 0 {
		e.HeatJoint = o.words.Joints[f.joint].Name
	}
	if f.charge {
		share, err := (f.low+f.high)/2, (f.high-f.low)/2
		e.ChargeShare, e.ChargeErrorShare, e.ChargeLeftMin = &share, &err, minutes(f.chargeS)
	}
	if e == (record.Energy{}) {
		return nil
	}
	return &e
}
