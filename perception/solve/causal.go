package solve

import (
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/lines"
)

// The causal form is a fixed-lag smoother: it keeps a short window of the past,
// solves it anew with every picture by the same mathematics as a whole clip, from
// the solution it had, and hands out the pose that is LagFrames before the newest.
// A one-euro filter, as the published pipeline has, knows neither bones nor floor
// and lags all the same; a window without lag would see no contact begin.
//
// What a whole clip tells about the person and the camera (lengths, the network's
// habits, gravity) is measured again every second from a thinned memory of the
// last seconds, and eased in.
const (
	// DefaultLagFrames is 67 ms at 30 poses/s: the shortest lag over which the
	// speed of a foot can be measured (speedHalfS).
	DefaultLagFrames = 2
	maxLagFrames     = 30
	// causalFPS is the rate of poses where nothing else is asked for.
	causalFPS    = 30.0
	maxCausalFPS = 60.0
	// windowS must hold a quiet stance (1 s) and the low-pass filters' edges.
	windowS = 2.0
	// forgetS without the person end the window: nothing bridges that.
	forgetS = 0.5
	// turnedCos is the cosine of 45 degrees: bones farther apart are on two sides.
	turnedCos = 0.7
	// warmSteps of Gauss-Newton at most follow from the solution of the picture
	// before; the fit ends sooner when it has settled.
	warmSteps = 6

	// maxTimeS is 30 years: poses are counted.
	maxTimeS = 1e9

	floorEaseS   = 0.5 // time constant of the floor's level
	subjectEaseS = 1.0 // and of what is known of subject and gravity
)

// Reasons why a push gives no pose, beside landmark.ErrNoPerson. They are no faults.
var (
	// ErrSettling: the person has not been watched for long enough.
	ErrSettling = errors.New("solve: still getting to know the person")
	// ErrBetween: no pose is due at this picture (pictures come faster than poses).
	ErrBetween = errors.New("solve: no pose is due yet")
)

// CausalOptions steers a Causal.
type CausalOptions struct {
	// Options are those of Solve. FPS is the rate of poses, 0 means 30; faster
	// cameras are thinned, slower ones leave poses out.
	Options
	WidthPx, HeightPx int // of the upright picture
	// LagFrames is how many poses the one that is handed out lies before the
	// newest picture: what comes later cannot change it. 0 to 30; see
	// DefaultLagFrames.
	LagFrames int
}

// Pose is a person's pose at one time.
type Pose struct {
	TimeS float64
	human.Pose
}

// Causal solves landmarks as they arrive. Memory is bounded. It belongs to one
// goroutine; the same frames give the same poses.
type Causal struct {
	opt     CausalOptions // complete
	assumed bool          // the height was not given
	lag     int

	started        bool
	startS, lastS  float64 // of the first and the newest picture
	emitted        int     // newest pose that came due, in poses from startS
	window         recent
	memory         memory
	known          bool
	who, target    subject
	cam, targetCam eye // used, and measured last
	measuredS      float64
	x              []float64 // the last solution
	xFrom          int       // and the pose that it begins with
	past           past
	stream         stream
	work           workspace
	floor          float64
	hasFloor       bool
	origin         spatial.Vec3
	hasOrigin      bool
	tally          tally
}

// NewCausal checks the options.
func NewCausal(o CausalOptions) (*Causal, error) {
	if o.FPS == 0 {
		o.FPS = causalFPS
	}
	if o.FPS > maxCausalFPS {
		return nil, fmt.Errorf("solve: rate %g poses/s; legal: 5 to %g", o.FPS, maxCausalFPS)
	}
	if o.LagFrames < 0 || o.LagFrames > maxLagFrames {
		return nil, fmt.Errorf("solve: lag of %d frames; legal: 0 to %d", o.LagFrames, maxLagFrames)
	}
	if err := o.check(o.WidthPx, o.HeightPx); err != nil {
		return nil, err
	}
	c := &Causal{lag: o.LagFrames, emitted: -1, opt: o}
	c.opt.Options, c.assumed = o.complete(o.WidthPx, o.HeightPx)
	c.cam = eye{up: levelUp, focalPx: usualFocal * float64(max(o.WidthPx, o.HeightPx))}
	if c.opt.UpInCamera != nil {
		c.cam.up = *c.opt.UpInCamera
	}
	if c.opt.FocalPx > 0 {
		c.cam.focalPx = c.opt.FocalPx
	}
	c.targetCam = c.cam
	return c, nil
}

