//go:build opencv && cgo

package posenet

import (
	"errors"
	"fmt"

	"gocv.io/x/gocv"
)

func openCVUsable() error { return nil }

type cvNetwork struct {
	net     gocv.Net
	blob    gocv.Mat
	input   []float32
	names   []string
	outputs [][]float32
}

// openOpenCV loads a converted network. A C++ exception inside OpenCV would
// end the process, so names and sizes were checked by convert before.
func openOpenCV(onnx []byte, spec Spec) (Network, error) {
	net, err := gocv.ReadNetFromONNXBytes(onnx)
	if err != nil {
		return nil, fmt.Errorf("posenet: opencv: %w", err)
	}
	if net.Empty() {
		return nil, errors.New("posenet: opencv: the network was not understood")
	}
	n := &cvNetwork{net: net, blob: gocv.NewMatWithSizes([]int{1, 3, spec.SizePx, spec.SizePx}, gocv.MatTypeCV32F)}
	for _, o := range spec.Outputs {
		n.names = append(n.names, o.Name)
		n.outputs = append(n.outputs, make([]float32, o.Length))
	}
	if err := errors.Join(net.SetPreferableBackend(gocv.NetBackendOpenCV), net.SetPreferableTarget(gocv.NetTargetCPU)); err != nil {
		return nil, errors.Join(fmt.Errorf("posenet: opencv: %w", err), n.Close())
	}
	if n.input, err = n.blob.DataPtrFloat32(); err != nil {
		return nil, errors.Join(fmt.Errorf("posenet: opencv: %w", err), n.Close())
	}
	return n, nil
}

func (n *cvNetwork) Input() []float32       { return n.input }
func (n *cvNetwork) Output(i int) []float32 { return n.outputs[i] }

func (n *cvNetwork) Run() error {
	n.net.SetInput(n.blob, "")
	blobs := n.net.ForwardLayers(n.names)
	defer func() {
		for i := range blobs {
			blobs[i].Close()
		}
	}()
	if len(blobs) != len(n.outputs) {
		return fmt.Errorf("posenet: opencv: %d outputs; legal: %d", len(blobs), len(n.outputs))
	}
	for i := range blobs {
		data, err := blobs[i].DataPtrFloat32()
		if err != nil {
			return fmt.Errorf("posenet: opencv: output %q: %w", n.names[i], err)
		}
		if len(data) != len(n.outputs[i]) {
			return fmt.Errorf("posenet: opencv: output %q has %d values; legal: %d", n.names[i], len(data), len(n.outputs[i]))
		}
		copy(n.outputs[i], data)
	}
	return nil
}

func (n *cvNetwork) Close() error {
	return errors.Join(n.blob.Close(), n.net.Close())
}
