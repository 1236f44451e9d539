package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// fitSteps bounds the Gauss-Newton steps of each of the passes.
const fitSteps = 8

// Solve turns landmarks into motion. The motion begins at the first and ends at
// the last frame with a person; Meta has its start time, the height used and
// the number of missed frames; the caller fills in source, model and tool.
// The input is not changed. It fails with landmark.ErrNoPerson when fewer than ten
// frames show a person, and on malformed input.
func Solve(in *landmark.Clip, opt Options) (*human.Motion, *Report, error) {
	found, err := check(in, &opt)
	if err != nil {
		return nil, nil, err
	}
	rep := &Report{FramesIn: len(in.Frames), FramesMissed: len(in.Frames) - found, HeightM: opt.HeightM, FocalPx: opt.FocalPx}
	if rep.HeightM == 0 {
		rep.HeightM, rep.HeightAssumed = assumedHeightM, true
	}
	if rep.FocalPx == 0 {
		rep.FocalPx = assumedFocalRatio * float64(max(in.WidthPx, in.HeightPx))
	}
	cutoff := opt.CutoffHz
	if cutoff == 0 {
		cutoff = defaultCutoffHz
	}

	frames := make([]landmark.Frame, 0, found)
	for i := range in.Frames {
		if in.Frames[i].Found {
			if k := len(frames); k > 0 && !in.Frames[i-1].Found {
				rep.LongestGapS = math.Max(rep.LongestGapS, in.Frames[i].TimeS-frames[k-1].TimeS)
			}
			frames = append(frames, in.Frames[i])
		}
	}
	frames = dropIntruders(frames)
	up := estimateUp(frames)
	rep.SwappedFrames = repairSwaps(frames, up)
	if rep.SwappedFrames > 0 {
		up = estimateUp(frames)
	}
	if opt.UpInCamera != nil {
		up = *opt.UpInCamera
	}
	s, outliers := newStream(frames, opt.FPS)
	rep.OutlierShare = outliers
	s.smooth(cutoff)

	p := newProblem(s, in, rep.FocalPx, rep.HeightM, up)
	p.restFeet()
	p.minimise(fitSteps)
	c := p.detectContacts()
	if opt.UpInCamera == nil {
		p.up = p.levelFloor(c)
		c = p.detectContacts()
	}
	p.useContacts(c)
	p.minimise(fitSteps)

	m := p.motion(s, c)
	m.Meta.SubjectHeightM, m.Meta.HeightAssumed = rep.HeightM, rep.HeightAssumed
	m.Meta.FramesMissed = rep.FramesMissed
	p.describe(rep, c)
	return m, rep, m.Validate()
}

// motion converts the solution to world axes and adds what the fit leaves out.
func (p *problem) motion(s *stream, c contacts) *human.Motion {
	right, away := horizontal(p.up)
	turn := func(v spatial.Vec3) spatial.Vec3 {
		return spatial.Vec3{-away.Dot(v), right.Dot(v), p.up.Dot(v)}
	}
	origin := turn(p.joint(0, human.Pelvis))
	origin[2] = p.floor
	world := func(v spatial.Vec3) spatial.Vec3 { return turn(v).Sub(origin) }

	m := &human.Motion{FPS: s.fps, Frames: make([]human.Pose, s.n)}
	m.Meta.Schema = 1
	m.Meta.StartS = s.startS
	positions := p.skeleton(world, c)
	for t := range s.n {
		f := &m.Frames[t]
		f.Positions = positions[t]
		noseDir := turn(s.worldAt(t, landmark.Nose).Sub(s.jointWorld(t, human.Head)))
		f.Positions[human.Nose] = f.Positions[human.Head].Add(noseDir.Unit(spatial.Vec3{1, 0, 0}).Scale(noseLength * p.heightM))
		f.Contacts = c[t]
		knuckle := [2]spatial.Vec3{
			turn(s.worldAt(t, landmark.LIndex).Sub(s.worldAt(t, landmark.LPinky))),
			turn(s.worldAt(t, landmark.RIndex).Sub(s.worldAt(t, landmark.RPinky))),
		}
		flat := [2]float64{
			math.Min(c[t][human.LHeelContact], c[t][human.LToeContact]),
			math.Min(c[t][human.RHeelContact], c[t][human.RToeContact]),
		}
		fillRotations(f, noseDir, turn(s.worldAt(t, landmark.LEar).Sub(s.worldAt(t, landmark.REar))), knuckle, flat)
		for j := range human.NumJoints {
			f.Confidence[j] = clamp01(s.jointConf(t, human.Joint(j)))
		}
	}
	return m
}

// noseLength is the distance from between the ears to the landmark.Nose, as a share of
// stature.
const noseLength = 0.068

// describe fills the report's account of camera, subject and fit.
func (p *problem) describe(rep *Report, c contacts) {
	rep.UpInCamera = p.up
	rep.CameraTiltDeg = math.Acos(clamp01(p.up.Dot(levelUp))) * 180 / math.Pi
	rep.CameraHeightM = -p.floor
	rep.BoneM = map[string]float64{}
	for k, l := range p.length {
		rep.BoneM[boneNames[k]] = l
	}
	sum, weights, stance := 0.0, 0.0, 0
	for t := range p.n {
		for i := range numFree {
			q := p.at(t, i)
			e := math.Hypot(p.focalPx*q[0]/q[2]+p.centrePx[0]-p.px[t][i][0], p.focalPx*q[1]/q[2]+p.centrePx[1]-p.px[t][i][1])
			sum += p.weight[t][i] * e
			weights += p.weight[t][i]
		}
		if max(c[t][0], c[t][1], c[t][2], c[t][3]) >= 0.5 {
			stance++
		}
	}
	rep.MeanReprojPx = sum / weights
	rep.StanceShare = float64(stance) / float64(p.n)
}
