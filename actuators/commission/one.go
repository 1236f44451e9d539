package commission

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/servotool"
)

// joint sets up the servo of joint j, asking until one is connected that can be it.
func (w *Walk) joint(j int, right map[int]bool) (changed []string, err error) {
	jt, servo := &w.Robot.Joints[j], w.Robot.ServoOf(j).Entry
	text := fmt.Sprintf("connect only the next servo: %s (id %d, %s), and press Enter (%s, %s)", jt.Name, jt.ID,
		servo.Title, skipWord, quitWord)
	why := ""
	for {
		typed, err := w.ask(text)
		if err != nil {
			if why != "" {
				err = errors.Join(fmt.Errorf("%s: %s", jt.Name, why), err)
			}
			return nil, err
		}
		found, refusal, err := w.alone()
		if err != nil {
			return nil, err
		}
		if why = refusal; why == "" {
			why = w.wrongServo(found.Device, j)
		}
		if why == "" && typed != useWord {
			why = w.belongs(found, j, right)
		}
		if why != "" {
			w.Tell("%s: %s", jt.Name, why)
			continue
		}
		changed, err := w.setUp(found, j)
		if err == nil {
			w.Tell("%s: id %d at %d bits/s, verified; %s. Label it, and take it off the line", jt.Name, jt.ID,
				w.Robot.BusNamed(w.Bus).Baud, summary(changed))
			return changed, nil
		}
		if why = err.Error(); !errors.Is(err, servotool.ErrRefused) && !errors.Is(err, servotool.ErrSilent) && !errors.Is(err, servotool.ErrDamaged) {
			return changed, err
		}
		w.Tell("%s: %s", jt.Name, why)
	}
}

func summary(changed []string) string {
	if len(changed) == 0 {
		return "it was right already"
	}
	return "changed: " + strings.Join(changed, ", ")
}

// alone finds the one servo on the line, at whatever rate and id; refusal says why there is
// none, or more than one. Sensors do not count.
func (w *Walk) alone() (one servotool.Found, refusal string, err error) {
	all, err := servotool.Scan(w.Open, w.Rates)
	var moving []servotool.Found
	for _, d := range all {
		if !d.Sensor {
			moving = append(moving, d)
		}
	}
	switch {
	case errors.Is(err, servotool.ErrDamaged) && len(moving) < 2:
		return one, "answers come damaged: two servos with the same id are on the line, or the cable is bad; connect one alone", nil
	case len(moving) == 0 && (err == nil || errors.Is(err, servotool.ErrSilent)):
		return one, "nobody answers at any bit rate; check power and cable (a red LED flashes when power comes)", nil
	case err != nil && !errors.Is(err, servotool.ErrDamaged):
		return one, "", err
	case len(moving) > 1:
		var names []string
		for _, d := range moving {
			names = append(names, fmt.Sprintf("%s with id %d at %d bits/s", d.Name, d.ID, d.Baud))
		}
		return one, fmt.Sprintf("%d servos are on the line (%s); connect one alone", len(moving), strings.Join(names,
			", ")), nil
	}
	return moving[0], "", nil
}

// belongs says that a servo looks as if it had been set up for another joint; "" if not.
func (w *Walk) belongs(d servotool.Found, j int, right map[int]bool) string {
	for _, k := range w.Robot.JointsOn(w.Bus) {
		jt := &w.Robot.Joints[k]
		if k == j || jt.ID != int(d.ID) || d.Baud != w.Robot.BusNamed(w.Bus).Baud {
			continue
		}
		what := "has the id and the rate of"
		if right[k] {
			what = "was set up as"
		}
		return fmt.Sprintf("this servo %s %s; connect another one, or type %s to give it to %s", what, jt.Name,
			useWord, w.Robot.Joints[j].Name)
	}
	return ""
}

// setUp gives a servo what joint j needs and verifies it.
func (w *Walk) setUp(d servotool.Found, j int) (changed []string, err error) {
	jt, baud := &w.Robot.Joints[j], w.Robot.BusNamed(w.Bus).Baud
	bus, port, err := w.Open(d.Baud)
	if err != nil {
		return nil, err
	}
	changed, err = w.prepare(bus, d.Device, jt.ID)
	port.Close()
	if err != nil {
		return changed, err
	}
	if int(d.ID) != jt.ID {
		changed = append(changed, fmt.Sprintf("id %d -> %d", d.ID, jt.ID))
	}
	if d.Baud != baud {
		if _, err := servotool.SetRate(w.Open, w.Rates, uint8(jt.ID), baud); err != nil {
			return changed, err
		}
		changed = append(changed, fmt.Sprintf("%d -> %d bits/s", d.Baud, baud))
	}
	return changed, w.verify(j)
}

// prepare sets everything but the rate.
func (w *Walk) prepare(bus servotool.Bus, d servotool.Device, id int) (changed []string, err error) {
	settings, err := bus.Commissioned(d)
	if err != nil {
		return nil, err
	}
	if err := bus.TorqueOff(); err != nil {
		return nil, err
	}
	// Whether a servo answers reads and writes at all is one of the settings: that one goes
	// out first, and whoever does not answer it is asked afterwards.
	for _, s := range settings {
		if s.Answers {
			if err := bus.WriteRegister(d.ID, s.Register, s.Want); err != nil && !errors.Is(err, servotool.ErrSilent) {
				return nil, err
			}
		}
	}
	if err := w.heal(bus, d.ID); err != nil {
		return nil, err
	}
	for _, s := range settings {
		was, err := bus.ReadRegister(d.ID, s.Register)
		if err != nil {
			return changed, fmt.Errorf("%s: %w", s.Name, err)
		}
		if was == s.Want {
			continue
		}
		if err := servotool.Set(bus, d.ID, s); err != nil {
			return changed, err
		}
		changed = append(changed, fmt.Sprintf("%s %s -> %s", s.Name, s.Text(was), s.Text(s.Want)))
	}
	if int(d.ID) == id {
		return changed, nil
	}
	return changed, servotool.SetID(bus, d.ID, uint8(id))
}

// heal restarts a servo that reports an error; one that keeps it is refused.
func (w *Walk) heal(bus servotool.Bus, id uint8) error {
	s, err := bus.State(id)
	if err != nil || s.Errors == 0 {
		return err
	}
	_, after, err := servotool.Reboot(bus, id, w.Wait)
	if err == nil && after.Errors != 0 {
		err = fmt.Errorf("%w: the servo reports %s, also after a restart: remove the cause first",
			servotool.ErrRefused, after.ErrorNames)
	}
	return err
}

// verify asks the servo, at the robot's rate and under its new id, for everything.
func (w *Walk) verify(j int) error {
	bus, port, err := w.Open(w.Robot.BusNamed(w.Bus).Baud)
	if err != nil {
		return err
	}
	defer port.Close()
	d, err := bus.Ping(uint8(w.Robot.Joints[j].ID))
	if err != nil {
		return err
	}
	amiss, err := w.amiss(bus, d, j)
	if err == nil && len(amiss) > 0 {
		err = fmt.Errorf("%w: after all was set: %s", servotool.ErrRefused, strings.Join(amiss, ", "))
	}
	return err
}
