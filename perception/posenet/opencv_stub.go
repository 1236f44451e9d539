//go:build !(opencv && cgo)

package posenet

import "fmt"

func openCVUsable() error {
	return fmt.Errorf("%w: opencv: build with -tags opencv", ErrNotBuilt)
}

func openOpenCV([]byte, Spec) (Network, error) { return nil, openCVUsable() }
