// Package anatomy finds out which parts of a robot are its legs, arms, trunk and head, from the kinematic tree alone:
// from how it branches, where the joints lie in a standing pose and which way their axes point. Names of bodies and
// joints are never needed.
//
// The robot is expected to stand in the reference pose (soles flat) with x forward, y left and z up, as MJCF
// humanoids do. Knees, hips, shoulders and elbows are points: a hip is the point that its joint axes have in common.
//
// An Anatomy is immutable and may be shared. Not here: how a person's body maps onto it (policy/retarget).
package anatomy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Side indexes pairs of limbs.
type Side int

// The sides are the robot's own.
const (
	Left Side = iota
	Right
)

// String returns "left" or "right".
func (s Side) String() string { return [...]string{"left", "right"}[s] }

// Point is fixed to a body.
type Point struct {
	Body  int
	Local spatial.Vec3 // m, in the body's frame
}

// At returns the point in the world.
func (p Point) At(d *kin.Data) spatial.Vec3 { return d.Point(p.Body, p.Local) }

// Leg is one leg.
type Leg struct {
	Hip, Knee, Ankle Point
	Foot             int
	SoleGeoms        []int          // of the tree: the colliding shapes that it stands on, the lowest first
	Dofs             []int          // velocity indices from the hip to the foot
	Sole             []spatial.Vec3 // corners of the sole in the foot's frame, counter-clockwise seen from above
	SoleCenter       spatial.Vec3   // in the foot's frame
	FootFromSole     spatial.Quat   // sole frame: x to the toes, z up when standing
	ThighM, ShankM   float64
	AnkleHeightM     float64    // of the ankle above the sole
	HalfSizeM        [2]float64 // of the sole, forward and sideways
}

// Arm is one arm. HasElbow is false where shoulder and hand are one segment; then Elbow equals End.
type Arm struct {
	Shoulder, Elbow, End Point
	HasElbow             bool
	Dofs                 []int
	UpperM, ForeM        float64
}

// Anatomy is the result.
type Anatomy struct {
	Root    int // the body with the free joint
	Chest   int // the trunk body that carries the arms; Root if there is no waist
	Head    int // -1 if no joint moves the head
	Waist   []int
	Neck    []int
	Legs    [2]Leg
	Arms    [2]Arm
	HasArms bool
	HeightM float64   // in the reference pose
	Ref     []float64 // the reference positions, soles on the floor
	Notes   []string
}

// LegLengthM returns the length of the straight left leg from hip to sole.
func (a *Anatomy) LegLengthM() float64 {
	return a.Legs[Left].ThighM + a.Legs[Left].ShankM + a.Legs[Left].AnkleHeightM
}

// ErrNotHumanoid is wrapped when the tree has no two legs.
var ErrNotHumanoid = errors.New("not a humanoid")

// explorer holds what the search needs.
type explorer struct {
	m    *kin.Model
	d    *kin.Data
	kids [][]int
	out  *Anatomy
	low  []float64 // lowest z of each body's subtree
}

// Derive finds the parts. ref is the standing pose (length NQ), for example the model's "stand" keyframe.
func Derive(m *kin.Model, ref []float64) (*Anatomy, error) {
	e := &explorer{m: m, d: m.NewData(), kids: make([][]int, len(m.Tree.Bodies)), out: &Anatomy{Head: -1, Root: -1}}
	for i := range m.Tree.Joints {
		if m.Tree.Joints[i].Kind == mjcf.Free {
			e.out.Root = m.Tree.Joints[i].Body
			break
		}
	}
	if e.out.Root < 0 {
		return nil, fmt.Errorf("anatomy: %w: model %q has no free joint; a robot that walks needs one on its root body", ErrNotHumanoid, m.Tree.Name)
	}
	q := append([]float64(nil), ref...)
	e.center(q)
	m.Forward(e.d, q)
	for b := 1; b < len(m.Tree.Bodies); b++ {
		p := m.Tree.Bodies[b].Parent
		e.kids[p] = append(e.kids[p], b)
	}
	e.heights()
	limbs, central := e.branch()
	if err := e.assign(limbs); err != nil {
		return nil, err
	}
	e.findHead(central)
	e.soles()
	e.center(q)
	lift := 0.0
	for s := range e.out.Legs {
		l := &e.out.Legs[s]
		lift = min(lift, e.d.Point(l.Foot, l.SoleCenter)[2])
	}
	q[e.rootQ()+2] -= lift
	e.out.Ref = q
	return e.out, nil
}

