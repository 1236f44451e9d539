package mode

import (
	"testing"
	"time"
)

// severity orders the states by how little the robot may still do.
func severity(s State) int {
	return [stateCount]int{Disarmed: 9, Fault: 9, Active: 0, Arming: 0, Hold: 1, Settle: 2, Limp: 3, Cut: 4}[s]
}

// every calls f with every combination of state, request, flags, time and every
// set of up to two conditions: the whole machine, since Next looks only at the
// worst condition.
func every(f func(s State, in Input)) {
	sets := []Conditions{0}
	for a := range conditionCount {
		for b := a; b < conditionCount; b++ {
			sets = append(sets, Of(a, b))
		}
	}
	times := []time.Duration{0, LimpTime, CutTimeout, SettleTimeout, ArmingTimeout}
	for s := range stateCount {
		for r := range requestCount {
			for _, c := range sets {
				for bits := range 32 {
					for _, d := range times {
						f(s, Input{Conditions: c, Request: r, InState: d, Done: bits&1 != 0,
							TorqueOff: bits&2 != 0, CanPlay: bits&4 != 0, Unfit: bits&8 != 0, Failing: Checks(bits >> 4)})
					}
				}
			}
		}
	}
}

func TestEveryInputHasOneSafeAnswer(t *testing.T) {
	n := 0
	every(func(s State, in Input) {
		n++
		d := Next(s, in)
		fail := func(what string) { t.Fatalf("%s: %v %+v -> %v (%v)", what, s, in, d.State, d.Why) }
		if d.State >= stateCount {
			fail("no such state")
		}
		if in.Request == EStop && d.State != Cut && !(s == Cut && d.State == Fault) {
			fail("e-stop not obeyed")
		}
		if d.State == Arming && s != Arming {
			if s != Disarmed || in.Request != Arm || in.Failing != 0 {
				fail("armed by itself")
			}
		}
		if !s.Energised() && d.State.Energised() && d.State != Arming {
			fail("torque without arming")
		}
		if s == Fault && d.State != Fault && in.Request != Reset && in.Request != EStop {
			fail("left fault by itself")
		}
		if d.State == Active && s != Active && (in.Request != Activate || s != Hold || !in.CanPlay) {
			fail("handed to the controller by itself")
		}
		if s.Energised() {
			worst, _ := Worst(in.Conditions)
			floor := [...]int{ActNone: 0, ActWarn: 0, ActHold: 1, ActSettle: 2, ActLimp: 3, ActCut: 4}[worst]
			if worst == ActHold && s == Arming {
				floor = 0 // it goes on to hold
			}
			if severity(d.State) < floor {
				fail("failsafe not obeyed")
			}
			if severity(d.State) < severity(s) && !(s == Hold && d.State == Active) {
				fail("severity fell")
			}
		}
		if d.State != s && d.Why == NoReason {
			fail("transition without a reason")
		}
		if d.Refused && d.Why.String() == "" {
			fail("refusal without a reason")
		}
		if d.Refused && in.Request == EStop && s != Cut {
			fail("e-stop refused")
		}
	})
	t.Logf("%d inputs", n)
}

// Each row of the failsafe table, from each state that carries torque.
func TestFailsafeTable(t *testing.T) {
	next := map[Action]map[State]State{
		ActWarn:   {Arming: Arming, Hold: Hold, Active: Active, Settle: Settle, Limp: Limp},
		ActHold:   {Arming: Arming, Hold: Hold, Active: Hold, Settle: Settle, Limp: Limp},
		ActSettle: {Arming: Settle, Hold: Settle, Active: Settle, Settle: Settle, Limp: Limp},
		ActLimp:   {Arming: Limp, Hold: Limp, Active: Limp, Settle: Limp, Limp: Limp},
		ActCut:    {Arming: Cut, Hold: Cut, Active: Cut, Settle: Cut, Limp: Cut},
	}
	rows := map[Condition]Action{
		EStopOpen: ActCut, LoopStuck: ActCut, LinkLost: ActCut, VoltageCut: ActCut,
		Falling: ActLimp, IMULost: ActLimp, LegServoLost: ActLimp, TorqueLost: ActLimp,
		ArmServoLost: ActSettle, BusNoisy: ActSettle, LoopOverrun: ActSettle, GatewayLost: ActSettle, MonitoringStale: ActSettle, ServosStopped: ActSettle, PolicyFault: ActSettle,
		ServoAlert: ActSettle, Overheated: ActSettle, Stalled: ActSettle, ClampedLong: ActSettle,
		VoltageLow: ActSettle, ChargeLow: ActSettle, LeaseExpired: ActSettle,
		LeaseLost: ActHold, ReferenceLost: ActHold,
		Warm: ActWarn, VoltageWarn: ActWarn, ChargeWarn: ActWarn, LogLost: ActWarn, LinkToBroker: ActWarn, NameTaken: ActWarn,
	}
	if len(rows) != int(conditionCount) {
		t.Fatalf("%d rows for %d conditions", len(rows), conditionCount)
	}
	for c, action := range rows {
		if Answer(c) != action {
			t.Errorf("%v: action %v, want %v", c, Answer(c), action)
		}
		for from, to := range next[action] {
			d := Next(from, Input{Conditions: Of(c)})
			if d.State != to {
				t.Errorf("%v in %v: %v, want %v", c, from, d.State, to)
			}
			if got, ok := d.Why.Condition(); from != to && (!ok || got != c) {
				t.Errorf("%v in %v: reason %v", c, from, d.Why)
			}
		}
		for _, off := range []State{Disarmed, Fault} {
			if d := Next(off, Input{Conditions: Of(c), TorqueOff: true}); d.State != off {
				t.Errorf("%v in %v: %v", c, off, d.State)
			}
		}
	}
}

