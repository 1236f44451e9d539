// Package mocap turns files of motion capture into human motions and back, by the kind of file, with the names that
// people give on the command line for joints that no known rig has.
//
// What is not here: the formats and the known rigs (models/bvh, models/c3d, models/capture).
package mocap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/c3d"
	"github.com/mitori-robotics/mitori/models/capture"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/npz"
)

// Bounds of the files: what an hour at 120 frames a second takes, and far more than a
// full map of joints has.
const (
	maxBytes    = 512 << 20
	maxMapBytes = 64 << 10
)

// Options say what a file does not.
type Options struct {
	bvh.Options
	FPS float64 // frames per second, where the file has none; 0: not known
}

// assumedHeightM is the stature of skeletons whose file has none.
const assumedHeightM = 1.75

// kinds are the files that are read, by the end of the name.
const kinds = "*.bvh, *.trc, *.c3d, *.npz (joint positions, SMPL poses), *.json and *.txt (DeepMimic)"

// Load reads a file of motion capture. names are joints with unknown names, "l_elbow=NAME,head=NAME",
// or the name of a file of such lines; it may be empty. The notes say what was assumed.
func Load(name, names string, o Options) (m *human.Motion, notes []string, err error) {
	if o.Map, err = readMap(names); err != nil {
		return nil, nil, err
	}
	if o.FPS != 0 && !(o.FPS >= human.MinFPS && o.FPS <= human.MaxFPS) {
		return nil, nil, fault.Usage("--fps %g: legal: %g to %g", o.FPS, human.MinFPS, human.MaxFPS)
	}
	kind := strings.ToLower(filepath.Ext(name))
	read, ok := readers[kind]
	if !ok {
		return nil, nil, fault.Usage("import: %s: unknown kind of file; legal: %s", name, kinds)
	}
	s, err := read(name, o)
	if err != nil {
		return nil, nil, told(name, err)
	}
	if o.HeightM == 0 {
		o.HeightM = s.tallM
	}
	if s.named { // the points were found by those names already
		o.Map = nil
	}
	m, notes, err = s.file.Motion(filepath.Base(name), o.Options)
	if err != nil {
		return nil, nil, told(name, err)
	}
	m.Meta.Model, m.Meta.HeightAssumed = s.kind, m.Meta.HeightAssumed || s.guessed
	s.doubt(m)
	return m, notes, nil
}

// told gives an error the exit code and the file that it is about.
func told(name string, err error) error {
	switch {
	case errors.Is(err, bvh.ErrOption):
		return fault.Usage("%s: %w", name, err)
	case errors.Is(err, bvh.ErrAmbiguous), errors.Is(err, capture.ErrUnnamed), errors.Is(err, capture.ErrNoRate):
		return fault.Refuse("%s: %w", name, err)
	}
	var missing *fs.PathError
	if errors.As(err, &missing) || errors.Is(err, infile.ErrUnusable) { // they name the file already
		return err
	}
	return infile.Refuse(name, err)
}

// source is a capture as a skeleton, and what is known of the person.
type source struct {
	file     *bvh.File
	kind     string
	tallM    float64 // 0: not known
	guessed  bool    // the stature is
	named    bool    // the map was used up
	invented func(frame int, j human.Joint) bool
}

// doubt marks what was filled in.
func (s *source) doubt(m *human.Motion) {
	if s.invented == nil {
		return
	}
	first := int(math.Round(m.Meta.StartS * m.FPS))
	for t := range m.Frames {
		for j := range m.Frames[t].Confidence {
			if s.invented(t+first, human.Joint(j)) {
				m.Frames[t].Confidence[j] = 0
			}
		}
	}
}

// readers are the formats by the end of the file's name.
var readers = map[string]func(name string, o Options) (*source, error){
	".bvh": stream(func(in io.Reader, _ Options) (*source, error) {
		f, err := bvh.Read(in)
		return &source{file: f, kind: "bvh"}, err
	}),
	".trc": stream(func(in io.Reader, o Options) (*source, error) {
		p, err := capture.ReadTRC(in)
		if err != nil {
			return nil, err
		}
		return fromPoints(p, "trc", o)
	}),
	".c3d":  stream(fromC3D),
	".npz":  fromNPZ,
	".json": fromDeepMimic,
	".txt":  fromDeepMimic,
}

// stream reads a format that needs no more than the bytes.
func stream(read func(in io.Reader, o Options) (*source, error)) func(string, Options) (*source, error) {
	return func(name string, o Options) (*source, error) {
		in, err := infile.Open(name, maxBytes)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		return read(in, o)
	}
}

func fromPoints(p *capture.Points, kind string, o Options) (*source, error) {
	f, invented, tall, err := p.File(o.Map, o.HeightM)
	return &source{file: f, kind: kind, tallM: tall, named: true, invented: invented}, err
}

func fromC3D(in io.Reader, o Options) (*source, error) {
	f, err := c3d.Read(in, maxBytes)
	if err != nil {
		return nil, err
	}
	p, err := capture.FromC3D(f)
	if err != nil {
		return nil, err
	}
	return fromPoints(p, "c3d", o)
}

func fromNPZ(name string, o Options) (*source, error) {
	a, err := npz.Load(name, capture.Members()...)
	if err != nil {
		return nil, err
	}
	if capture.IsJoints(a) {
		p, err := capture.ReadJoints(a, o.FPS)
		if err != nil {
			return nil, err
		}
		return fromPoints(p, "joints", o)
	}
	tall, guessed := o.HeightM, o.HeightM == 0
	if guessed {
		tall = assumedHeightM
	}
	f, err := capture.ReadSMPL(a, o.FPS, tall)
	return &source{file: f, kind: "smpl", tallM: tall, guessed: guessed}, err
}

func fromDeepMimic(name string, o Options) (*source, error) {
	text, err := infile.Read(name, maxBytes)
	if err != nil {
		return nil, err
	}
	f, err := capture.ReadDeepMimic(text)
	return &source{file: f, kind: "deepmimic", tallM: capture.DeepMimicHeightM, guessed: o.HeightM == 0}, err
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