// See takes in the straight edges around the person, as far as they are known; they
// count from the next measurement on.
func (c *Causal) See(v *lines.View) { c.opt.Scene = v }

// FPS is the rate of poses.
func (c *Causal) FPS() float64 { return c.opt.FPS }

// LatencyS is how long before the newest picture a pose lies, at most: the lag,
// and one pose's time where pictures do not come in step with poses.
func (c *Causal) LatencyS() float64 { return float64(c.lag+1) / c.opt.FPS }

// Wants tells whether a picture at timeS would be used. One that comes too soon
// after the last need not be looked at.
func (c *Causal) Wants(timeS float64) bool {
	return !c.started || timeS-c.lastS >= 0.75/c.opt.FPS
}

// Forget drops the window, as if the person had gone: what was pushed lately was
// somebody else. What is known of subject and camera stays.
func (c *Causal) Forget() {
	c.window.clear()
	c.x = c.x[:0]
}

// Push takes in what was seen in the next picture and returns the pose that is
// due: that of LagFrames before the picture. It depends on this and earlier
// frames alone. Without a pose the error says why: landmark.ErrNoPerson where the
// person was not seen at the pose's time, ErrSettling, ErrBetween; anything else
// is a malformed frame, which is left out.
func (c *Causal) Push(f *landmark.Frame) (Pose, error) {
	if !(math.Abs(f.TimeS) <= maxTimeS) || c.started && f.TimeS <= c.lastS {
		return Pose{}, fmt.Errorf("solve: time stamp %g s after %g s; legal: strictly increasing, up to %g",
			f.TimeS, c.lastS, maxTimeS)
	}
	if f.Found {
		if j := broken(f); j >= 0 {
			return Pose{}, fmt.Errorf("solve: frame at %g s, %s: not a number", f.TimeS, landmark.Name(j))
		}
	}
	if !c.Wants(f.TimeS) {
		return Pose{}, ErrBetween
	}
	if !c.started {
		c.started, c.startS, c.measuredS = true, f.TimeS, f.TimeS
	}
	c.lastS = f.TimeS
	c.tally.frame(f)
	if f.Found {
		c.take(f)
	}
	due := c.due(f.TimeS)
	switch {
	case due < 0:
		return Pose{}, ErrSettling
	case due <= c.emitted:
		return Pose{}, ErrBetween
	}
	c.emitted = due
	if !c.window.covers(c.timeOf(due), 1.5/c.opt.FPS) {
		return Pose{}, landmark.ErrNoPerson
	}
	return c.solve(due)
}

// due is the pose that a picture at timeS brings. The picture counts for the pose
// nearest to it, so that pictures which come a little early or late bring one each;
// but nothing is told that lies after the picture.
func (c *Causal) due(timeS float64) int {
	at := (timeS - c.startS) * c.opt.FPS
	return min(int(math.Floor(at+0.5))-c.lag, int(math.Floor(at+1e-6)))
}

// timeOf is the time of pose k.
func (c *Causal) timeOf(k int) float64 { return c.startS + float64(k)/c.opt.FPS }

// take adds a frame with a person to the window.
func (c *Causal) take(f *landmark.Frame) {
	if last := c.window.last(); last != nil && f.TimeS-last.TimeS > forgetS {
		c.Forget()
	}
	c.window.add(f, c.cam.up)
	c.window.drop(f.TimeS - windowS)
}

// solve returns pose due from the window.
func (c *Causal) solve(due int) (Pose, error) {
	first := int(math.Ceil((c.window.frames[0].TimeS-c.startS)*c.opt.FPS - 1e-6))
	last := int(math.Floor((c.window.last().TimeS-c.startS)*c.opt.FPS + 1e-6))
	if last-first+1 < minFoundFrames || len(c.window.frames) < minFoundFrames || due < first || due > last {
		return Pose{}, ErrSettling
	}
	frames, states := c.window.repaired()
	s := &c.stream
	outliers := s.load(frames, grid{c.opt.FPS, c.timeOf(first), last - first + 1})
	s.smooth(c.opt.CutoffHz)
	c.memory.keep(s, frames, c.timeOf(due))
	c.learn()
	if !c.known {
		return Pose{}, ErrSettling
	}
	p, touch, err := c.fit(s, first)
	if err != nil {
		return Pose{}, err
	}
	c.tally.solved(p, touch, due-first, states[min(due-first, len(states)-1)] != asSeen, outliers)
	return c.pose(p, s, touch, due-first), nil
}

