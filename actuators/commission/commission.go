// Package commission sets up fresh servos for the joints of a robot, one by one: a person
// connects one servo at a time, and it is found at whatever rate and id it has, compared
// with the description, given what it must hold, and asked whether it does.
//
// A [Walk] may be left at any time and begun again: servos that are right already are
// found and left as they are. It changes no servo while more than one is on the line, for
// two that share an id cannot be told apart.
//
// What is not here: opening ports, registers (servotool's Bus), people's terminals, and
// offsets, signs and ranges (package calibrate). A Walk belongs to one goroutine.
package commission

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/models/robot"
)

// Walk is one walk through the joints on a bus. Its fields are set before Run.
type Walk struct {
	Open  servotool.Opener
	Rates []int // at which a servo is looked for
	Robot *robot.Description
	Bus   string // name
	From  string // joint to begin with; empty: the first
	// Ask shows a text and returns what a person typed, without the line's end. Its error
	// (nobody types any more) ends the walk.
	Ask  func(text string) (string, error)
	Tell func(format string, args ...any)
	Wait func(time.Duration) // for a servo that restarts
}

// Result is what became of one joint.
type Result struct {
	Joint   string   `json:"joint"`
	ID      int      `json:"id"`
	Done    bool     `json:"done"`
	Changed []string `json:"changed"`       // in words
	Why     string   `json:"why,omitempty"` // it is not done
}

// What a person may type beside Enter.
const (
	useWord, skipWord, quitWord = "use", "skip", "quit"
)

// errQuit ends a walk because somebody said so.
var errQuit = errors.New("ended on request")

// Run walks. The error says what is not done; results come beside it.
func (w *Walk) Run() ([]Result, error) {
	joints := w.Robot.JointsOn(w.Bus)
	if w.From != "" {
		i := w.Robot.JointIndex(w.From)
		for len(joints) > 0 && joints[0] != i {
			joints = joints[1:]
		}
		if len(joints) == 0 {
			return nil, fmt.Errorf("%w: no joint %q on bus %s; legal: %s", servotool.ErrRefused, w.From, w.Bus,
				w.names())
		}
	}
	right, err := w.already(joints)
	var all []Result
	for _, j := range joints {
		r := Result{Joint: w.Robot.Joints[j].Name, ID: w.Robot.Joints[j].ID, Changed: []string{}}
		switch {
		case right[j]:
			r.Done = true
		case err != nil:
			r.Why = "not reached"
		default:
			r.Changed, err = w.joint(j, right)
			if r.Done = err == nil; !r.Done {
				r.Why = err.Error()
			}
			if errors.Is(err, errSkipped) {
				err = nil
			}
		}
		right[j] = right[j] || r.Done
		all = append(all, r)
	}
	return all, left(all, err)
}

func (w *Walk) names() string {
	var s []string
	for _, j := range w.Robot.JointsOn(w.Bus) {
		s = append(s, w.Robot.Joints[j].Name)
	}
	return strings.Join(s, ", ")
}

// left says which joints remain.
func left(all []Result, err error) error {
	for i := range all {
		if all[i].Done {
			continue
		}
		n := 0
		for _, r := range all[i:] {
			if !r.Done {
				n++
			}
		}
		return errors.Join(fmt.Errorf("%d of %d joints are not set up; go on with --from %s", n, len(all),
			all[i].Joint), err)
	}
	return err
}

var errSkipped = errors.New("skipped on request")

// ask shows a text and understands the words that hold everywhere.
func (w *Walk) ask(text string) (string, error) {
	typed, err := w.Ask(text)
	typed = strings.TrimSpace(typed)
	switch {
	case err != nil && typed == "":
		return "", fmt.Errorf("nobody answers any more: %w", err)
	case typed == quitWord:
		return "", errQuit
	case typed == skipWord:
		return "", errSkipped
	}
	return typed, nil
}

// already looks which servos are right, where some are on the line together.
func (w *Walk) already(joints []int) (right map[int]bool, err error) {
	right = map[int]bool{}
	_, err = w.ask("connect the servos that are set up already, all together, or none, and press Enter")
	if errors.Is(err, errSkipped) {
		return right, nil
	}
	if err != nil {
		return right, err
	}
	baud := w.Robot.BusNamed(w.Bus).Baud
	bus, port, err := w.Open(baud)
	if err != nil {
		return right, err
	}
	defer port.Close()
	for _, j := range joints {
		jt := &w.Robot.Joints[j]
		d, err := bus.Ping(uint8(jt.ID))
		if errors.Is(err, servotool.ErrSilent) {
			continue
		}
		var amiss []string
		if err == nil {
			amiss, err = w.amiss(bus, d, j)
		}
		switch {
		case err != nil && !errors.Is(err, servotool.ErrDamaged):
			return right, err
		case err != nil:
			w.Tell("%s: answers of id %d are damaged: two servos share it", jt.Name, jt.ID)
		case len(amiss) > 0:
			w.Tell("%s: id %d is there and not right yet: %s", jt.Name, jt.ID, strings.Join(amiss, ", "))
		default:
			right[j] = true
			w.Tell("%s: id %d is right already", jt.Name, jt.ID)
		}
	}
	return right, nil
}

// amiss lists what a servo does not hold of what joint j needs.
func (w *Walk) amiss(bus servotool.Bus, d servotool.Device, j int) (list []string, err error) {
	if why := w.wrongServo(d, j); why != "" {
		return []string{why}, nil
	}
	settings, err := bus.Commissioned(d)
	if err != nil {
		return nil, err
	}
	for _, s := range settings {
		v, err := bus.ReadRegister(d.ID, s.Register)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		if v != s.Want {
			list = append(list, fmt.Sprintf("%s is %s, needed %s", s.Name, s.Text(v), s.Text(s.Want)))
		}
	}
	return list, nil
}

// wrongServo says why a device can never be the servo of joint j; "" if it can.
func (w *Walk) wrongServo(d servotool.Device, j int) string {
	want := w.Robot.ServoOf(j)
	switch {
	case int(d.Model) != want.ModelNumber:
		return fmt.Sprintf("it is an %s (model %d), and %s needs an %s (model %d)",
			d.Name, d.Model, w.Robot.Joints[j].Name, want.Entry.Title, want.ModelNumber)
	case d.Firmware < want.Entry.MinFirmware:
		return fmt.Sprintf("its firmware is %d, needed %d or newer: update it with the maker's tool", d.Firmware,
			want.Entry.MinFirmware)
	}
	return ""
}
