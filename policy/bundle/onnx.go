package bundle

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

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
	return modelOf(n).Marshal()
}

// opset is the version of ONNX's operators that the graph is written in.
const opset = 13

func modelOf(n *infer.Net) *onnx.Model {
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
	return &onnx.Model{IRVersion: 8, ProducerName: "mitori", Opsets: []onnx.Opset{{Version: opset}}, Graph: g}
}

func batched(name string, width int64) onnx.ValueInfo {
	return onnx.ValueInfo{Name: name, Type: onnx.Float32, Shape: []onnx.Dim{{Param: "batch"}, {Size: width}}}
}

// DecodeNet reads a model of the shape that EncodeNet writes, and no other: the
// whole graph is compared, so that any ONNX runtime computes what this program
// does.
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
	n, err := infer.New(norm, layers)
	if err != nil {
		return nil, err
	}
	return n, sameModel(m, modelOf(n))
}

// sameModel reports the first thing in which a model differs from the one that
// holds the same numbers and was written here. Names of the program that wrote it
// and descriptions may differ.
func sameModel(got, want *onnx.Model) error {
	if !slices.Equal(got.Opsets, want.Opsets) {
		return fmt.Errorf("bundle: policy.onnx: operator sets %v; legal: version %d of the standard ones", got.Opsets, opset)
	}
	g, w := &got.Graph, &want.Graph
	if !reflect.DeepEqual(g.Inputs, w.Inputs) || !reflect.DeepEqual(g.Outputs, w.Outputs) {
		return fmt.Errorf("bundle: policy.onnx: inputs %v and outputs %v; legal: %v and %v", g.Inputs, g.Outputs, w.Inputs, w.Outputs)
	}
	if len(g.Nodes) != len(w.Nodes) {
		return fmt.Errorf("bundle: policy.onnx: %d nodes; a network of these layers has %d", len(g.Nodes), len(w.Nodes))
	}
	for i := range w.Nodes {
		if a, b := &g.Nodes[i], &w.Nodes[i]; a.OpType != b.OpType || a.Domain != "" || len(a.Attributes) > 0 ||
			!slices.Equal(a.Inputs, b.Inputs) || !slices.Equal(a.Outputs, b.Outputs) {
			return fmt.Errorf("bundle: policy.onnx: node %d is %s; legal there: %s", i, wiring(a), wiring(b))
		}
	}
	if len(g.Initialisers) != len(w.Initialisers) {
		return fmt.Errorf("bundle: policy.onnx: %d constants; a network of these layers has %d", len(g.Initialisers), len(w.Initialisers))
	}
	for i := range w.Initialisers {
		if a, b := &g.Initialisers[i], &w.Initialisers[i]; a.Name != b.Name || a.Type != b.Type || !slices.Equal(a.Dims, b.Dims) || !bytes.Equal(a.Raw, b.Raw) {
			return fmt.Errorf("bundle: policy.onnx: constant %d is %q %v %v; legal there: %q %v %v, with the values that the layers have",
				i, a.Name, a.Type, a.Dims, b.Name, b.Type, b.Dims)
		}
	}
	return nil
}

// wiring says what a node computes from what.
func wiring(n *onnx.Node) string {
	s := fmt.Sprintf("%.80s(%.200s) -> %.200s", n.OpType, strings.Join(n.Inputs, ", "), strings.Join(n.Outputs, ", "))
	if n.Domain != "" {
		s += fmt.Sprintf(" of domain %.80q", n.Domain)
	}
	if len(n.Attributes) > 0 {
		s += fmt.Sprintf(" with %d attributes", len(n.Attributes))
	}
	return s
}
