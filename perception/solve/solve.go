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
// frames show a person, on malformed input, and, naming frame and point, on landmarks
// of which the fit makes equations that have no solution.
func Solve(in *landmark.Clip, opt Options) (*human.Motion, *Report, error) {
	found, err := check(in, &opt)
	if err != nil {
		return nil, nil, err
	}
	opt, assumed := opt.complete(in.WidthPx, in.HeightPx)
	rep := &Report{FramesIn: len(in.Frames), FramesMissed: len(in.Frames) - found,
		HeightM: opt.HeightM, HeightAssumed: assumed}
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
	cam := findCamera(frames, in.WidthPx, in.HeightPx, &opt)
	rep.setFocal(&cam)
	s, outliers := newStream(frames, newGrid(frames, opt.FPS))
	rep.OutlierShare = outliers
	s.smooth(opt.CutoffHz)

	p := newProblem(s, newLens(in.WidthPx, in.HeightPx, cam.focalPx), cam.up)
	_, depth := p.measure(s, rep.HeightM)
	p.place(depth)
	p.restFeet()
	if err := p.minimise(fitSteps); err != nil {
		return nil, nil, err
	}
	c := p.detectContacts()
	if cam.doubtRad > 0 {
		p.up = p.levelFloor(c, cam.doubtRad)
		c = p.detectContacts()
	}
	rep.LevelsM = p.findLevels(c, cam.doubtRad)
	p.useContacts(c)
	if err := p.minimise(fitSteps); err != nil {
		return nil, nil, err
	}

	m := p.motion(s, c)
	m.Meta.SubjectHeightM, m.Meta.HeightAssumed = rep.HeightM, rep.HeightAssumed
	m.Meta.FramesMissed = rep.FramesMissed
	p.describe(rep, c)
	return m, rep, m.Validate()
}

// motion converts the solution to world axes and adds what the fit leaves out.
func (p *problem) motion(s *stream, c contacts) *human.Motion {
	w := newWorld(p.up)
	w.origin = w.turn(p.joint(0, human.Pelvis))
	w.origin[2] = p.floor
	m := &human.Motion{FPS: s.fps, Frames: make([]human.Pose, s.n)}
	m.Meta.Schema = 1
	m.Meta.StartS = s.startS
	positions := p.skeleton(w.place, c)
	for t := range s.n {
		m.Frames[t].Positions = positions[t]
		p.flesh(&m.Frames[t], s, t, w, &c[t])
	}
	return m
}

// world are the axes of a motion: x towards the camera, y to the right of the
// picture, z up.
type world struct{ away, right, up, origin spatial.Vec3 }

func newWorld(up spatial.Vec3) world {
	right, away := horizontal(up)
	return world{away: away, right: right, up: up}
}

// turn gives a direction in camera axes in those of the world.
func (w *world) turn(v spatial.Vec3) spatial.Vec3 {
	return spatial.Vec3{-w.away.Dot(v), w.right.Dot(v), w.up.Dot(v)}
}

// place gives a place in camera axes in those of the world.
func (w *world) place(v spatial.Vec3) spatial.Vec3 { return w.turn(v).Sub(w.origin) }

// flesh adds nose, contacts, rotations and confidence of frame t to its positions.
func (p *problem) flesh(f *human.Pose, s *stream, t int, w world, touch *[human.NumContacts]float64) {
	across := func(a, b landmark.Index) spatial.Vec3 { return w.turn(s.worldAt(t, a).Sub(s.worldAt(t, b))) }
	noseDir := w.turn(s.worldAt(t, landmark.Nose).Sub(s.jointWorld(t, human.Head)))
	nose := noseDir.Unit(spatial.Vec3{1, 0, 0}).Scale(noseLength * p.heightM)
	f.Positions[human.Nose] = f.Positions[human.Head].Add(nose)
	f.Contacts = *touch
	knuckle := [2]spatial.Vec3{
		across(landmark.LIndex, landmark.LPinky),
		across(landmark.RIndex, landmark.RPinky),
	}
	flat := [2]float64{
		math.Min(touch[human.LHeelContact], touch[human.LToeContact]),
		math.Min(touch[human.RHeelContact], touch[human.RToeContact]),
	}
	fillRotations(f, noseDir, across(landmark.LEar, landmark.REar), knuckle, flat)
	for j := range human.NumJoints {
		f.Confidence[j] = clamp01(s.jointConf(t, human.Joint(j)))
	}
}

// noseLength is the distance from between the ears to the landmark.Nose, as a share of
// stature.
const noseLength = 0.068

// describe fills the report's account of camera, subject and fit.
func (p *problem) describe(rep *Report, c contacts) {
	rep.setUp(p.up)
	rep.CameraHeightM = -p.floor
	rep.BoneM = map[string]float64{}
	for k, l := range p.length {
		rep.BoneM[boneNames[k]] = l
	}
	sum, weights, stance := 0.0, 0.0, 0
	for t := range p.n {
		p.reprojection(t, &sum, &weights)
		if stands(&c[t]) {
			stance++
		}
	}
	rep.MeanReprojPx = sum / weights
	rep.StanceShare = float64(stance) / float64(p.n)
}

func (r *Report) setFocal(c *eye) {
	r.FocalPx, r.FocalSource, r.FocalLowPx, r.FocalHighPx = c.focalPx, c.source, c.lowPx, c.highPx
	r.TiltDoubtDeg = c.doubtRad * 180 / math.Pi
}

func (r *Report) setUp(up spatial.Vec3) {
	r.UpInCamera = up
	r.CameraTiltDeg = math.Acos(clamp01(up.Dot(levelUp))) * 180 / math.Pi
}

// reprojection adds the distances in pixels between solved and seen landmarks of
// frame t, by weight, and the weights.
func (p *problem) reprojection(t int, px, weight *float64) {
	for i := range numFree {
		q := p.at(t, i).Add(p.mark[t][i])
		e := math.Hypot(p.focalPx*q[0]/q[2]+p.centrePx[0]-p.px[t][i][0],
			p.focalPx*q[1]/q[2]+p.centrePx[1]-p.px[t][i][1])
		*px += p.weight[t][i] * e
		*weight += p.weight[t][i]
	}
}

// stands tells whether a foot is on the floor.
func stands(touch *[human.NumContacts]float64) bool {
	return max(touch[0], touch[1], touch[2], touch[3]) >= 0.5
}
