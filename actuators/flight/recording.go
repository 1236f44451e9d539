package flight

import (
	"fmt"
	"maps"

	"github.com/mitori-robotics/mitori/actuators/logbook"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/replay"
)

// Record opens the flight recordings, whose headers hold the facts, the limits that are in
// force, and what a replay needs; controlled says that the loop has a controller.
func Record(book logbook.Config, joints []string, cfg loop.Config, controlled bool,
	facts map[string]string) (*logbook.Book, error) {
	all := map[string]string{
		"limits": fmt.Sprintf("%+v", cfg.Limits), "health": fmt.Sprintf("%+v", cfg.Health),
		"thresholds": fmt.Sprintf("%+v", cfg.Thresholds),
	}
	maps.Copy(all, replay.Facts(cfg, controlled))
	maps.Copy(all, facts)
	book.Header = recorder.Header{Joints: joints, RateHz: cfg.RateHz, Facts: all}
	return logbook.Open(book)
}
