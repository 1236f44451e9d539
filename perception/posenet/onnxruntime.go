//go:build onnxruntime && cgo

package posenet

import (
	"errors"
	"fmt"
	"os"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/mitori-robotics/mitori/models/assets"
)

// The ONNX Runtime library and its environment exist once per process; the
// lock guards the first load.
var ortLoad sync.Mutex

// telemetryOff is the library's own switch; it knows only "1".
const telemetryOff = "ORT_DISABLE_TELEMETRY"

// onnxRuntimeUsable loads the shared library from .deps.
func onnxRuntimeUsable() error {
	ortLoad.Lock()
	defer ortLoad.Unlock()
	if ort.IsInitialized() {
		return nil
	}
	var path string
	var err error
	for _, name := range []string{"libonnxruntime.so.1.31.1", "libonnxruntime.so"} {
		if path, err = assets.File("onnxruntime", "lib", name); err == nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	// The library reports to its vendor unless this is set before it is loaded:
	// it would look for a host of theirs and keep a device id in the user's
	// cache. Whatever the variable says, mitori opens no connection by itself.
	// (In a program with cgo, Setenv also sets C's environment.)
	if err := os.Setenv(telemetryOff, "1"); err != nil {
		return fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("posenet: onnxruntime: %s cannot be loaded: %w", path, err)
	}
	// The same through the interface, for libraries that know no variable. A
	// library that cannot be silenced is not used.
	if err := ort.DisableTelemetry(); err != nil {
		return fmt.Errorf("posenet: onnxruntime: %s: %w", path, errors.Join(err, ort.DestroyEnvironment()))
	}
	return nil
}

// ortSession is the loaded network. Its Run may be called from many threads.
type ortSession struct {
	session *ort.DynamicAdvancedSession
	spec    Spec
}

func loadONNXRuntime(onnx []byte, spec Spec) (sharedSession, error) {
	if err := onnxRuntimeUsable(); err != nil {
		return nil, err
	}
	s := &ortSession{spec: spec}
	if err := s.load(onnx); err != nil {
		return nil, fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	return s, nil
}

func (s *ortSession) load(onnx []byte) error {
	opts, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer opts.Destroy()
	// One thread: it is the caller's own, so that parts of a video run side
	// by side, which uses the cores better than two threads on one frame.
	if err := errors.Join(opts.SetIntraOpNumThreads(1), opts.SetInterOpNumThreads(1)); err != nil {
		return err
	}
	var names []string
	for _, o := range s.spec.Outputs {
		names = append(names, o.Name)
	}
	s.session, err = ort.NewDynamicAdvancedSessionWithONNXData(onnx, []string{inputName}, names, opts)
	return err
}

func (s *ortSession) Close() error { return s.session.Destroy() }

// ortNetwork is a session with input and output buffers.
type ortNetwork struct {
	session *ort.DynamicAdvancedSession
	input   *ort.Tensor[float32]
	outputs []*ort.Tensor[float32]
	in, out []ort.Value
}

func (s *ortSession) network() (Network, error) {
	n := &ortNetwork{session: s.session}
	if err := n.allocate(s.spec); err != nil {
		return nil, errors.Join(fmt.Errorf("posenet: onnxruntime: %w", err), n.Close())
	}
	return n, nil
}

func (n *ortNetwork) allocate(spec Spec) (err error) {
	size := int64(spec.SizePx)
	if n.input, err = ort.NewEmptyTensor[float32](ort.NewShape(1, 3, size, size)); err != nil {
		return err
	}
	n.in = []ort.Value{n.input}
	for _, o := range spec.Outputs {
		t, err := ort.NewEmptyTensor[float32](outputShape(o))
		if err != nil {
			return err
		}
		n.outputs, n.out = append(n.outputs, t), append(n.out, t)
	}
	return nil
}

// outputShape restores the dimensions that the runtime insists on.
func outputShape(o Output) ort.Shape {
	switch o.Name {
	case "boxes":
		return ort.NewShape(1, Anchors, 12)
	case "scores":
		return ort.NewShape(1, Anchors, 1)
	case "heatmap":
		return ort.NewShape(1, Points, HeatmapSide, HeatmapSide)
	}
	return ort.NewShape(1, int64(o.Length))
}

func (n *ortNetwork) Input() []float32       { return n.input.GetData() }
func (n *ortNetwork) Output(i int) []float32 { return n.outputs[i].GetData() }

func (n *ortNetwork) Run() error {
	if err := n.session.Run(n.in, n.out); err != nil {
		return fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	return nil
}

func (n *ortNetwork) Close() error {
	var errs []error
	if n.input != nil {
		errs = append(errs, n.input.Destroy())
	}
	for _, t := range n.outputs {
		errs = append(errs, t.Destroy())
	}
	*n = ortNetwork{}
	return errors.Join(errs...)
}
