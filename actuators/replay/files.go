package replay

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/models/build"
	"github.com/mitori-robotics/mitori/models/infile"
)

// Facts of a recording's header without which it is not replayed.
const (
	factSettings   = "settings"
	factController = "controller"
	factBuild      = "build"
	factSchema     = "schema"
)

// Facts returns what the header of a recording must hold, so that the flight can be
// replayed: all that the loop is told at its start, whether it has a controller, and which
// program it is.
func Facts(cfg loop.Config, controlled bool) map[string]string {
	return map[string]string{
		factSettings: Settings(cfg), factController: strconv.FormatBool(controlled), factBuild: build.ID(),
	}
}

// Options are how a flight is replayed.
type Options struct {
	AnyBuild bool // replay what another program recorded: a difference may then be its
	// Controller returns the controller to run again, for the header's facts; nil: what
	// it said then is taken.
	Controller func(facts map[string]string) (loop.Controller, error)
}

// Summary is what was replayed.
type Summary struct {
	Ticks     int
	Seconds   float64 // from the first tick to the last, on the loop's clock
	Changes   int     // of state
	Ended     string  // state at the end
	Rerun     bool    // the controller decided anew
	Build     string  // that recorded
	Truncated bool    // the recording ends in the middle of the flight
}

// Files replays the recording of one flight: a file, or several where it was continued in
// further ones. The error is a *DifferenceError at the first that decided otherwise. What cannot
// be replayed, or not to the end, is refused (infile.ErrUnusable) with the reason; the
// summary tells how far it was the same.
func Files(names []string, o Options) (Summary, error) {
	r := &replayer{options: o}
	for _, name := range names {
		if err := r.file(name); err != nil {
			return r.sum, err
		}
	}
	return r.sum, nil
}

// replayer replays file after file of one flight.
type replayer struct {
	options  Options
	player   *Player
	settings string
	firstNs  int64
	sum      Summary
}

func (r *replayer) file(name string) error {
	var f recorder.Flight
	began := false
	err := recorder.Scan(name, &f, func(t *recorder.Tick) error {
		if !began {
			if err := r.begin(f.Facts, f.Joints); err != nil {
				return infile.Refuse(name, err)
			}
			began = true
		}
		return r.tick(name, t)
	})
	switch {
	case err != nil:
		return err
	case f.Damage != nil:
		return infile.Refuse(name, fmt.Errorf("damaged after %d ticks, which were the same: %w", r.sum.Ticks, f.Damage))
	case !began:
		return infile.Refuse(name, errors.New("no tick is recorded"))
	}
	r.sum.Truncated = f.Truncated
	return nil
}

// begin looks at the header of a file.
func (r *replayer) begin(facts map[string]string, joints []string) (err error) {
	if schema := facts[factSchema]; schema != "2" {
		return fmt.Errorf("it is of schema %q, which does not hold all that a tick decided by; legal: \"2\"", schema)
	}
	if was, is := facts[factBuild], build.ID(); was != is && !r.options.AnyBuild {
		return fmt.Errorf("recorded by %q, and this is %q: decisions may differ for that; use the same build, or --any-build", was, is)
	}
	if r.player != nil {
		if facts[factSettings] != r.settings {
			return errors.New("other settings than in the file before: it is not the same flight")
		}
		return nil
	}
	cfg, err := ParseSettings(facts[factSettings])
	if err != nil {
		return err
	}
	controlled, err := strconv.ParseBool(facts[factController])
	if err != nil {
		return fmt.Errorf("the header's %s is %q; legal: true, false", factController, facts[factController])
	}
	var ctl loop.Controller
	if r.options.Controller != nil {
		if ctl, err = r.options.Controller(facts); err != nil {
			return err
		}
	}
	r.settings, r.sum.Build, r.sum.Rerun = facts[factSettings], facts[factBuild], ctl != nil
	r.player, err = New(cfg, joints, controlled, ctl)
	return err
}

// tick replays one tick.
func (r *replayer) tick(name string, t *recorder.Tick) error {
	if r.sum.Ticks == 0 {
		r.firstNs = t.MonoNs
	}
	err := r.player.Step(t)
	if d, ok := errors.AsType[*DifferenceError](err); ok {
		return d
	}
	if err != nil {
		return infile.Refuse(name, fmt.Errorf("%w; the %d ticks before were the same", err, r.sum.Ticks))
	}
	r.sum.Ticks++
	r.sum.Seconds = float64(t.MonoNs-r.firstNs) / 1e9
	r.sum.Ended = t.Mode
	if t.From != "" {
		r.sum.Changes++
	}
	return nil
}
