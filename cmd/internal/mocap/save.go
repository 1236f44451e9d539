package mocap

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/capture"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/npz"
)

// units are the lengths of a BVH unit in metres.
var units = map[string]float64{"m": 1, "cm": 0.01}

// Save writes a motion in the format that the file's name ends with, completely or not at all. unit is that of a BVH
// file: m or cm.
func Save(name string, m *human.Motion, unit string) error {
	unitM, ok := units[unit]
	if !ok {
		return fault.Usage("--unit %q: legal: m, cm", unit)
	}
	low := strings.ToLower(name)
	switch {
	case strings.HasSuffix(low, ".human.npz"):
		return fault.Usage("export: %s would be a human motion again; legal: *.bvh, *.trc, *.npz", name)
	case strings.HasSuffix(low, ".bvh"):
		f, err := bvh.FromHuman(m, unitM)
		if err != nil {
			return err
		}
		return atomicfile.Write(name, f.Write)
	case strings.HasSuffix(low, ".trc"):
		return atomicfile.Write(name, func(w io.Writer) error { return capture.WriteTRC(w, m, filepath.Base(name)) })
	case strings.HasSuffix(low, ".npz"):
		return npz.Save(name, capture.Joints(m))
	}
	return fault.Usage("export: %s: unknown kind of file; legal: *.bvh, *.trc, *.npz", name)
}
