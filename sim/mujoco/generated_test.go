//go:build mujoco && cgo

package mujoco

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/mjcf/mjcftest"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// generated is how many random models a plain test run compares; their seeds are 0, 1, 2, ...
const generated = 400

// rounding is how far two computations of the same double may lie apart here: a chain of at most 30 links is some 1000
// roundings of 1e-16 of numbers below 100, and normalising vectors that were written with two digits loses none.
const rounding = 1e-10

// TestGeneratedModelsAreReadAlike holds this project's reader and kinematics against the engine on random models. A
// failure names its seed: go test -run 'GeneratedModels/seed=17$'.
func TestGeneratedModelsAreReadAlike(t *testing.T) {
	joints := 0
	for seed := range uint64(generated) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			n, err := compare(mjcftest.Model(seed), seed)
			if err != nil {
				t.Errorf("%v\n%s", err, mjcftest.Model(seed))
			}
			joints += n
		})
	}
	t.Logf("%d models of %d joints", generated, joints)
}

// The same for every robot that ships, and for hand-written models with what they do not use.
func TestShippedModelsAreReadAlike(t *testing.T) {
	texts := map[string]string{}
	for _, name := range robot.Names() {
		d, err := robot.Load(name)
		must(t, err)
		texts[name] = d.MJCF
	}
	for _, name := range []string{"biped", "odd"} {
		text, err := os.ReadFile("testdata/" + name + ".xml")
		must(t, err)
		texts[name] = string(text)
	}
	for name, text := range texts {
		if n, err := compare(text, 1); err != nil || n == 0 {
			t.Errorf("%s, %d joints: %v", name, n, err)
		}
	}
}

// FuzzModelsAreReadAlike is the same for any seed.
func FuzzModelsAreReadAlike(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		if _, err := compare(mjcftest.Model(seed), seed); err != nil {
			t.Errorf("%v\n%s", err, mjcftest.Model(seed))
		}
	})
}

// errEngine is wrapped where the engine refuses a model.
var errEngine = errors.New("the model is not valid")

// errOwn is wrapped where only this project's reader refuses it.
var errOwn = errors.New("not read")

// compare reads a model both ways; it returns the number of its joints. seed is that of the configurations.
func compare(text string, seed uint64) (joints int, err error) {
	m, err := Load("generated", []byte(text), nil)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errEngine, err)
	}
	defer m.Close()
	tree, err := mjcf.Parse("generated", []byte(text))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errOwn, err)
	}
	own, err := kin.New(tree)
	if err != nil {
		return 0, err
	}
	c := &comparison{m: m, tree: tree, own: own}
	c.model()
	if err := errors.Join(c.faults...); err != nil {
		return 0, err
	}
	d, err := NewData(m)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	p := pair{tree: tree}
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 3 {
		qpos, qvel, qacc := p.random(rng)
		if err := c.pose(d, qpos); err != nil {
			return 0, err
		}
		if err := c.forces(d, qpos, qvel, qacc); err != nil {
			return 0, err
		}
	}
	return len(tree.Joints), errors.Join(c.faults...)
}

// comparison collects where the two differ.
type comparison struct {
	m      *Model
	tree   *mjcf.Model
	own    *kin.Model
	faults []error
}

// near notes a difference between numbers that should be the same.
func (c *comparison) near(own, engine, slack float64, format string, args ...any) {
	if !(math.Abs(own-engine) <= slack*(1+math.Abs(engine))) {
		c.faults = append(c.faults, fmt.Errorf("%s is %.15g; the engine has %.15g", fmt.Sprintf(format, args...), own, engine))
	}
}

func (c *comparison) vec(own spatial.Vec3, engine []float64, format string, args ...any) {
	for k := range own {
		c.near(own[k], engine[k], rounding, format+" [%d]", append(args[:len(args):len(args)], k)...)
	}
}

