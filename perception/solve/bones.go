package solve

import (
	"cmp"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// The subject's bone lengths come from the picture: a bone that lies across the
// line of sight shows its true length, and the network's direction says when it
// nearly does. What the picture cannot show (a bone that always points at the camera,
// feet, hands) keeps the average adult's proportion.
const (
	pictureShare = 0.85 // weight of a well-seen length against the average adult's
	lengthSpread = 1.25 // no length differs from the average by more than this factor
)

// chainLength is the length that carries the scale: ankle to shoulder.
func chainLength(l *[numBoneKinds]float64) float64 { return l[trunk] + l[thigh] + l[shank] }

// boneLengths returns the subject's lengths in metres: constant over time, equal
// left and right, scaled to the stature heightM. depth is the distance of the
// body along the line of sight, up to a common factor.
func (p *problem) boneLengths(heightM float64, depth []float64) [numBoneKinds]float64 {
	var out [numBoneKinds]float64
	for k := range out {
		out[k] = boneRatio[k]
	}
	var samples [numBoneKinds][]weighted
	for i, b := range bones {
		a0, a1 := ends(b.a)
		b0, b1 := ends(b.b)
		for t := range p.n {
			across := math.Hypot(p.direction[t][i][0], p.direction[t][i][1])
			if across < 0.5 {
				continue
			}
			var d [2]float64
			for k := range 2 {
				d[k] = (p.px[t][b0][k] + p.px[t][b1][k] - p.px[t][a0][k] - p.px[t][a1][k]) / 2
			}
			w := math.Min(math.Min(p.weight[t][a0], p.weight[t][a1]), math.Min(p.weight[t][b0], p.weight[t][b1]))
			samples[b.kind] = append(samples[b.kind], weighted{math.Hypot(d[0], d[1]) * depth[t] / across, w * math.Pow(across, 12)})
		}
	}
	var seen [numBoneKinds]float64
	var sure [numBoneKinds]float64 // 0..1: how much of the clip shows the length
	for k := range out {
		for _, s := range samples[k] {
			sure[k] += s.w
		}
		seen[k] = weightedQuantile(samples[k], 0.5)
		sure[k] = math.Min(1, sure[k]/(0.1*float64(p.n)))
		if k >= int(ankleHeel) || k == int(hand) {
			sure[k] = 0
		}
	}
	// Common factor of the well-seen part of the chain.
	have, want := 1e-9, 1e-9
	for _, k := range [3]boneKind{trunk, thigh, shank} {
		have += sure[k] * seen[k]
		want += sure[k] * boneRatio[k]
	}
	for k := range out {
		if sure[k] == 0 {
			continue
		}
		ratio := seen[k] * want / have / boneRatio[k]
		ratio = math.Max(1/lengthSpread, math.Min(lengthSpread, ratio))
		out[k] *= math.Pow(ratio, pictureShare*sure[k])
	}
	fix := heightM * chainLength(&boneRatio) / chainLength(&out)
	for k := range out {
		out[k] *= fix
	}
	return out
}

// unitOr returns the direction of v, or straight down the picture.
func unitOr(v spatial.Vec3) spatial.Vec3 { return v.Unit(spatial.Vec3{0, 1, 0}) }

type weighted struct{ v, w float64 }

// weightedQuantile sorts x and returns the value below which a share q of the
// weight lies, interpolated between the middles of the samples' weights.
func weightedQuantile(x []weighted, q float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.SortFunc(x, func(a, b weighted) int { return cmp.Compare(a.v, b.v) })
	total := 0.0
	for _, s := range x {
		total += s.w
	}
	want := q * total
	below := 0.0 // weight up to the middle of the sample before
	last := x[0].v
	for i, s := range x {
		mid := below + s.w/2
		if i > 0 {
			mid = below + (x[i-1].w+s.w)/2
		}
		if mid >= want {
			if i == 0 || mid == below {
				return s.v
			}
			return last + (s.v-last)*(want-below)/(mid-below)
		}
		below, last = mid, s.v
	}
	return last
}
