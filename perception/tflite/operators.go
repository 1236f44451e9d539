package tflite

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/mitori-robotics/mitori/models/onnx"
)

// window computes the zero padding of a sliding window along one axis, and
// checks that it gives the declared output size. For SAME padding the smaller
// half goes before (TensorFlow's rule; asymmetric when the stride does not
// divide the size).
func window(in, out, kernel, stride, dilation, padding, foldedBefore, foldedAfter int) (before, after int, err error) {
	if kernel < 1 || stride < 1 || dilation < 1 || kernel > 1<<12 || stride > 1<<12 || dilation > 1<<12 {
		return 0, 0, fmt.Errorf("kernel %d, stride %d, dilation %d; legal: 1..4096", kernel, stride, dilation)
	}
	reach := (kernel-1)*dilation + 1
	switch padding {
	case paddingSame:
		total := max(((in+stride-1)/stride-1)*stride+reach-in, 0)
		before, after = total/2, total-total/2
	case paddingValid:
		before, after = foldedBefore, foldedAfter
	default:
		return 0, 0, fmt.Errorf("padding %d; legal: 0 (SAME) or 1 (VALID)", padding)
	}
	if room := in + before + after - reach; room < 0 || room/stride+1 != out {
		return 0, 0, fmt.Errorf("window of %d (stride %d) over %d+%d+%d does not give the declared %d outputs", reach, stride, before, in, after, out)
	}
	return before, after, nil
}

func (c *converter) convolution(op *Operator) error {
	in, out, o := op.Inputs[0], op.Outputs[0], op.opts
	var fold paddedFrom
	if p, ok := c.padded[in]; ok {
		fold, in = p, p.tensor
	}
	x, from, to, err := c.pictures(in, out)
	if err != nil {
		return err
	}
	fs := c.shape(op.Inputs[1])
	if len(fs) != 4 {
		return fmt.Errorf("filter shape %v; legal: four dimensions", fs)
	}
	weights, err := c.constant(op.Inputs[1])
	if err != nil {
		return err
	}
	kh, kw, group := fs[1], fs[2], 1
	wdims := []int64{int64(to.channels), int64(from.channels), int64(kh), int64(kw)}
	if op.Op == OpDepthwiseConv2D {
		if fs[0] != 1 || fs[3] != to.channels || to.channels != from.channels {
			return fmt.Errorf("depthwise filter %v for %d -> %d channels is not supported; legal: one filter a channel", fs, from.channels, to.channels)
		}
		group, wdims[1] = from.channels, 1
	} else if fs[0] != to.channels || fs[3] != from.channels {
		return fmt.Errorf("filter %v for %d -> %d channels is not supported (grouped convolution?)", fs, from.channels, to.channels)
	}
	filter := c.initialise(channelFirst("c"+strconv.Itoa(op.Inputs[1]), wdims, weights, fs[0], kh*kw, fs[3]))
	top, bottom, err := window(from.height, to.height, kh, o.strideH, o.dilationH, o.padding, fold.top, fold.bottom)
	if err != nil {
		return err
	}
	left, right, err := window(from.width, to.width, kw, o.strideW, o.dilationW, o.padding, fold.left, fold.right)
	if err != nil {
		return err
	}
	inputs := []string{x, filter}
	if len(op.Inputs) > 2 && op.Inputs[2] >= 0 {
		bias, err := c.constant(op.Inputs[2])
		if err != nil {
			return err
		}
		if len(bias) != to.channels {
			return fmt.Errorf("%d bias values for %d channels", len(bias), to.channels)
		}
		inputs = append(inputs, c.initialise(onnx.FloatTensor("c"+strconv.Itoa(op.Inputs[2]), []int64{int64(to.channels)}, bias)))
	}
	return c.activated(o.activation, "Conv", inputs, out,
		onnx.Ints("kernel_shape", int64(kh), int64(kw)),
		onnx.Ints("strides", int64(o.strideH), int64(o.strideW)),
		onnx.Ints("dilations", int64(o.dilationH), int64(o.dilationW)),
		onnx.Ints("pads", int64(top), int64(left), int64(bottom), int64(right)),
		onnx.Int("group", int64(group)))
}