func (e *explorer) rootQ() int { return e.m.Tree.Joints[e.m.Tree.Bodies[e.out.Root].Joints[0]].QPos }

// center puts the root at the origin without turning it away from upright, so that side and height are read off directly.
func (e *explorer) center(q []float64) {
	i := e.rootQ()
	q[i], q[i+1], q[i+2] = 0, 0, 0
	rot := spatial.Quat{q[i+3], q[i+4], q[i+5], q[i+6]}.Normalize()
	rot = spatial.FromYaw(-rot.YawRad()).Mul(rot)
	copy(q[i+3:i+7], rot[:])
}

// heights measures the vertical extent of the robot and of each subtree.
func (e *explorer) heights() {
	nb := len(e.m.Tree.Bodies)
	e.low = make([]float64, nb)
	top := 0.0
	for b := nb - 1; b > 0; b-- {
		e.low[b] = min(e.d.BodyPos[b][2], e.d.BodyCom[b][2])
		top = max(top, e.d.BodyPos[b][2], e.d.BodyCom[b][2])
		for _, gi := range e.m.Tree.Bodies[b].Geoms {
			lo, hi := e.zRange(&e.m.Tree.Geoms[gi])
			e.low[b], top = min(e.low[b], lo), max(top, hi)
		}
		for _, k := range e.kids[b] {
			e.low[b] = min(e.low[b], e.low[k])
		}
	}
	e.out.HeightM = top - e.low[e.out.Root]
}

func (e *explorer) zRange(g *mjcf.Geom) (lo, hi float64) {
	lo, hi = 1e9, -1e9
	for _, c := range corners(g) {
		z := e.d.Point(g.Body, c)[2]
		lo, hi = min(lo, z), max(hi, z)
	}
	return lo, hi
}

// limb is a subtree that hangs on one side of the trunk.
type limb struct {
	start, trunk int
	side         float64
}

// branch walks the trunk and returns the limbs on its sides and the central parts at its end.
func (e *explorer) branch() (limbs []limb, central []limb) {
	margin := 0.02 * e.out.HeightM
	trunk := []int{e.out.Root}
	for len(trunk) > 0 {
		b := trunk[0]
		trunk = trunk[1:]
		for _, k := range e.kids[b] {
			y := e.d.SubCom[k][1]
			switch {
			case e.twoSided(k, margin):
				trunk = append(trunk, k)
			case y > margin || y < -margin:
				limbs = append(limbs, limb{k, b, y})
			default:
				central = append(central, limb{k, b, y})
			}
		}
	}
	return limbs, central
}

// twoSided reports whether the subtree has moving parts far out on both sides.
func (e *explorer) twoSided(b int, margin float64) bool {
	var left, right bool
	var walk func(int)
	walk = func(b int) {
		y := e.d.SubCom[b][1]
		if len(e.m.Tree.Bodies[b].Joints) > 0 {
			left, right = left || y > margin, right || y < -margin
		}
		for _, k := range e.kids[b] {
			walk(k)
		}
	}
	walk(b)
	return left && right
}

// pair is two mirrored limbs of n joints each.
type pair struct {
	l, r limb
	n    int
}

// pairs finds for every limb on the left its mirror image on the right.
func (e *explorer) pairs(limbs []limb) []pair {
	var out []pair
	used := map[int]bool{}
	for _, l := range limbs {
		if l.side < 0 {
			continue
		}
		best, cost := -1, 0.25*e.out.HeightM
		for i, r := range limbs {
			if r.side > 0 || used[i] || r.trunk != l.trunk || e.joints(r.start) != e.joints(l.start) {
				continue
			}
			p := e.d.SubCom[r.start]
			p[1] = -p[1]
			if c := p.Sub(e.d.SubCom[l.start]).Norm(); c < cost {
				best, cost = i, c
			}
		}
		if best >= 0 {
			used[best] = true
			out = append(out, pair{l, limbs[best], e.joints(l.start)})
		}
	}
	return out
}