// turn compares rotations; a quaternion and its opposite are the same one.
func (c *comparison) turn(own spatial.Quat, engine []float64, format string, args ...any) {
	dot := own.Dot(spatial.Quat(engine))
	for k := range own {
		c.near(own[k]*math.Copysign(1, dot), engine[k], rounding, format+" [%d]", append(args[:len(args):len(args)], k)...)
	}
}

func (c *comparison) equal(own, engine any, format string, args ...any) {
	if own != engine {
		c.faults = append(c.faults, fmt.Errorf("%s is %v; the engine has %v", fmt.Sprintf(format, args...), own, engine))
	}
}

func (c *comparison) floats(name string) []float64 {
	v, err := c.m.Field(name)
	if err != nil {
		c.faults = append(c.faults, err)
	}
	return v
}

func (c *comparison) ints(name string) []int32 {
	v, err := c.m.IntField(name)
	if err != nil {
		c.faults = append(c.faults, err)
	}
	return v
}

// model compares what was read.
func (c *comparison) model() {
	m, t := c.m, c.tree
	for _, n := range [][2]int{{t.NQ, m.NQ}, {t.NV, m.NV}, {len(t.Bodies), m.NBody}, {len(t.Joints), m.NJnt}, {len(t.Geoms), m.NGeom}, {len(t.Sites), m.NSite},
		{len(t.Actuators), m.NU}} {
		c.equal(n[0], n[1], "a size")
	}
	if len(c.faults) > 0 {
		return
	}
	c.bodies()
	c.joints()
	c.shapes()
	if m.NKey > 0 {
		key := c.floats("key_qpos")
		q, _ := t.KeyframeQPos("stand")
		for i := range q {
			c.near(q[i], key[i], rounding, "the keyframe's number %d", i)
		}
	}
}

func (c *comparison) bodies() {
	parent, mass := c.ints("body_parentid"), c.floats("body_mass")
	pos, quat, com, sub := c.floats("body_pos"), c.floats("body_quat"), c.floats("body_ipos"), c.floats("body_subtreemass")
	for b := 1; b < len(c.tree.Bodies); b++ {
		own := &c.tree.Bodies[b]
		c.equal(own.Name, c.m.Name(Body, b), "body %d's name", b)
		c.equal(own.Parent, int(parent[b]), "body %d's parent", b)
		c.near(own.MassKg, mass[b], rounding, "body %d's mass", b)
		c.near(c.own.SubtreeMassKg(b), sub[b], rounding, "the mass from body %d on", b)
		c.vec(own.PosM, pos[3*b:], "body %d's place", b)
		c.turn(own.Quat, quat[4*b:], "body %d's turn", b)
		if own.MassKg > 0 {
			c.vec(own.ComM, com[3*b:], "body %d's centre of mass", b)
			c.inertia(b)
		}
	}
}

// inertia compares a body's inertia, of which the engine keeps the principal axes and moments. It finds them by turning
// the matrix until little is left beside the diagonal, and drops that.
func (c *comparison) inertia(b int) {
	moments, turn := c.floats("body_inertia")[3*b:], spatial.Quat(c.floats("body_iquat")[4*b:4*b+4])
	var ax [3]spatial.Vec3
	ax[0], ax[1], ax[2] = turn.Axes()
	for i := range 3 {
		for k := range 3 {
			sum := 0.0
			for a := range 3 {
				sum += ax[a][i] * moments[a] * ax[a][k]
			}
			c.near(c.tree.Bodies[b].InertiaKgM2[i][k], sum, rounding, "body %d's inertia [%d][%d]", b, i, k)
		}
	}
}

