package bvh

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Lengths of body parts as shares of standing height, for what the skeleton does not say (Winter, Biomechanics and
// Motor Control of Human Movement, figure 4.1).
const (
	// LegShare is hip to ankle, along a stretched leg.
	LegShare = 0.491
	// NoseAhead and NoseUp are where the tip of the nose is, from between the ears.
	NoseAhead, NoseUp = 0.065, 0.01

	ankleShare  = 0.039 // ankle above the sole
	heelShare   = 0.045 // heel behind the ankle
	toeShare    = 0.107 // tip of the toes before the ankle
	handShare   = 0.054 // knuckles beyond the wrist
	stillMPerS  = 0.25  // a foot on the floor is slower than this
	nearFloor   = 0.035 // and not higher than this share of the height above its lowest
	defaultTall = 1.75
)

// ErrAmbiguous is wrapped where a file is sound, but what it shows cannot be told without the caller's help; ErrOption
// where an option is wrong.
var (
	ErrAmbiguous = errors.New("the file can be understood in several ways")
	ErrOption    = errors.New("wrong option")
)

// Options say what a file does not.
type Options struct {
	HeightM float64           // standing height; 0 assumes 1.75 m
	Up      string            // the axis that is up: x, y, z, -x, -y, -z; empty: found from the skeleton
	Map     map[string]string // human joint ("l_elbow") to joint of the file, where names are unknown
}

// Motion converts the file. The person faces +x in the first frame, above the origin. The notes say, for people, what
// was assumed or left out. A first frame that only shows the skeleton is left out.
func (f *File) Motion(source string, o Options) (*human.Motion, []string, error) {
	assumed := o.HeightM == 0
	if assumed {
		o.HeightM = defaultTall
	}
	if !(o.HeightM > 0.3 && o.HeightM < 3) {
		return nil, nil, fmt.Errorf("bvh: height is %g m; legal: 0.3 to 3", o.HeightM)
	}
	c := &convert{f: f, heightM: o.HeightM, notes: append([]string(nil), f.Notes...)}
	var err error
	if c.at, err = f.person(o.Map); err != nil {
		return nil, nil, err
	}
	c.walk()
	if err := c.orient(o.Up); err != nil {
		return nil, nil, err
	}
	m := &human.Motion{FPS: 1 / f.FrameS, Frames: make([]human.Pose, len(c.frames)-c.first),
		Meta: human.Meta{Source: source, StartS: float64(c.first) * f.FrameS, SubjectHeightM: o.HeightM, HeightAssumed: assumed, Model: "bvh"}}
	n := c.neutral()
	for t := range m.Frames {
		c.frame(&c.frames[t+c.first], n, &m.Frames[t])
	}
	settle(m)
	contacts(m, o.HeightM)
	return m, c.notes, m.Validate()
}

// snapshot is one frame: positions of the human joints that the file has, orientations of head and feet.
type snapshot struct {
	at   [human.NumJoints]spatial.Vec3
	head spatial.Quat
	foot [2]spatial.Quat
}

// convert knows where the human joints are in the file, and where they go. Positions are in file units throughout;
// axes are the file's until orient has turned the frames (never rest) to z up.
type convert struct {
	f       *File
	at      [human.NumJoints]int // -1: not in the file
	frames  []snapshot
	rest    snapshot
	first   int     // the frame that the motion starts with
	unit    float64 // m per file unit
	heightM float64
	notes   []string
}

// walk places the human joints in all frames and measures the skeleton.
func (c *convert) walk() {
	pos, rot := make([]spatial.Vec3, len(c.f.Joints)), make([]spatial.Quat, len(c.f.Joints))
	c.f.Pose(0, pos, rot)
	c.ends(pos)
	take := func(t int, s *snapshot) {
		c.f.Pose(t, pos, rot)
		for j, i := range c.at {
			if i >= 0 {
				s.at[j] = pos[i]
			}
		}
		s.head = rot[c.at[human.Head]]
		s.foot = [2]spatial.Quat{rot[c.at[human.LAnkle]], rot[c.at[human.RAnkle]]}
	}
	take(-1, &c.rest)
	c.frames = make([]snapshot, len(c.f.Values))
	for t := range c.frames {
		take(t, &c.frames[t])
	}
	c.unit = c.heightM * LegShare / math.Max(c.leg(), 1e-9)
}

// leg returns the length of a leg from hip to ankle: the median of all frames, both sides. Lengths of bones do not
// depend on the pose, and those of the legs mean the same in every skeleton, which heads and spines do not.
func (c *convert) leg() float64 {
	var long []float64
	for t := range c.frames {
		for _, l := range [2][3]human.Joint{{human.LHip, human.LKnee, human.LAnkle}, {human.RHip, human.RKnee, human.RAnkle}} {
			p := &c.frames[t].at
			long = append(long, p[l[0]].Sub(p[l[1]]).Norm()+p[l[1]].Sub(p[l[2]]).Norm())
		}
	}
	sort.Float64s(long)
	return long[len(long)/2]
}

// ends finds toes and knuckles behind ankles and wrists. Where nothing follows, they are the joint itself.
func (c *convert) ends(pos []spatial.Vec3) {
	for _, j := range [2]human.Joint{human.LAnkle, human.RAnkle} {
		if toe := j + 2; c.at[toe] < 0 {
			i := c.at[j]
			for k := c.child(i, pos, "toe", "ball", "foot"); k != i; k = c.child(i, pos, "toe", "ball", "foot") {
				i = k
			}
			c.at[toe] = i
		}
	}
	for _, j := range [2]human.Joint{human.LWrist, human.RWrist} {
		if hand := j + 1; c.at[hand] < 0 {
			c.at[hand] = c.child(c.at[j], pos, "middle", "hand")
		}
	}
}

// child returns the child of a joint that lies elsewhere than it, or the joint itself. Of several, it is the first
// with one of the words in its name, else the first that is no thumb.
func (c *convert) child(i int, pos []spatial.Vec3, words ...string) int {
	var all []int
	for k := i + 1; k < len(c.f.Joints); k++ {
		if c.f.Joints[k].Parent != i {
			continue
		}
		if pos[k].Sub(pos[i]).Norm() < 1e-9 {
			if n := c.child(k, pos, words...); n != k {
				all = append(all, n)
			}
			continue
		}
		all = append(all, k)
	}
	name := func(k int) string { return strings.ToLower(c.f.Joints[k].Name) }
	for _, w := range words {
		for _, k := range all {
			if strings.Contains(name(k), w) && !strings.Contains(name(k), "thumb") {
				return k
			}
		}
	}
	for _, k := range all {
		if !strings.Contains(name(k), "thumb") {
			return k
		}
	}
	return i
}

// orient finds out what is up, turns all frames accordingly and finds where the motion starts.
func (c *convert) orient(asked string) error {
	if c.f.shifts {
		c.notes = append(c.notes, "the position channels of the joints are near zero and are added to the offsets")
	}
	if c.tPose() {
		c.first = 1
		c.notes = append(c.notes, "the first frame is a pose that only shows the skeleton; it is left out")
	}
	k, note, err := c.findUp(asked)
	if err != nil {
		return err
	}
	if note != "" {
		c.notes = append(c.notes, note)
	}
	if err := c.checkSides(); err != nil {
		return err
	}
	q := upright(k)
	for t := range c.frames {
		s := &c.frames[t]
		for j := range s.at {
			s.at[j] = q.Rotate(s.at[j])
		}
		s.head = q.Mul(s.head)
		for i := range s.foot {
			s.foot[i] = q.Mul(s.foot[i])
		}
	}
	return nil
}

// neutral finds the axes of head and feet.
func (c *convert) neutral() neutral {
	head, note := c.neutralHead()
	if note != "" {
		c.notes = append(c.notes, note)
	}
	if c.at[human.LToe] == c.at[human.LAnkle] || c.at[human.RToe] == c.at[human.RAnkle] {
		c.notes = append(c.notes, "the file has no toes; they are placed ahead of the ankles")
	}
	if c.at[human.LHand] == c.at[human.LWrist] || c.at[human.RHand] == c.at[human.RWrist] {
		c.notes = append(c.notes, "the file has no hands; they are placed along the forearms")
	}
	return neutral{head: head, foot: [2]sole{c.neutralFoot(0), c.neutralFoot(1)}}
}

func (c *convert) frame(s *snapshot, n neutral, p *human.Pose) {
	q := &p.Positions
	for j := range q {
		p.Confidence[j] = 1
		q[j] = s.at[j].Scale(c.unit)
	}
	q[human.Pelvis] = q[human.LHip].Lerp(q[human.RHip], 0.5)
	q[human.Chest] = q[human.LShoulder].Lerp(q[human.RShoulder], 0.5)
	head := s.head.Mul(n.head).Normalize()
	q[human.Nose] = q[human.Head].Add(head.Rotate(spatial.Vec3{NoseAhead, 0, NoseUp}.Scale(c.heightM)))
	for i, ankle := range [2]human.Joint{human.LAnkle, human.RAnkle} {
		ahead, up := s.foot[i].Rotate(n.foot[i].ahead), s.foot[i].Rotate(n.foot[i].up)
		below := q[ankle].Sub(up.Scale(ankleShare * c.heightM))
		q[ankle+1] = below.Sub(ahead.Scale(heelShare * c.heightM))
		if c.at[ankle+2] == c.at[ankle] {
			q[ankle+2] = below.Add(ahead.Scale(toeShare * c.heightM))
		}
	}
	for _, wrist := range [2]human.Joint{human.LWrist, human.RWrist} {
		if c.at[wrist+1] == c.at[wrist] {
			along := q[wrist].Sub(q[wrist-1]).Unit(spatial.Vec3{0, 0, -1})
			q[wrist+1] = q[wrist].Add(along.Scale(handShare * c.heightM))
		}
	}
	rotations(p, head)
}

// rotations fills in segment orientations: trunk from hips and shoulders, head from the file, limbs by the smallest
// turn against the segment they hang on (no twist of their own).
func rotations(p *human.Pose, head spatial.Quat) {
	q := &p.Positions
	frame := func(l, r human.Joint) spatial.Quat {
		z := q[human.Chest].Sub(q[human.Pelvis]).Unit(spatial.Vec3{0, 0, 1})
		y := q[l].Sub(q[r])
		y = y.Sub(z.Scale(z.Dot(y))).Unit(spatial.Vec3{0, 1, 0})
		return spatial.FromAxes(y.Cross(z), y, z)
	}
	p.Rotations[human.Pelvis] = frame(human.LHip, human.RHip)
	p.Rotations[human.Chest] = frame(human.LShoulder, human.RShoulder)
	p.Rotations[human.Head], p.Rotations[human.Nose] = head.Normalize(), head.Normalize()
	limb := func(base human.Joint, down spatial.Vec3, chain ...human.Joint) {
		from := p.Rotations[base]
		for k := 0; k+1 < len(chain); k++ {
			dir := from.Inv().Rotate(q[chain[k+1]].Sub(q[chain[k]]))
			if dir.Norm() > 1e-6 {
				from = from.Mul(spatial.Between(down, dir)).Normalize()
			}
			p.Rotations[chain[k]] = from
		}
		p.Rotations[chain[len(chain)-1]] = from
	}
	down := spatial.Vec3{0, 0, -1}
	limb(human.Chest, down, human.LShoulder, human.LElbow, human.LWrist, human.LHand)
	limb(human.Chest, down, human.RShoulder, human.RElbow, human.RWrist, human.RHand)
	for _, l := range [2][5]human.Joint{{human.LHip, human.LKnee, human.LAnkle, human.LHeel, human.LToe}, {human.RHip, human.RKnee, human.RAnkle, human.RHeel, human.RToe}} {
		limb(human.Pelvis, down, l[0], l[1], l[2])
		x := q[l[4]].Sub(q[l[3]]).Unit(spatial.Vec3{1, 0, 0})
		y := spatial.Vec3{0, 0, 1}.Cross(x).Unit(spatial.Vec3{0, 1, 0})
		foot := spatial.FromAxes(x, y, x.Cross(y))
		p.Rotations[l[2]], p.Rotations[l[3]], p.Rotations[l[4]] = foot, foot, foot
	}
}

// settle turns and shifts the motion so that it starts above the origin, facing +x, with its lowest feet on the floor.
func settle(m *human.Motion) {
	first := &m.Frames[0].Positions
	left := first[human.LHip].Sub(first[human.RHip])
	turn := spatial.FromYaw(-math.Atan2(-left[0], left[1]))
	var low []float64
	for t := range m.Frames {
		q := &m.Frames[t].Positions
		low = append(low, math.Min(math.Min(q[human.LHeel][2], q[human.LToe][2]), math.Min(q[human.RHeel][2], q[human.RToe][2])))
	}
	sort.Float64s(low)
	origin := spatial.Vec3{first[human.Pelvis][0], first[human.Pelvis][1], low[len(low)/20]}
	for t := range m.Frames {
		p := &m.Frames[t]
		for j := range p.Positions {
			p.Positions[j] = turn.Rotate(p.Positions[j].Sub(origin))
			p.Rotations[j] = turn.Mul(p.Rotations[j]).Normalize()
		}
	}
}

// contacts marks feet that are low and slow.
func contacts(m *human.Motion, heightM float64) {
	for k, j := range [human.NumContacts]human.Joint{human.LHeel, human.LToe, human.RHeel, human.RToe} {
		var z []float64
		for t := range m.Frames {
			z = append(z, m.Frames[t].Positions[j][2])
		}
		sort.Float64s(z)
		lowest := z[len(z)/20]
		for t := range m.Frames {
			a, b := &m.Frames[max(t-1, 0)], &m.Frames[min(t+1, len(m.Frames)-1)]
			v := b.Positions[j].Sub(a.Positions[j]).Norm() * m.FPS / 2
			if m.Frames[t].Positions[j][2] < lowest+nearFloor*heightM && v < stillMPerS {
				m.Frames[t].Contacts[k] = 1
			}
		}
	}
}
