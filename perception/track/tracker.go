package track

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Options say how to track.
type Options struct {
	Runtime posenet.Runtime
	// Model is the landmark network: posenet.Lite, Full or Heavy.
	Model  posenet.Model
	Person Choice
	// Mirror is what the landmark network sees.
	Mirror posenet.Mirroring
	// Own takes the place of Model, nil: there is none.
	Own *posenet.Own
}

// weights loads the detector, or what the options name for landmarks.
func (o *Options) weights(m posenet.Model) (*posenet.Weights, error) {
	if m != posenet.Detector && o.Own != nil {
		return posenet.LoadOwn(o.Runtime, o.Own)
	}
	return posenet.Load(o.Runtime, m)
}

// Check reports options that mean nothing.
func (o Options) Check() error {
	if o.Model < posenet.Lite || o.Model > posenet.Heavy {
		return fmt.Errorf("track: landmark network %v; legal: lite, full or heavy", o.Model)
	}
	_, err := o.Person.parse()
	return err
}

// Limits of what the same person can do between two frames, in sides of the
// square (a side is about 1.5 body heights).
const (
	maxSidesPerS   = 10.0 // 15 m/s for an adult
	minJump        = 0.2  // the square itself jitters by this much
	maxGrowth      = 1.6  // per frame, and between loss and return
	gateSidesPerS  = 1.0  // how fast the search widens after a loss
	maxGate        = 1.5
	alikeEnough    = 0.75 // similarity of clothes that outweighs position
	unlike         = 0.45 // below this it is someone else, after a loss
	stranger       = 0.3  // the same for someone who is being followed
	strangerJump   = 0.1  // and only if the square jumps by so much
	longGoneS      = 1.5  // after it, place says nothing any more
	youngFrames    = 5    // a lock lost this early was none
	awayEvery      = 5    // frames between searches for somebody who is long gone
	tileEvery      = 8    // frames between searches in tiles
	settleLooks    = 8
	settleShift    = 0.04 // a square that moves less than this is at rest
	settleGrowth   = 1.06
	settleLoose    = 3   // times the above are good enough after settleLooks
	firstLookFloor = 0.1 // a misplaced square may still lead to the person
	torsoVisible   = 0.5
	minSidePx      = 48
)

// person is the one who is followed.
type person struct {
	roi       ROI // where to look next
	last      ROI // where last seen
	lastS     float64
	filter    *roiFilter
	clothes   clothes // average
	worn      clothes // in the last frame
	frames    int
	following bool
	pace      point // pixels a second, smoothed
	// company are others who were seen, surveyedS when they were last looked for.
	company   []other
	surveyed  bool
	surveyedS float64
	meet      *meeting // nil: nobody is near
	// mixed counts the last frames in which somebody else may have been followed.
	mixed int
}

// Tracker follows one person, frame by frame.
type Tracker struct {
	detector, landmark posenet.Network
	wish               wish
	grid               []point
	cut                cropper
	who                *person
	searches           int
	disowned           int        // see Frame
	passed             []sighting // who was refused in this frame
	doubts             []Doubt
	Stats              Stats
}

// Networks are the loaded detector and landmark network, to be shared by
// Trackers.
type Networks struct{ detector, landmark weights }

// weights make networks; *posenet.Weights does.
type weights interface {
	Network() (posenet.Network, error)
	Close() error
}

