package multi

import (
	"errors"
	"sync/atomic"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/imu"
)

// errLate is what became of a bus that was not done in time.
var errLate = errors.New("multi: the bus has not come back in time")

// op is what a bus is asked to do.
type op uint8

const (
	opRead op = iota
	opWrite
	opPrepare
	opLimit
	opTakeUp
	opTorqueOn
	opTorqueOff
	opHalt
)

// member is one bus and its goroutine. While it is busy, all but ask, done, off and the
// fields of the caller belong to its goroutine.
type member struct {
	bus     Bus
	state   *driver.State
	reading imu.Reading
	goals   []float64
	applied []float64
	share   []float64
	result  error // of the last operation

	ask   chan op       // one slot
	done  chan struct{} // two: of an operation that came late, and of the end
	ended chan struct{} // closed when the goroutine is gone
	off   atomic.Bool   // torque-off is to come before anything else

	// Of the caller.
	busy     bool
	asked    bool      // in this round
	moved    bool      // goals have gone out
	sent     []float64 // what applied was when they last did
	err      error     // as the caller sees it: result, or errLate
	late     uint64    // operations that were not over in time, or not begun
	seen     uint64    // transactions, as last known
	lost     uint64    // failures, likewise
	side     uint64    // asides, likewise
	sideLost uint64    // failures of those
}

func newMember(b Bus) *member {
	n := len(b.Joints)
	m := &member{
		bus: b, state: driver.NewState(n), goals: make([]float64, n), applied: make([]float64, n), sent: make([]float64, n),
		share: make([]float64, n),
		ask:   make(chan op, 1), done: make(chan struct{}, 2), ended: make(chan struct{}),
	}
	m.reading = m.state.Reading
	return m
}

// work does what is asked, until ask is closed.
func (m *member) work(prepare func() func()) {
	defer close(m.ended)
	if prepare != nil {
		defer prepare()()
	}
	for what := range m.ask {
		m.do(what)
		if m.off.Swap(false) && what != opHalt {
			_ = m.bus.Driver.Torque(false) // asked for while this bus was busy
		}
		m.done <- struct{}{}
	}
}

// do carries out one operation.
func (m *member) do(what op) {
	switch what {
	case opRead:
		m.read()
		return
	case opWrite:
		m.result = m.bus.Driver.Write(m.applied, m.goals)
	case opPrepare:
		m.result = m.bus.Driver.Prepare()
	case opLimit:
		m.result = m.bus.Driver.Limit(m.share)
	case opTakeUp:
		m.result = m.bus.Driver.TakeUp(m.applied, m.goals)
	case opTorqueOn:
		m.result = m.bus.Driver.Torque(true)
	case opTorqueOff:
		m.off.Store(false)
		m.result = m.bus.Driver.Torque(false)
	case opHalt:
		m.result = m.bus.Driver.Halt()
	}
}

// read reads the bus and its sensor.
func (m *member) read() {
	m.result = m.bus.Driver.Read(m.state)
	if m.bus.IMU != nil {
		m.bus.IMU.Read(&m.reading)
	}
}

// free reports whether the bus may be asked for something.
func (m *member) free() bool {
	if !m.busy {
		return true
	}
	select {
	case <-m.done:
		m.busy = false
	default:
	}
	return !m.busy
}

// isOver reports whether the goroutine has ended.
func (m *member) isOver() bool {
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}

// take hands the bus its goals, unless it is busy with those before.
func (m *member) take(goalsRad []float64) {
	if !m.free() {
		return
	}
	for k, j := range m.bus.Joints {
		m.goals[k] = goalsRad[j]
	}
}

// tell stores what the servos of this bus were last sent.
func (m *member) tell(applied []float64) {
	if m.err == nil {
		copy(m.sent, m.applied)
		m.moved = true
	}
	for k, j := range m.bus.Joints {
		applied[j] = m.sent[k]
	}
}

// give merges what the bus told into the robot's state; the latest Read ended sinceS
// seconds ago.
func (m *member) give(dst *driver.State, sinceS float64) {
	defer m.count(dst)
	if errors.Is(m.err, errLate) {
		for _, j := range m.bus.Joints {
			dst.Fresh[j] = false
			dst.AgeS[j] += sinceS
			dst.SlowAgeS[j] += sinceS
		}
		if m.bus.IMU != nil {
			dst.IMUFresh = false
		}
		return
	}
	s := m.state
	for k, j := range m.bus.Joints {
		dst.PosRad[j], dst.VelRadPerS[j], dst.CurrentA[j], dst.Fresh[j] = s.PosRad[k], s.VelRadPerS[k], s.CurrentA[k], s.Fresh[k]
		dst.AgeS[j], dst.SlowAgeS[j] = s.AgeS[k], s.SlowAgeS[k]
		dst.TempC[j], dst.BusV[j], dst.Alert[j], dst.TorqueOn[j], dst.Stopped[j] = s.TempC[k], s.BusV[k], s.Alert[k], s.TorqueOn[k], s.Stopped[k]
	}
	if m.bus.IMU != nil {
		dst.Reading = m.reading
	}
	if !m.moved {
		copy(m.sent, s.PosRad) // where the servos are is all that can be said
	}
	if dst.Unfit.Joint == "" {
		dst.Unfit = s.Unfit
	}
	m.seen, m.lost, m.side, m.sideLost = s.Transactions, s.Failures, s.Asides, s.AsideFailures
}

// count adds the exchanges of this bus, as last known, to the robot's.
func (m *member) count(dst *driver.State) {
	dst.Transactions, dst.Failures = dst.Transactions+m.seen, dst.Failures+m.lost+m.late
	dst.Asides, dst.AsideFailures = dst.Asides+m.side, dst.AsideFailures+m.sideLost
}