func (c *comparison) joints() {
	kind, q0 := c.ints("jnt_type"), c.floats("qpos0")
	limited, err := c.m.BoolField("jnt_limited")
	if err != nil {
		c.faults = append(c.faults, err)
		return
	}
	qpos, dof := c.ints("jnt_qposadr"), c.ints("jnt_dofadr")
	reach, spring := c.floats("jnt_range"), c.floats("qpos_spring")
	armature, damping, friction, stiff := c.floats("dof_armature"), c.floats("dof_damping"), c.floats("dof_frictionloss"), c.floats("jnt_stiffness")
	for j := range c.tree.Joints {
		own := &c.tree.Joints[j]
		c.equal(own.Name, c.m.Name(Joint, j), "joint %d's name", j)
		c.equal(map[mjcf.JointKind]int32{mjcf.Free: 0, mjcf.Slide: 2, mjcf.Hinge: 3}[own.Kind], kind[j], "joint %d's kind", j)
		c.equal([2]int{own.QPos, own.QVel}, [2]int{int(qpos[j]), int(dof[j])}, "joint %d's place in the vectors", j)
		c.near(own.ArmatureKgM2, armature[own.QVel], rounding, "joint %d's armature", j)
		c.near(own.DampingNmSPerRad, damping[own.QVel], rounding, "joint %d's damping", j)
		c.near(own.FrictionNm, friction[own.QVel], rounding, "joint %d's friction", j)
		c.near(own.StiffnessNmPerRad, stiff[j], rounding, "joint %d's stiffness", j)
		if own.Kind == mjcf.Free {
			continue
		}
		c.equal(own.Limited, limited[j], "joint %d being limited", j)
		if own.Limited {
			c.near(own.RangeRad[0], reach[2*j], rounding, "joint %d's lower limit", j)
			c.near(own.RangeRad[1], reach[2*j+1], rounding, "joint %d's upper limit", j)
		}
		c.near(own.RefRad, q0[own.QPos], rounding, "joint %d's reference", j)
		c.near(own.SpringRefRad, spring[own.QPos], rounding, "joint %d's rest", j)
	}
}

func (c *comparison) shapes() {
	kind, body, group, con, aff := c.ints("geom_type"), c.ints("geom_bodyid"), c.ints("geom_group"), c.ints("geom_contype"), c.ints("geom_conaffinity")
	size := c.floats("geom_size")
	engine := map[mjcf.GeomKind]int32{mjcf.Plane: 0, mjcf.Sphere: 2, mjcf.Capsule: 3, mjcf.Ellipsoid: 4, mjcf.Cylinder: 5, mjcf.Box: 6}
	used := map[mjcf.GeomKind]int{mjcf.Sphere: 1, mjcf.Capsule: 2, mjcf.Ellipsoid: 3, mjcf.Cylinder: 2, mjcf.Box: 3}
	for g := range c.tree.Geoms {
		own := &c.tree.Geoms[g]
		c.equal(engine[own.Kind], kind[g], "geom %d's kind", g)
		c.equal(own.Body, int(body[g]), "geom %d's body", g)
		c.equal(own.Group, int(group[g]), "geom %d's group", g)
		c.equal(own.Collides, con[g] != 0 || aff[g] != 0, "geom %d colliding", g)
		for k := range used[own.Kind] {
			c.near(own.SizeM[k], size[3*g+k], rounding, "geom %d's size [%d]", g, k)
		}
	}
	body = c.ints("site_bodyid")
	for s := range c.tree.Sites {
		c.equal(c.tree.Sites[s].Body, int(body[s]), "site %d's body", s)
	}
}

