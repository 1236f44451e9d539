package soak

import (
	"fmt"
	"time"
)

// The judge's own table: what may become of a robot, and by when. It is written from the
// documentation of robotd, not from its code.

// outcome is what a fault may lead to, a set.
type outcome uint8

const (
	goesOn  outcome = 1 << iota // the flight ends as planned
	settles                     // sits down, torque off
	limps                       // damped for a second, torque off
	cuts                        // torque off at once
	refused                     // never had torque
	holds                       // stands where it is: nobody is left to switch torque off

	anything = goesOn | settles | limps | cuts | refused
	stops    = settles | limps | cuts
)

const (
	// grace is how long after the tabled time torque must be bounded.
	grace = 100 * time.Millisecond
	// limpTime is how long a robot is damped.
	limpTime = time.Second
	// sitTime is how long sitting down takes from any pose of these flights: a ramp of 1.5 s
	// or of 1.875 / 1.5 s for each rad, whichever is longer, and 0.3 s of rest.
	sitTime = 3 * time.Second
	// playOut is how long a motion may go on when the time of the flight is over.
	playOut = 6500 * time.Millisecond
	// retry is how often torque-off is sent in the end to servos that could not hear it.
	retry = time.Second
	// stopsItself is when servos that hear nothing stop where they are.
	stopsItself = 200 * time.Millisecond
)

// sentence is a row of the table, for one fault.
type sentence struct {
	may  outcome
	must bool // may, not less, if there was torque when it began; else: also goesOn
	// lasts: what is wrong stays wrong, so that it is judged also where it began without torque.
	lasts  bool
	onset  time.Duration // on the plant's clock
	detect time.Duration // the tabled time to notice
	// deaf joints hear nothing from onset on for a time; 0: for good.
	deaf    joints
	deafFor time.Duration
	// weak joints may lose their torque by themselves.
	weak joints
	// longer is what the host makes the flight longer by; slower is how many times as long
	// it takes for what is done in ticks; 0: once.
	longer time.Duration
	slower float64
	// missed is how many commands in a row the fault may lose on the wire: what follows is so many in one.
	missed int
	plain  bool // an ordinary flight must be whole: armed, no cause, ended by the clock
	free   bool // people meddle: they may end and begin flights
}

// claim is what the product said of the flight.
type claim struct {
	refused bool // no flight: it did not connect
	end     string
	cause   string // the first condition; "": none
	armed   int64
	letGo   time.Duration // when it had sat down and let go, on the plant's clock; 0: it did not
	over    time.Duration // when the loop ended, on the plant's clock; 0: it did not
	off     bool          // every servo confirmed torque-off, it says
	// orphaned: both processes are gone for good.
	orphaned bool
}

// judge returns everything that is wrong with a flight.
func judge(s *sentence, c *claim, w *witness, planned time.Duration) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for i, j := range w.jumps {
		if j.rad <= float64(1+s.missed)*maxStepRad {
			continue
		}
		if i > 3 {
			bad("... %d such steps", len(w.jumps))
			break
		}
		bad("at %v joint %d is commanded a step of %.2f degrees", j.at, j.joint, j.rad*180/3.141592653589793)
	}
	if c.over == 0 && !c.refused && !s.free {
		bad("the flight does not end: %s because of %q", c.end, c.cause)
	}
	first, ever := w.firstOn()
	first += s.longer
	if s.may == refused {
		if !c.refused {
			bad("was not refused")
		}
		if ever {
			bad("torque went on at %v", first)
		}
		return wrong
	}
	if c.refused {
		bad("was refused")
		return wrong
	}
	if c.orphaned {
		if w.moved > c.over+stopsItself+grace {
			bad("goals change until %v, although nobody is left since %v", w.moved, c.over)
		}
		return wrong
	}
	if on := w.onAt(c.over); c.off && c.over != 0 && on != 0 {
		bad("torque is off, it says, and joints %020b carry it", on)
	}
	if !s.free {
		if at, twice := w.again(everyJoint &^ s.weak &^ s.deaf); twice {
			bad("torque went on a second time, at %v", at)
		}
	}
	s.ends(c, w, first+planned, bad)
	s.bounds(c, w, first, planned, bad)
	return wrong
}

// met says whether the fault met a robot with torque.
func (s *sentence) met(w *witness) bool { return w.onAt(s.onset) != 0 }

// struck says whether it did for so long that it must have been noticed.
func (s *sentence) struck(w *witness) bool {
	of := everyJoint
	if s.deaf != everyJoint {
		of &^= s.deaf
	}
	last, ever := w.lastOn(of)
	return ever && w.onAt(s.onset)&of != 0 && last >= s.onset+s.detect
}

// ends judges the state that the flight ended in.
// of a flight that sits down by its plan at the time stops.
func (s *sentence) ends(c *claim, w *witness, stops time.Duration, bad func(string, ...any)) {
	if s.free {
		return
	}
	may := s.may
	if !s.must || !s.struck(w) {
		may |= goesOn
	}
	ok := map[string]bool{
		"disarmed": may&(goesOn|settles|refused) != 0,
		"fault":    may&(limps|cuts) != 0,
	}
	if !ok[c.end] {
		bad("ends in %s because of %q", c.end, c.cause)
	}
	if s.plain && (c.cause != "" || c.armed != 1 || c.end != "disarmed") {
		bad("an ordinary flight ends in %s, armed %d times, because of %q", c.end, c.armed, c.cause)
	}
	// A robot that sits down already has nothing left to do about what would make it; nor has one that has let go
	// before the time to notice is over: servos that hear nothing are their watchdog's, those that hear again are for bounds.
	noticed := may&settles == 0 || s.onset+s.detect+grace < stops
	noticed = noticed && (c.letGo == 0 || c.letGo > s.onset+s.detect)
	if s.must && s.struck(w) && may&goesOn == 0 && noticed && c.cause == "" {
		bad("nothing was noticed")
	}
}

// bounds judges by when torque is bounded and off.
func (s *sentence) bounds(c *claim, w *witness, first, planned time.Duration, bad func(string, ...any)) {
	hears := everyJoint &^ s.deaf
	check := func(by time.Duration, of joints, what string) {
		if at, ever := w.lastOn(of); ever && at > by {
			bad("%s: torque at joints %020b until %v, by the table until %v", what, w.onAt(at)&of, at, by)
		}
	}
	sit := time.Duration(float64(sitTime) * max(s.slower, 1))
	end := first + planned + playOut + sit + grace + retry
	if !s.free { // whatever happens, it ends
		check(end, hears, "the end")
	}
	if s.deaf != 0 && s.deafFor > 0 && c.over > s.onset+s.deafFor+retry+grace {
		check(max(s.onset+s.deafFor+retry+grace, end), s.deaf, "who hears again")
	}
	if at, ever := w.lastOn(hears); ever && at > w.now-grace {
		bad("torque after the end, at joints %020b", w.onAt(at)&hears)
	}
	if !s.must || !s.struck(w) && !(s.lasts && s.may&goesOn == 0) {
		return
	}
	noticed := s.onset + s.detect + grace
	switch {
	case s.may&goesOn != 0:
	case s.may&settles != 0:
		check(noticed+sit, hears, "settle")
	case s.may&limps != 0:
		if at, ever := w.lastHeld(hears); ever && at > noticed {
			bad("limp: a joint is driven until %v, by the table until %v", at, noticed)
		}
		check(noticed+limpTime, hears, "limp")
	case s.may&^refused == cuts:
		check(noticed, hears, "cut")
	}
}
