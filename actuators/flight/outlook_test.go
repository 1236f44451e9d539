package flight

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/energy"
)

// The state tells how many minutes a motion may go on, and of a battery only where one is
// described.
func TestTheStateTellsWhatIsLeft(t *testing.T) {
	w, _, next := watching()
	winding := 30.0
	play := func(seconds int, amps float64) {
		for range seconds * 100 {
			s := next()
			s.Robot.TempC[0], s.Robot.TempC[1], s.Robot.CurrentA[1] = 30, 30, amps
			winding += (30 + 20*amps*amps - winding) * 0.01 / 90
			s.WindingC[0], s.WindingC[1] = 30, winding
			s.ChargeLow, s.ChargeHigh, s.SupplyA = 0.5, 0.7, 2
			w.take(s)
		}
	}
	play(5, 0)
	if e := w.Latest().Energy; e != nil {
		t.Errorf("nothing is warm, nothing is described, and the state has %+v", e)
	}
	play(70, 2.2)
	e := w.Latest().Energy
	if e == nil || e.HeatLeftMin == nil || e.HeatJoint != "knee" || e.ChargeShare != nil {
		t.Fatalf("%+v", e)
	}
	// The same equation, solved: from where the winding is to 110 C.
	end := 30 + 20*2.2*2.2
	want := 90 * math.Log((end-winding)/(end-110)) / 60
	if math.Abs(*e.HeatLeftMin-want) > 0.2*want+0.1 {
		t.Errorf("%.1f minutes left, want %.1f", *e.HeatLeftMin, want)
	}
	least := *e.HeatLeftMin
	play(60, 0)
	if now, all := w.Latest().Energy, w.Energy(); now != nil || all == nil || all.HeatJoint != "knee" || *all.HeatLeftMin > least {
		t.Errorf("resting: %+v; of the flight: %+v", now, all)
	}

	w, _, next = watching()
	w.Explain.Thresholds.Battery = energy.Pack{Cells: 3, CapacityAh: 2, ResistanceOhm: 0.1}
	play(120, 0)
	e = w.Latest().Energy
	if e == nil || e.ChargeShare == nil || math.Abs(*e.ChargeShare-0.6) > 1e-9 || math.Abs(*e.ChargeErrorShare-0.1) > 1e-9 {
		t.Fatalf("%+v", e)
	}
	// 45 % of 2 Ah at 2 A are 27 minutes; at worst the pack is aged and the current higher.
	if m := *e.ChargeLeftMin; m > 27 || m < 15 {
		t.Errorf("%g minutes left at worst", m)
	}
}
