package posenet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/onnx"
	"github.com/mitori-robotics/mitori/models/strictyaml"
)

// Own describes a landmark network of the operator's own, an ONNX file, by a small text
// file (docs/formats/pose-network.md). It is read-only and may be shared.
type Own struct {
	Schema  int    `yaml:"schema"`
	Name    string `yaml:"name"`
	Network string `yaml:"network"` // the ONNX file, beside the text
	Input   struct {
		Name     string    `yaml:"name"`
		WidthPx  int       `yaml:"width"`
		HeightPx int       `yaml:"height"`
		Order    string    `yaml:"order"` // of the planes: rgb or bgr
		Mean     []float64 `yaml:"mean"`  // of grey levels 0 to 255, in that order
		Std      []float64 `yaml:"std"`
	} `yaml:"input"`
	// Either simcc or points.
	SimCC *struct {
		X     string  `yaml:"x"`
		Y     string  `yaml:"y"`
		Split float64 `yaml:"split"` // bins a pixel
	} `yaml:"simcc"`
	Points *struct {
		Name  string `yaml:"name"`
		Unit  string `yaml:"unit"`  // pixel or share, of the input
		Score string `yaml:"score"` // output of scores; empty: third column of the points
	} `yaml:"points"`
	// World are positions in space, x to the right, y down, z away; without it the network
	// is flat.
	World *struct {
		Name string `yaml:"name"`
		Unit string `yaml:"unit"` // m or mm
	} `yaml:"world"`
	Keypoints map[string]int `yaml:"keypoints"` // by the names of package landmark

	// Path and SHA256 are those of the ONNX file.
	Path   string `yaml:"-"`
	SHA256 string `yaml:"-"`

	onnx   []byte
	points [landmark.Num]int // of the network, -1: it has none
}

// Bounds of the two files.
const (
	ownTextLimit    = 64 << 10
	ownNetworkLimit = 1 << 30
)

// ownNeeded are the landmarks without which nobody can be followed or solved.
var ownNeeded = []landmark.Index{landmark.Nose, landmark.LShoulder, landmark.RShoulder, landmark.LElbow, landmark.RElbow,
	landmark.LWrist, landmark.RWrist, landmark.LHip, landmark.RHip, landmark.LKnee, landmark.RKnee, landmark.LAnkle, landmark.RAnkle}

// ReadOwn reads a description and the network that it names, and holds them against each
// other. All faults of the text are told at once.
func ReadOwn(path string) (*Own, error) {
	text, err := infile.Read(path, ownTextLimit)
	if err != nil {
		return nil, fmt.Errorf("posenet: %w", err)
	}
	var o Own
	doc, err := strictyaml.Decode(text, &o)
	if err != nil {
		return nil, infile.Refuse("posenet: "+path, err)
	}
	faults := doc.Faults()
	if !doc.Broken() {
		o.check(&faults)
	}
	if err := faults.Err(); err != nil {
		return nil, infile.Refuse("posenet: "+path, err)
	}
	o.Path = filepath.Join(filepath.Dir(path), o.Network)
	if o.onnx, err = infile.Read(o.Path, ownNetworkLimit); err != nil {
		return nil, fmt.Errorf("posenet: %w", err)
	}
	sum := sha256.Sum256(o.onnx)
	o.SHA256 = hex.EncodeToString(sum[:])
	if err := o.fits(); err != nil {
		return nil, infile.Refuse("posenet: "+o.Path, err)
	}
	return &o, nil
}

// Flat tells that the network gives no depth: of one camera alone no motion can be made.
func (o *Own) Flat() bool { return o.World == nil }

