package train

import (
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/policy/rollout"
)

// sampler chooses where episodes begin: at the beginning, anywhere, or shortly before where they lately failed.
type sampler struct {
	first []int     // of each reference's bins in fails, and the end
	Fails []float64 // failures a bin, forgotten slowly
}

const (
	binSteps  = 10   // 0.2 s at 50 Hz
	leadBins  = 4    // an episode begins up to this many bins before a place of failure
	leadDecay = 0.7  // and the less likely the further before
	forget    = 0.97 // an iteration
)

func newSampler(task *rollout.Task) *sampler {
	s := &sampler{first: []int{0}}
	for _, r := range task.Refs {
		s.first = append(s.first, s.first[len(s.first)-1]+(len(r.Frames)+task.HoldSteps+binSteps-1)/binSteps)
	}
	s.Fails = make([]float64, s.first[len(s.first)-1])
	return s
}

func (s *sampler) failed(clip, step int) {
	b := min(s.first[clip]+step/binSteps, s.first[clip+1]-1)
	s.Fails[b]++
}

func (s *sampler) decay() {
	for i := range s.Fails {
		s.Fails[i] *= forget
	}
}

// weights gives how likely each bin is to be a beginning, not normalised.
func (s *sampler) weights(dst []float64) (sum float64) {
	for c := 0; c+1 < len(s.first); c++ {
		for b := s.first[c]; b < s.first[c+1]; b++ {
			dst[b] = 0
			share := 1.0
			for k := b; k < min(b+leadBins, s.first[c+1]); k++ {
				dst[b] += share * s.Fails[k]
				share *= leadDecay
			}
			sum += dst[b]
		}
	}
	return sum
}

// draw chooses a reference and a step in it.
func (s *sampler) draw(rng *rand.Rand, task *rollout.Task, fromStart, adaptive float64, scratch []float64) (clip, step int) {
	u, v, w := rng.Float64(), rng.Float64(), rng.Float64()
	if u < fromStart {
		return min(int(v*float64(len(task.Refs))), len(task.Refs)-1), 0
	}
	bin := min(int(v*float64(len(s.Fails))), len(s.Fails)-1)
	if u < fromStart+(1-fromStart)*adaptive {
		if sum := s.weights(scratch); sum > 1 {
			at := v * sum
			for bin = 0; bin < len(scratch)-1 && at >= scratch[bin]; bin++ {
				at -= scratch[bin]
			}
		}
	}
	for s.first[clip+1] <= bin {
		clip++
	}
	// The last steps of the hold would be episodes without a future.
	last := len(task.Refs[clip].Frames) - 1 + max(task.HoldSteps-binSteps, 0)
	return clip, min((bin-s.first[clip])*binSteps+int(w*binSteps), last)
}
