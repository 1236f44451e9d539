package kin

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// odd holds every kind of joint in awkward places: offsets, several joints on one body, reference positions.
const odd = `<mujoco><compiler angle="radian"/><worldbody>
 <body name="base" pos="0 0 1"><freejoint/><geom type="box" size="0.1 0.2 0.3" pos="0.05 0 0.02" euler="0.3 0.2 0.1" mass="2"/>
  <body name="arm" pos="0.1 0.2 0.3" quat="0.9 0.1 0.3 -0.2">
   <joint name="a" axis="1 2 3" pos="0.01 0.02 0.03"/><joint name="b" axis="0 1 0.2" pos="-0.02 0 0.01" ref="0.3" armature="0.01"/>
   <geom type="capsule" size="0.03" fromto="0 0 0 0.2 0.1 0" mass="0.7"/>
   <body name="rod" pos="0.2 0.1 0" euler="0.1 -0.4 0.2"><joint name="s" type="slide" axis="1 1 0" ref="0.05" pos="0.1 0 0"/><joint name="c" axis="0 0 1" pos="0 0.05 0"/>
    <geom type="cylinder" size="0.02 0.1" mass="0.4"/></body></body>
  <body name="leg" pos="-0.1 0 -0.2"><joint name="d" axis="0 1 0"/><geom type="ellipsoid" size="0.02 0.03 0.1" pos="0 0 -0.1" mass="0.5"/></body>
 </body></worldbody></mujoco>`

