package worlds

import "math"

// stream is a counter-based random stream: value n is a function of the seed
// and n alone (SplitMix64: Steele, Lea, Flood, OOPSLA 2014), so that two
// numbers save it.
type stream struct{ Seed, Count uint64 }

// newStream makes the stream of one purpose of an episode. Separate purposes
// keep an episode's masses the same when only its noise is switched off.
func newStream(seed, purpose uint64) stream {
	s := stream{Seed: seed + purpose*0xd1342543de82ef95}
	s.Seed = s.bits()
	return stream{Seed: s.Seed}
}

func (s *stream) bits() uint64 {
	s.Count++
	z := s.Seed + s.Count*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit returns a number in [0, 1).
func (s *stream) unit() float64 { return float64(s.bits()>>11) / (1 << 53) }

// in returns a number between the two.
func (s *stream) in(r [2]float64) float64 { return r[0] + (r[1]-r[0])*s.unit() }

// within returns a number between -x and x.
func (s *stream) within(x float64) float64 { return x * (2*s.unit() - 1) }

// normals fills dst with standard normal numbers (Box-Muller, both of a pair).
func (s *stream) normals(dst []float64) {
	for i := 0; i < len(dst); i += 2 {
		r := math.Sqrt(-2 * math.Log(1-s.unit()))
		sin, cos := math.Sincos(2 * math.Pi * s.unit())
		dst[i] = r * cos
		if i+1 < len(dst) {
			dst[i+1] = r * sin
		}
	}
}
