package robot

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/metrics"
	"github.com/mitori-robotics/mitori/cmd/internal/service"
	"github.com/mitori-robotics/mitori/models/build"
	"github.com/mitori-robotics/mitori/models/record"
)

// farewell is how long robotd may take once the robot carries no torque: broker, recording, statistics.
const farewell = 15 * time.Second

// mayServe refuses what must not be a service: a robot that arms by itself would do so after every restart, whatever
// had ended robotd, and whoever stands beside it.
func (r *run) mayServe() error {
	if r.boss == nil || !r.o.Arm || r.o.Sim {
		return nil
	}
	return fault.Usage("arm: true under a service manager; legal: false, for the robot would be armed by itself after each restart; " +
		"arm it over the command link (mqtt:)")
}

// served tells people at the console, and the service manager, how the robot is.
type served struct {
	*console.Console
	boss *service.Manager
}

// Status shows the state of this second.
func (s served) Status(st record.Status) {
	s.Console.Status(st)
	if s.boss == nil {
		return
	}
	torque := "torque on"
	if st.TorqueOff {
		torque = "torque off"
	}
	text := fmt.Sprintf("%s, %s, %.1f V, %.0f C", st.State, torque, st.SupplyV, st.MaxTempC)
	if st.Conditions != "" {
		text += ": " + st.Conditions
	}
	s.boss.Does(text)
}

// measure opens the page of metrics, unless it is off.
func (r *run) measure() error {
	if r.o.Metrics == "" {
		return nil
	}
	at, err := metrics.ParsePlace(r.o.Metrics)
	if err != nil {
		return fault.Usage("metrics: %w", err)
	}
	if r.page, err = metrics.Serve(at, r.failed); err != nil {
		return err
	}
	r.tell.Event("metrics: %s", r.page.Where())
	return nil
}

// counted counts the samples that are taken in: the proof that ticks end, and that somebody looks. It passes them on to
// the page of metrics, where there is one.
type counted struct {
	ticks atomic.Uint64
	page  *metrics.Meter // nil: none
}

// Take implements flight.Meter.
func (c *counted) Take(s *trace.Sample) {
	c.ticks.Add(1)
	if c.page != nil {
		c.page.Take(s)
	}
}

// meter is what takes in the samples of one ring.
func (r *run) meter(ring *trace.Ring) *counted {
	c := &counted{}
	if r.page != nil {
		c.page = metrics.New(r.desc.Name, build.Version(), r.desc.Joints, ring.Dropped)
		r.page.Show(c.page)
	}
	return c
}
