package bvh

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// aliases lists, for every human joint that a BVH file must have, the names it goes by, without prefix, case and
// separators. The first that a file has is taken.
var aliases = map[human.Joint][]string{
	human.Pelvis:    {"hips", "hip", "pelvis", "root"},
	human.Head:      {"head"},
	human.LShoulder: {"leftarm", "leftuparm", "lupperarm", "leftupperarm", "lshoulder"},
	human.LElbow:    {"leftforearm", "leftlowarm", "lforearm", "leftlowerarm", "leftelbow", "lelbow"},
	human.LWrist:    {"lefthand", "leftwrist", "lhand", "lwrist"},
	human.RShoulder: {"rightarm", "rightuparm", "rupperarm", "rightupperarm", "rshoulder"},
	human.RElbow:    {"rightforearm", "rightlowarm", "rforearm", "rightlowerarm", "rightelbow", "relbow"},
	human.RWrist:    {"righthand", "rightwrist", "rhand", "rwrist"},
	human.LHip:      {"leftupleg", "leftthigh", "lthigh", "lefthip", "lhip", "leftupperleg"},
	human.LKnee:     {"leftleg", "leftlowleg", "leftshin", "lshin", "leftknee", "lknee", "leftlowerleg"},
	human.LAnkle:    {"leftfoot", "lfoot", "leftankle", "lankle"},
	human.RHip:      {"rightupleg", "rightthigh", "rthigh", "righthip", "rhip", "rightupperleg"},
	human.RKnee:     {"rightleg", "rightlowleg", "rightshin", "rshin", "rightknee", "rknee", "rightlowerleg"},
	human.RAnkle:    {"rightfoot", "rfoot", "rightankle", "rankle"},
}

// Heights of body parts as shares of standing height, for what the skeleton does not say (Winter, Biomechanics and
// Motor Control of Human Movement, figure 4.1).
const (
	ankleShare  = 0.039
	heelShare   = 0.045 // behind the ankle
	stillMS     = 0.25  // a foot on the floor is slower than this
	nearFloor   = 0.035 // and not higher than this share of the height above its lowest
	defaultTall = 1.75
)

// Motion converts the file. heightM scales the skeleton to a standing height; 0 assumes 1.75 m. The person faces +x in
// the first frame, above the origin.
func (f *File) Motion(source string, heightM float64) (*human.Motion, error) {
	assumed := heightM == 0
	if assumed {
		heightM = defaultTall
	}
	if !(heightM > 0.3 && heightM < 3) {
		return nil, fmt.Errorf("bvh: height is %g m; legal: 0.3 to 3", heightM)
	}
	c, err := f.find()
	if err != nil {
		return nil, err
	}
	c.scale(heightM)
	m := &human.Motion{FPS: 1 / f.FrameS, Frames: make([]human.Pose, len(f.Values)),
		Meta: human.Meta{Source: source, SubjectHeightM: heightM, HeightAssumed: assumed, Model: "bvh"}}
	for t := range m.Frames {
		c.frame(t, &m.Frames[t])
	}
	settle(m)
	contacts(m, heightM)
	return m, m.Validate()
}

// convert knows where the human joints are in the file.
type convert struct {
	f       *File
	at      [human.NumJoints]int // -1: not in the file
	toe     [2]int
	hand    [2]int
	unit    float64 // m per file unit
	heightM float64
	pos     []spatial.Vec3
	rot     []spatial.Quat
}

// plain strips prefixes such as "mixamorig:" and separators.
func plain(name string) string {
	if i := strings.LastIndexAny(name, ":|"); i >= 0 {
		name = name[i+1:]
	}
	return strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(strings.ToLower(name))
}

