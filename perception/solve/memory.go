package solve

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const (
	memoryStepS  = 0.1 // between two frames that are kept
	memoryFrames = 128 // 13 s
	measureS     = 1.0 // between two measurements of the subject
)

// memory is the thinned past by which the subject and the camera are measured.
type memory struct {
	frames  []landmark.Frame // swaps repaired
	samples []sample
}

// sample is one instant of a stream.
type sample struct {
	px    [landmark.Num][2]float64
	world [landmark.Num]spatial.Vec3
	conf  [landmark.Num]float64
}

// keep remembers the stream at timeS, if it is long enough after what is kept;
// frames are those behind the stream.
func (m *memory) keep(s *stream, frames []landmark.Frame, timeS float64) {
	if n := len(m.frames); n > 0 && timeS < m.frames[n-1].TimeS+memoryStepS-1e-6 {
		return
	}
	t := int(math.Round((timeS - s.startS) * s.fps))
	near := 0
	for i := range frames {
		if abs(frames[i].TimeS-timeS) < abs(frames[near].TimeS-timeS) {
			near = i
		}
	}
	if n := len(m.frames); n > 0 && frames[near].TimeS <= m.frames[n-1].TimeS {
		return
	}
	if len(m.frames) == memoryFrames {
		m.frames, m.samples = slices.Delete(m.frames, 0, 1), slices.Delete(m.samples, 0, 1)
	}
	var q sample
	for j := range landmark.Num {
		q.px[j] = [2]float64{s.px[j][0][t], s.px[j][1][t]}
		q.world[j] = s.worldAt(t, j)
		q.conf[j] = s.conf[j][t]
	}
	m.frames, m.samples = append(m.frames, frames[near]), append(m.samples, q)
}

// stream lays the samples side by side, as if they were evenly apart.
func (m *memory) stream() *stream {
	n := len(m.samples)
	s := &stream{grid: grid{1 / memoryStepS, m.frames[0].TimeS, n}}
	for j := range landmark.Num {
		for k := range s.px[j] {
			s.px[j][k] = make([]float64, n)
		}
		for k := range s.world[j] {
			s.world[j][k] = make([]float64, n)
		}
		s.conf[j] = make([]float64, n)
		for t := range m.samples {
			q := &m.samples[t]
			s.px[j][0][t], s.px[j][1][t] = q.px[j][0], q.px[j][1]
			for k := range 3 {
				s.world[j][k][t] = q.world[j][k]
			}
			s.conf[j][t] = q.conf[j]
		}
	}
	return s
}

// learn measures the subject and gravity when it is time to.
func (c *Causal) learn() {
	if len(c.memory.frames) < minFoundFrames || c.known && c.lastS < c.measuredS+measureS {
		return
	}
	c.measuredS = c.lastS
	c.targetCam = findCamera(c.memory.frames, c.opt.WidthPx, c.opt.HeightPx, &c.opt.Options)
	s := c.memory.stream()
	cam := newLens(c.opt.WidthPx, c.opt.HeightPx, c.targetCam.focalPx)
	c.target, _ = newProblem(s, cam, c.targetCam.up).measure(s, c.opt.HeightM)
	if !c.known {
		c.known, c.who, c.cam = true, c.target, c.targetCam
	}
}

// ease moves what is used a little towards what was measured last, in such a way
// that the person, frame t of p, stays where they are in the world.
func (c *Causal) ease(p *problem, t int) {
	k := easeShare(c.opt.FPS, subjectEaseS)
	c.who.ease(&c.target, k)
	if c.targetCam.up == c.cam.up && c.targetCam.focalPx == c.cam.focalPx {
		return
	}
	before, pelvis := newWorld(c.cam.up), p.joint(t, human.Pelvis)
	stood := before.turn(pelvis)
	wider := c.cam.focalPx
	up := c.cam.up.Lerp(c.targetCam.up, k).Unit(c.cam.up)
	c.cam.focalPx += k * (c.targetCam.focalPx - c.cam.focalPx)
	focal := c.cam.focalPx
	c.cam = c.targetCam
	c.cam.up, c.cam.focalPx = up, focal
	c.deepen(focal / wider)
	pelvis[2] *= focal / wider
	after := newWorld(up)
	moved := after.turn(pelvis).Sub(stood)
	c.origin, c.floor = c.origin.Add(moved), c.floor+moved[2]
}

// deepen moves the last solution away from the camera as a longer lens puts it:
// the same picture comes from farther off.
func (c *Causal) deepen(ratio float64) {
	for o := 0; o+frameVars <= len(c.x); o += frameVars {
		l, r := ends(human.Pelvis)
		add := (ratio - 1) * (c.x[o+3*l+2] + c.x[o+3*r+2]) / 2
		for z := o + 2; z < o+frameVars; z += 3 {
			c.x[z] += add
		}
	}
}

// ease moves a subject a share k towards another.
func (w *subject) ease(to *subject, k float64) {
	w.scale += k * (to.scale - w.scale)
	for i := range w.length {
		w.length[i] += k * (to.length[i] - w.length[i])
	}
	for i := range w.bend.away {
		w.bend.away[i] += k * (to.bend.away[i] - w.bend.away[i])
	}
	if to.bend.facing != (spatial.Vec3{}) {
		w.bend.facing = w.bend.facing.Lerp(to.bend.facing, k).Unit(to.bend.facing)
	}
}
