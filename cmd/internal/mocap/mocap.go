// Package mocap turns files of motion capture into human motions, with the names that
// people give on the command line for joints that no known rig has.
//
// What is not here: the BVH format and the known rigs (models/bvh).
package mocap

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/infile"
)

// Bounds of the files: what an hour at 120 frames a second takes, and far more than a
// full map of joints has.
const (
	maxBVHBytes = 512 << 20
	maxMapBytes = 64 << 10
)

// Load reads a BVH file. names are joints with unknown names, "l_elbow=NAME,head=NAME",
// or the name of a file of such lines; it may be empty. The notes say what was assumed.
func Load(name, names string, o bvh.Options) (m *human.Motion, notes []string, err error) {
	if !strings.EqualFold(filepath.Ext(name), ".bvh") {
		return nil, nil, fault.Usage("import: %s: unknown kind of file; legal: *.bvh", name)
	}
	if o.Map, err = readMap(names); err != nil {
		return nil, nil, err
	}
	in, err := infile.Open(name, maxBVHBytes)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	f, err := bvh.Read(in)
	if err != nil {
		return nil, nil, infile.Refuse(name, err)
	}
	m, notes, err = f.Motion(filepath.Base(name), o)
	switch {
	case errors.Is(err, bvh.ErrOption):
		return nil, nil, fault.Usage("%s: %w", name, err)
	case errors.Is(err, bvh.ErrAmbiguous):
		return nil, nil, fault.Refuse("%s: %w", name, err)
	case err != nil:
		return nil, nil, infile.Refuse(name, err)
	}
	return m, notes, nil
}

// readMap reads the pairs of --map: a list, or the name of a file.
func readMap(arg string) (map[string]string, error) {
	if arg == "" {
		return nil, nil
	}
	where, pairs := "--map", strings.Split(arg, ",")
	if !strings.Contains(arg, "=") {
		text, err := infile.Read(arg, maxMapBytes)
		if err != nil {
			return nil, fmt.Errorf("import: --map %s: %w (a list looks like l_elbow=NAME,head=NAME)", arg, err)
		}
		where, pairs = arg, strings.Split(string(text), "\n")
	}
	out := map[string]string{}
	for i, p := range pairs {
		if p, _, _ = strings.Cut(p, "#"); strings.TrimSpace(p) == "" {
			continue
		}
		key, name, ok := strings.Cut(p, "=")
		key, name = strings.TrimSpace(key), strings.TrimSpace(name)
		if !ok || key == "" || name == "" {
			return nil, fault.Usage("import: %s: pair %d is %q; legal: JOINT=NAME, for example l_elbow=LeftForeArm", where, i+1, strings.TrimSpace(p))
		}
		if _, twice := out[key]; twice {
			return nil, fault.Usage("import: %s: %q is there twice", where, key)
		}
		out[key] = name
	}
	return out, nil
}
