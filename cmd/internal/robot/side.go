package robot

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/cmd/internal/loopproc"
)

// loopLost is the cause of a flight whose loop process died or was killed. It is no
// condition: no loop was left to see it.
const loopLost = "loop-lost"

// loopSide is the loop's process as the gateway holds it.
type loopSide struct {
	proc   *loopproc.Process
	region *shared.Region
	ready  chan error // one value: the loop is about to run, or why not
	// swapped has the answer to an exchange of policies, of which there is one at a time.
	swapped chan swapped
	gone    chan struct{} // closed when the process has ended and was heard to its end
	ended   *ending       // nil: it did not say how; valid after gone
	why     string        // it ended, in words, where ended is nil
	off     error         // of the rescue, if there was one
}

// startLoop starts the loop's process and tells it what to do.
func (r *run) startLoop() (*loopSide, error) {
	region, err := shared.Create(len(r.desc.Joints), ringSeconds*r.cfg.RateHz)
	if err != nil {
		return nil, err
	}
	files := append([]*os.File{region.File()}, r.tethers()...) // the process needs the first alone
	s := &loopSide{region: region, ready: make(chan error, 1), gone: make(chan struct{}), swapped: make(chan swapped, 1)}
	if s.proc, err = loopproc.Start(loopRole, r.failed, files...); err != nil {
		return nil, errors.Join(err, region.Close())
	}
	r.tell.Event("loop: process %d", s.proc.PID())
	err = s.proc.Line().Send(task{Options: r.o.forBuses(), RobotHash: r.desc.Hash, PolicyHash: r.pol.hashOf()})
	r.failed.Start("the loop's reports", func() { s.listen(r) })
	if err != nil {
		s.say(fmt.Errorf("the loop's process was not told what to do: %w", err))
	}
	return s, nil
}

// listen takes in what the process says until it has ended.
func (s *loopSide) listen(r *run) {
	defer close(s.gone)
	for {
		var got report
		if s.proc.Line().Receive(&got) != nil {
			break
		}
		switch {
		case got.Ready:
			s.say(nil)
		case got.Fault != nil:
			s.say(got.Fault.err())
		case got.Ended != nil:
			s.ended = got.Ended
		case got.Swapped != nil:
			select {
			case s.swapped <- *got.Swapped:
			default: // nobody waits for it any more
			}
		default:
			r.tell.Event("%s", got.Line)
		}
	}
	<-s.proc.Gone()
	s.say(fmt.Errorf("the loop's process ended before its loop ran: %s", s.proc.Complaint()))
}

// say answers whoever waits for the loop, once.
func (s *loopSide) say(err error) {
	select {
	case s.ready <- err:
	default:
	}
}

// await waits until the loop is about to run. The first order ends the set-up, who
// insists ends the process: there is no torque yet that would be the loop's.
func (s *loopSide) await(r *run) error {
	first, insisted := r.ord.Context().Done(), r.ord.Insisted()
	for {
		select {
		case err := <-s.ready:
			return err
		case <-first:
			first = nil
			s.proc.Line().HangUp()
		case <-insisted:
			insisted = nil
			s.proc.Kill()
		}
	}
}

// Kill implements flight.Process.
func (s *loopSide) Kill() { s.proc.Kill() }

// Gone implements flight.Process.
func (s *loopSide) Gone() <-chan struct{} { return s.gone }

// close ends the process, if it has not ended. The memory stays for as long as this
// process: somebody's command may come late and look into it.
func (s *loopSide) close() {
	s.proc.Kill()
	<-s.gone
	s.proc.Line().Close()
}

// over switches torque off where the loop's process ended in the middle of something, or
// gave up a driver that hung: its port is free now.
func (s *loopSide) over(r *run, end flight.End) {
	switch {
	case s.ended == nil:
		if s.why = end.String(); end == flight.ByItself {
			s.why = s.proc.Complaint()
		}
		r.tell.Event("%s: the loop's process is gone (%s); switching torque off past it", loopLost, s.why)
	case s.ended.unsure():
		r.tell.Event("torque-off was not confirmed; switching it off past the loop")
	default:
		return
	}
	began := time.Now()
	if s.off = r.rescue(); s.off != nil {
		r.tell.Event("WARNING: %v; switch the servos' power off", s.off)
		return
	}
	if s.ended != nil {
		s.ended.Stats.TorqueOff = true
	}
	r.tell.Event("torque is off, every servo has confirmed, after %d ms", time.Since(began).Milliseconds())
}

// rescue runs a process that switches torque off.
func (r *run) rescue() error {
	p, err := loopproc.Start(rescueRole, r.failed)
	if err != nil {
		return err
	}
	defer p.Line().Close()
	defer p.Kill()
	defer time.AfterFunc(rescueTime+time.Second, p.Kill).Stop()
	if err := p.Line().Send(task{Options: r.o.forBuses()}); err != nil {
		return err
	}
	var got report
	if err := p.Line().Receive(&got); err != nil {
		<-p.Gone()
		return fmt.Errorf("the rescue ended: %s", p.Complaint())
	}
	if got.Fault != nil {
		return got.Fault.err()
	}
	return nil
}

// result is what the loop counted, and how it ended; without a word of its own, what its
// samples told until then.
func (s *loopSide) result(r *run, w *flight.Watch) *loop.Stats {
	if s.ended != nil && s.ended.Stats.Ticks > 0 {
		return &s.ended.Stats
	}
	counted := w.Counts()
	if s.ended != nil { // given up, in a process that could tell so
		end := &s.ended.Stats
		counted.End, counted.TorqueOff, counted.FirstCause, counted.Notes = end.End, end.TorqueOff, end.FirstCause, end.Notes
		return &counted
	}
	counted.End, counted.TorqueOff = mode.Fault, s.off == nil
	counted.Notes = []string{"the loop's process did not end by itself; the counts are those of its ticks that the gateway has seen"}
	if n := s.region.Ring.Dropped(); n > 0 {
		counted.Notes = append(counted.Notes, fmt.Sprintf("%d ticks are not among them: nobody took them in", n))
	}
	return &counted
}
