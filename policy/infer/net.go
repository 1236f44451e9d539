// Package infer evaluates trained policy networks: an input normaliser and dense tanh layers in float32, without
// allocation, on any machine, with vector kernels where the CPU has them.
//
// It knows nothing of what the numbers mean (policy/obs) and nothing of learning (policy/train). A Net is read-only
// after New and may be shared; a Runner holds the scratch of one goroutine.
package infer

import (
	"fmt"
	"math"
)

// Layer is one dense layer: y = x W + B, then tanh if Tanh. W is row-major, In rows of Out.
type Layer struct {
	In, Out int
	W, B    []float32
	Tanh    bool
}

// Normalizer maps an input v to clamp((v - Mean) InvStd, -Clip, Clip), element by element.
type Normalizer struct {
	Mean, InvStd []float32
	Clip         float32
}

// Net is a feed-forward network.
type Net struct {
	norm   Normalizer
	layers []Layer
	packed []packedLayer
	vector bool
}

// packedLayer holds the weights in panels of 64 (and at last 32) outputs, each panel input by input, so that one
// evaluation reads memory once, straight ahead.
type packedLayer struct {
	in, padded int
	w, b       []float32
	tanh       bool
}

// New checks and copies the parameters.
func New(norm Normalizer, layers []Layer) (*Net, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("infer: network has no layers, need at least 1")
	}
	in := layers[0].In
	if len(norm.Mean) != in || len(norm.InvStd) != in {
		return nil, fmt.Errorf("infer: normaliser has %d means and %d scales, the first layer takes %d inputs",
			len(norm.Mean), len(norm.InvStd), in)
	}
	if !(norm.Clip > 0) {
		return nil, fmt.Errorf("infer: normaliser clip is %g; legal: above 0", norm.Clip)
	}
	if !finite(norm.Mean) || !finite(norm.InvStd) {
		return nil, fmt.Errorf("infer: normaliser holds a number that is not finite")
	}
	n := &Net{vector: haveVector(), norm: Normalizer{
		Mean: clone(norm.Mean), InvStd: clone(norm.InvStd), Clip: norm.Clip}}
	for i, l := range layers {
		if l.In < 1 || l.Out < 1 || l.In != in {
			return nil, fmt.Errorf("infer: layer %d is %d x %d, needs %d inputs and at least 1 output", i, l.In, l.Out, in)
		}
		if len(l.W) != l.In*l.Out || len(l.B) != l.Out {
			return nil, fmt.Errorf("infer: layer %d has %d weights and %d biases, needs %d and %d",
				i, len(l.W), len(l.B), l.In*l.Out, l.Out)
		}
		if !finite(l.W) || !finite(l.B) {
			return nil, fmt.Errorf("infer: layer %d holds a weight that is not finite", i)
		}
		l.W, l.B = clone(l.W), clone(l.B)
		n.layers = append(n.layers, l)
		n.packed = append(n.packed, pack(l))
		in = l.Out
	}
	return n, nil
}

func pack(l Layer) packedLayer {
	padded := (l.Out + 31) / 32 * 32
	p := packedLayer{in: l.In, padded: padded, tanh: l.Tanh,
		w: make([]float32, l.In*padded), b: make([]float32, padded)}
	copy(p.b, l.B)
	for o := 0; o < padded; {
		width := panelWidth(padded - o)
		panel := p.w[o*l.In : (o+width)*l.In]
		for i := range l.In {
			for k := 0; k < width && o+k < l.Out; k++ {
				panel[i*width+k] = l.W[i*l.Out+o+k]
			}
		}
		o += width
	}
	return p
}

func panelWidth(left int) int {
	if left >= 64 {
		return 64
	}
	return 32
}

// In and Out are the numbers of inputs and outputs.
func (n *Net) In() int  { return n.layers[0].In }
func (n *Net) Out() int { return n.layers[len(n.layers)-1].Out }

// Normalizer and Layers give the parameters; they must not be changed.
func (n *Net) Normalizer() Normalizer { return n.norm }
func (n *Net) Layers() []Layer        { return n.layers }

// Runner evaluates a Net; one goroutine at a time.
type Runner struct {
	net   *Net
	batch int
	a, b  []float32 // activations, batch rows of the widest padded layer
	width int
}

// NewRunner makes scratch for up to batch samples at a time.
func (n *Net) NewRunner(batch int) *Runner {
	width := n.In()
	for _, p := range n.packed {
		width = max(width, p.padded)
	}
	return &Runner{net: n, batch: batch, width: width,
		a: make([]float32, batch*width), b: make([]float32, batch*width)}
}

// Forward evaluates count samples: dst is count x Out, x is count x In. Each sample's result has the same bits
// whatever the count. It does not allocate.
func (r *Runner) Forward(dst, x []float32, count int) {
	in, out := r.net.In(), r.net.Out()
	if count < 1 || count > r.batch || len(dst) != count*out || len(x) != count*in {
		panic("infer: Forward: dst and x must hold count samples, and count must be 1 to the runner's batch")
	}
	mean, inv, clip := r.net.norm.Mean, r.net.norm.InvStd, r.net.norm.Clip
	a, b, width := r.a, r.b, r.width
	for s := range count {
		src, d := x[s*in:s*in+in], a[s*width:s*width+in]
		for i := range d {
			d[i] = min(max((src[i]-mean[i])*inv[i], -clip), clip)
		}
	}
	for k := range r.net.packed {
		p := &r.net.packed[k]
		for o := 0; o < p.padded; {
			w := panelWidth(p.padded - o)
			panel, bias := p.w[o*p.in:(o+w)*p.in], p.b[o:o+w]
			for s := range count {
				gemvPanel(r.net.vector, b[s*width+o:s*width+o+w], bias, a[s*width:s*width+p.in], panel, w)
			}
			o += w
		}
		if p.tanh {
			for s := range count {
				row := b[s*width : s*width+p.padded]
				if tanhBlocks(r.net.vector, row) == 0 {
					for i := range row {
						row[i] = tanhScalar(row[i])
					}
				}
			}
		}
		a, b = b, a
	}
	for s := range count {
		copy(dst[s*out:s*out+out], a[s*width:])
	}
}

func clone(x []float32) []float32 { return append([]float32(nil), x...) }

func finite(x []float32) bool {
	for _, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
