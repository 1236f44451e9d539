package capture

import (
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/models/c3d"
)

// FromC3D takes the points of a C3D file: those that are named like joints. Labels may have the subject's name before a
// colon.
func FromC3D(f *c3d.File) (*Points, error) {
	p := &Points{Names: f.Labels, FPS: f.RateHz, Frames: f.Frames}
	unit := strings.ToLower(f.Units)
	if unit == "" {
		unit = "mm"
		p.Notes = append(p.Notes, "the file names no unit of length: millimetres are assumed")
	}
	var ok bool
	if p.UnitM, ok = unitsM[unit]; !ok {
		return nil, fmt.Errorf("c3d: POINT:UNITS is %.40q; legal: mm, cm, dm, m, in", f.Units)
	}
	return p, nil
}
