package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The fit finds all joint positions of all frames at once, in camera axes
// (metres; x right, y down, z away), as the minimum of a sum of squares:
//
//	reprojection   the picture's landmarks, as metres at the person's depth
//	direction      every bone along the network's own, mostly for its depth
//	length         every bone as long as the subject's
//	acceleration   along time, stronger in depth, which is the noisy direction
//	knees          bend forwards only
//	floor          touching feet at floor height, no foot below it
//	stance         feet that touch the floor or rest in the picture do not move
//
// Standard deviations, in metres and seconds unless said otherwise.
const (
	sigmaImageM      = 0.015
	shortBoneDoubt   = 4    // by so much worse is the direction from ankle to heel and toe
	girdleTrust      = 1.5  // by so much better are the directions across hips and shoulders
	girdleDoubt      = 2.0  // by so much worse are those widths in the picture
	sigmaGirdleM     = 0.03 // of those widths
	sigmaLengthM     = 0.005
	sigmaAccel       = 20.0 // m/s^2 across the line of sight
	sigmaAccelDepth  = 6.0  // m/s^2 along it
	sigmaKneeM       = 0.010
	sigmaFloorM      = 0.006
	sigmaStanceSpeed = 0.008 // m/s
	robustScale      = 3.0   // standard deviations at which an observation loses half its weight
)

// sigmaDirection is that of a bone's direction from where it was lifted to.
var sigmaDirection = [numBoneKinds]float64{trunk: 0.12, hipWidth: 0.25, shoulderWidth: 0.25, neck: 0.12, upperArm: 0.2,
	forearm: 0.25, hand: 0.25, thigh: 0.25, shank: 0.25, ankleHeel: 0.25, heelToe: 0.25, ankleToe: 0.25}

const frameVars = 3 * numFree

// lens is a pinhole camera: pixel = focalPx * x / z + centrePx.
type lens struct {
	focalPx  float64
	centrePx [2]float64
}

// problem is the fit's data. Slices run along time.
type problem struct {
	n   int
	fps float64
	lens
	px             [][numFree][2]float64
	weight         [][numFree]float64 // of the observation, 0..1
	direction      [][len(bones)]spatial.Vec3
	forward        []spatial.Vec3 // where the pelvis faces
	length         [numBoneKinds]float64
	mark           [][numFree]spatial.Vec3 // where the network's marks lie from the joints, m
	heightM        float64
	up             spatial.Vec3
	floor          float64                      // up . p on the floor
	ground         [][2]float64                 // how much higher the left and right foot stand, see findLevels
	touch          [][human.NumContacts]float64 // weight of "at floor height"
	still          [][human.NumContacts]float64 // weight of "does not move until the next frame"
	useFloor       bool
	x              []float64 // the solution, n * frameVars
	rootDepthLimit float64   // nearest legal depth
	row            row       // the residual that visit is at
	past           past
	work           *workspace // nil until the first fit
}

func (p *problem) at(t, i int) spatial.Vec3 {
	o := t*frameVars + 3*i
	return spatial.Vec3{p.x[o], p.x[o+1], p.x[o+2]}
}

// joint returns joint j (any but the landmark.Nose) of the solution.
func (p *problem) joint(t int, j human.Joint) spatial.Vec3 {
	a, b := ends(j)
	return p.at(t, a).Lerp(p.at(t, b), 0.5)
}

// row is one scaled residual with its derivatives.
type row struct {
	idx [12]int
	val [12]float64
	n   int
	r   float64
}

// residual begins the next row; the one before is no longer needed.
func (p *problem) residual(r float64) *row {
	p.row.n, p.row.r = 0, r
	return &p.row
}

func (r *row) add(point int, g spatial.Vec3) {
	for k := range 3 {
		r.idx[r.n], r.val[r.n] = 3*point+k, g[k]
		r.n++
	}
}

// visit calls emit for every residual inside frame t at the solution x.
// Robust weights are taken at x (iteratively reweighted least squares).
func (p *problem) visit(t int, emit func(*row)) {
	p.visitPicture(t, emit)
	for i := range bones {
		p.visitBone(t, i, emit)
	}
	p.visitKnees(t, emit)
	if p.useFloor {
		p.visitFloor(t, emit)
	}
}

