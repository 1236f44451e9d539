package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const (
	rootDepthCutoffHz = 1.5 // of the first guess only; the fit smooths by acceleration
	boneDepthQuantile = 0.35
)

// newProblem sets the fit up from the cleaned landmarks. What is missing is who
// the subject is (measure or recognise) and where to start (place).
func newProblem(s *stream, cam lens, up spatial.Vec3) *problem {
	p := &problem{
		n: s.n, fps: s.fps, lens: cam, up: up,
		px:        make([][numFree][2]float64, s.n),
		weight:    make([][numFree]float64, s.n),
		direction: make([][len(bones)]spatial.Vec3, s.n),
		forward:   make([]spatial.Vec3, s.n),
		ground:    make([][2]float64, s.n),
		touch:     make([][human.NumContacts]float64, s.n),
		still:     make([][human.NumContacts]float64, s.n),
		mark:      make([][numFree]spatial.Vec3, s.n),
		x:         make([]float64, s.n*frameVars),
	}
	if !s.inSpace {
		s.turnUpright(cam, up)
	}
	for t := range s.n {
		for i, j := range freeJoints {
			p.px[t][i] = s.jointPx(t, j)
			// A guessed landmark still says something: a tenth.
			p.weight[t][i] = 0.1 + 0.9*s.jointConf(t, j)
		}
		for i, b := range bones {
			d := s.jointWorld(t, b.b).Sub(s.jointWorld(t, b.a))
			p.direction[t][i] = unitOr(d)
		}
		p.untwist(t)
		across := p.direction[t][boneIndex(hipWidth, 0)].Add(p.direction[t][boneIndex(shoulderWidth, 0)])
		p.forward[t] = across.Cross(p.direction[t][0]).Unit(spatial.Vec3{0, 0, -1})
		p.turnFeet(t)
	}
	return p
}

// How far the depth across the hips follows that across the shoulders, and the other
// way: a trunk hardly twists, and the network sees shoulders better than hips. (The
// heavy network twists the rendered person by 23 degrees.)
const hipsFollow, shouldersFollow = 0.5, 0.25

// untwist makes hips and shoulders agree about where the trunk faces.
func (p *problem) untwist(t int) {
	hips, shoulders := &p.direction[t][boneIndex(hipWidth, 0)], &p.direction[t][boneIndex(shoulderWidth, 0)]
	twist := shoulders[2] - hips[2]
	hips[2] += hipsFollow * twist
	shoulders[2] -= shouldersFollow * twist
	*hips, *shoulders = unitOr(*hips), unitOr(*shoulders)
}

// subject is what stays the same while one camera watches one person.
type subject struct {
	heightM float64
	// scale is the subject's size against the network's adult.
	scale float64
	// bend is the network's habit with an upright body.
	bend   bend
	length [numBoneKinds]float64 // m
}

// measure finds the subject in the clip, and the depth of the root in every frame.
// The network's bend is taken out of the directions on the way.
func (p *problem) measure(s *stream, heightM float64) (subject, []float64) {
	who := subject{heightM: heightM, scale: networkScale(s, heightM)}
	p.heightM = heightM
	depth := p.sizeDepths(s, who.scale)
	p.settleDepth(depth)
	who.bend = p.findBend(depth)
	p.unbend(who.bend)
	for k := range p.length {
		p.length[k] = boneRatio[k] * heightM
	}
	p.markAsStarted()
	p.length = p.boneLengths(heightM, depth)
	// The network's pose is too upright where the body is bent, and a body too
	// tall for its picture seems far away. Bones seen at full length know better.
	for range 2 {
		p.boneDepths(depth)
		p.length = p.boneLengths(heightM, depth)
	}
	who.length = p.length
	return who, depth
}

// recognise takes a subject measured before and returns the depth of the root.
func (p *problem) recognise(s *stream, who *subject) []float64 {
	p.heightM, p.length = who.heightM, who.length
	depth := p.sizeDepths(s, who.scale)
	p.settleDepth(depth)
	p.unbend(who.bend)
	p.markAsStarted()
	for range 2 {
		p.boneDepths(depth)
	}
	return depth
}

// networkScale is the size of a subject of stature heightM against what the
// network sees: the ratio of the chains from ankle to shoulder.
func networkScale(s *stream, heightM float64) float64 {
	chain := make([]float64, s.n)
	for t := range s.n {
		j := func(j human.Joint) spatial.Vec3 { return s.jointWorld(t, j) }
		chain[t] = j(human.Chest).Sub(j(human.Pelvis)).Norm() +
			(j(human.LKnee).Sub(j(human.LHip)).Norm()+j(human.RKnee).Sub(j(human.RHip)).Norm())/2 +
			(j(human.LAnkle).Sub(j(human.LKnee)).Norm()+j(human.RAnkle).Sub(j(human.RKnee)).Norm())/2
	}
	return heightM * chainLength(&markRatio) / math.Max(median(chain), 0.05)
}