// channelFirst makes a tensor of [outer][spatial][channels] values in the order
// [outer][channels][spatial]. For a depthwise filter [1][spatial][channels] the
// result reads as [channels][1][spatial].
func channelFirst(name string, dims []int64, v []float32, outer, spatial, channels int) onnx.Tensor {
	t := onnx.Tensor{Name: name, Type: onnx.Float32, Dims: dims, Raw: make([]byte, 4*len(v))}
	for o := range outer {
		for s := range spatial {
			for ch := range channels {
				at := (o*channels+ch)*spatial + s
				binary.LittleEndian.PutUint32(t.Raw[4*at:], math.Float32bits(v[(o*spatial+s)*channels+ch]))
			}
		}
	}
	return t
}

func (c *converter) maxPool(op *Operator) error {
	in, out, o := op.Inputs[0], op.Outputs[0], op.opts
	x, from, to, err := c.pictures(in, out)
	if err != nil {
		return err
	}
	if from.channels != to.channels {
		return fmt.Errorf("%d -> %d channels; legal: the same", from.channels, to.channels)
	}
	top, bottom, err := window(from.height, to.height, o.filterH, o.strideH, 1, o.padding, 0, 0)
	if err != nil {
		return err
	}
	left, right, err := window(from.width, to.width, o.filterW, o.strideW, 1, o.padding, 0, 0)
	if err != nil {
		return err
	}
	return c.activated(o.activation, "MaxPool", []string{x}, out,
		onnx.Ints("kernel_shape", int64(o.filterH), int64(o.filterW)),
		onnx.Ints("strides", int64(o.strideH), int64(o.strideW)),
		onnx.Ints("pads", int64(top), int64(left), int64(bottom), int64(right)))
}

func (c *converter) add(op *Operator) error {
	var in [2]string
	for i := range in {
		var err error
		if in[i], err = c.value(op.Inputs[i]); err != nil {
			return err
		}
		if a, b := c.shape(op.Inputs[i]), c.shape(op.Outputs[0]); !slices.Equal(a, b) {
			return fmt.Errorf("shape %v for a sum of shape %v; broadcasting is not supported", a, b)
		}
	}
	return c.activated(op.opts.activation, "Add", in[:], op.Outputs[0])
}

func (c *converter) pad(op *Operator) error {
	in, out := op.Inputs[0], op.Outputs[0]
	x, err := c.value(in)
	if err != nil {
		return err
	}
	if _, err := c.image(in); err != nil {
		return err
	}
	p, err := c.m.Tensors[op.Inputs[1]].ints()
	if err != nil {
		return err
	}
	a, b := c.shape(in), c.shape(out)
	if len(p) != 8 || len(b) != 4 {
		return fmt.Errorf("%d pad values for output shape %v; legal: 8 for four dimensions", len(p), b)
	}
	for i := range 4 {
		if p[2*i] < 0 || p[2*i+1] < 0 || a[i]+p[2*i]+p[2*i+1] != b[i] {
			return fmt.Errorf("padding %v does not turn shape %v into %v", p, a, b)
		}
	}
	if p[0] == 0 && p[1] == 0 && p[6] == 0 && p[7] == 0 && c.onlyValidConvolutions(out) {
		c.padded[out] = paddedFrom{tensor: in, top: p[2], bottom: p[3], left: p[4], right: p[5]}
		return nil
	}
	// NHWC begin/end pairs to NCHW begins, then ends.
	pads := []int64{int64(p[0]), int64(p[6]), int64(p[2]), int64(p[4]), int64(p[1]), int64(p[7]), int64(p[3]), int64(p[5])}
	name := c.initialise(onnx.Int64Tensor("p"+strconv.Itoa(out), []int64{8}, pads))
	c.node("Pad", []string{x, name}, c.name(out), onnx.String("mode", "constant"))
	return nil
}