// visitPicture emits the distance of every landmark from its place in the picture.
func (p *problem) visitPicture(t int, emit func(*row)) {
	depth := math.Max(p.joint(t, human.Pelvis)[2], p.rootDepthLimit)
	for i := range numFree {
		w := p.weight[t][i]
		if w <= 0 {
			continue
		}
		q := p.at(t, i).Add(p.mark[t][i])
		z := math.Max(q[2], p.rootDepthLimit/2)
		s := w / sigmaImageM * depth / p.focalPx
		var r [2]float64
		for k := range 2 {
			r[k] = s * (p.focalPx*q[k]/z + p.centrePx[k] - p.px[t][i][k])
		}
		robust := 1 / math.Sqrt(1+(r[0]*r[0]+r[1]*r[1])/(robustScale*robustScale))
		for k := range 2 {
			var g spatial.Vec3
			g[k] = robust * s * p.focalPx / z
			g[2] = -robust * s * p.focalPx * q[k] / (z * z)
			out := p.residual(robust * r[k])
			out.add(i, g)
			emit(out)
		}
	}
}

// visitBone emits the length and the direction of a bone.
func (p *problem) visitBone(t, bone int, emit func(*row)) {
	b := &bones[bone]
	l := p.length[b.kind]
	v := p.joint(t, b.b).Sub(p.joint(t, b.a))
	n := v.Norm()
	rigid := 1 / sigmaLengthM
	if b.kind == shoulderWidth || b.kind == hipWidth || b.kind == neck {
		rigid = 1 / sigmaGirdleM
	}
	emit(p.along(b, (n-l)*rigid, v.Unit(spatial.Vec3{0, 0, 1}).Scale(rigid)))
	d := v.Sub(p.direction[t][bone].Scale(l))
	s := 1 / (sigmaDirection[b.kind] * l)
	switch b.kind {
	case ankleHeel, ankleToe:
		s /= shortBoneDoubt
	case shoulderWidth, hipWidth:
		s *= girdleTrust
	}
	robust := s / math.Sqrt(1+d.Dot(d)*s*s/(robustScale*robustScale))
	for k := range 3 {
		var g spatial.Vec3
		g[k] = robust
		emit(p.along(b, robust*d[k], g))
	}
}

// along is a residual r whose derivative by the bone's vector is g.
func (p *problem) along(b *bone, r float64, g spatial.Vec3) *row {
	out := p.residual(r)
	if from, to := ends(b.b); from == to {
		out.add(from, g)
	} else {
		out.add(from, g.Scale(0.5))
		out.add(to, g.Scale(0.5))
	}
	if from, to := ends(b.a); from == to {
		out.add(from, g.Scale(-1))
	} else {
		out.add(from, g.Scale(-0.5))
		out.add(to, g.Scale(-0.5))
	}
	return out
}

// visitKnees emits how far a knee lies behind the line from hip to ankle.
func (p *problem) visitKnees(t int, emit func(*row)) {
	s := p.length[shank] / (p.length[shank] + p.length[thigh])
	for _, h := range hipJoints {
		ahead := p.forward[t].Dot(p.joint(t, h+1).Sub(p.joint(t, h+2).Lerp(p.joint(t, h), s)))
		if ahead < 0 {
			g := p.forward[t].Scale(1 / sigmaKneeM)
			out := p.residual(ahead / sigmaKneeM)
			out.add(freeIndex[h+1], g)
			out.add(freeIndex[h], g.Scale(-s))
			out.add(freeIndex[h+2], g.Scale(s-1))
			emit(out)
		}
	}
}

// visitFloor emits how far touching feet are off the floor, others below it.
func (p *problem) visitFloor(t int, emit func(*row)) {
	for c, j := range footJoints {
		h := p.up.Dot(p.joint(t, j)) - p.floor - p.seenHeight(c) - p.ground[t][c/2]
		w := p.touch[t][c]
		if h < 0 {
			w = 1
		}
		if w > 0 {
			out := p.residual(w * h / sigmaFloorM)
			out.add(freeIndex[j], p.up.Scale(w/sigmaFloorM))
			emit(out)
		}
	}
}

// accelWeight is the squared weight of the second difference of coordinate k.
func (p *problem) accelWeight(k int) float64 {
	s := p.fps * p.fps / sigmaAccel
	if k == 2 {
		s = p.fps * p.fps / sigmaAccelDepth
	}
	return s * s
}

// stillWeight is the squared weight of the step of foot contact c from t to t+1.
func (p *problem) stillWeight(t, c int) float64 {
	s := p.still[t][c] * p.fps / sigmaStanceSpeed
	return s * s
}

// seenHeight is the height of foot landmark c above the sole of a flat foot.
func (p *problem) seenHeight(c int) float64 {
	if c%2 == 0 {
		return heelSeenHeight * p.heightM
	}
	return toeSeenHeight * p.heightM
}