// check lists what makes no sense, and fills points.
func (o *Own) check(f *strictyaml.Faults) {
	f.Check(o.Schema == 1, "schema %d; legal: 1", o.Schema)
	f.Check(o.Name != "" && len(o.Name) <= 64, "name %q; legal: 1 to 64 characters", o.Name)
	f.Check(o.Network != "" && filepath.Base(o.Network) == o.Network, "network %q; legal: the name of a file beside this one", o.Network)
	in := &o.Input
	f.Check(in.Name != "", "input.name is missing")
	f.Check(in.WidthPx >= 32 && in.WidthPx <= 1024 && in.HeightPx >= 32 && in.HeightPx <= 1024,
		"input of %d x %d; legal: width and height of 32 to 1024", in.WidthPx, in.HeightPx)
	f.Check(in.Order == "rgb" || in.Order == "bgr", "input.order %q; legal: rgb, bgr", in.Order)
	f.Check(len(in.Mean) == 3 && len(in.Std) == 3 && !slices.ContainsFunc(in.Std, func(s float64) bool { return !(s > 0) }),
		"input.mean %v, input.std %v; legal: three numbers each, std above 0", in.Mean, in.Std)
	f.Check((o.SimCC == nil) != (o.Points == nil), "simcc and points; legal: one of the two")
	if s := o.SimCC; s != nil {
		f.Check(s.X != "" && s.Y != "" && s.Split >= 1 && s.Split <= 16, "simcc %+v; legal: the outputs x and y, and split of 1 to 16 bins a pixel", *s)
	}
	if p := o.Points; p != nil {
		f.Check(p.Name != "", "points.name is missing")
		f.Check(p.Unit == "pixel" || p.Unit == "share", "points.unit %q; legal: pixel, share", p.Unit)
	}
	if w := o.World; w != nil {
		f.Check(w.Name != "" && (w.Unit == "m" || w.Unit == "mm"), "world %+v; legal: the name of an output, and the unit m or mm", *w)
	}
	o.checkKeypoints(f)
}

func (o *Own) checkKeypoints(f *strictyaml.Faults) {
	index := map[string]int{}
	for i := range landmark.Num {
		o.points[i] = -1
		index[landmark.Name(i)] = i
	}
	names := make([]string, 0, len(o.Keypoints))
	for name := range o.Keypoints {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i, known := index[name]
		k := o.Keypoints[name]
		f.Check(known, "keypoints: %q; legal: such as %q, %q", name, landmark.Name(landmark.Nose), landmark.Name(landmark.LToe))
		f.Check(k >= 0 && k < 1024, "keypoints: %s: %d; legal: 0 to 1023", name, k)
		if known {
			o.points[i] = k
		}
	}
	var missing []string
	for _, i := range ownNeeded {
		if o.points[i] < 0 {
			missing = append(missing, landmark.Name(i))
		}
	}
	f.Check(len(missing) == 0, "keypoints: missing: %s", strings.Join(missing, ", "))
}

// outputs lists the outputs that are read.
func (o *Own) outputs() (names []string) {
	if o.SimCC != nil {
		names = append(names, o.SimCC.X, o.SimCC.Y)
	} else {
		names = append(names, o.Points.Name)
		if o.Points.Score != "" {
			names = append(names, o.Points.Score)
		}
	}
	if o.World != nil {
		names = append(names, o.World.Name)
	}
	return names
}

// fits compares the description with the network.
func (o *Own) fits() error {
	m, err := onnx.Unmarshal(o.onnx)
	if err != nil {
		return err
	}
	var inputs, outputs []string
	for _, v := range m.Graph.Inputs {
		inputs = append(inputs, v.Name)
		if v.Name != o.Input.Name {
			continue
		}
		want := []int64{1, 3, int64(o.Input.HeightPx), int64(o.Input.WidthPx)}
		for k, d := range v.Shape {
			if len(v.Shape) != len(want) || d.Size > 0 && d.Size != want[k] {
				return fmt.Errorf("input %q has shape %v; the description says %v", v.Name, v.Shape, want)
			}
		}
		if v.Type != onnx.Float32 {
			return fmt.Errorf("input %q holds %v; legal: %v", v.Name, v.Type, onnx.Float32)
		}
	}
	for _, v := range m.Graph.Outputs {
		outputs = append(outputs, v.Name)
	}
	if !slices.Contains(inputs, o.Input.Name) {
		return fmt.Errorf("it has no input %q; it has: %s", o.Input.Name, strings.Join(inputs, ", "))
	}
	for _, name := range o.outputs() {
		if !slices.Contains(outputs, name) {
			return fmt.Errorf("it has no output %q; it has: %s", name, strings.Join(outputs, ", "))
		}
	}
	return nil
}
