package flight

import (
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/logbook"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/recorder"
)

// Record opens the flight recordings, whose headers hold the facts and the limits that are in force.
func Record(book logbook.Config, joints []string, cfg loop.Config, facts map[string]string) (*logbook.Book, error) {
	all := map[string]string{
		"limits": fmt.Sprintf("%+v", cfg.Limits), "health": fmt.Sprintf("%+v", cfg.Health),
		"thresholds": fmt.Sprintf("%+v", cfg.Thresholds),
	}
	for k, v := range facts {
		all[k] = v
	}
	book.Header = recorder.Header{Joints: joints, RateHz: cfg.RateHz, Facts: all}
	return logbook.Open(book)
}
