package flight

import (
	"fmt"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/recorder"
)

// Record opens a flight recording whose header holds the facts, and the limits that
// are in force. The recorder may take another name where this one exists.
func Record(name string, joints []string, cfg loop.Config, facts map[string]string) (*recorder.Recorder, error) {
	all := map[string]string{
		"limits": fmt.Sprintf("%+v", cfg.Limits), "health": fmt.Sprintf("%+v", cfg.Health),
		"thresholds": fmt.Sprintf("%+v", cfg.Thresholds),
	}
	for k, v := range facts {
		all[k] = v
	}
	return recorder.Create(name, recorder.Header{Joints: joints, RateHz: cfg.RateHz, Facts: all})
}