func (f *File) find() (*convert, error) {
	c := &convert{f: f, pos: make([]spatial.Vec3, len(f.Joints)), rot: make([]spatial.Quat, len(f.Joints))}
	byName := map[string]int{}
	var names []string
	for i := len(f.Joints) - 1; i >= 0; i-- {
		byName[plain(f.Joints[i].Name)] = i
		names = append(names, f.Joints[i].Name)
	}
	for j := range c.at {
		c.at[j] = -1
	}
	for j, list := range aliases {
		for _, n := range list {
			if i, ok := byName[n]; ok {
				c.at[j] = i
				break
			}
		}
		if c.at[j] < 0 {
			sort.Strings(names)
			return nil, fmt.Errorf("bvh: no joint for %q (names tried: %s); the file has: %s", j, strings.Join(list, ", "), strings.Join(names, ", "))
		}
	}
	for s, pair := range [2][2]human.Joint{{human.LAnkle, human.LWrist}, {human.RAnkle, human.RWrist}} {
		c.toe[s], c.hand[s] = c.tip(c.at[pair[0]]), c.firstChild(c.at[pair[1]])
	}
	return c, nil
}

// tip follows first children to the end of a chain.
func (c *convert) tip(i int) int {
	for {
		n := c.firstChild(i)
		if n == i {
			return i
		}
		i = n
	}
}

// firstChild returns the first child that lies elsewhere than its parent, or i.
func (c *convert) firstChild(i int) int {
	for k := i + 1; k < len(c.f.Joints); k++ {
		if c.f.Joints[k].Parent == i {
			if c.f.Joints[k].Offset.Norm() < 1e-9 {
				return c.firstChild(k)
			}
			return k
		}
	}
	return i
}

// scale measures the rest skeleton along its legs and trunk and sets the unit: from ankle to head is 0.90 of the
// standing height.
func (c *convert) scale(heightM float64) {
	c.heightM = heightM
	c.f.Pose(-1, c.pos, c.rot)
	way := func(a, b human.Joint) float64 { return c.pos[c.at[a]].Sub(c.pos[c.at[b]]).Norm() }
	long := way(human.LAnkle, human.LKnee) + way(human.LKnee, human.LHip)
	hips := c.pos[c.at[human.LHip]].Lerp(c.pos[c.at[human.RHip]], 0.5)
	long += c.pos[c.at[human.Head]].Sub(hips).Norm()
	c.unit = 0.90 * heightM / math.Max(long, 1e-9)
}

// up turns file axes (y up, z forward) into ours.
func up(v spatial.Vec3) spatial.Vec3 { return spatial.Vec3{v[2], v[0], v[1]} }

// upQuat turns an orientation's axis likewise.
func upQuat(q spatial.Quat) spatial.Quat { return spatial.Quat{q[0], q[3], q[1], q[2]} }

func (c *convert) frame(t int, p *human.Pose) {
	c.f.Pose(t, c.pos, c.rot)
	for j, i := range c.at {
		p.Confidence[j] = 1
		if i >= 0 {
			p.Positions[j] = up(c.pos[i]).Scale(c.unit)
		}
	}
	at := func(i int) spatial.Vec3 { return up(c.pos[i]).Scale(c.unit) }
	q := &p.Positions
	q[human.Pelvis] = q[human.LHip].Lerp(q[human.RHip], 0.5)
	q[human.Chest] = q[human.LShoulder].Lerp(q[human.RShoulder], 0.5)
	head := upQuat(c.rot[c.at[human.Head]])
	q[human.Nose] = q[human.Head].Add(head.Rotate(spatial.Vec3{0.065, 0, 0.01}.Scale(c.heightM)))
	for s, l := range [2][4]human.Joint{{human.LAnkle, human.LHeel, human.LToe, human.LHand}, {human.RAnkle, human.RHeel, human.RToe, human.RHand}} {
		foot := upQuat(c.rot[c.at[l[0]]])
		q[l[1]] = q[l[0]].Add(foot.Rotate(spatial.Vec3{-heelShare, 0, -ankleShare}.Scale(c.heightM)))
		q[l[2]] = at(c.toe[s])
		q[l[3]] = at(c.hand[s])
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
			if m.Frames[t].Positions[j][2] < lowest+nearFloor*heightM && v < stillMS {
				m.Frames[t].Contacts[k] = 1
			}
		}
	}
}