// assign names the lowest pair of limbs legs and the heaviest other pair arms.
func (e *explorer) assign(limbs []limb) error {
	pairs := e.pairs(limbs)
	legs := -1
	for i, p := range pairs {
		if p.n >= 3 && (legs < 0 || e.low[p.l.start] < e.low[pairs[legs].l.start]-1e-9) {
			legs = i
		}
	}
	if legs < 0 {
		return fmt.Errorf("anatomy: %w: model %q has no two mirrored limbs of at least three joints (x must point forward, y left, z up)",
			ErrNotHumanoid, e.m.Tree.Name)
	}
	for s, l := range [2]limb{pairs[legs].l, pairs[legs].r} {
		leg, err := e.leg(l)
		if err != nil {
			return err
		}
		e.out.Legs[s] = leg
	}
	arms := -1
	for i, p := range pairs {
		if i != legs && p.n >= 1 && !e.ear(p.l) && (arms < 0 || e.m.SubtreeMassKg(p.l.start) > e.m.SubtreeMassKg(pairs[arms].l.start)) {
			arms = i
		}
	}
	e.out.Chest = e.out.Root
	if arms < 0 {
		e.out.Notes = append(e.out.Notes, "no arms found")
	} else {
		e.out.HasArms = true
		e.out.Chest = pairs[arms].l.trunk
		for s, l := range [2]limb{pairs[arms].l, pairs[arms].r} {
			e.out.Arms[s] = e.arm(l)
		}
		root := len(e.m.Path(e.out.Root))
		e.out.Waist = append([]int(nil), e.m.Path(e.out.Chest)[root:]...)
	}
	for i, p := range pairs {
		if i != legs && i != arms && e.ear(p.l) {
			e.headOf(p)
		}
	}
	return nil
}

// ear reports whether a limb is too short (6 % of the height) or too light (0.5 % of the mass) to be an arm: an ear, an
// antenna. Arms are 30 to 45 % of the height and 3 to 10 % of the mass of a humanoid. A limb without any mass is drawn
// with meshes only and judged by its length.
func (e *explorer) ear(l limb) bool {
	ax := e.axes(e.chain(l.start, false))
	if len(ax) == 0 {
		return true
	}
	mass := e.m.SubtreeMassKg(l.start)
	reach := e.tip(ax[0]).Sub(ax[0].at).Norm()
	for _, a := range ax {
		reach = max(reach, a.at.Sub(ax[0].at).Norm())
	}
	return reach < 0.06*e.out.HeightM || mass > 0 && mass < 0.005*e.m.SubtreeMassKg(e.out.Root)
}

// headOf takes what carries a pair of ears above the chest for the head.
func (e *explorer) headOf(ears pair) {
	b := ears.l.trunk
	chest, path := e.m.Path(e.out.Chest), e.m.Path(b)
	if len(path) <= len(chest) || !slices.Equal(path[:len(chest)], chest) || e.d.BodyPos[b][2] <= e.d.BodyPos[e.out.Chest][2] {
		return
	}
	e.out.Head, e.out.Neck = b, append([]int(nil), path[len(chest):]...)
	e.out.Notes = append(e.out.Notes, fmt.Sprintf("the small limbs at body %q are no arms; it is taken for the head", e.m.Tree.Bodies[b].Name))
}

// joints counts the joints of a subtree.
func (e *explorer) joints(b int) int {
	n := len(e.m.Tree.Bodies[b].Joints)
	for _, k := range e.kids[b] {
		n += e.joints(k)
	}
	return n
}

// findHead takes the highest central part above the chest that a joint moves.
func (e *explorer) findHead(central []limb) {
	best := -1e9
	for _, c := range central {
		if z := e.d.SubCom[c.start][2]; e.joints(c.start) > 0 && z > e.d.BodyPos[e.out.Chest][2] && z > best {
			best = z
			chain := e.chain(c.start, false)
			e.out.Head = chain[len(chain)-1]
			e.out.Neck = append([]int(nil), e.m.Path(e.out.Head)[len(e.m.Path(c.trunk)):]...)
		}
	}
}

// chain follows a limb from its first body to its end: to the lowest part for a leg, else along the heaviest child
// until the limb branches into fingers.
func (e *explorer) chain(start int, lowest bool) []int {
	out := []int{start}
	for b := start; len(e.kids[b]) > 0; {
		next, moving := -1, 0
		for _, k := range e.kids[b] {
			if e.joints(k) > 0 {
				moving++
			}
			switch {
			case next < 0,
				lowest && e.low[k] < e.low[next],
				!lowest && e.m.SubtreeMassKg(k) > e.m.SubtreeMassKg(next):
				next = k
			}
		}
		if !lowest && (moving > 1 || moving == 0) || lowest && moving == 0 {
			break
		}
		b = next
		out = append(out, b)
	}
	return out
}
