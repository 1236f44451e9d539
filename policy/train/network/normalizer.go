package network

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/policy/infer"
)

// Normalizer keeps the mean and variance of inputs seen so far (Chan et al. 1983, merging batches).
type Normalizer struct {
	Count    float64
	Mean, M2 []float64
}

const (
	normalizerClip = 5
	// minStd keeps inputs that hardly ever change (a joint that a clip does not use) from being blown up into noise.
	minStd = 0.02
)

// NewNormalizer makes one for inputs of dim numbers.
func NewNormalizer(dim int) *Normalizer {
	return &Normalizer{Mean: make([]float64, dim), M2: make([]float64, dim)}
}

// Add takes in rows of inputs.
func (n *Normalizer) Add(x []float32) {
	dim := len(n.Mean)
	rows := float64(len(x) / dim)
	mean, m2 := make([]float64, dim), make([]float64, dim)
	for r := 0; r < len(x); r += dim {
		for i, v := range x[r : r+dim] {
			mean[i] += float64(v)
		}
	}
	for i := range mean {
		mean[i] /= rows
	}
	for r := 0; r < len(x); r += dim {
		for i, v := range x[r : r+dim] {
			d := float64(v) - mean[i]
			m2[i] += d * d
		}
	}
	total := n.Count + rows
	for i := range mean {
		d := mean[i] - n.Mean[i]
		n.Mean[i] += d * rows / total
		n.M2[i] += m2[i] + d*d*n.Count*rows/total
	}
	n.Count = total
}

// Export gives the map that is now in force; before any input it changes nothing.
func (n *Normalizer) Export() infer.Normalizer {
	out := infer.Normalizer{Clip: normalizerClip, Mean: make([]float32, len(n.Mean)), InvStd: make([]float32, len(n.Mean))}
	for i := range n.Mean {
		out.Mean[i], out.InvStd[i] = float32(n.Mean[i]), 1
		if n.Count > 1 {
			out.InvStd[i] = float32(1 / max(math.Sqrt(n.M2[i]/n.Count), minStd))
		}
	}
	return out
}

// Normalize applies a map to rows in place, with the very operations of infer.Runner.
func Normalize(x []float32, n infer.Normalizer) {
	dim := len(n.Mean)
	for r := 0; r < len(x); r += dim {
		row := x[r : r+dim]
		for i, v := range row {
			row[i] = min(max((v-n.Mean[i])*n.InvStd[i], -n.Clip), n.Clip)
		}
	}
}

// SetState copies what another Normalizer has seen, or says why it cannot and changes nothing.
func (n *Normalizer) SetState(s Normalizer) error {
	if len(s.Mean) != len(n.Mean) || len(s.M2) != len(n.Mean) {
		return fmt.Errorf("network: %w: moments of %d and %d inputs; legal: %d", ErrState, len(s.Mean), len(s.M2), len(n.Mean))
	}
	*n = s
	return nil
}
