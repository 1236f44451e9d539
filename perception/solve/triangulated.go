package solve

import (
	"errors"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const (
	// farM is how far away the two imagined cameras stand that judge contacts.
	farM = 50.0
	// sureOfLength: a bone is measured where both its ends are as sure as this.
	sureOfLength = 0.5
	// markRounds settle marks and joints to a tenth of a millimetre.
	markRounds = 3
)

// Triangulated turns landmarks whose places are known, since several cameras saw them,
// into motion: the same skeleton, contacts and floor as Solve's, with nothing guessed
// about depth, size or gravity. WorldM of in are places in metres in the axes of one
// camera (x right, y down, z away from it), not relative to the hips; the landmarks' pixels
// are where a pinhole of opt.FocalPx with its axis in the middle of the picture sees them.
// opt.UpInCamera must be given; HeightM is measured. Raw is how much the lengths of limbs
// vary over time (standard deviation, m) before the skeleton makes them constant.
func Triangulated(in *landmark.Clip, opt Options) (m *human.Motion, rep *Report, raw map[string]float64, err error) {
	found, err := check(in, &opt)
	if err != nil {
		return nil, nil, nil, err
	}
	if opt.UpInCamera == nil || opt.FocalPx == 0 {
		return nil, nil, nil, errors.New("solve: places in space need a focal length and the direction against gravity")
	}
	opt, _ = opt.complete(in.WidthPx, in.HeightPx)
	rep = &Report{FramesIn: len(in.Frames), FramesMissed: len(in.Frames) - found, FocalPx: opt.FocalPx}
	frames := make([]landmark.Frame, 0, found)
	for i := range in.Frames {
		if !in.Frames[i].Found {
			continue
		}
		if k := len(frames); k > 0 {
			rep.LongestGapS = math.Max(rep.LongestGapS, in.Frames[i].TimeS-frames[k-1].TimeS)
		}
		frames = append(frames, in.Frames[i])
	}
	s, outliers := newStream(frames, newGrid(frames, opt.FPS))
	rep.OutlierShare = outliers
	s.smooth(opt.CutoffHz)
	s.inSpace = true
	p := newProblem(s, newLens(in.WidthPx, in.HeightPx, opt.FocalPx), *opt.UpInCamera)
	p.take(s)
	if raw, err = p.measureBones(s, &markRatio); err != nil {
		return nil, nil, nil, err
	}
	for range markRounds { // where a mark is depends on the pose
		p.markAsSolved()
		p.take(s)
	}
	if _, err = p.measureBones(s, &boneRatio); err != nil {
		return nil, nil, nil, err
	}
	c := p.contactsInSpace()
	p.useContacts(c)
	m = p.motion(s, c)
	rep.HeightM = p.heightM
	m.Meta.SubjectHeightM, m.Meta.FramesMissed = rep.HeightM, rep.FramesMissed
	p.describe(rep, c)
	return m, rep, raw, m.Validate()
}

// take makes the places of the stream, less the marks' way from the joints, the solution.
func (p *problem) take(s *stream) {
	for t := range p.n {
		for i, j := range freeJoints {
			at := s.jointWorld(t, j).Sub(p.mark[t][i])
			copy(p.x[t*frameVars+3*i:], at[:])
		}
	}
}

// measureBones sets lengths and stature from the solution, left and right alike, and
// returns the standard deviation of each limb's length over time, in metres. usual are
// the lengths of a body of stature 1.
func (p *problem) measureBones(s *stream, usual *[numBoneKinds]float64) (map[string]float64, error) {
	var samples [numBoneKinds][]float64
	spread := map[string]float64{}
	for _, b := range bones {
		var own []float64
		for t := range p.n {
			if math.Min(s.jointConf(t, b.a), s.jointConf(t, b.b)) >= sureOfLength {
				own = append(own, p.joint(t, b.b).Sub(p.joint(t, b.a)).Norm())
			}
		}
		samples[b.kind] = append(samples[b.kind], own...)
		switch b.kind {
		case upperArm, forearm, thigh, shank:
			side := "l_"
			if b.a.Mirror() < b.a {
				side = "r_"
			}
			spread[side+boneNames[b.kind]] = deviation(own)
		}
	}
	measured, share := 0.0, 0.0 // lengths that carry the scale
	for k := range p.length {
		if len(samples[k]) == 0 {
			continue
		}
		p.length[k] = median(samples[k])
		if kind := boneKind(k); kind == trunk || kind == thigh || kind == shank {
			measured, share = measured+p.length[k], share+usual[k]
		}
	}
	if share == 0 {
		return nil, errors.New("solve: neither trunk nor legs are seen by two cameras, so the person's size is not known")
	}
	p.heightM = measured / share
	for k := range p.length {
		if len(samples[k]) == 0 {
			p.length[k] = usual[k] * p.heightM
		}
	}
	return spread, nil
}

// deviation is the standard deviation of x, 0 of nothing.
func deviation(x []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean) / float64(len(x))
	}
	return math.Sqrt(sum)
}

// contactsInSpace judges contacts as imagined cameras far away would: one level, one that
// looks straight down. A foot that rests in both pictures rests in space.
func (p *problem) contactsInSpace() contacts {
	right, away := horizontal(p.up)
	level := p.seenFrom(right, p.up.Scale(-1), away)
	above := p.seenFrom(right, away.Scale(-1), p.up.Scale(-1))
	c, d := level.detectContacts(), above.detectContacts()
	for t := range c {
		for k := range c[t] {
			c[t][k] = math.Min(c[t][k], d[t][k])
		}
	}
	return c
}

// seenFrom is the problem before a camera with the given axes, farM away.
func (p *problem) seenFrom(right, down, away spatial.Vec3) *problem {
	turn := func(v spatial.Vec3) spatial.Vec3 { return spatial.Vec3{right.Dot(v), down.Dot(v), away.Dot(v)} }
	middle := p.joint(p.n/2, human.Pelvis)
	q := *p
	q.up = turn(p.up)
	q.px, q.x = make([][numFree][2]float64, p.n), make([]float64, len(p.x))
	for t := range p.n {
		for i := range numFree {
			v := turn(p.at(t, i).Sub(middle))
			v[2] += farM
			copy(q.x[t*frameVars+3*i:], v[:])
			for k := range 2 {
				q.px[t][i][k] = q.focalPx*v[k]/v[2] + q.centrePx[k]
			}
		}
	}
	return &q
}