// LoadNetworks loads what the options name.
func LoadNetworks(o Options) (*Networks, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	n := &Networks{}
	var g errgroup.Group
	load := func(into *weights, m posenet.Model) {
		g.Go(func() error {
			w, err := o.weights(m)
			if err == nil {
				if m != posenet.Detector {
					w.Mirror(o.Mirror)
				}
				*into = w
			}
			return err
		})
	}
	load(&n.detector, posenet.Detector)
	load(&n.landmark, o.Model)
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Close frees the networks; close the Trackers first.
func (n *Networks) Close() error {
	var errs []error
	for _, w := range []weights{n.detector, n.landmark} {
		if w != nil {
			errs = append(errs, w.Close())
		}
	}
	return errors.Join(errs...)
}

// New makes a tracker that follows the chosen person.
func New(n *Networks, choice Choice) (*Tracker, error) {
	w, err := choice.parse()
	if err != nil {
		return nil, err
	}
	detector, err := n.detector.Network()
	if err != nil {
		return nil, err
	}
	landmark, err := n.landmark.Network()
	if err != nil {
		return nil, errors.Join(err, detector.Close())
	}
	return &Tracker{detector: detector, landmark: landmark, wish: w, grid: anchors()}, nil
}

// Close frees the tracker's buffers.
func (t *Tracker) Close() error { return errors.Join(t.detector.Close(), t.landmark.Close()) }

// Reset forgets the person and the statistics.
func (t *Tracker) Reset() {
	t.who, t.searches, t.disowned, t.passed, t.doubts, t.Stats = nil, 0, 0, nil, nil, Stats{}
}

// Step looks at the next frame. Time stamps must increase from call to call.
func (t *Tracker) Step(f *video.Frame) (Frame, error) {
	out := Frame{Frame: landmark.Frame{TimeS: f.TimeS}}
	t.disowned, t.passed = 0, nil
	t.Stats.Frames++
	if t.who == nil && t.wish.timed && f.TimeS < t.wish.atS-1e-9 {
		t.Stats.Missed++
		return out, nil
	}
	if n, ok := t.landmark.(posenet.Turner); ok {
		n.Turn(t.Stats.Frames%2 == 0)
	}
	s, roi, found, err := t.find(f)
	out.Disowned, out.others = t.disowned, t.passed
	if err != nil {
		return out, err
	}
	if !found {
		t.Stats.Missed++
		return out, nil
	}
	t.accept(f, s, roi)
	still, err := t.survey(f, &out)
	out.Disowned = t.disowned
	if !still {
		t.Stats.Missed++
		return out, err
	}
	out.set(s, roi, t.who.worn)
	return out, err
}

// set fills in what was seen.
func (f *Frame) set(s seen, roi ROI, worn clothes) {
	f.Found, f.Presence, f.ROI, f.Landmarks, f.WorldM, f.wear = true, s.presence, roi, s.marks, s.world, worn
}

// find follows the person, or searches.
func (t *Tracker) find(f *video.Frame) (seen, ROI, bool, error) {
	if t.who != nil && t.who.following {
		s, roi, ok, err := t.follow(f)
		if ok || err != nil {
			return s, roi, ok, err
		}
		t.who.following = false
		if t.who.frames < youngFrames {
			t.disowned = t.who.frames
			t.who = nil
		} else {
			t.disowned = t.who.mixed
			t.Stats.Losses++
		}
	}
	if t.who != nil {
		return t.reacquire(f)
	}
	return t.acquire(f)
}

// accept remembers where the person was seen and where to look next.
func (t *Tracker) accept(f *video.Frame, s seen, roi ROI) {
	w := t.who
	if !w.following {
		w.filter, w.following = newROIFilter(), true
	}
	centre, scale := w.filter.next(s.centre, s.scale, f.TimeS, roi.SidePx)
	now := roiFrom(s.centre, s.scale)
	if dt := f.TimeS - w.lastS; w.meet == nil && w.frames > 0 && dt > 0 {
		k := math.Min(1, dt/paceS)
		w.pace.x += k * ((now.CentreXPx-w.last.CentreXPx)/dt - w.pace.x)
		w.pace.y += k * ((now.CentreYPx-w.last.CentreYPx)/dt - w.pace.y)
	}
	w.last, w.lastS = now, f.TimeS
	w.roi = roiFrom(centre, scale)
	w.worn = describe(f, &s.marks)
	w.mixed++
	if w.rival(w.worn) <= w.clothes.similarity(w.worn) {
		w.mixed = 0
	}
	if s.presence > 0.8 && w.meet == nil && w.mixed == 0 {
		w.clothes.learn(w.worn)
	}
	w.frames++
}

// follow looks where the person should be, then a little around it.
func (t *Tracker) follow(f *video.Frame) (seen, ROI, bool, error) {
	w := t.who
	wider, upright := w.roi, w.roi
	wider.SidePx *= 1.3
	upright.SidePx *= 1.15
	upright.RotationRad = 0
	for i, roi := range [...]ROI{w.roi, wider, upright} {
		if i == 2 && math.Abs(w.roi.RotationRad) < 0.35 {
			continue
		}
		s, err := look(t.landmark, &t.cut, f, roi)
		if err != nil {
			return seen{}, ROI{}, false, err
		}
		next := roiFrom(s.centre, s.scale)
		if s.presence > minPresence && next.Valid() && next.SidePx >= minSidePx/2 && w.canBe(f, &s, next) {
			return s, roi, true, nil
		}
	}
	return seen{}, ROI{}, false, nil
}

// canBe tells whether what is seen now can be the person who was seen one frame
// ago, by the way they would have moved and by their clothes.
func (w *person) canBe(f *video.Frame, s *seen, next ROI) bool {
	moved := math.Hypot(next.CentreXPx-w.last.CentreXPx, next.CentreYPx-w.last.CentreYPx) / w.last.SidePx
	limit := math.Max(minJump, maxSidesPerS*math.Abs(f.TimeS-w.lastS))
	growth := next.SidePx / w.last.SidePx
	if moved > limit || growth > maxGrowth || growth < 1/maxGrowth {
		return false
	}
	if moved < strangerJump && len(w.company) == 0 {
		return true
	}
	worn := describe(f, &s.marks)
	if w.looksLikeAnother(worn) {
		return false
	}
	return moved < strangerJump || w.clothes.similarity(worn) >= stranger
}

// clone is a copy that goes its own way.
func (w *person) clone() *person {
	c := *w
	c.company = slices.Clone(w.company)
	if w.meet != nil {
		m := *w.meet
		c.meet = &m
	}
	if w.filter != nil {
		f := *w.filter
		c.filter = &f
	}
	return &c
}
