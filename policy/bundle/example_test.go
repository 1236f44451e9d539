package bundle_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/onnx"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
)

// The network inside a bundle is an ordinary ONNX file.
func ExampleEncodeNet() {
	net, err := infer.New(infer.Normalizer{Mean: []float32{0}, InvStd: []float32{1}, Clip: 5},
		[]infer.Layer{{In: 1, Out: 1, W: []float32{2}, B: []float32{0}, Tanh: true}})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := onnx.Unmarshal(bundle.EncodeNet(net))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range m.Graph.Nodes {
		fmt.Print(n.OpType, " ")
	}
	// Output:
	// Sub Mul Clip Gemm Tanh
}
