package flight

import (
	"fmt"
	"maps"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/replay"
)

// Record opens a flight recording whose header holds the facts, the limits that are in
// force, and what a replay needs; controlled says that the loop has a controller. The
// recorder may take another name where this one exists.
func Record(name string, joints []string, cfg loop.Config, controlled bool,
	facts map[string]string) (*recorder.Recorder, error) {
	all := map[string]string{
		"limits": fmt.Sprintf("%+v", cfg.Limits), "health": fmt.Sprintf("%+v", cfg.Health),
		"thresholds": fmt.Sprintf("%+v", cfg.Thresholds),
	}
	maps.Copy(all, replay.Facts(cfg, controlled))
	maps.Copy(all, facts)
	return recorder.Create(name, recorder.Header{Joints: joints, RateHz: cfg.RateHz, Facts: all})
}
