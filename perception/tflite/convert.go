package tflite

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/mitori-robotics/mitori/models/onnx"
)

// Version names the converter's output; caches of converted models are keyed
// by it. Raise it with every change of what Convert emits.
const Version = 1

// Clip says how RELU6 is written. Both forms exist in the wild: OpenCV 4.6
// reads the limits only from attributes, ONNX Runtime (operator set 11) only
// from inputs.
type Clip int

// The two forms of Clip.
const (
	ClipInputs Clip = iota
	ClipAttributes
)

// Options say what to convert.
type Options struct {
	Clip Clip
	// Input names the graph's one input.
	Input string
	// Outputs names the graph's outputs in declared order; "" drops one, and
	// with it all nodes that only it needs.
	Outputs  []string
	Metadata []onnx.Property
}

// Convert turns the network into ONNX (IR version 6, operator set 11). The
// input and all four-dimensional outputs are channel-first (NCHW).
func Convert(m *Model, opt Options) (*onnx.Model, error) {
	if len(m.Inputs) != 1 || len(m.Outputs) != len(opt.Outputs) {
		return nil, fmt.Errorf("tflite: network has %d inputs and %d outputs; legal: 1 and %d", len(m.Inputs), len(m.Outputs), len(opt.Outputs))
	}
	c := &converter{m: m, clip: opt.Clip, names: map[int]string{}, padded: map[int]paddedFrom{}}
	c.names[m.Inputs[0]] = opt.Input
	c.graph.Name = "tflite"
	c.graph.Inputs = []onnx.ValueInfo{onnx.Value(opt.Input, onnx.Float32, c.dims(m.Inputs[0])...)}
	var keep []int
	for i, name := range opt.Outputs {
		if name != "" {
			c.names[m.Outputs[i]] = name
			keep = append(keep, m.Outputs[i])
			c.graph.Outputs = append(c.graph.Outputs, onnx.Value(name, onnx.Float32, c.dims(m.Outputs[i])...))
		}
	}
	if err := c.plan(keep); err != nil {
		return nil, err
	}
	for i := range m.Operators {
		if !c.needed[i] {
			continue
		}
		if err := c.operator(i, &m.Operators[i]); err != nil {
			return nil, fmt.Errorf("tflite: node %d (%v): %w", i, m.Operators[i].Op, err)
		}
	}
	out := &onnx.Model{
		IRVersion: 6, ProducerName: "mitori", ProducerVersion: strconv.Itoa(Version),
		Opsets: []onnx.Opset{{Version: 11}}, Graph: c.graph, Metadata: opt.Metadata,
	}
	return out, out.Check()
}

type converter struct {
	m         *Model
	clip      Clip
	graph     onnx.Graph
	names     map[int]string // tensor -> ONNX value
	producer  map[int]int    // tensor -> node
	consumers map[int][]int  // tensor -> needed nodes
	needed    []bool
	padded    map[int]paddedFrom
	scratch   []float32
}

// paddedFrom records a PAD that its consumers, all convolutions, take over.
type paddedFrom struct {
	tensor                   int
	top, left, bottom, right int
}

// plan marks the nodes that the kept outputs need and indexes the graph.
func (c *converter) plan(keep []int) error {
	c.producer, c.consumers = map[int]int{}, map[int][]int{}
	for i, op := range c.m.Operators {
		for _, t := range op.Outputs {
			if _, dup := c.producer[t]; dup {
				return fmt.Errorf("tflite: tensor %q is computed twice", c.m.Tensors[t].Name)
			}
			c.producer[t] = i
		}
	}
	c.needed = make([]bool, len(c.m.Operators))
	for work := slices.Clone(keep); len(work) > 0; {
		t := work[len(work)-1]
		work = work[:len(work)-1]
		i, ok := c.producer[t]
		if !ok || c.needed[i] {
			continue
		}
		c.needed[i] = true
		for _, in := range c.m.Operators[i].Inputs {
			if in >= 0 {
				work = append(work, in)
			}
		}
	}
	for i, op := range c.m.Operators {
		if c.needed[i] {
			for _, t := range op.Inputs {
				c.consumers[t] = append(c.consumers[t], i)
			}
		}
	}
	for _, t := range keep {
		c.consumers[t] = append(c.consumers[t], -1)
	}
	return nil
}

func (c *converter) operator(i int, op *Operator) error {
	want := map[Op]int{OpConv2D: 2, OpDepthwiseConv2D: 2, OpAdd: 2, OpPad: 2}[op.Op]
	if len(op.Inputs) < max(want, 1) || slices.Contains(op.Inputs[:max(want, 1)], -1) {
		return fmt.Errorf("inputs %v; legal: at least %d", op.Inputs, max(want, 1))
	}
	switch op.Op {
	case OpDequantize, OpDensify:
		return nil // folded where the constant is used
	case OpConv2D, OpDepthwiseConv2D:
		return c.convolution(op)
	case OpMaxPool2D:
		return c.maxPool(op)
	case OpAdd:
		return c.add(op)
	case OpPad:
		return c.pad(op)
	case OpResizeBilinear:
		return c.resize(op)
	case OpDepthToSpace:
		return c.depthToSpace(op)
	case OpConcatenation:
		return c.concat(op)
	case OpReshape:
		return c.reshape(op)
	case OpLogistic:
		in, err := c.value(op.Inputs[0])
		if err != nil {
			return err
		}
		c.node("Sigmoid", []string{in}, c.name(op.Outputs[0]))
		return nil
	}
	return fmt.Errorf("not supported; supported are %v", supported())
}

