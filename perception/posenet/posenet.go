// Package posenet runs the BlazePose person detector and landmark networks
// (MediaPipe, Apache-2.0) behind one small interface, with ONNX Runtime or
// with OpenCV's dnn module; and, behind the same interface, a landmark network
// of the operator's own (Own), or one before a mirror (Weights.Mirror).
//
// Networks are read from the TensorFlow Lite files that "make deps" puts into
// .deps/blazepose and are converted in memory when loaded (about 0.1 s for the
// default one), so that no converted copy can be stale.
//
// What the numbers mean (anchors, regions, landmarks) is package track's
// business. ONNX Runtime needs the build tag onnxruntime and is loaded from
// .deps at run time; OpenCV needs the tag opencv. Without the tag, Open returns
// ErrNotBuilt.
//
// A Network belongs to one goroutine and computes on one thread; run several
// side by side to use more cores.
package posenet

import (
	"errors"
	"fmt"
	"os"

	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/perception/tflite"
)

// ErrNotBuilt reports a runtime whose build tag was not given.
var ErrNotBuilt = errors.New("posenet: not built in")

// Model names one network.
type Model int

// The networks: the person detector and three sizes of landmark network.
const (
	Detector Model = iota
	Lite
	Full
	Heavy
)

var models = [...]struct {
	name, file string
	spec       Spec
}{
	Detector: {"detector", "pose_detection.tflite", detectorSpec},
	Lite:     {"lite", "pose_landmark_lite.tflite", landmarkSpec},
	Full:     {"full", "pose_landmark_full.tflite", landmarkSpec},
	Heavy:    {"heavy", "pose_landmark_heavy.tflite", landmarkSpec},
}

func (m Model) String() string {
	if m < 0 || int(m) >= len(models) {
		return fmt.Sprintf("model %d", int(m))
	}
	return models[m].name
}

