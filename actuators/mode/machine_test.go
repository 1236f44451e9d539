package mode

import (
	"math/rand/v2"
	"testing"
	"time"
)

func rules(canPlay bool) Rules {
	return Rules{RateHz: 100, ControlEvery: 2, PlayOut: 4 * time.Second, CanPlay: canPlay}
}

// row is the table of what may be true of a machine between two ticks: which
// torque, which control.
type row struct {
	torque  []Torque
	control []Control
}

// table is written by hand. A state that is not in a row's list is a fault.
func table(s State, canPlay bool) row {
	off := row{[]Torque{TorqueOff, TorqueFalling}, []Control{ControlNone}}
	none, any := []Control{ControlNone}, []Control{ControlNone, ControlStands, ControlPlays}
	if !canPlay {
		any = none
	}
	switch s {
	case Arming:
		return row{[]Torque{TorqueRising, TorqueOn}, none}
	case Hold:
		if canPlay { // from its first tick on
			return row{[]Torque{TorqueOn}, []Control{ControlStands, ControlPlays}}
		}
		return row{[]Torque{TorqueOn}, none}
	case Active:
		return row{[]Torque{TorqueOn}, []Control{ControlStands, ControlPlays}}
	case Settle, Limp:
		return row{[]Torque{TorqueRising, TorqueOn}, any}
	}
	return off
}

func in[T comparable](x T, list []T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func legal(m Machine, canPlay bool) bool {
	r := table(m.State, canPlay)
	return in(m.Torque, r.torque) && in(m.Control, r.control) && (canPlay || m.State != Active) &&
		(m.Torque == TorqueRising || m.Tries == 0 && !m.Fit && !m.Asked) && // who has torque, or has given it up, tries nothing
		(m.Control == ControlNone && !m.Bad || m.Control != ControlNone && m.Torque == TorqueOn) &&
		(m.State != Settle || m.Stop != StopPlaysOut || m.Control != ControlNone) // nothing to play out
}

// outcome is what the world answers to a tick's task.
type outcome struct{ fit, confirmed, open, usable, answered, standing, rampEnds bool }

// deed is what a tick did to the servos and with the controller.
type deed struct{ prepare, on, off, goals, enter, decide, takeUp bool }

// turn is one tick of the loop around the machine, with the world's answers.
func turn(m *Machine, r Rules, f Facts, o outcome) (d Decision, did deed) {
	if m.TorqueFailed() {
		f.Conditions.Set(TorqueLost, true)
	}
	d = m.Step(r, f)
	did.takeUp = m.TakesUp()
	m.PlayedOut(r, f.Conditions)
	switch m.Task(r) {
	case TaskTorqueOff:
		did.off = true
		m.TorqueAnswered(o.confirmed)
	case TaskPrepare:
		if did.prepare = o.open; !o.open {
			m.TorqueRefused()
		} else {
			m.Prepared(o.fit)
		}
	case TaskTorqueOn:
		did.on = true
		m.TorqueAnswered(o.confirmed)
	case TaskRamp:
		did.goals = true
		if o.rampEnds {
			m.RampEnded()
		}
	case TaskBalance, TaskPlay:
		did.goals = true
		if m.Enters(r) {
			did.enter = true
			m.Entered()
		}
		if m.Decides(r) {
			did.decide = true
			m.Decided(o.usable, o.answered, o.standing)
		}
	case TaskFollow:
		did.goals = true
	}
	m.Pass(1)
	return d, did
}

// judge says what is wrong with a tick from before to after, "" if nothing.
func judge(before, after Machine, f Facts, o outcome, did deed, canPlay bool) string {
	failed := before.TorqueFailed()
	switch {
	case !legal(after, canPlay):
		return "not in the table"
	case did.on && (after.State != Arming || before.Torque == TorqueOn && before.State == Arming):
		return "torque switched on outside arming, or twice"
	case did.on && before.State != Arming:
		return "torque switched on without a granted arm"
	case did.on && !before.Fit:
		return "torque switched on before the servos were ready for it"
	case did.prepare && !(before.State == Arming || before.State == Disarmed && f.Request == Arm && f.Failing == 0):
		return "servos made ready without a granted arm"
	case did.takeUp && (f.Request == EStop || !after.State.Energised() || after.State == Limp || after.Torque != TorqueOn):
		return "stopped servos are taken up by a robot that is let go"
	case did.goals && !after.State.Energised(), did.off && after.State.Energised():
		return "goals without torque, or torque-off while driven"
	case after.Torque == TorqueOff && before.Torque != TorqueOff && !(did.off && o.confirmed):
		return "off without every servo's word"
	case after.Torque == TorqueOn && before.Torque != TorqueOn && !(did.on && o.confirmed):
		return "on without every servo's word"
	case did.enter && (before.State != Arming || !f.RampDone || before.Torque != TorqueOn),
		did.enter && (after.State != Hold || !canPlay):
		return "the controller was entered by a robot that does not stand"
	case did.decide && (after.Control == ControlNone || after.Torque != TorqueOn):
		return "the controller decides without the robot"
	case before.State == Arming && before.Tries > TorqueTries && !before.Asked && after.State.Energised() && after.State < Settle:
		return "settings that never hold have no end"
	case failed && before.State == Arming && after.State < Limp:
		return "torque that never comes has no end"
	}
	return ""
}

// The table is inductive: from every machine that it allows, with every request, set
// of conditions, check, ramp and answer of the world, one tick leads to a machine that
// it allows, and does nothing that the state forbids. By induction this holds for
// every flight, from the zero value on.
func TestTableHoldsForEveryTick(t *testing.T) {
	sets := []Conditions{0, Of(LeaseLost), Of(ArmServoLost), Of(Falling), Of(LinkLost)}
	var machines, turns int
	for _, canPlay := range []bool{false, true} {
		r := rules(canPlay)
		each(func(m Machine) {
			if !legal(m, canPlay) {
				return
			}
			machines++
			for request := range requestCount {
				for _, c := range sets {
					for bits := range 1 << 9 {
						bit := func(n int) bool { return bits>>n&1 == 1 }
						if bit(8) && m.State != Disarmed && m.State != Arming {
							continue // only those are asked whether the servos are fit
						}
						f := Facts{Conditions: c, Request: request, RampDone: bit(0), Failing: Checks(bits >> 1 & 1)}
						o := outcome{bit(8), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7)}
						after := m
						d, did := turn(&after, r, f, o)
						turns++
						if why := judge(m, after, f, o, did, canPlay); why != "" {
							t.Fatalf("%s: %+v, %+v, world %+v -> %v (%v), did %+v, %+v", why, m, f, o, d.State, d.Why, did, after)
						}
					}
				}
			}
		})
	}
	if !legal(Machine{}, true) || !legal(Machine{}, false) {
		t.Error("the zero value is not in the table")
	}
	t.Logf("%d machines, %d ticks", machines, turns)
}