func supported() []string {
	var s []string
	for o := range opNames {
		s = append(s, o.String())
	}
	slices.Sort(s)
	return s
}

// constant evaluates a tensor that depends on constants only. The result is
// valid until the next call.
func (c *converter) constant(t int) ([]float32, error) {
	for range len(c.m.Operators) + 1 {
		if c.m.Tensors[t].Data != nil {
			v, err := c.m.Tensors[t].floats(c.scratch)
			if cap(v) > cap(c.scratch) {
				c.scratch = v
			}
			return v, err
		}
		i, ok := c.producer[t]
		if !ok {
			break
		}
		op := &c.m.Operators[i]
		if (op.Op != OpDequantize && op.Op != OpDensify) || len(op.Inputs) < 1 || op.Inputs[0] < 0 {
			break
		}
		if a, b := c.m.Tensors[t].Shape, c.m.Tensors[op.Inputs[0]].Shape; !slices.Equal(a, b) {
			return nil, fmt.Errorf("%v changes the shape from %v to %v", op.Op, b, a)
		}
		t = op.Inputs[0]
	}
	return nil, fmt.Errorf("tensor %q is computed; legal: a constant", c.m.Tensors[t].Name)
}

// value gives the ONNX name of a computed tensor.
func (c *converter) value(t int) (string, error) {
	if t < 0 {
		return "", fmt.Errorf("an input is missing")
	}
	if _, made := c.producer[t]; !made && !slices.Contains(c.m.Inputs, t) {
		return "", fmt.Errorf("input %q is a constant; legal: a computed value", c.m.Tensors[t].Name)
	}
	if _, ok := c.padded[t]; ok {
		return "", fmt.Errorf("input %q has been folded away", c.m.Tensors[t].Name)
	}
	return c.name(t), nil
}

func (c *converter) name(t int) string {
	if n, ok := c.names[t]; ok {
		return n
	}
	return "t" + strconv.Itoa(t)
}

func (c *converter) shape(t int) []int { return c.m.Tensors[t].Shape }

// dims gives a tensor's shape in ONNX order.
func (c *converter) dims(t int) []int64 {
	s := c.shape(t)
	out := make([]int64, len(s))
	for i, d := range s {
		out[i] = int64(d)
	}
	if len(s) == 4 {
		out[1], out[2], out[3] = out[3], out[1], out[2]
	}
	return out
}

// picture is the size of a tensor [1, height, width, channels].
type picture struct{ height, width, channels int }

// image checks that a tensor is a batch of one image.
func (c *converter) image(t int) (picture, error) {
	s := c.shape(t)
	if len(s) != 4 || s[0] != 1 || slices.Contains(s, 0) {
		return picture{}, fmt.Errorf("tensor %q: shape %v; legal: [1, height, width, channels]", c.m.Tensors[t].Name, s)
	}
	return picture{s[1], s[2], s[3]}, nil
}

// pictures returns the value of tensor in, and the sizes of the pictures in and out.
func (c *converter) pictures(in, out int) (x string, from, to picture, err error) {
	if x, err = c.value(in); err != nil {
		return x, from, to, err
	}
	if from, err = c.image(in); err != nil {
		return x, from, to, err
	}
	to, err = c.image(out)
	return x, from, to, err
}

func (c *converter) node(opType string, in []string, out string, attrs ...onnx.Attribute) {
	c.graph.Nodes = append(c.graph.Nodes, onnx.Node{OpType: opType, Name: out, Inputs: in, Outputs: []string{out}, Attributes: attrs})
}

func (c *converter) initialise(t onnx.Tensor) string {
	if _, ok := c.graph.Initialiser(t.Name); !ok {
		c.graph.Initialisers = append(c.graph.Initialisers, t)
	}
	return t.Name
}

// activated emits a node and its fused activation so that the activated value
// carries the name of tensor t.
func (c *converter) activated(activation int, opType string, in []string, t int, attrs ...onnx.Attribute) error {
	out := c.name(t)
	switch activation {
	case activationNone:
		c.node(opType, in, out, attrs...)
	case activationRelu:
		c.node(opType, in, out+".linear", attrs...)
		c.node("Relu", []string{out + ".linear"}, out)
	case activationRelu6:
		c.node(opType, in, out+".linear", attrs...)
		if c.clip == ClipAttributes {
			c.node("Clip", []string{out + ".linear"}, out, onnx.Float("min", 0), onnx.Float("max", 6))
			return nil
		}
		lo := c.initialise(onnx.FloatTensor("relu6.min", nil, []float32{0}))
		hi := c.initialise(onnx.FloatTensor("relu6.max", nil, []float32{6}))
		c.node("Clip", []string{out + ".linear", lo, hi}, out)
	default:
		return fmt.Errorf("fused activation %d; legal: 0 (none), 1 (RELU) or 3 (RELU6)", activation)
	}
	return nil
}
