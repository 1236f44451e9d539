package anatomy

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// axis is one hinge of a limb in the reference pose.
type axis struct {
	dof, body int
	at, dir   spatial.Vec3
}

// axes lists the hinges of a chain of bodies.
func (e *explorer) axes(chain []int) []axis {
	var out []axis
	for _, b := range chain {
		for _, ji := range e.m.Tree.Bodies[b].Joints {
			j := e.m.Tree.Joints[ji]
			if j.Kind != mjcf.Hinge {
				continue
			}
			out = append(out, axis{j.QVel, b, e.d.Point(b, j.AnchorM), e.d.DofAng[j.QVel]})
		}
	}
	return out
}

// center returns the point nearest to all the axes; where they leave it open (parallel axes), the point nearest to
// the last joint.
func center(ax []axis) spatial.Vec3 {
	last := ax[len(ax)-1].at
	// Normal equations of the squared distances to the lines, with a weak pull towards the last joint.
	const pull = 1e-6
	a := [3][3]float64{{pull, 0, 0}, {0, pull, 0}, {0, 0, pull}}
	b := last.Scale(pull)
	for _, x := range ax {
		for i := 0; i < 3; i++ {
			for k := 0; k < 3; k++ {
				p := -x.dir[i] * x.dir[k]
				if i == k {
					p++
				}
				a[i][k] += p
				b[i] += p * x.at[k]
			}
		}
	}
	c0, c1, c2 := spatial.Vec3{a[0][0], a[1][0], a[2][0]}, spatial.Vec3{a[0][1], a[1][1], a[2][1]}, spatial.Vec3{a[0][2], a[1][2], a[2][2]}
	det := c0.Dot(c1.Cross(c2))
	return spatial.Vec3{b.Dot(c1.Cross(c2)), c0.Dot(b.Cross(c2)), c0.Dot(c1.Cross(b))}.Scale(1 / det)
}

// fix expresses a world point in a body's frame.
func (e *explorer) fix(body int, p spatial.Vec3) Point {
	return Point{body, e.d.BodyRot[body].Inv().Rotate(p.Sub(e.d.BodyPos[body]))}
}

// bending returns by how much one full turn of the joint changes the distance between two points, in m, the points
// being carried by its two sides. An elbow brings the hand to the shoulder: twice the shorter half of the arm. A joint
// that turns about the limb's own axis (the roll of a forearm, the twist of an upper arm) has one of the points on its
// axis and changes nothing, wherever it lies and however heavy the hand is. The rest of the limb's pose hardly
// matters: each point keeps its distance from the axis.
func (a axis) bending(from, to spatial.Vec3) float64 {
	radius := func(p spatial.Vec3) (r, along float64) {
		v := p.Sub(a.at)
		along = v.Dot(a.dir)
		return v.Sub(a.dir.Scale(along)).Norm(), along
	}
	r0, h0 := radius(from)
	r1, h1 := radius(to)
	return math.Hypot(r0+r1, h0-h1) - math.Hypot(r0-r1, h0-h1)
}

// split returns the index of the joint that bends the limb most, between its first joint and end, and by how much in
// m; -1 if none qualifies.
func split(ax []axis, end spatial.Vec3, ok func(axis) bool) (best int, bends float64) {
	best = -1
	for i := 1; i < len(ax); i++ {
		if !ok(ax[i]) {
			continue
		}
		if r := ax[i].bending(ax[0].at, end); r > bends {
			best, bends = i, r
		}
	}
	return best, bends
}

func dofsOf(ax []axis) []int {
	out := make([]int, len(ax))
	for i := range ax {
		out[i] = ax[i].dof
	}
	return out
}