// ParseLandmarkModel reads the name of a landmark network.
func ParseLandmarkModel(name string) (Model, error) {
	for m := Lite; m <= Heavy; m++ {
		if name == models[m].name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("posenet: model %q; legal: lite, full or heavy", name)
}

// Output is one result of a network: its name and its number of values.
type Output struct {
	Name   string
	Length int
}

// Spec is the fixed interface of a network. The input is one RGB picture of
// SizePx x SizePx, channel-first, values from Lo to Hi.
type Spec struct {
	SizePx  int
	Lo, Hi  float32
	Outputs []Output
}

// Anchors is the number of candidate boxes of the detector: grids of 28x28x2,
// 14x14x2 and 7x7x6.
const Anchors = 28*28*2 + 14*14*2 + 7*7*6

// Points is the number of points of the landmark network: 33 body landmarks,
// two that define the next region, four unused.
const Points = 39

// HeatmapSide is the width and height of each point's heat map.
const HeatmapSide = 64

// Indices of the outputs.
const (
	DetectorBoxes  = 0 // [Anchors][12]: x, y, w, h, four key points
	DetectorScores = 1 // [Anchors] logits

	LandmarkPoints   = 0 // [Points][5]: x, y, z in input pixels, visibility and presence logits
	LandmarkPresence = 1 // [1] probability that the picture shows a person
	LandmarkHeatmap  = 2 // [Points][HeatmapSide][HeatmapSide] logits
	LandmarkWorld    = 3 // [Points][3] metres
)

var detectorSpec = Spec{SizePx: 224, Lo: -1, Hi: 1, Outputs: []Output{{"boxes", Anchors * 12}, {"scores", Anchors}}}

var landmarkSpec = Spec{SizePx: 256, Lo: 0, Hi: 1, Outputs: []Output{
	{"points", Points * 5}, {"presence", 1}, {"heatmap", Points * HeatmapSide * HeatmapSide}, {"world", Points * 3}}}

// Spec gives the interface of m.
func (m Model) Spec() Spec { return models[m].spec }

// Runtime names what computes.
type Runtime int

// The runtimes.
const (
	ONNXRuntime Runtime = iota
	OpenCV
)

func (r Runtime) String() string {
	switch r {
	case ONNXRuntime:
		return "onnxruntime"
	case OpenCV:
		return "opencv"
	}
	return fmt.Sprintf("runtime %d", int(r))
}

// ParseRuntime reads the name of a runtime; "auto" takes ONNX Runtime if it can
// be loaded (it is about three times as fast), else OpenCV. The error of an
// explicit choice is that runtime's own; that of auto has both.
func ParseRuntime(name string) (Runtime, error) {
	switch name {
	case "onnxruntime":
		return ONNXRuntime, onnxRuntimeUsable()
	case "opencv":
		return OpenCV, openCVUsable()
	case "auto", "":
		errOrt := onnxRuntimeUsable()
		if errOrt == nil {
			return ONNXRuntime, nil
		}
		if errCV := openCVUsable(); errCV != nil {
			return 0, errors.Join(errOrt, errCV)
		}
		return OpenCV, nil
	}
	return 0, fmt.Errorf("posenet: runtime %q; legal: auto, onnxruntime or opencv", name)
}

// Network is one loaded network.
type Network interface {
	// Input is the buffer to fill before Run: 3 x SizePx x SizePx values.
	Input() []float32
	// Run evaluates the network.
	Run() error
	// Output gives the i-th result; it is valid until the next Run.
	Output(i int) []float32
	Close() error
}

// Weights are a network's loaded parameters, from which any number of Networks
// can be made. They may be used by several goroutines.
type Weights struct {
	model   Model
	runtime Runtime
	mirror  Mirroring     // of the networks to come
	shared  sharedSession // ONNX Runtime: one session for all networks
	onnx    []byte        // OpenCV: the converted file
}

// sharedSession makes networks that share one session.
type sharedSession interface {
	network() (Network, error)
	Close() error
}

// Load reads a network from .deps/blazepose.
func Load(r Runtime, m Model) (*Weights, error) {
	if m < 0 || int(m) >= len(models) {
		return nil, fmt.Errorf("posenet: %v; legal: detector, lite, full or heavy", m)
	}
	if r != ONNXRuntime && r != OpenCV {
		return nil, fmt.Errorf("posenet: %v; legal: onnxruntime or opencv", r)
	}
	path, err := assets.File("blazepose", models[m].file)
	if err != nil {
		return nil, fmt.Errorf("posenet: %w", err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("posenet: %w", err)
	}
	w := &Weights{model: m, runtime: r}
	clip := tflite.ClipInputs
	if r == OpenCV {
		clip = tflite.ClipAttributes
	}
	if w.onnx, err = convert(file, m, clip); err != nil {
		return nil, fmt.Errorf("posenet: %s: %w; run \"make deps\" to fetch it anew", path, err)
	}
	if r == ONNXRuntime {
		if w.shared, err = loadONNXRuntime(w.onnx, m.Spec()); err != nil {
			return nil, err
		}
		w.onnx = nil
	}
	return w, nil
}

// LoadOwn loads an operator's landmark network, which looks like the built-in ones from
// then on. It needs ONNX Runtime: OpenCV ends the process over a network that it does not
// understand.
func LoadOwn(r Runtime, o *Own) (*Weights, error) {
	if r != ONNXRuntime {
		return nil, fmt.Errorf("posenet: %s: a network of one's own with runtime %v; legal: onnxruntime", o.Path, r)
	}
	shared, err := loadOwn(o)
	if err != nil {
		return nil, err
	}
	return &Weights{model: Full, runtime: r, shared: &ownWeights{shared, o}}, nil
}

// Mirror chooses what the networks to come see. It is for landmark networks.
func (w *Weights) Mirror(m Mirroring) { w.mirror = m }

// Network makes a network with buffers of its own.
func (w *Weights) Network() (Network, error) {
	n, err := w.single()
	if err != nil || w.mirror == Never {
		return n, err
	}
	return newMirrored(n, w.model.Spec(), w.mirror == Both), nil
}

func (w *Weights) single() (Network, error) {
	if w.runtime == ONNXRuntime {
		return w.shared.network()
	}
	return openOpenCV(w.onnx, w.model.Spec())
}

// Close frees the parameters; close the networks made from them first.
func (w *Weights) Close() error {
	if w.shared != nil {
		return w.shared.Close()
	}
	return nil
}

// convert turns a TFLite file into ONNX bytes and checks its interface. The
// segmentation mask (third landmark output) is dropped: nothing here needs it
// and it costs a quarter of the time.
func convert(file []byte, m Model, clip tflite.Clip) ([]byte, error) {
	net, err := tflite.Read(file)
	if err != nil {
		return nil, err
	}
	spec := m.Spec()
	names := []string{}
	for _, o := range spec.Outputs {
		names = append(names, o.Name)
	}
	if m != Detector {
		names = []string{"points", "presence", "", "heatmap", "world"}
	}
	o, err := tflite.Convert(net, tflite.Options{Clip: clip, Input: inputName, Outputs: names})
	if err != nil {
		return nil, err
	}
	want := []int64{1, 3, int64(spec.SizePx), int64(spec.SizePx)}
	for i, d := range o.Graph.Inputs[0].Shape {
		if len(o.Graph.Inputs[0].Shape) != 4 || d.Size != want[i] {
			return nil, fmt.Errorf("posenet: input shape %v; legal: %v", o.Graph.Inputs[0].Shape, want)
		}
	}
	for i, v := range o.Graph.Outputs {
		n := int64(1)
		for _, d := range v.Shape {
			n *= d.Size
		}
		if n != int64(spec.Outputs[i].Length) {
			return nil, fmt.Errorf("posenet: output %q has %d values; legal: %d", v.Name, n, spec.Outputs[i].Length)
		}
	}
	return o.Marshal(), nil
}

const inputName = "image"
