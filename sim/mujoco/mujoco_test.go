//go:build mujoco && cgo

package mujoco

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/robot"
)

func loadBiped(t testing.TB, edits ...string) *Model {
	t.Helper()
	xml, err := os.ReadFile("testdata/biped.xml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(edits...).Replace(string(xml))
	m, err := Load("biped.xml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func newData(t testing.TB, m *Model) *Data {
	t.Helper()
	d, err := NewData(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLoadRefusesBadXML(t *testing.T) {
	for name, c := range map[string]struct{ xml, want string }{
		"empty":       {"", "empty"},
		"not xml":     {"hello", "x.xml"},
		"bad element": {"<mujoco><worldbody><bdoy/></worldbody></mujoco>", "bdoy"},
		"no mass":     {"<mujoco><worldbody><body><freejoint/></body></worldbody></mujoco>", "mass"},
	} {
		m, err := Load("x.xml", []byte(c.xml), nil)
		if err == nil {
			m.Close()
			t.Fatalf("%s: loaded", name)
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %q does not contain %q", name, err, c.want)
		}
	}
	if _, err := os.Stat("MUJOCO_LOG.TXT"); err == nil {
		t.Error("the engine wrote MUJOCO_LOG.TXT")
	}
}

func TestNamesAndFields(t *testing.T) {
	m := loadBiped(t)
	if m.NU != 6 || m.NV != 12 || m.NQ != 13 {
		t.Fatalf("sizes %+v", m.Sizes)
	}
	id, err := m.ID(Body, "l_shin")
	must(t, err)
	if m.Name(Body, id) != "l_shin" {
		t.Errorf("body %d is named %q", id, m.Name(Body, id))
	}
	if _, err := m.ID(Joint, "elbow"); err == nil || !strings.Contains(err.Error(), "l_knee") {
		t.Errorf("unknown joint: %v; want an error that lists the joints", err)
	}
	mass, err := m.Field("body_mass")
	must(t, err)
	if mass[id] != 0.2 {
		t.Errorf("mass of l_shin %g; want 0.2", mass[id])
	}
	adr, err := m.IntField("jnt_qposadr")
	must(t, err)
	if adr[1] != 7 {
		t.Errorf("first hinge at qpos %d; want 7", adr[1])
	}
	if _, err := m.Field("body_weight"); err == nil {
		t.Error("unknown field accepted")
	}
	if _, err := m.Field("jnt_qposadr"); err == nil {
		t.Error("integer field accepted as floats")
	}
}

// A robot that stands pushes the floor with its weight.
func TestStandingWeight(t *testing.T) {
	m := loadBiped(t)
	d := newData(t, m)
	must(t, d.Reset(0))
	must(t, d.Step(250))
	force := 0.0
	for _, c := range d.Contacts(nil) {
		force += c.NormalForceN
	}
	if want := 2.3 * 9.81; math.Abs(force-want) > 0.02*want {
		t.Errorf("floor carries %.2f N; want %.2f", force, want)
	}
}

func TestSaveRestoreIsBitIdentical(t *testing.T) {
	m := loadBiped(t)
	d := newData(t, m)
	must(t, d.Reset(0))
	d.QVel[0] = 0.1
	must(t, d.Step(37))
	save := make([]float64, m.StateSize(StateIntegration))
	d.State(save, StateIntegration)
	must(t, d.Step(100))
	want := append([]float64(nil), d.QPos...)
	other := newData(t, m)
	other.SetState(save, StateIntegration)
	must(t, other.Step(100))
	for i := range want {
		if other.QPos[i] != want[i] {
			t.Fatalf("qpos[%d] = %v after restore; want %v", i, other.QPos[i], want[i])
		}
	}
}

// What is left out for speed has no effect on the motion.
func TestLoadPhysicsMovesAlike(t *testing.T) {
	r, err := robot.Load("kata20")
	must(t, err)
	full, err := Load("kata20", []byte(r.MJCF), nil)
	must(t, err)
	t.Cleanup(full.Close)
	lean, err := LoadPhysics("kata20", []byte(r.MJCF), nil)
	must(t, err)
	t.Cleanup(lean.Close)
	if lean.NGeom >= full.NGeom || lean.NBody != full.NBody || lean.NSite != full.NSite {
		t.Fatalf("full %+v, lean %+v", full.Sizes, lean.Sizes)
	}
	a, b := newData(t, full), newData(t, lean)
	must(t, a.Reset(0))
	must(t, b.Reset(0))
	for k := range 100 {
		for u := range a.Ctrl {
			a.Ctrl[u] += 0.05 * math.Sin(float64(k+u))
			b.Ctrl[u] = a.Ctrl[u]
		}
		must(t, a.Step(5))
		must(t, b.Step(5))
	}
	for i := range a.QPos {
		if a.QPos[i] != b.QPos[i] {
			t.Fatalf("qpos[%d] is %v with all geoms, %v without the visual ones", i, a.QPos[i], b.QPos[i])
		}
	}
}

func TestDisable(t *testing.T) {
	m, lean := loadBiped(t), loadBiped(t)
	lean.Disable(Sensors | Islands)
	a, b := newData(t, m), newData(t, lean)
	for _, d := range []*Data{a, b} {
		must(t, d.Reset(0))
		d.Ctrl[1] += 0.3
		must(t, d.Step(100))
	}
	for i := range a.QPos {
		// The solver sums in another order.
		if e := math.Abs(a.QPos[i] - b.QPos[i]); e > 1e-6 {
			t.Errorf("qpos[%d] differs by %.1e", i, e)
		}
	}
	if a.SensorData[5] == 0 || b.SensorData[5] != 0 {
		t.Errorf("accelerometer %g with sensors, %g without", a.SensorData[5], b.SensorData[5])
	}
}

// An error raised inside the engine comes back, again and again, and a reset
// makes the simulation usable.
func TestErrorRecovery(t *testing.T) {
	m := loadBiped(t, `memory="1M"`, `memory="8K"`)
	d := newData(t, m)
	for i := range 3 {
		must(t, d.Reset(0))
		err := d.Step(1)
		if err == nil {
			t.Fatalf("round %d: a step in 8 kB of memory went well", i)
		}
		if !strings.Contains(err.Error(), "stack") && !strings.Contains(err.Error(), "memory") {
			t.Errorf("round %d: error does not name the cause: %v", i, err)
		}
		if err := d.Forward(); err == nil || !strings.Contains(err.Error(), "was not reset") {
			t.Errorf("round %d: after an error the simulation computes on (%v)", i, err)
		}
	}
	big := loadBiped(t)
	e := newData(t, big)
	must(t, e.Step(1))
}

func TestDivergenceIsAWarning(t *testing.T) {
	m := loadBiped(t)
	d := newData(t, m)
	d.QVel[3] = math.NaN()
	must(t, d.Step(1))
	if w := d.Warnings(); w[WarnBadQVel] == 0 {
		t.Errorf("warnings %v; want one for the velocity", w)
	}
	for _, q := range d.QPos {
		if math.IsNaN(q) {
			t.Fatal("NaN survived")
		}
	}
}

// Inverse dynamics explains the acceleration that forward dynamics found.
func TestInverseMatchesForward(t *testing.T) {
	m := loadBiped(t)
	d := newData(t, m)
	must(t, d.Reset(0))
	d.QPos[2] += 0.2 // in the air
	d.QVel[7], d.Ctrl[1] = 1.5, 0.9
	must(t, d.Forward())
	must(t, d.Inverse())
	for i := range d.QFrcInverse {
		if diff := math.Abs(d.QFrcInverse[i] - d.QFrcActuator[i]); diff > 1e-4 {
			t.Errorf("dof %d: inverse %.6g, applied %.6g", i, d.QFrcInverse[i], d.QFrcActuator[i])
		}
	}
}

// The linearised step predicts what a small change does.
func TestTransitionFD(t *testing.T) {
	m := loadBiped(t)
	d := newData(t, m)
	must(t, d.Reset(0))
	d.QPos[2] += 0.2
	n := 2 * m.NV
	a, b := make([]float64, n*n), make([]float64, n*m.NU)
	must(t, d.TransitionFD(a, b, 1e-6, true))
	start := make([]float64, m.StateSize(StateIntegration))
	d.State(start, StateIntegration)
	must(t, d.Step(1))
	base := append([]float64(nil), d.QVel...)
	d.SetState(start, StateIntegration)
	const du = 1e-3
	d.Ctrl[1] += du
	must(t, d.Step(1))
	for i := range base {
		got, want := d.QVel[i]-base[i], b[(m.NV+i)*m.NU+1]*du
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("dof %d: speed changed by %.3g, linearisation says %.3g", i, got, want)
		}
	}
}
