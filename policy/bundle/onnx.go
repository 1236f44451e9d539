package bundle

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/onnx"
	"github.com/mitori-robotics/mitori/policy/infer"
)

// Names of the graph's input (batch, In) and output (batch, Out), float32.
const (
	inputName  = "observation"
	outputName = "action"
)

// EncodeNet writes a policy network as an ONNX model of standard operators:
// Sub, Mul, Clip (the normaliser), then Gemm and Tanh for each layer, with a
// free batch dimension. The same network always gives the same bytes.
func EncodeNet(n *infer.Net) []byte {
	norm := n.Normalizer()
	in, out := int64(n.In()), int64(n.Out())
	g := onnx.Graph{
		Name:    "policy",
		Inputs:  []onnx.ValueInfo{batched(inputName, in)},
		Outputs: []onnx.ValueInfo{batched(outputName, out)},
		Initialisers: []onnx.Tensor{
			onnx.FloatTensor("mean", []int64{in}, norm.Mean),
			onnx.FloatTensor("inv_std", []int64{in}, norm.InvStd),
			onnx.FloatTensor("clip_min", nil, []float32{-norm.Clip}),
			onnx.FloatTensor("clip_max", nil, []float32{norm.Clip}),
		},
		Nodes: []onnx.Node{
			{Name: "centre", OpType: "Sub", Inputs: []string{inputName, "mean"}, Outputs: []string{"centred"}},
			{Name: "scale", OpType: "Mul", Inputs: []string{"centred", "inv_std"}, Outputs: []string{"scaled"}},
			{Name: "clip", OpType: "Clip", Inputs: []string{"scaled", "clip_min", "clip_max"}, Outputs: []string{"h0"}},
		},
	}
	last := len(n.Layers()) - 1
	for i, l := range n.Layers() {
		w, b, name := fmt.Sprintf("w%d", i), fmt.Sprintf("b%d", i), fmt.Sprintf("h%d", i+1)
		g.Initialisers = append(g.Initialisers,
			onnx.FloatTensor(w, []int64{int64(l.In), int64(l.Out)}, l.W),
			onnx.FloatTensor(b, []int64{int64(l.Out)}, l.B))
		dense := name
		if l.Tanh {
			dense = "z" + name
		}
		if i == last {
			name = outputName
			if !l.Tanh {
				dense = outputName
			}
		}
		g.Nodes = append(g.Nodes, onnx.Node{
			Name: fmt.Sprintf("dense%d", i), OpType: "Gemm",
			Inputs: []string{fmt.Sprintf("h%d", i), w, b}, Outputs: []string{dense},
		})
		if l.Tanh {
			g.Nodes = append(g.Nodes, onnx.Node{
				Name: fmt.Sprintf("tanh%d", i), OpType: "Tanh", Inputs: []string{dense}, Outputs: []string{name},
			})
		}
	}
	m := onnx.Model{IRVersion: 8, ProducerName: "mitori", Opsets: []onnx.Opset{{Version: 13}}, Graph: g}
	return m.Marshal()
}

func batched(name string, width int64) onnx.ValueInfo {
	return onnx.ValueInfo{Name: name, Type: onnx.Float32, Shape: []onnx.Dim{{Param: "batch"}, {Size: width}}}
}

// DecodeNet reads a model of the shape that EncodeNet writes.
func DecodeNet(b []byte) (*infer.Net, error) {
	m, err := onnx.Unmarshal(b)
	if err != nil {
		return nil, err
	}
	g := &m.Graph
	floats := func(name string, err *error) []float32 {
		if *err != nil {
			return nil
		}
		t, ok := g.Initialiser(name)
		if !ok {
			*err = fmt.Errorf("bundle: policy.onnx has no constant %q", name)
			return nil
		}
		var v []float32
		v, *err = t.Float32s()
		return v
	}
	norm := infer.Normalizer{Mean: floats("mean", &err), InvStd: floats("inv_std", &err)}
	if clip := floats("clip_max", &err); len(clip) == 1 {
		norm.Clip = clip[0]
	}
	if err != nil {
		return nil, err
	}
	var layers []infer.Layer
	for _, node := range g.Nodes {
		switch node.OpType {
		case "Sub", "Mul", "Clip":
		case "Gemm":
			if len(node.Inputs) != 3 || len(node.Attributes) != 0 {
				return nil, fmt.Errorf("bundle: policy.onnx: node %q is not a plain dense layer", node.Name)
			}
			w, ok := g.Initialiser(node.Inputs[1])
			if !ok || len(w.Dims) != 2 {
				return nil, fmt.Errorf("bundle: policy.onnx: node %q has no weight matrix", node.Name)
			}
			layers = append(layers, infer.Layer{
				In: int(w.Dims[0]), Out: int(w.Dims[1]),
				W: floats(node.Inputs[1], &err), B: floats(node.Inputs[2], &err),
			})
		case "Tanh":
			if len(layers) == 0 {
				return nil, fmt.Errorf("bundle: policy.onnx: Tanh comes before the first layer")
			}
			layers[len(layers)-1].Tanh = true
		default:
			return nil, fmt.Errorf("bundle: policy.onnx: operator %q; legal: Sub, Mul, Clip, Gemm, Tanh", node.OpType)
		}
	}
	if err != nil {
		return nil, err
	}
	return infer.New(norm, layers)
}
