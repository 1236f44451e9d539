package onnx_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/onnx"
)

// A network of one operator, written, read and checked.
func ExampleModel_Marshal() {
	m := &onnx.Model{
		IRVersion: 8, ProducerName: "example", Opsets: []onnx.Opset{{Version: 13}},
		Graph: onnx.Graph{
			Name:         "halve",
			Inputs:       []onnx.ValueInfo{onnx.Value("x", onnx.Float32, 1, 3)},
			Outputs:      []onnx.ValueInfo{onnx.Value("y", onnx.Float32, 1, 3)},
			Initialisers: []onnx.Tensor{onnx.FloatTensor("half", nil, []float32{0.5})},
			Nodes:        []onnx.Node{{OpType: "Mul", Inputs: []string{"x", "half"}, Outputs: []string{"y"}}},
		},
	}
	file := m.Marshal()
	back, err := onnx.Unmarshal(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Graph.Name, back.Graph.Nodes[0].OpType, back.Check())
	back.Graph.Nodes[0].Inputs[1] = "third"
	fmt.Println(back.Check())
	// Output:
	// halve Mul <nil>
	// onnx: graph "halve": node 0 (Mul) reads "third" before it is made
}