// pose compares where everything is, and how each joint moves it.
func (c *comparison) pose(d *Data, qpos []float64) error {
	copy(d.QPos, qpos)
	if err := d.Kinematics(); err != nil {
		return err
	}
	own := c.own.NewData()
	c.own.Forward(own, qpos)
	for b := 1; b < len(c.tree.Bodies); b++ {
		c.vec(own.BodyPos[b], d.XPos[3*b:], "body %d stands at", b)
		c.turn(own.BodyRot[b], d.XQuat[4*b:], "body %d is turned by", b)
		if c.tree.Bodies[b].MassKg > 0 {
			c.vec(own.BodyCom[b], d.XIPos[3*b:], "body %d's centre of mass is at", b)
		}
		if c.own.SubtreeMassKg(b) > 0 {
			c.vec(own.SubCom[b], d.SubtreeCoM[3*b:], "the centre of mass from body %d on is at", b)
		}
	}
	for g := range c.tree.Geoms {
		shape := &c.tree.Geoms[g]
		c.vec(own.Point(shape.Body, shape.PosM), d.GeomXPos[3*g:], "geom %d is at", g)
		c.axes(own.BodyRot[shape.Body].Mul(shape.Quat), d.GeomXMat[9*g:], "geom %d", g)
	}
	for s := range c.tree.Sites {
		site := &c.tree.Sites[s]
		c.vec(own.Point(site.Body, site.PosM), d.SiteXPos[3*s:], "site %d is at", s)
		c.axes(own.BodyRot[site.Body].Mul(site.Quat), d.SiteXMat[9*s:], "site %d", s)
	}
	return c.jacobians(d, own)
}

// axes compares a rotation with a matrix whose columns are the axes.
func (c *comparison) axes(own spatial.Quat, engine []float64, format string, args ...any) {
	var ax [3]spatial.Vec3
	ax[0], ax[1], ax[2] = own.Axes()
	for i := range 3 {
		for k := range 3 {
			c.near(ax[k][i], engine[3*i+k], rounding, format+"'s axis %d [%d]", append(args[:len(args):len(args)], k, i)...)
		}
	}
}

// jacobians compares, for every body, how fast its origin moves and turns while one velocity is 1. The engine keeps each
// velocity's twist (cdof: turning, then moving) at the centre of mass of the tree that the body belongs to.
func (c *comparison) jacobians(d *Data, own *kin.Data) error {
	twist, err := d.Field("cdof")
	if err != nil {
		return err
	}
	root, nv := c.ints("body_rootid"), c.tree.NV
	move, turn := make([]float64, 3*nv), make([]float64, 3*nv)
	for b := 1; b < len(c.tree.Bodies); b++ {
		p := own.BodyPos[b]
		c.own.PointJacobian(move, own, b, p)
		c.own.RotationJacobian(turn, own, b)
		center := spatial.Vec3(d.SubtreeCoM[3*root[b]:][:3])
		for _, i := range c.own.Path(b) {
			w, v := spatial.Vec3(twist[6*i:6*i+3]), spatial.Vec3(twist[6*i+3:6*i+6])
			v = v.Add(w.Cross(p.Sub(center)))
			for k := range 3 {
				c.near(move[k*nv+i], v[k], rounding, "velocity %d moves body %d by [%d]", i, b, k)
				c.near(turn[k*nv+i], w[k], rounding, "velocity %d turns body %d by [%d]", i, b, k)
			}
		}
	}
	return nil
}

// forces compares inverse dynamics, into which every inertia enters. Joint damping, friction and springs are not ours.
func (c *comparison) forces(d *Data, qpos, qvel, qacc []float64) error {
	for _, name := range []string{"dof_damping", "dof_frictionloss", "jnt_stiffness"} {
		clear(c.floats(name))
	}
	copy(d.QPos, qpos)
	copy(d.QVel, qvel)
	copy(d.QAcc, qacc)
	c.m.Disable(1<<4 | 1<<3) // contacts and limits
	if err := d.Inverse(); err != nil {
		return err
	}
	own, got := c.own.NewData(), make([]float64, c.tree.NV)
	c.own.Forward(own, qpos)
	c.own.InverseDynamics(got, own, qvel, qacc, nil)
	largest := 0.0
	for _, v := range d.QFrcInverse {
		largest = max(largest, math.Abs(v))
	}
	for i := range got {
		// Forces of several hundred N cancel at a joint: their rounding stays.
		c.near(got[i]/(1+largest), d.QFrcInverse[i]/(1+largest), rounding, "the share of the greatest force that velocity %d needs", i)
	}
	return nil
}