// onlyValidConvolutions reports whether every consumer of t is a convolution
// without padding of its own, which can then pad by itself.
func (c *converter) onlyValidConvolutions(t int) bool {
	for _, i := range c.consumers[t] {
		if i < 0 {
			return false
		}
		op := &c.m.Operators[i]
		if (op.Op != OpConv2D && op.Op != OpDepthwiseConv2D) || op.opts.padding != paddingValid || op.Inputs[0] != t {
			return false
		}
	}
	return true
}

func (c *converter) resize(op *Operator) error {
	in, out := op.Inputs[0], op.Outputs[0]
	x, from, to, err := c.pictures(in, out)
	if err != nil {
		return err
	}
	if !op.opts.halfPixelCt || op.opts.alignCorners || to != (picture{2 * from.height, 2 * from.width, from.channels}) {
		return fmt.Errorf("resize of %v to %v is not supported; legal: twice the size with half-pixel centres", c.shape(in), c.shape(out))
	}
	scales := c.initialise(onnx.FloatTensor("resize.scales", []int64{4}, []float32{1, 1, 2, 2}))
	roi := c.initialise(onnx.FloatTensor("resize.roi", []int64{0}, nil))
	c.node("Resize", []string{x, roi, scales}, c.name(out),
		onnx.String("mode", "linear"), onnx.String("coordinate_transformation_mode", "half_pixel"))
	return nil
}

func (c *converter) depthToSpace(op *Operator) error {
	in, out, n := op.Inputs[0], op.Outputs[0], op.opts.blockSize
	x, from, to, err := c.pictures(in, out)
	if err != nil {
		return err
	}
	if n < 1 || n > 1<<8 || to.height != from.height*n || to.width != from.width*n || to.channels*n*n != from.channels {
		return fmt.Errorf("block size %d does not turn shape %v into %v", n, c.shape(in), c.shape(out))
	}
	c.node("DepthToSpace", []string{x}, c.name(out), onnx.Int("blocksize", int64(n)), onnx.String("mode", "DCR"))
	return nil
}

func (c *converter) concat(op *Operator) error {
	var in []string
	rank, axis := len(c.shape(op.Outputs[0])), op.opts.axis
	if axis < 0 {
		axis += rank
	}
	if axis < 0 || axis >= rank {
		return fmt.Errorf("axis %d for %d dimensions", op.opts.axis, rank)
	}
	for _, t := range op.Inputs {
		x, err := c.value(t)
		if err != nil {
			return err
		}
		if len(c.shape(t)) != rank {
			return fmt.Errorf("shape %v among values of %d dimensions", c.shape(t), rank)
		}
		in = append(in, x)
	}
	if rank == 4 {
		axis = [4]int{0, 2, 3, 1}[axis]
	}
	return c.activated(op.opts.activation, "Concat", in, op.Outputs[0], onnx.Int("axis", int64(axis)))
}

func (c *converter) reshape(op *Operator) error {
	in, out := op.Inputs[0], op.Outputs[0]
	x, err := c.value(in)
	if err != nil {
		return err
	}
	a, b := c.shape(in), c.shape(out)
	if c.m.Tensors[in].Elements() != c.m.Tensors[out].Elements() || len(b) == 4 {
		return fmt.Errorf("reshape of %v to %v is not supported", a, b)
	}
	// The element order is visible here: go back to channel-last, unless
	// there is one pixel or one channel, for which both orders agree.
	if len(a) == 4 && a[1]*a[2] != 1 && a[3] != 1 {
		c.node("Transpose", []string{x}, c.name(out)+".nhwc", onnx.Ints("perm", 0, 2, 3, 1))
		x = c.name(out) + ".nhwc"
	}
	shape := c.initialise(onnx.Int64Tensor("s"+strconv.Itoa(out), []int64{int64(len(b))}, c.dims(out)))
	c.node("Reshape", []string{x, shape}, c.name(out))
	return nil
}