func (e *explorer) leg(l limb) (Leg, error) {
	chain := e.chain(l.start, true)
	ax := e.axes(chain)
	lateral := func(a axis) bool { return math.Abs(a.dir[1]) > 0.7 }
	if len(ax) < 3 {
		return Leg{}, e.noKnee(l, fmt.Sprintf("has %d joints; a hip, a knee and an ankle are needed", len(ax)))
	}
	knee, _ := split(ax, ax[len(ax)-1].at, lateral)
	if far, _ := split(ax, e.tip(ax[len(ax)-1]), lateral); far == len(ax)-1 {
		return Leg{}, e.noKnee(l, "has no ankle: its last joint is the knee, and a foot that cannot be turned is not understood")
	}
	if knee < 0 || knee == len(ax)-1 {
		return Leg{}, e.noKnee(l, "has no knee (a joint about y between hip and ankle)")
	}
	out := Leg{Foot: chain[len(chain)-1], Dofs: dofsOf(ax)}
	hip, at, ankle := center(ax[:knee]), ax[knee].at, center(ax[knee+1:])
	if reach := at.Sub(ax[0].at).Norm(); hip.Sub(ax[knee-1].at).Norm() > 0.5*reach {
		hip = ax[knee-1].at // the axes do not meet near the hip
	}
	if reach := at.Sub(ankle).Norm(); ankle.Sub(ax[knee+1].at).Norm() > 0.5*reach {
		ankle = ax[knee+1].at
	}
	out.Hip, out.Knee, out.Ankle = e.fix(ax[knee-1].body, hip), e.fix(ax[knee].body, at), e.fix(ax[len(ax)-1].body, ankle)
	out.ThighM, out.ShankM = at.Sub(hip).Norm(), ankle.Sub(at).Norm()
	return out, nil
}

// noKnee says what the leg lacks.
func (e *explorer) noKnee(l limb, what string) error {
	return fmt.Errorf("anatomy: %w: the leg that starts at body %q %s", ErrNotHumanoid, e.m.Tree.Bodies[l.start].Name, what)
}

func (e *explorer) arm(l limb) Arm {
	chain := e.chain(l.start, false)
	ax := e.axes(chain)
	out := Arm{Dofs: dofsOf(ax)}
	if len(ax) == 0 {
		p := e.fix(l.start, e.d.BodyPos[l.start])
		out.Shoulder, out.Elbow, out.End = p, p, p
		return out
	}
	end := e.tip(ax[len(ax)-1])
	k, bends := split(ax, end, func(axis) bool { return true })
	out.HasElbow = k > 0 && bends > 2*0.2*end.Sub(ax[0].at).Norm()
	if !out.HasElbow {
		out.Shoulder = e.fix(ax[len(ax)-1].body, center(ax))
		out.End = e.fix(ax[len(ax)-1].body, end)
		out.Elbow = out.End
		out.UpperM = end.Sub(center(ax)).Norm()
		return out
	}
	shoulder, elbow := center(ax[:k]), ax[k].at
	if shoulder.Sub(ax[0].at).Norm() > 0.6*elbow.Sub(ax[0].at).Norm() {
		shoulder = ax[0].at
	}
	// The forearm ends at the wrist if there is one, else where the hand's mass lies.
	wrist := len(ax) - 1
	for wrist > k && ax[wrist].at.Sub(elbow).Norm() < 0.4*elbow.Sub(shoulder).Norm() {
		wrist--
	}
	endBody := ax[k].body
	if wrist > k {
		end, endBody = ax[wrist].at, ax[wrist].body
	} else {
		end = e.tip(ax[k])
	}
	out.Shoulder, out.Elbow, out.End = e.fix(ax[k-1].body, shoulder), e.fix(ax[k].body, elbow), e.fix(endBody, end)
	out.UpperM, out.ForeM = elbow.Sub(shoulder).Norm(), end.Sub(elbow).Norm()
	return out
}

// tip returns the far end of what a joint carries: on the ray from the joint to the centre of mass, as far out as the
// shapes reach.
func (e *explorer) tip(a axis) spatial.Vec3 {
	dir := e.d.SubCom[a.body].Sub(a.at)
	reach := dir.Norm()
	dir = dir.Unit(spatial.Vec3{0, 0, -1})
	var walk func(int)
	walk = func(b int) {
		reach = max(reach, e.d.BodyPos[b].Sub(a.at).Dot(dir))
		for _, gi := range e.m.Tree.Bodies[b].Geoms {
			for _, c := range corners(&e.m.Tree.Geoms[gi]) {
				reach = max(reach, e.d.Point(b, c).Sub(a.at).Dot(dir))
			}
		}
		for _, k := range e.kids[b] {
			walk(k)
		}
	}
	walk(a.body)
	return a.at.Add(dir.Scale(reach))
}