func TestRequestsAndRefusals(t *testing.T) {
	tests := []struct {
		from    State
		in      Input
		to      State
		why     Reason
		refused bool
	}{
		{Disarmed, Input{Request: Arm}, Arming, Requested(Arm), false},
		{Disarmed, Input{Request: Arm, Failing: 1 << CheckIMU}, Disarmed, ChecksFail, true},
		{Fault, Input{Request: Arm}, Fault, FaultLatched, true},
		{Hold, Input{Request: Arm}, Hold, AlreadyArmed, true},
		{Hold, Input{Request: Activate, CanPlay: true}, Active, Requested(Activate), false},
		{Hold, Input{Request: Activate}, Hold, NoController, true},
		{Disarmed, Input{Request: Activate, CanPlay: true}, Disarmed, NotHolding, true},
		{Hold, Input{Request: Activate, CanPlay: true, Conditions: Of(LeaseLost)}, Hold, Caused(LeaseLost), true},
		{Hold, Input{Request: Activate, CanPlay: true, Conditions: Of(Warm)}, Active, Requested(Activate), false},
		{Arming, Input{Request: Activate, CanPlay: true}, Arming, NotHolding, true},
		{Active, Input{Request: HoldPose}, Hold, Requested(HoldPose), false},
		{Disarmed, Input{Request: HoldPose}, Disarmed, NotHolding, true},
		{Active, Input{Request: StopMotion}, Hold, Requested(StopMotion), false},
		{Hold, Input{Request: StopMotion}, Hold, NoReason, false},
		{Settle, Input{Request: StopMotion}, Settle, NoReason, false},
		{Active, Input{Request: StopMotion, Done: true}, Hold, Done, false},
		{Arming, Input{Request: StopMotion}, Arming, NotHolding, true},
		{Disarmed, Input{Request: StopMotion}, Disarmed, NotHolding, true},
		{Fault, Input{Request: StopMotion}, Fault, NotHolding, true},
		{Active, Input{Request: Disarm}, Settle, Requested(Disarm), false},
		{Hold, Input{Request: Disarm}, Settle, Requested(Disarm), false},
		{Arming, Input{Request: Disarm}, Settle, Requested(Disarm), false},
		{Disarmed, Input{Request: Disarm}, Disarmed, NothingOn, false},
		{Settle, Input{Request: Disarm}, Settle, GoesOff, false},
		{Limp, Input{Request: Disarm}, Limp, GoesOff, false},
		{Cut, Input{Request: Disarm}, Cut, GoesOff, false},
		{Fault, Input{Request: Disarm}, Fault, FaultStays, false},
		{Fault, Input{Request: Reset, TorqueOff: true}, Disarmed, Requested(Reset), false},
		{Fault, Input{Request: Reset}, Fault, TorqueUnknown, true},
		{Fault, Input{Request: Reset, TorqueOff: true, Conditions: Of(EStopOpen)}, Fault, Caused(EStopOpen), true},
		{Fault, Input{Request: Reset, TorqueOff: true, Conditions: Of(Warm)}, Disarmed, Requested(Reset), false},
		{Disarmed, Input{Request: Reset}, Disarmed, NotFaulted, true},
		{Arming, Input{Done: true}, Hold, Done, false},
		{Arming, Input{Unfit: true}, Disarmed, ServosUnfit, false},
		{Arming, Input{InState: ArmingTimeout}, Settle, TookTooLong, false},
		{Active, Input{Done: true}, Hold, Done, false},
		{Settle, Input{Done: true}, Disarmed, Done, false},
		{Settle, Input{InState: SettleTimeout}, Cut, TookTooLong, false},
		{Limp, Input{InState: LimpTime}, Fault, Done, false},
		{Cut, Input{TorqueOff: true}, Fault, Done, false},
		{Cut, Input{InState: CutTimeout}, Fault, TookTooLong, false},
		{Cut, Input{Request: Reset}, Cut, NotFaulted, true},
	}
	for _, tt := range tests {
		d := Next(tt.from, tt.in)
		if d.State != tt.to || d.Why != tt.why || d.Refused != tt.refused {
			t.Errorf("%v %+v: %v %v refused %v, want %v %v refused %v",
				tt.from, tt.in, d.State, d.Why, d.Refused, tt.to, tt.why, tt.refused)
		}
	}
}

func TestNamesAreUniqueAndPresent(t *testing.T) {
	seen := map[string]bool{}
	name := func(s string) {
		if s == "" || s == "unknown" || seen[s] {
			t.Errorf("name %q is empty or used twice", s)
		}
		seen[s] = true
	}
	for s := range stateCount {
		name(s.String())
	}
	for c := range conditionCount {
		name(c.String())
	}
	for c := range checkCount {
		name(c.String())
	}
	for r := Done; r < plainReasons; r++ {
		name(r.String())
	}
	clear(seen) // a request may be called like the state it leads to
	for r := NoRequest; r < requestCount; r++ {
		name(r.String())
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	in := Input{Conditions: Of(Warm, Falling), Request: Disarm}
	if n := testing.AllocsPerRun(100, func() { Next(Active, in) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
