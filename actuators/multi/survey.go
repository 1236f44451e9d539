package multi

import (
	"context"
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/driver"
)

// Survey implements driver.Surveyor: one bus after the other. Nothing runs beside the
// caller afterwards.
func (d *Driver) Survey(ctx context.Context) (driver.Survey, error) {
	all := driver.Survey{Servos: make([]driver.Finding, d.cfg.Joints)}
	named := func(texts []string, bus string) (out []string) {
		for _, t := range texts {
			if len(d.members) > 1 {
				t = fmt.Sprintf("bus %q: %s", bus, t)
			}
			out = append(out, t)
		}
		return out
	}
	for _, m := range d.members {
		s, ok := m.bus.Driver.(driver.Surveyor)
		if !ok {
			return all, fmt.Errorf("multi: bus %q: its driver cannot look without changing anything", m.bus.Name)
		}
		found, err := s.Survey(ctx)
		if err != nil {
			return all, d.name(m, err)
		}
		for k, j := range m.bus.Joints {
			all.Servos[j] = found.Servos[k]
		}
		all.IMU = all.IMU || found.IMU
		all.Faults = append(all.Faults, named(found.Faults, m.bus.Name)...)
		all.Changes = append(all.Changes, named(found.Changes, m.bus.Name)...)
	}
	return all, nil
}

var _ driver.Surveyor = (*Driver)(nil)
