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
	lengthNoise  = 0.02  // of a length across the line of sight, as a share of it
	depthDoubt   = 0.20  // of the network's depth of a bone, as a share of its length
	buildSpread  = 0.025 // of people's proportions about the average
	lengthSpread = 1.25  // no length differs from the average by more than this factor
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
	var samples, doubts [numBoneKinds][]weighted
	for t := range p.n {
		var rel [numFree]spatial.Vec3
		p.chain(t, &rel)
		for i, b := range bones {
			d := p.direction[t][i]
			across := math.Hypot(d[0], d[1])
			if across < 0.5 {
				continue
			}
			v := p.look(t, b, &rel, depth[t], true)
			// Along the direction d the rays to the ends part by as much as d does.
			seen := math.Hypot(v.end[0]-v.start[0], v.end[1]-v.start[1]) * (depth[t] + v.from)
			length := seen / math.Max(0.3, math.Hypot(d[0]-v.end[0]*d[2], d[1]-v.end[1]*d[2]))
			doubt := lengthNoise*lengthNoise + square(d[2]*depthDoubt/(across*across))
			samples[b.kind] = append(samples[b.kind], weighted{length, v.weight / (doubt * doubt)})
			doubts[b.kind] = append(doubts[b.kind], weighted{doubt, v.weight / (doubt * doubt)})
		}
	}
	var seen [numBoneKinds]float64
	var sure [numBoneKinds]float64 // 0..1: how much of the clip shows the length
	for k := range out {
		if k >= int(ankleHeel) || k == int(hand) || len(samples[k]) == 0 {
			continue
		}
		seen[k] = weightedQuantile(samples[k], 0.5)
		sure[k] = 1 / (1 + weightedQuantile(doubts[k], 0.5)/(buildSpread*buildSpread))
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
		out[k] *= math.Pow(ratio, sure[k])
	}
	fix := heightM * chainLength(&boneRatio) / chainLength(&out)
	for k := range out {
		out[k] *= fix
	}
	return out
}

// unitOr returns the direction of v, or straight down the picture.
func unitOr(v spatial.Vec3) spatial.Vec3 { return v.Unit(spatial.Vec3{0, 1, 0}) }

func square(v float64) float64 { return v * v }

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
