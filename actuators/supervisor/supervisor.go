// Package supervisor switches torque off when the control loop cannot: it stands still in
// a driver that does not return, or an operator insists and nothing happens.
//
// It is a thread of its own above the loop's priority, and looks at one atomic word that
// the loop writes ([Pulse]). It touches the bus only to cut, through driver.Driver's Cut,
// which takes the line away from whatever is going on there; while ticks end it is no
// second owner of anything.
//
// Standing still is measured in the supervisor's own periods: a process that was stopped
// or starved as a whole finds its supervisor as late as its loop, and that is no reason to
// let a robot fall which the loop is about to take up again.
//
// What is not here: what torque-off means on a bus (drivers), what follows in the loop
// (mode: loop-stuck). All methods may be called from any goroutine.
package supervisor

import (
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/realtime"
)

// Pulse is what a loop shows of itself.
type Pulse struct {
	Ticks  uint64 // that have ended
	Torque bool   // not every servo has confirmed torque-off
}

// Config is what is watched and what is done.
type Config struct {
	Limit    time.Duration // without the end of a tick, while there is torque
	Priority int           // of the thread, where the system permits it
	Pulse    func() Pulse
	Cut      func() error // switches torque off past the loop
	// Stuck is told of each cut because the loop stood still, and what came of it.
	Stuck func(err error)
	// Insisted, asked in every look, says that an operator wants torque off at once: the
	// loop then has a few ticks for it.
	Insisted func() bool
}

const (
	// period is how often it looks.
	period = 10 * time.Millisecond
	// insistence is how long the loop has for torque-off once an operator insists.
	insistence = 50 * time.Millisecond
	// patience is how long a loop may stand still after it was cut before it is given up.
	patience = 2 * time.Second
)

// Supervisor watches one loop.
type Supervisor struct {
	cfg   Config
	judge judge
	stop  atomic.Bool
	ended chan struct{}
	lost  chan struct{} // closed when the loop is given up
}

// Start begins to watch. Stop must be called.
func Start(cfg Config) *Supervisor {
	s := &Supervisor{cfg: cfg, judge: judge{limit: cfg.Limit}, ended: make(chan struct{}), lost: make(chan struct{})}
	go s.run()
	return s
}

// Lost is closed when the loop has not moved for two seconds after it was cut: nobody
// should wait for it.
func (s *Supervisor) Lost() <-chan struct{} { return s.lost }

// Stop ends the watch; it returns when the supervisor does nothing any more.
func (s *Supervisor) Stop() {
	s.stop.Store(true)
	<-s.ended
}

func (s *Supervisor) run() {
	defer close(s.ended)
	_, leave := realtime.Enter(s.cfg.Priority) // what is not permitted the loop's own thread tells
	defer leave()
	last := realtime.NowNs()
	for !s.stop.Load() {
		realtime.SleepUntil(last + int64(period))
		now := realtime.NowNs()
		verdict := s.judge.look(s.cfg.Pulse(), time.Duration(now-last), s.cfg.Insisted())
		last = now
		switch verdict {
		case cutInsisted:
			_ = s.cfg.Cut() // the loop's own torque-off follows, and is confirmed or not
		case cutStuck:
			s.cfg.Stuck(s.cfg.Cut())
		case giveUp:
			s.cfg.Stuck(s.cfg.Cut())
			close(s.lost)
			return
		}
	}
}

// verdict is what one look comes to.
type verdict uint8

const (
	well verdict = iota
	cutInsisted
	cutStuck
	giveUp
)

// judge is the supervisor without its thread.
type judge struct {
	limit time.Duration
	last  Pulse
	still time.Duration // since a tick ended
	next  time.Duration // of still, when it is cut again
	asked time.Duration // since an operator insisted
	cut   bool          // because an operator insisted
}

// look judges what it sees; the last look was since ago.
func (j *judge) look(p Pulse, since time.Duration, insisted bool) verdict {
	since = min(since, 2*period) // what is more, this process slept through
	moved := p.Ticks != j.last.Ticks
	j.last = p
	if !p.Torque {
		j.still, j.next, j.asked = 0, 0, 0
		return well
	}
	if insisted {
		j.asked += since
	}
	if moved {
		j.still, j.next = 0, 0
	} else {
		j.still += since
	}
	switch {
	case j.still >= j.limit+patience:
		return giveUp
	case j.still >= max(j.limit, j.next):
		j.next = j.still + j.limit
		return cutStuck
	case j.asked >= insistence && !j.cut:
		j.cut = true
		return cutInsisted
	}
	return well
}
