package busemu

import (
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// Lockstep lets time pass by what the master does, never by the wall clock, so that a
// run is the same however fast it runs and in whatever order its buses are served. A
// period passes
//
//   - when the last of the lines has received goals (a sync write), and
//   - before a line is asked for positions, or receives goals, a second time since time
//     last passed: a master that only looks, or that has lost a bus, does not stop the
//     world.

// turn is what one line has done since time last passed.
type turn struct{ read, wrote bool }

// before lets a period pass if p begins the line's next turn.
func (w *World) before(l *Line, p *dxl.Packet) {
	if readsPositions(p) && l.turn.read || writesGoals(p) && l.turn.wrote {
		w.turnOver()
	}
}

// after notes what p did, and lets a period pass if it was the last line's goals.
func (w *World) after(l *Line, p *dxl.Packet) {
	l.turn.read = l.turn.read || readsPositions(p)
	if !writesGoals(p) {
		return
	}
	l.turn.wrote = true
	for _, other := range w.Lines {
		if !other.turn.wrote {
			return
		}
	}
	w.turnOver()
}

func (w *World) turnOver() {
	for _, l := range w.Lines {
		l.turn = turn{}
	}
	w.pass(w.period)
}

// pass lets d pass and tells.
func (w *World) pass(d time.Duration) {
	w.Advance(d)
	if w.onPass != nil {
		w.onPass(w)
	}
}

// writesGoals reports whether p sends goals to several servos.
func writesGoals(p *dxl.Packet) bool {
	if p.Instruction != dxl.InstSyncWrite || len(p.Params) < 4 {
		return false
	}
	return covers(p.Params, dxl.GoalPosition.Addr())
}

// readsPositions reports whether p reads the positions of several servos.
func readsPositions(p *dxl.Packet) bool {
	if p.Instruction != dxl.InstSyncRead && p.Instruction != dxl.InstFastSyncRead || len(p.Params) < 4 {
		return false
	}
	return covers(p.Params, dxl.PresentPosition.Addr())
}

func covers(params []byte, addr uint16) bool {
	first, size := getU16(params), getU16(params[2:])
	return first <= addr && addr < first+size
}
