package solve

import "math"

// networkShare is how much the network's own proportions count against the
// average adult's when the subject's bone lengths are set (both are biased:
// the network's limbs are short where they point at the camera).
const networkShare = 0.5

// boneLengths sets the subject's lengths in metres: constant over time, equal
// left and right, scaled to the stature heightM.
func boneLengths(s *stream, heightM float64) [numBoneKinds]float64 {
	var seen [numBoneKinds]float64
	var samples [numBoneKinds][]float64
	for _, b := range bones {
		for t := range s.n {
			if s.jointConf(t, b.a) < lowVisibility || s.jointConf(t, b.b) < lowVisibility {
				continue
			}
			samples[b.kind] = append(samples[b.kind], s.jointWorld(t, b.b).Sub(s.jointWorld(t, b.a)).Norm())
		}
	}
	for k := range seen {
		seen[k] = median(samples[k])
		if len(samples[k]) == 0 {
			seen[k] = boneRatio[k]
		}
	}
	// The chain from ankle to shoulder carries the scale.
	chain := func(l *[numBoneKinds]float64) float64 { return l[trunk] + l[thigh] + l[shank] }
	scale := chain(&boneRatio) / chain(&seen)
	var out [numBoneKinds]float64
	for k := range out {
		ratio := seen[k] * scale / boneRatio[k]
		share := networkShare
		if k >= int(ankleHeel) || k == int(hand) { // small parts: mostly noise
			share = 0
		}
		ratio = math.Max(0.8, math.Min(1.25, ratio))
		out[k] = boneRatio[k] * math.Pow(ratio, share)
	}
	fix := chain(&boneRatio) / chain(&out)
	for k := range out {
		out[k] *= fix * heightM
	}
	return out
}
