package feed

import (
	"fmt"
	"os"
	"time"

	"github.com/mitori-robotics/mitori/perception/video"
)

// Open opens a place. start is when time stamps of cameras and streams are 0: opened
// again, they go on where they were.
func Open(p Place, start time.Time) (Source, error) {
	switch p.Kind {
	case Pipe:
		return NewPipe(os.Stdin, p.Raw)
	case File:
		src, err := video.Open(p.Name)
		if err != nil {
			return nil, err
		}
		return Paced(src, WallClock()), nil
	case Camera, Stream:
		return NewProgram(p, start)
	}
	return nil, fmt.Errorf("feed: kind %d of a source; legal: 0 to %d", p.Kind, File)
}
