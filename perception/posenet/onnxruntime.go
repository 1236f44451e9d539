//go:build onnxruntime && cgo

package posenet

import (
	"errors"
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/mitori-robotics/mitori/models/assets"
)

// The ONNX Runtime library and its environment exist once per process; the
// lock guards the first load.
var ortLoad sync.Mutex

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
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("posenet: onnxruntime: %s cannot be loaded: %w", path, err)
	}
	return nil
}

type ortNetwork struct {
	session *ort.AdvancedSession
	input   *ort.Tensor[float32]
	outputs []*ort.Tensor[float32]
}

func openONNXRuntime(onnx []byte, spec Spec) (Network, error) {
	if err := onnxRuntimeUsable(); err != nil {
		return nil, err
	}
	n := &ortNetwork{}
	if err := n.open(onnx, spec); err != nil {
		return nil, errors.Join(fmt.Errorf("posenet: onnxruntime: %w", err), n.Close())
	}
	return n, nil
}

func (n *ortNetwork) open(onnx []byte, spec Spec) error {
	opts, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer opts.Destroy()
	// One thread: two halves of a video side by side use two cores better
	// than two threads on one frame.
	if err := errors.Join(opts.SetIntraOpNumThreads(1), opts.SetInterOpNumThreads(1)); err != nil {
		return err
	}
	size := int64(spec.SizePx)
	if n.input, err = ort.NewEmptyTensor[float32](ort.NewShape(1, 3, size, size)); err != nil {
		return err
	}
	var names []string
	var values []ort.Value
	for _, o := range spec.Outputs {
		t, err := ort.NewEmptyTensor[float32](outputShape(o))
		if err != nil {
			return err
		}
		n.outputs = append(n.outputs, t)
		names, values = append(names, o.Name), append(values, t)
	}
	n.session, err = ort.NewAdvancedSessionWithONNXData(onnx, []string{inputName}, names, []ort.Value{n.input}, values, opts)
	return err
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
	if err := n.session.Run(); err != nil {
		return fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	return nil
}

func (n *ortNetwork) Close() error {
	var errs []error
	if n.session != nil {
		errs = append(errs, n.session.Destroy())
	}
	if n.input != nil {
		errs = append(errs, n.input.Destroy())
	}
	for _, t := range n.outputs {
		errs = append(errs, t.Destroy())
	}
	*n = ortNetwork{}
	return errors.Join(errs...)
}
