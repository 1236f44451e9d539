//go:build onnxruntime && cgo

package posenet

import (
	"errors"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// ortOwn is the session of an operator's network.
type ortOwn struct {
	own     *Own
	session *ort.DynamicAdvancedSession
}

func loadOwn(o *Own) (ownSession, error) {
	if err := onnxRuntimeUsable(); err != nil {
		return nil, err
	}
	opts, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	defer opts.Destroy()
	if err := errors.Join(opts.SetIntraOpNumThreads(1), opts.SetInterOpNumThreads(1)); err != nil {
		return nil, fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(o.onnx, []string{o.Input.Name}, o.outputs(), opts)
	if err != nil {
		return nil, fmt.Errorf("posenet: %s: %w", o.Path, err)
	}
	return &ortOwn{o, s}, nil
}

func (s *ortOwn) Close() error { return s.session.Destroy() }

func (s *ortOwn) runner() (runner, error) {
	in := &s.own.Input
	t, err := ort.NewEmptyTensor[float32](ort.NewShape(1, 3, int64(in.HeightPx), int64(in.WidthPx)))
	if err != nil {
		return nil, fmt.Errorf("posenet: onnxruntime: %w", err)
	}
	return &ortRunner{session: s.session, in: t, out: make([][]float32, len(s.own.outputs()))}, nil
}

// ortRunner is a session with an input buffer; the library makes the outputs.
type ortRunner struct {
	session *ort.DynamicAdvancedSession
	in      *ort.Tensor[float32]
	out     [][]float32
}

func (r *ortRunner) input() []float32 { return r.in.GetData() }
func (r *ortRunner) Close() error     { return r.in.Destroy() }

func (r *ortRunner) run() ([][]float32, error) {
	made := make([]ort.Value, len(r.out))
	if err := r.session.Run([]ort.Value{r.in}, made); err != nil {
		return nil, err
	}
	var errs []error
	for i, v := range made {
		if t, ok := v.(*ort.Tensor[float32]); ok {
			r.out[i] = append(r.out[i][:0], t.GetData()...)
		} else {
			errs = append(errs, fmt.Errorf("output %d is no tensor of 32-bit numbers", i))
		}
		errs = append(errs, v.Destroy())
	}
	return r.out, errors.Join(errs...)
}