// each calls f with every machine, in the table or not.
func each(f func(m Machine)) {
	for s := range stateCount {
		for torque := range torqueCount {
			for control := range controlCount {
				for stop := range stopCount {
					for _, ticks := range []int64{0, 3, 2000} {
						for _, tries := range []int{0, TorqueTries + 1} {
							for _, bad := range []bool{false, true} {
								for ready := range 4 {
									f(Machine{State: s, Torque: torque, Control: control, Stop: stop, Ticks: ticks, Tries: tries, Bad: bad,
										Fit: ready&1 != 0, Asked: ready&2 != 0})
								}
							}
						}
					}
				}
			}
		}
	}
}

// The check itself must be able to fail: every sabotage of the table is found.
func TestTheTableCheckCatchesFaults(t *testing.T) {
	hold := Machine{State: Hold, Torque: TorqueOn, Control: ControlStands}
	up := func(tries int) Machine {
		return Machine{State: Arming, Torque: TorqueRising, Tries: tries, Asked: true}
	}
	fit := Machine{State: Arming, Torque: TorqueRising, Fit: true}
	never := Machine{State: Arming, Torque: TorqueRising, Tries: TorqueTries + 1}
	on := Machine{State: Arming, Torque: TorqueOn}
	cut := Machine{State: Cut, Torque: TorqueFalling}
	falls := Machine{State: Limp, Torque: TorqueRising, Control: ControlStands}
	for name, c := range map[string]struct {
		before, after Machine
		f             Facts
		o             outcome
		did           deed
	}{
		"torque in disarmed":     {Machine{}, Machine{Torque: TorqueOn}, Facts{}, outcome{}, deed{}},
		"on while holding":       {hold, hold, Facts{}, outcome{}, deed{on: true}},
		"on without arm":         {Machine{}, up(0), Facts{}, outcome{}, deed{on: true}},
		"on before they are fit": {up(0), on, Facts{}, outcome{confirmed: true}, deed{on: true}},
		"fit before arm":         {Machine{}, fit, Facts{}, outcome{}, deed{prepare: true}},
		"unfit without end":      {never, never, Facts{}, outcome{}, deed{prepare: true}},
		"taken up on e-stop":     {hold, cut, Facts{Request: EStop}, outcome{}, deed{takeUp: true}},
		"off nobody confirmed":   {Machine{Torque: TorqueFalling}, Machine{}, Facts{}, outcome{}, deed{off: true}},
		"enter from hold":        {hold, hold, Facts{}, outcome{}, deed{enter: true}},
		"enter on the way up":    {Machine{State: Arming, Torque: TorqueOn}, hold, Facts{}, outcome{}, deed{enter: true}},
		"goals while disarmed":   {Machine{}, Machine{}, Facts{}, outcome{}, deed{goals: true}},
		"patience without end":   {up(TorqueTries + 1), up(TorqueTries + 2), Facts{}, outcome{}, deed{}},
		"controller in the dark": {hold, falls, Facts{}, outcome{}, deed{decide: true}},
	} {
		if judge(c.before, c.after, c.f, c.o, c.did, true) == "" {
			t.Errorf("%s is not found", name)
		}
	}
}

