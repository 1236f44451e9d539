//go:build !(onnxruntime && cgo)

package posenet

import "fmt"

func onnxRuntimeUsable() error {
	return fmt.Errorf("%w: onnxruntime: build with -tags onnxruntime", ErrNotBuilt)
}

func openONNXRuntime([]byte, Spec) (Network, error) { return nil, onnxRuntimeUsable() }