// fit solves the window, which begins with pose first.
func (c *Causal) fit(s *stream, first int) (*problem, contacts, error) {
	p := newProblem(s, newLens(c.opt.WidthPx, c.opt.HeightPx, c.cam.focalPx), c.cam.up)
	p.work = &c.work
	if len(c.x) > 0 && first-c.xFrom <= 1 {
		p.past.now = c.past.now
		if first > c.xFrom {
			p.past.now = c.past.next
		}
	}
	p.place(p.recognise(s, &c.who))
	warm := c.recall(p, first)
	c.past = p.past
	p.floor = c.floor
	p.restFeet()
	steps := warmSteps
	if !warm {
		steps = fitSteps
		if err := p.minimise(steps); err != nil {
			return nil, contacts{}, err
		}
	}
	touch := p.detectContacts()
	p.useContacts(touch)
	if c.hasFloor {
		p.floor = c.floor + easeShare(c.opt.FPS, floorEaseS)*(p.floor-c.floor)
	}
	c.floor, c.hasFloor = p.floor, true
	if err := p.minimise(steps); err != nil {
		return nil, touch, err
	}
	c.x, c.xFrom = append(c.x[:0], p.x...), first
	return p, touch, nil
}

// recall starts the fit from the last solution where there is one. A limb that is
// now lifted to the other side of the picture starts there: the fit alone does not
// find the way across.
func (c *Causal) recall(p *problem, first int) bool {
	have := len(c.x) / frameVars
	from, to := max(first, c.xFrom), min(first+p.n, c.xFrom+have)
	if to-from < minFoundFrames/2 {
		return false
	}
	for k := from; k < to; k++ {
		lifted := p.x[(k-first)*frameVars : (k-first+1)*frameVars]
		known := c.x[(k-c.xFrom)*frameVars : (k-c.xFrom+1)*frameVars]
		for _, limb := range limbs {
			if !turnedOver(known, lifted, limb) {
				for _, j := range limb {
					at := 3 * freeIndex[j]
					copy(lifted[at:at+3], known[at:at+3])
				}
			}
		}
	}
	return true
}

// limbs are the chains of joints that turn over together; a head does not.
var limbs = [...][]human.Joint{
	{human.Head}, {human.LShoulder, human.LElbow, human.LWrist, human.LHand},
	{human.RShoulder, human.RElbow, human.RWrist, human.RHand},
	{human.LHip, human.LKnee, human.LAnkle, human.LHeel, human.LToe},
	{human.RHip, human.RKnee, human.RAnkle, human.RHeel, human.RToe},
}

// turnedOver tells whether one of the two long bones of a limb points elsewhere in
// two frames of unknowns.
func turnedOver(a, b []float64, limb []human.Joint) bool {
	if len(limb) < 3 {
		return false
	}
	at := func(x []float64, j human.Joint) spatial.Vec3 {
		return spatial.Vec3(x[3*freeIndex[j] : 3*freeIndex[j]+3])
	}
	for i := range 2 {
		u := at(a, limb[i+1]).Sub(at(a, limb[i])).Unit(levelUp)
		v := at(b, limb[i+1]).Sub(at(b, limb[i])).Unit(levelUp)
		if u.Dot(v) < turnedCos {
			return true
		}
	}
	return false
}

// pose turns frame t of the window into a pose in the world.
func (c *Causal) pose(p *problem, s *stream, touch contacts, t int) Pose {
	w := newWorld(p.up)
	if !c.hasOrigin {
		c.origin, c.hasOrigin = w.turn(p.joint(t, human.Pelvis)), true
	}
	w.origin = c.origin
	w.origin[2] = p.floor
	out := Pose{TimeS: s.startS + float64(t)/s.fps}
	out.Positions = p.skeleton(w.place, touch)[t]
	p.flesh(&out.Pose, s, t, w, &touch[t])
	c.ease(p, t)
	return out
}

// easeShare is the share of a distance that is gone in one of fps steps a second, so
// that after timeS seconds two thirds are.
func easeShare(fps, timeS float64) float64 { return 1 - math.Exp(-1/(fps*timeS)) }