// What a tick does, state by state and torque by torque.
func TestTaskTable(t *testing.T) {
	tests := []struct {
		m    Machine
		play bool
		want Task
	}{
		{Machine{}, true, TaskNone},
		{Machine{Torque: TorqueFalling}, true, TaskTorqueOff},
		{Machine{Torque: TorqueFalling, Ticks: 301}, true, TaskNone}, // a silent servo costs a timeout: once a second
		{Machine{Torque: TorqueFalling, Ticks: 400}, true, TaskTorqueOff},
		{Machine{State: Cut, Torque: TorqueFalling}, true, TaskTorqueOff},
		{Machine{State: Cut}, true, TaskNone},
		{Machine{State: Fault, Torque: TorqueFalling}, true, TaskTorqueOff},
		{Machine{State: Arming, Torque: TorqueRising}, true, TaskPrepare},
		{Machine{State: Arming, Torque: TorqueRising, Asked: true}, true, TaskPrepare},
		{Machine{State: Arming, Torque: TorqueRising, Fit: true}, true, TaskTorqueOn},
		{Machine{State: Arming, Torque: TorqueOn}, true, TaskRamp},
		{Machine{State: Hold, Torque: TorqueOn}, false, TaskRamp},
		{Machine{State: Hold, Torque: TorqueOn, Control: ControlStands}, true, TaskBalance},
		{Machine{State: Active, Torque: TorqueOn, Control: ControlPlays}, true, TaskPlay},
		{Machine{State: Settle, Torque: TorqueOn, Control: ControlPlays, Stop: StopPlaysOut}, true, TaskBalance},
		{Machine{State: Settle, Torque: TorqueOn, Control: ControlPlays, Stop: StopRamps}, true, TaskRamp},
		{Machine{State: Settle, Torque: TorqueOn, Stop: StopSeated}, true, TaskRamp},
		{Machine{State: Limp, Torque: TorqueOn}, true, TaskFollow},
	}
	seen := map[Task]bool{}
	for _, tt := range tests {
		got := tt.m.Task(rules(tt.play))
		if seen[got] = true; got != tt.want {
			t.Errorf("%+v: task %d, want %d", tt.m, got, tt.want)
		}
	}
	if len(seen) != int(taskCount) {
		t.Errorf("%d tasks of %d seen", len(seen), taskCount)
	}
}

// How a stop begins: only an operator's lets a motion come to its end, and not for
// ever.
func TestControlledStop(t *testing.T) {
	plays := Machine{State: Active, Torque: TorqueOn, Control: ControlPlays, Ticks: 50}
	stands := Machine{State: Hold, Torque: TorqueOn, Control: ControlStands, Ticks: 50}
	for _, tt := range []struct {
		name string
		m    Machine
		f    Facts
		want Stop
	}{
		{"an operator, while it plays", plays, Facts{Request: Disarm}, StopPlaysOut},
		{"an operator, while it stands", stands, Facts{Request: Disarm}, StopRamps},
		{"a failsafe, while it plays", plays, Facts{Conditions: Of(Overheated)}, StopRamps},
	} {
		m := tt.m
		m.Step(rules(true), tt.f)
		if m.State != Settle || m.Stop != tt.want {
			t.Errorf("%s: %v, part %d, want %d", tt.name, m.State, m.Stop, tt.want)
		}
	}
	for name, end := range map[string]func(m *Machine){
		"it stands":         func(m *Machine) { m.Decided(true, true, true) },
		"it is not usable":  func(m *Machine) { m.Decided(false, false, false) },
		"it takes too long": func(m *Machine) { m.Pass(400) },
	} {
		m := plays
		m.Step(rules(true), Facts{Request: Disarm})
		if m.PlayedOut(rules(true), Of(Warm)) {
			t.Fatal("over at once")
		}
		end(&m)
		if !m.PlayedOut(rules(true), 0) || m.Stop != StopRamps || m.PlayedOut(rules(true), 0) {
			t.Errorf("%s: part %d", name, m.Stop)
		}
		m.RampEnded()
		m.RampEnded()
		if m.RampEnded(); m.Stop != StopSeated {
			t.Errorf("%s: part %d at the end", name, m.Stop)
		}
	}
}

