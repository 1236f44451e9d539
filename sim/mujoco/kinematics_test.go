//go:build mujoco && cgo

package mujoco

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// pair is one model as this project's own reader and as the engine see it.
type pair struct {
	name string
	tree *mjcf.Model
	own  *kin.Model
	m    *Model
}

// pairs loads every test model both ways, without what inverse dynamics of our
// own leaves out on purpose: joint damping and dry friction.
func pairs(t *testing.T) []pair {
	t.Helper()
	d, err := robot.Load("kata20")
	must(t, err)
	texts := map[string][]byte{"kata20": []byte(d.MJCF)}
	for _, name := range []string{"biped", "odd"} {
		texts[name], err = os.ReadFile("testdata/" + name + ".xml")
		must(t, err)
	}
	var out []pair
	for _, name := range []string{"kata20", "biped", "odd"} {
		m, err := Load(name, texts[name], nil)
		must(t, err)
		t.Cleanup(m.Close)
		for _, f := range []string{"dof_damping", "dof_frictionloss"} {
			v, err := m.Field(f)
			must(t, err)
			clear(v)
		}
		tree, err := mjcf.Parse(name, texts[name])
		must(t, err)
		own, err := kin.New(tree)
		must(t, err)
		out = append(out, pair{name, tree, own, m})
	}
	return out
}

func field(t *testing.T, m *Model, name string) []float64 {
	t.Helper()
	v, err := m.Field(name)
	must(t, err)
	return v
}

// random draws a configuration inside the joint limits, in the air.
func (p *pair) random(rng *rand.Rand) (qpos, qvel, qacc []float64) {
	qpos = p.tree.ZeroQPos()
	for i := range p.tree.Joints {
		j := &p.tree.Joints[i]
		if j.Kind == mjcf.Free {
			for k := range 3 {
				qpos[j.QPos+k] = 2 + rng.Float64()
			}
			q := spatial.Exp(spatial.Vec3{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()})
			copy(qpos[j.QPos+3:], q[:])
			continue
		}
		lo, hi := -1.0, 1.0
		if j.Limited {
			lo, hi = j.RangeRad[0], j.RangeRad[1]
		}
		qpos[j.QPos] = lo + (0.05+0.9*rng.Float64())*(hi-lo)
	}
	for range p.tree.NV {
		qvel, qacc = append(qvel, rng.NormFloat64()), append(qacc, 5*rng.NormFloat64())
	}
	return qpos, qvel, qacc
}

// far says whether two numbers differ by more than rounding of sums of this size.
func far(a, b float64) bool { return math.Abs(a-b) > 1e-9*(1+math.Abs(a)) }

func TestOwnReaderEqualsEngine(t *testing.T) {
	for _, p := range pairs(t) {
		if p.tree.NQ != p.m.NQ || p.tree.NV != p.m.NV || len(p.tree.Bodies) != p.m.NBody || len(p.tree.Joints) != p.m.NJnt ||
			len(p.tree.Geoms) != p.m.NGeom || len(p.tree.Sites) != p.m.NSite || len(p.tree.Actuators) != p.m.NU {
			t.Fatalf("%s: sizes differ from %+v", p.name, p.m.Sizes)
		}
		mass, jrange, armature := field(t, p.m, "body_mass"), field(t, p.m, "jnt_range"), field(t, p.m, "dof_armature")
		for b := 1; b < p.m.NBody; b++ {
			if name := p.m.Name(Body, b); name != p.tree.Bodies[b].Name || far(mass[b], p.tree.Bodies[b].MassKg) {
				t.Errorf("%s: body %d is %s of %g kg; the engine has %s of %g kg", p.name, b, p.tree.Bodies[b].Name, p.tree.Bodies[b].MassKg, name, mass[b])
			}
		}
		for j := range p.tree.Joints {
			own := &p.tree.Joints[j]
			if name := p.m.Name(Joint, j); name != own.Name {
				t.Errorf("%s: joint %d is %q; the engine has %q", p.name, j, own.Name, name)
			}
			if own.Limited && (far(jrange[2*j], own.RangeRad[0]) || far(jrange[2*j+1], own.RangeRad[1])) {
				t.Errorf("%s: joint %s reaches %v; the engine has %v", p.name, own.Name, own.RangeRad, jrange[2*j:2*j+2])
			}
			if own.Kind != mjcf.Free && far(armature[own.QVel], own.ArmatureKgM2) {
				t.Errorf("%s: joint %s has armature %g; the engine has %g", p.name, own.Name, own.ArmatureKgM2, armature[own.QVel])
			}
		}
	}
}

func TestOwnKinematicsEqualEngine(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range pairs(t) {
		d, own := newData(t, p.m), p.own.NewData()
		for range 20 {
			qpos, _, _ := p.random(rng)
			copy(d.QPos, qpos)
			must(t, d.Kinematics())
			p.own.Forward(own, qpos)
			for b := 1; b < p.m.NBody; b++ {
				miss := own.BodyPos[b].Sub(spatial.Vec3(d.XPos[3*b : 3*b+3])).Norm()
				turn := own.BodyRot[b].Inv().Mul(spatial.Quat(d.XQuat[4*b : 4*b+4])).Log().Norm()
				com := own.BodyCom[b].Sub(spatial.Vec3(d.XIPos[3*b : 3*b+3])).Norm()
				sub := own.SubCom[b].Sub(spatial.Vec3(d.SubtreeCoM[3*b : 3*b+3])).Norm()
				if miss > 1e-9 || turn > 1e-7 || com > 1e-9 || sub > 1e-9 {
					t.Fatalf("%s: body %s is off by %.1e m, %.1e rad; centre of mass by %.1e m, of the subtree by %.1e m", p.name, p.tree.Bodies[b].Name, miss, turn, com, sub)
				}
			}
			for s := range p.tree.Sites {
				at := own.Point(p.tree.Sites[s].Body, p.tree.Sites[s].PosM)
				if e := at.Sub(spatial.Vec3(d.SiteXPos[3*s : 3*s+3])).Norm(); e > 1e-9 {
					t.Errorf("%s: site %s is off by %.1e m", p.name, p.tree.Sites[s].Name, e)
				}
			}
		}
	}
}

func TestOwnInverseDynamicsEqualEngine(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, p := range pairs(t) {
		d, own := newData(t, p.m), p.own.NewData()
		got := make([]float64, p.m.NV)
		for range 20 {
			qpos, qvel, qacc := p.random(rng)
			copy(d.QPos, qpos)
			copy(d.QVel, qvel)
			copy(d.QAcc, qacc)
			must(t, d.Inverse())
			p.own.Forward(own, qpos)
			p.own.InverseDynamics(got, own, qvel, qacc, nil)
			for i := range got {
				if far(got[i], d.QFrcInverse[i]) {
					t.Fatalf("%s: dof %d needs %.9g; the engine says %.9g", p.name, i, got[i], d.QFrcInverse[i])
				}
			}
		}
	}
}
