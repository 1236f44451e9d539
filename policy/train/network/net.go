package network

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train/blas"
)

// Net is a network in training: its parameters in one flat slice, and Adam's moments beside it. Graphs share the
// parameters.
type Net struct {
	W     []float32 // every layer's W (in x out) and b, in order; the same slice for the network's life
	sizes []int
	m, v  []float32 // Adam
	steps int64
	grad  []float32
}

// New makes a network with layers of the given sizes, tanh between them. Weights start normal with variance 1/in,
// the last layer scaled by lastScale.
func New(sizes []int, lastScale float64, rng *rand.Rand) *Net {
	n := &Net{sizes: sizes}
	for k := 0; k+1 < len(sizes); k++ {
		in, out := sizes[k], sizes[k+1]
		scale := 1 / math.Sqrt(float64(in))
		if k+2 == len(sizes) {
			scale *= lastScale
		}
		for range in * out {
			n.W = append(n.W, float32(scale*rng.NormFloat64()))
		}
		n.W = append(n.W, make([]float32, out)...)
	}
	n.m, n.v, n.grad = make([]float32, len(n.W)), make([]float32, len(n.W)), make([]float32, len(n.W))
	return n
}

// Layers cuts parameters laid out like W (W itself, or an average of it); the result aliases them.
func (n *Net) Layers(w []float32) []infer.Layer {
	var ls []infer.Layer
	at := 0
	for k := 0; k+1 < len(n.sizes); k++ {
		in, out := n.sizes[k], n.sizes[k+1]
		ls = append(ls, infer.Layer{In: in, Out: out, W: w[at : at+in*out], B: w[at+in*out : at+in*out+out],
			Tanh: k+2 < len(n.sizes)})
		at += in*out + out
	}
	return ls
}

// Forget clears Adam's moments, for another loss.
func (n *Net) Forget() {
	clear(n.m)
	clear(n.v)
	n.steps = 0
}

const (
	adamBeta1 = 0.9
	adamBeta2 = 0.999
	adamEps   = 1e-8
)

// update takes one step of Adam along the gathered gradient, its norm clipped to limit.
func (n *Net) update(rate, norm, limit float64) {
	scale := 1.0
	if norm > limit {
		scale = limit / norm
	}
	n.steps++
	correct1 := 1 - math.Pow(adamBeta1, float64(n.steps))
	correct2 := 1 - math.Pow(adamBeta2, float64(n.steps))
	blas.Adam(n.W, n.grad, n.m, n.v, float32(scale), float32(rate/correct1), adamBeta1, adamBeta2, float32(1/correct2), adamEps)
}

// State is a network in a checkpoint.
type State struct {
	W, M, V []float32
	Steps   int64
}

// ErrState is wrapped where a State is one of another network.
var ErrState = errors.New("state does not fit the network")

// State gives the present state; it aliases the network.
func (n *Net) State() State { return State{W: n.W, M: n.m, V: n.v, Steps: n.steps} }

// SetState copies a state into the network, or says why it cannot and changes nothing.
func (n *Net) SetState(s State) error {
	if len(s.W) != len(n.W) || len(s.M) != len(n.W) || len(s.V) != len(n.W) {
		return fmt.Errorf("network: %w: %d weights and %d, %d moments; legal: %d of each", ErrState, len(s.W), len(s.M), len(s.V), len(n.W))
	}
	copy(n.W, s.W) // in place: the graphs hold this very slice
	copy(n.m, s.M)
	copy(n.v, s.V)
	n.steps = s.Steps
	return nil
}