// A motion that is played out does not go on when something asks for a controlled stop.
func TestNoMotionGoesOnUnderAFailsafe(t *testing.T) {
	for c := range conditionCount {
		m := Machine{State: Hold, Torque: TorqueOn, Control: ControlPlays}
		m.Step(rules(true), Facts{Request: Disarm})
		if got, want := m.PlayedOut(rules(true), Of(c)), Answer(c) >= ActSettle; got != want {
			t.Errorf("%v: broken off: %v, want %v", c, got, want)
		}
	}
}

// Who was away while the robot sat down goes on: it is not dropped half seated.
func TestNobodyIsDroppedHalfSeated(t *testing.T) {
	m := Machine{State: Settle, Torque: TorqueOn, Stop: StopRamps}
	m.Skip(rules(true), 100*int64(SettleTimeout/time.Second))
	if d := m.Step(rules(true), Facts{}); d.State != Settle {
		t.Errorf("%v because of %v", d.State, d.Why)
	}
	m.Pass(100 * int64(SettleTimeout/time.Second))
	if d := m.Step(rules(true), Facts{}); d.State != Cut {
		t.Errorf("%v after its time", d.State)
	}
}

// Only who plays is told to break off, and only where the robot is still driven: by whoever
// stops it, and by a condition that lets no motion be.
func TestBreaksOff(t *testing.T) {
	each(func(m Machine) {
		if !legal(m, true) {
			return
		}
		for request := range requestCount {
			for _, c := range []Conditions{0, Of(Warm), Of(LeaseLost)} {
				after, f := m, Facts{Request: request, Conditions: c}
				d := after.Step(rules(true), f)
				want := request == StopMotion && after.Control == ControlPlays &&
					(m.State == Active || m.State == Hold || m.State == Settle) ||
					c == Of(LeaseLost) && after.Control == ControlPlays && (after.State == Hold || after.State == Settle)
				if got := after.BreaksOff(f, d); got != want {
					t.Fatalf("%+v, %+v -> %v: breaks off %v, want %v", m, f, d, got, want)
				}
			}
		}
	})
}

// Random flights: never torque where the table says off, never a controller that was
// not entered standing; and every state and task is really reached.
func TestRandomFlights(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 26))
	states, entered, ended := map[State]int{}, 0, 0
	for flight := range 2000 {
		canPlay := flight%2 == 0
		r, m := rules(canPlay), Machine{}
		world := outcome{fit: rng.IntN(4) > 0, confirmed: rng.IntN(4) > 0, open: rng.IntN(8) > 0, usable: true, answered: true}
		for range 600 {
			f := Facts{RampDone: rng.IntN(40) == 0}
			if rng.IntN(10) == 0 {
				f.Request = Request(rng.IntN(int(requestCount)))
			}
			if rng.IntN(400) == 0 {
				f.Conditions = Of(Condition(rng.IntN(int(conditionCount))))
			}
			f.Failing = Checks(rng.IntN(2))
			if rng.IntN(50) == 0 {
				often := func() bool { return rng.IntN(8) > 0 }
				world = outcome{often(), rng.IntN(4) > 0, often(), often(), often(), rng.IntN(3) > 0, rng.IntN(3) == 0}
			}
			if rng.IntN(20) == 0 {
				m.Skip(r, int64(rng.IntN(300)))
			}
			before := m
			d, did := turn(&m, r, f, world)
			if why := judge(before, m, f, world, did, canPlay); why != "" {
				t.Fatalf("flight %d: %s: %+v, %+v -> %v (%v), did %+v, %+v", flight, why, before, f, d.State, d.Why, did, m)
			}
			states[m.State]++
			if did.enter {
				entered++
			}
			if m.Ended(r, false) && m.State != Disarmed {
				ended++
			}
		}
	}
	if len(states) != int(stateCount) || entered < 100 || ended == 0 {
		t.Errorf("states %v, entered %d times, ended %d times: not enough was tried", states, entered, ended)
	}
}

func TestMachineAllocatesNothing(t *testing.T) {
	m := Machine{State: Active, Torque: TorqueOn, Control: ControlPlays}
	r := rules(true)
	if n := testing.AllocsPerRun(100, func() { turn(&m, r, Facts{Request: HoldPose}, outcome{usable: true}) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