func models(t testing.TB) map[string]*Model {
	out := map[string]*Model{}
	tree, err := mjcf.Parse("odd.xml", []byte(odd))
	if err != nil {
		t.Fatal(err)
	}
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	kata, err := mjcf.Parse("kata20", []byte(desc.MJCF))
	if err != nil {
		t.Fatal(err)
	}
	for name, tr := range map[string]*mjcf.Model{"odd": tree, "kata20": kata} {
		if out[name], err = New(tr); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func random(r *rand.Rand, m *Model) (q, v, a []float64) {
	q = m.Tree.ZeroQPos()
	step := make([]float64, m.Tree.NV)
	v, a = make([]float64, m.Tree.NV), make([]float64, m.Tree.NV)
	for i := range step {
		step[i], v[i], a[i] = r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
	}
	m.Integrate(q, q, step)
	return q, v, a
}

const fd = 1e-6

// TestJacobiansAreDerivatives compares every Jacobian with centred differences of forward kinematics; 1e-8 is what
// steps of 1e-6 leave of double precision.
func TestJacobiansAreDerivatives(t *testing.T) {
	for name, m := range models(t) {
		r := rand.New(rand.NewPCG(1, 0))
		d, lo, hi := m.NewData(), m.NewData(), m.NewData()
		jp, jr, jc := make([]float64, 3*m.Tree.NV), make([]float64, 3*m.Tree.NV), make([]float64, 3*m.Tree.NV)
		for trial := 0; trial < 5; trial++ {
			q, _, _ := random(r, m)
			m.Forward(d, q)
			m.ComJacobian(jc, d)
			local := spatial.Vec3{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
			for i := 0; i < m.Tree.NV; i++ {
				step := make([]float64, m.Tree.NV)
				qn := make([]float64, m.Tree.NQ)
				step[i] = fd
				m.Integrate(qn, q, step)
				m.Forward(hi, qn)
				step[i] = -fd
				m.Integrate(qn, q, step)
				m.Forward(lo, qn)
				check := func(what string, jac []float64, want spatial.Vec3) {
					for k := 0; k < 3; k++ {
						if got := jac[k*m.Tree.NV+i]; math.Abs(got-want[k]) > 1e-8 {
							t.Errorf("%s, %s, dof %d, axis %d: %g, differences say %g", name, what, i, k, got, want[k])
						}
					}
				}
				check("com", jc, hi.ComM.Sub(lo.ComM).Scale(0.5/fd))
				for b := 1; b < len(m.Tree.Bodies); b++ {
					m.PointJacobian(jp, d, b, d.Point(b, local))
					m.RotationJacobian(jr, d, b)
					check("point of "+m.Tree.Bodies[b].Name, jp, hi.Point(b, local).Sub(lo.Point(b, local)).Scale(0.5/fd))
					check("rotation of "+m.Tree.Bodies[b].Name, jr, hi.BodyRot[b].Mul(lo.BodyRot[b].Inv()).Log().Scale(0.5/fd))
				}
			}
		}
	}
}

func TestVelocitiesAreJacobianTimesSpeed(t *testing.T) {
	for name, m := range models(t) {
		q, v, _ := random(rand.New(rand.NewPCG(2, 0)), m)
		d := m.NewData()
		m.Forward(d, q)
		m.Velocities(d, v)
		for b := 1; b < len(m.Tree.Bodies); b++ {
			var lin, ang spatial.Vec3
			for _, i := range m.Path(b) {
				lin = lin.Add(d.DofLin[i].Add(d.DofAng[i].Cross(d.BodyPos[b])).Scale(v[i]))
				ang = ang.Add(d.DofAng[i].Scale(v[i]))
			}
			if lin.Sub(d.BodyVel[b]).Norm() > 1e-12 || ang.Sub(d.BodyAngVel[b]).Norm() > 1e-12 {
				t.Errorf("%s body %d: %v %v, want %v %v", name, b, d.BodyVel[b], d.BodyAngVel[b], lin, ang)
			}
		}
	}
}

// energy returns kinetic plus potential energy, rotor inertia included.
func energy(m *Model, d *Data, q, v []float64) float64 {
	m.Forward(d, q)
	m.Velocities(d, v)
	e := 0.0
	for b := 1; b < len(m.Tree.Bodies); b++ {
		body := &m.Tree.Bodies[b]
		vc := d.BodyVel[b].Add(d.BodyAngVel[b].Cross(d.BodyCom[b].Sub(d.BodyPos[b])))
		w := d.BodyAngVel[b]
		e += body.MassKg*(vc.Dot(vc)/2-m.Tree.GravityMPerS2.Dot(d.BodyCom[b])) + w.Dot(turnInertia(d.BodyRot[b], &body.InertiaKgM2, w))/2
	}
	for _, j := range m.Tree.Joints {
		if j.Kind != mjcf.Free {
			e += j.ArmatureKgM2 * v[j.QVel] * v[j.QVel] / 2
		}
	}
	return e
}

// TestPowerIsRateOfEnergy: force times speed must equal the rate at which energy changes, for any motion. It catches
// every missing Coriolis or gyroscopic term.
func TestPowerIsRateOfEnergy(t *testing.T) {
	for name, m := range models(t) {
		r := rand.New(rand.NewPCG(3, 0))
		d := m.NewData()
		for trial := 0; trial < 20; trial++ {
			q, v, a := random(r, m)
			tau := make([]float64, m.Tree.NV)
			m.Forward(d, q)
			m.InverseDynamics(tau, d, v, a, nil)
			power := 0.0
			for i := range tau {
				power += tau[i] * v[i]
			}
			at := func(h float64) float64 {
				step, vn, qn := make([]float64, m.Tree.NV), make([]float64, m.Tree.NV), make([]float64, m.Tree.NQ)
				for i := range step {
					step[i] = h*v[i] + h*h/2*a[i]
					vn[i] = v[i] + h*a[i]
				}
				m.Integrate(qn, q, step)
				return energy(m, d, qn, vn)
			}
			const h = 1e-5
			if rate := (at(h) - at(-h)) / (2 * h); math.Abs(rate-power) > 1e-5*(1+math.Abs(power)) {
				t.Errorf("%s: power %g, energy changes at %g", name, power, rate)
			}
		}
	}
}

// TestMassMatrixIsSymmetric recovers the mass matrix from unit accelerations.
func TestMassMatrixIsSymmetric(t *testing.T) {
	for name, m := range models(t) {
		q, _, _ := random(rand.New(rand.NewPCG(4, 0)), m)
		nv := m.Tree.NV
		d, zero, rest := m.NewData(), make([]float64, nv), make([]float64, nv)
		m.Forward(d, q)
		m.InverseDynamics(rest, d, zero, zero, nil)
		mass := make([][]float64, nv)
		for i := range mass {
			mass[i] = make([]float64, nv)
			acc := make([]float64, nv)
			acc[i] = 1
			m.InverseDynamics(mass[i], d, zero, acc, nil)
			for k := range rest {
				mass[i][k] -= rest[k]
			}
		}
		for i := range mass {
			if mass[i][i] <= 0 {
				t.Errorf("%s: inertia of dof %d is %g", name, i, mass[i][i])
			}
			for k := range mass {
				if math.Abs(mass[i][k]-mass[k][i]) > 1e-11 {
					t.Errorf("%s: M[%d][%d] = %g, M[%d][%d] = %g", name, i, k, mass[i][k], k, i, mass[k][i])
				}
			}
		}
	}
}

// TestExternalWrenchBalancesWeight: standing still, the floor's force at the pressure point takes all load off the
// free joint.
func TestExternalWrenchBalancesWeight(t *testing.T) {
	for name, m := range models(t) {
		q, v, a := random(rand.New(rand.NewPCG(5, 0)), m)
		for i := range v { // gentle, so that the feet push and never pull
			v[i], a[i] = 0.1*v[i], 0.1*a[i]
		}
		d, tau := m.NewData(), make([]float64, m.Tree.NV)
		m.Forward(d, q)
		m.InverseDynamics(tau, d, v, a, nil)
		f := spatial.Vec3{tau[0], tau[1], tau[2]}
		n := d.BodyRot[1].Rotate(spatial.Vec3{tau[3], tau[4], tau[5]})
		cop, ok := CenterOfPressure(d.BodyPos[1], f, n, -0.5)
		if !ok || cop[2] != -0.5 {
			t.Fatalf("%s: no centre of pressure: force %v", name, f)
		}
		twist := n.Add(d.BodyPos[1].Sub(cop).Cross(f))
		if math.Hypot(twist[0], twist[1]) > 1e-9 {
			t.Errorf("%s: horizontal moment %v left at the centre of pressure", name, twist)
		}
		ext := make([]Wrench, len(m.Tree.Bodies))
		ext[1] = Wrench{ForceN: f, MomentNm: twist.Add(cop.Cross(f))}
		m.InverseDynamics(tau, d, v, a, ext)
		for i := 0; i < 6; i++ {
			if math.Abs(tau[i]) > 1e-9 {
				t.Errorf("%s: free joint still needs %g in dof %d", name, tau[i], i)
			}
		}
	}
}

// TestZeroPoseIsAsDrawn: at the reference positions of its joints a body lies where the file draws it.
func TestZeroPoseIsAsDrawn(t *testing.T) {
	for name, m := range models(t) {
		d := m.NewData()
		m.Forward(d, m.Tree.ZeroQPos())
		for b := 1; b < len(m.Tree.Bodies); b++ {
			body := m.Tree.Bodies[b]
			want := d.BodyPos[body.Parent].Add(d.BodyRot[body.Parent].Rotate(body.PosM))
			turn := d.BodyRot[body.Parent].Mul(body.Quat).Inv().Mul(d.BodyRot[b]).Log().Norm()
			if d.BodyPos[b].Sub(want).Norm() > 1e-12 || turn > 1e-7 {
				t.Errorf("%s: body %s is at %v turned by %g, drawn at %v", name, body.Name, d.BodyPos[b], turn, want)
			}
		}
	}
}

// TestForwardPathEqualsForward moves one limb only; its bodies must end where the whole tree's forward pass has them.
func TestForwardPathEqualsForward(t *testing.T) {
	for name, m := range models(t) {
		r := rand.New(rand.NewPCG(8, 0))
		q, _, _ := random(r, m)
		n, _, _ := random(r, m)
		whole, part := m.NewData(), m.NewData()
		m.Forward(part, q)
		m.Forward(whole, n)
		for b := range m.Tree.Bodies {
			m.ForwardPath(part, n, b)
			if part.BodyPos[b].Sub(whole.BodyPos[b]).Norm() != 0 || part.BodyRot[b] != whole.BodyRot[b] {
				t.Errorf("%s body %d: %v, want %v", name, b, part.BodyPos[b], whole.BodyPos[b])
			}
			for _, i := range m.Path(b) {
				if part.DofLin[i] != whole.DofLin[i] || part.DofAng[i] != whole.DofAng[i] {
					t.Errorf("%s dof %d differs", name, i)
				}
			}
		}
	}
}

func TestIntegrateAndDifferenceAreInverse(t *testing.T) {
	for name, m := range models(t) {
		r := rand.New(rand.NewPCG(6, 0))
		q, v, _ := random(r, m)
		n, back := make([]float64, m.Tree.NQ), make([]float64, m.Tree.NV)
		m.Integrate(n, q, v)
		m.Difference(back, q, n)
		for i := range v {
			if math.Abs(back[i]-v[i]) > 1e-9 {
				t.Errorf("%s dof %d: %g, want %g", name, i, back[i], v[i])
			}
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	m := models(t)["kata20"]
	d := m.NewData()
	q, v, a := random(rand.New(rand.NewPCG(7, 0)), m)
	tau, jac := make([]float64, m.Tree.NV), make([]float64, 3*m.Tree.NV)
	if n := testing.AllocsPerRun(20, func() {
		m.Forward(d, q)
		m.ComJacobian(jac, d)
		m.PointJacobian(jac, d, 7, spatial.Vec3{})
		m.InverseDynamics(tau, d, v, a, nil)
		m.Integrate(q, q, v)
		m.Difference(v, q, q)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestModelWithoutMassIsRefused(t *testing.T) {
	tree, err := mjcf.Parse("x", []byte(`<mujoco><worldbody><body><freejoint/></body></worldbody></mujoco>`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(tree); err == nil {
		t.Error("a robot without mass is accepted")
	}
}

func BenchmarkForward(b *testing.B) {
	m := models(b)["kata20"]
	d := m.NewData()
	q, _, _ := random(rand.New(rand.NewPCG(1, 0)), m)
	for b.Loop() {
		m.Forward(d, q)
	}
}

func BenchmarkInverseDynamics(b *testing.B) {
	m := models(b)["kata20"]
	d := m.NewData()
	q, v, a := random(rand.New(rand.NewPCG(1, 0)), m)
	tau := make([]float64, m.Tree.NV)
	m.Forward(d, q)
	for b.Loop() {
		m.InverseDynamics(tau, d, v, a, nil)
	}
}
