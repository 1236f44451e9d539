//go:build !(onnxruntime && cgo)

package posenet

import "fmt"

func onnxRuntimeUsable() error {
	return fmt.Errorf("%w: onnxruntime: build with -tags onnxruntime", ErrNotBuilt)
}

func loadONNXRuntime([]byte, Spec) (sharedSession, error) { return nil, onnxRuntimeUsable() }

func loadOwn(*Own) (ownSession, error) { return nil, onnxRuntimeUsable() }