// sizeDepths is the depth of the root by the person's apparent size.
func (p *problem) sizeDepths(s *stream, scale float64) []float64 {
	depth := make([]float64, s.n)
	for t := range s.n {
		var rel [numFree]spatial.Vec3
		root := s.jointWorld(t, human.Pelvis)
		for i, j := range freeJoints {
			rel[i] = s.jointWorld(t, j).Sub(root).Scale(scale)
		}
		depth[t] = p.sizeDepth(t, &rel)
	}
	return depth
}

// boneDepths judges the depth of all frames by the bones.
func (p *problem) boneDepths(depth []float64) {
	for t := range depth {
		depth[t] = p.boneDepth(t, depth[t])
	}
	p.settleDepth(depth)
}

// place fills x: every bone lifted out of the picture, the body at its depth.
func (p *problem) place(depth []float64) {
	p.liftBones(depth)
	p.rest()
	p.markAsStarted()
	for t := range p.n {
		var rel [numFree]spatial.Vec3
		p.chain(t, &rel)
		// With the depth known, the mean over the landmarks centres the body.
		var root spatial.Vec3
		sum := 0.0
		for i := range numFree {
			w := p.weight[t][i]
			sum += w
			for k := range 2 {
				ray := (p.px[t][i][k] - p.centrePx[k]) / p.focalPx
				root[k] += w * (ray*(rel[i][2]+p.mark[t][i][2]+depth[t]) - rel[i][k] - p.mark[t][i][k])
			}
		}
		root = root.Scale(1 / sum)
		root[2] = depth[t]
		for i := range numFree {
			q := rel[i].Add(root)
			copy(p.x[t*frameVars+3*i:], q[:])
		}
	}
}

// sizeDepth returns the root depth at which the body rel, moved but not
// turned, covers the landmarks of frame t best: linear least squares in the
// three root coordinates.
func (p *problem) sizeDepth(t int, rel *[numFree]spatial.Vec3) float64 {
	// For each landmark and axis: root_k - ray root_z = ray rel_z - rel_k.
	var sw, swr [2]float64
	var swrr, swrb float64
	var swb [2]float64
	for i := range numFree {
		w := p.weight[t][i] * p.weight[t][i]
		for k := range 2 {
			ray := (p.px[t][i][k] - p.centrePx[k]) / p.focalPx
			b := ray*rel[i][2] - rel[i][k]
			sw[k] += w
			swr[k] += w * ray
			swrr += w * ray * ray
			swb[k] += w * b
			swrb += w * ray * b
		}
	}
	a, c := swrr, -swrb
	for k := range 2 {
		a -= swr[k] * swr[k] / sw[k]
		c += swr[k] * swb[k] / sw[k]
	}
	if a < 1e-12 {
		return 3
	}
	return math.Max(0.3, math.Min(100, c/a))
}

// chain builds the pose of frame t, relative to the pelvis, from the directions.
func (p *problem) chain(t int, rel *[numFree]spatial.Vec3) {
	var at [human.NumJoints]spatial.Vec3
	for i, b := range bones {
		v := p.direction[t][i].Scale(p.length[b.kind])
		switch b.kind {
		case hipWidth, shoulderWidth:
			mid := at[human.Pelvis]
			if b.kind == shoulderWidth {
				mid = at[human.Chest]
			}
			at[b.a], at[b.b] = mid.Sub(v.Scale(0.5)), mid.Add(v.Scale(0.5))
		case ankleToe: // the triangle is closed by the two others
		default:
			at[b.b] = at[b.a].Add(v)
		}
	}
	for i, j := range freeJoints {
		rel[i] = at[j]
	}
}

// settleDepth removes outliers from the root depth and smooths it.
func (p *problem) settleDepth(depth []float64) {
	typical := median(append([]float64(nil), depth...))
	p.rootDepthLimit = 0.3 * typical
	for t := range depth {
		depth[t] = math.Max(0.5*typical, math.Min(2*typical, depth[t]))
	}
	lowPass(depth, p.fps, rootDepthCutoffHz)
}

// boneDepth returns the depth of the body in frame t judged by the bones that
// look long for their length: a foreshortened bone only seems farther away.
// guess is returned when no bone is seen well.
func (p *problem) boneDepth(t int, guess float64) float64 {
	var seen []weighted
	var rel [numFree]spatial.Vec3
	p.chain(t, &rel)
	for i, b := range bones {
		switch b.kind {
		case neck, hand, ankleHeel, heelToe, ankleToe:
			continue
		}
		d := p.direction[t][i]
		v := p.look(t, b, &rel, guess, true)
		sight := math.Hypot(v.end[0]-v.start[0], v.end[1]-v.start[1])
		if math.Hypot(d[0], d[1]) < 0.7 || v.weight < 0.5 || sight*p.focalPx < 1 {
			continue
		}
		from := p.length[b.kind] * math.Hypot(d[0]-v.end[0]*d[2], d[1]-v.end[1]*d[2]) / sight
		// Longer bones measure better.
		seen = append(seen, weighted{from - v.from, v.weight * p.length[b.kind]})
	}
	if len(seen) < 3 {
		return guess
	}
	return weightedQuantile(seen, boneDepthQuantile)
}
