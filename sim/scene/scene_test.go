//go:build mujoco && cgo

package scene

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

func compile(t *testing.T, edits ...string) (*Scene, error) {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	d.MJCF = strings.NewReplacer(edits...).Replace(d.MJCF)
	b, err := body.New(d)
	if err != nil {
		return nil, err
	}
	s, err := Compile(b, 0)
	if err == nil {
		t.Cleanup(s.Close)
	}
	return s, err
}

func kata20(t *testing.T) (*Scene, *mujoco.Data) {
	t.Helper()
	s, err := compile(t)
	if err != nil {
		t.Fatal(err)
	}
	d, err := mujoco.NewData(s.Model)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return s, d
}

func TestFindsTheRobot(t *testing.T) {
	s, _ := kata20(t)
	if l, r := s.Model.Name(mujoco.Geom, s.Feet[0]), s.Model.Name(mujoco.Geom, s.Feet[1]); l != "l_foot" || r != "r_foot" {
		t.Errorf("feet %q, %q; want l_foot, r_foot", l, r)
	}
	if math.Abs(s.MassKg-3.2) > 0.01 {
		t.Errorf("mass %.3f kg; the description says 3.2", s.MassKg)
	}
	for i, j := range s.Joints {
		if name := s.Model.Name(mujoco.Joint, j.ID); name != s.Body.Desc.Joints[i].Name {
			t.Errorf("joint %d is %q; want %q", i, name, s.Body.Desc.Joints[i].Name)
		}
	}
}

func TestRefusesUnfitModels(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"no actuator":  {`<position name="l_knee" joint="l_knee" class="servo"/>`, ``, `joint "l_knee" has no <position> actuator`},
		"motor":        {`<position name="l_knee" joint="l_knee" class="servo"/>`, `<motor name="l_knee" joint="l_knee"/>`, "no <position> servo"},
		"no free root": {`<freejoint name="root"/>`, ``, "free joint"},
		"no keyframe":  {`<key name="stand"`, `<key name="sit"`, "stand_keyframe"},
		"no floor":     {`contype="0" conaffinity="1" group="0"`, `contype="0" conaffinity="0" group="0"`, "floor"},
	} {
		edits := []string{c.old, c.new}
		if name == "no free root" { // the keyframe has the root's numbers
			edits = append(edits, `qpos="0 0 0.28366 1 0 0 0 `, `qpos="`)
		}
		if name == "no actuator" {
			edits = append(edits, ` ctrl="0 0`, ` ctrl="0`)
		}
		_, err := compile(t, edits...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want one with %q", name, err, c.want)
		}
	}
}

// A file that the engine reads otherwise than models/body is refused, whatever the difference: here the two are given
// files that differ by one attribute.
func TestRefusesWhatTheEngineReadsDifferently(t *testing.T) {
	for what, c := range map[string]struct{ old, new, want string }{
		"place":     {`<body name="l_thigh" pos="0 0 0"`, `<body name="l_thigh" pos="0 0 0.00001"`, `"l_thigh" stands`},
		"name":      {`<body name="l_thigh"`, `<body name="thigh_l"`, `"thigh_l"`},
		"mass":      {`mass="0.12" diaginertia="1.75e-4`, `mass="9" diaginertia="1.75e-4`, "weighs 9 kg"},
		"shape":     {`name="l_foot" size="0.062 0.036 0.005" pos="0.010`, `name="l_foot" size="0.062 0.036 0.005" pos="0.011`, `geom`},
		"collision": {`name="chest" type="box"`, `name="chest" type="box" contype="0" conaffinity="0"`, `"chest"`},
		"a body":    {`<body name="torso"`, `<body name="post"><geom size="1"/></body><body name="torso"`, "bodies"},
	} {
		b, err := body.Load("kata20")
		if err != nil {
			t.Fatal(err)
		}
		d, other := *b.Desc, *b
		if d.MJCF = strings.Replace(d.MJCF, c.old, c.new, 1); d.MJCF == b.Desc.MJCF {
			t.Fatalf("%s: the file has no %s", what, c.old)
		}
		other.Desc = &d
		s, err := Compile(&other, 0)
		if err == nil {
			s.Close()
			t.Errorf("%s: accepted", what)
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "otherwise than mitori") {
			t.Errorf("%s: %v; want %q in it", what, err, c.want)
		}
	}
}

// The shipped robot is fit for physics: it stands for ten seconds without
// drifting, its feet lie flat, nothing overlaps and no joint starts at a limit.
func TestKata20Stands(t *testing.T) {
	s, d := kata20(t)
	if err := d.Reset(s.StandKey); err != nil {
		t.Fatal(err)
	}
	if err := d.Step(1); err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Contacts(nil) {
		if c.DistM < -1e-3 {
			t.Errorf("%s overlaps %s by %.4f m in the standing pose", s.Model.Name(mujoco.Geom, c.Geom1), s.Model.Name(mujoco.Geom, c.Geom2), -c.DistM)
		}
	}
	if err := d.Step(2500); err != nil {
		t.Fatal(err)
	}
	if x, y, z := d.QPos[0], d.QPos[1], d.QPos[2]; math.Hypot(x, y) > 0.02 || math.Abs(z-s.StandQPos[2]) > 0.005 {
		t.Errorf("root after 10 s at (%.3f, %.3f, %.3f) m; want (0, 0, %.3f)", x, y, z, s.StandQPos[2])
	}
	for i, j := range s.Joints {
		r := s.Body.Desc.Joints[i]
		if e := math.Abs(d.QPos[j.QPos] - s.StandRad[i]); e > 0.05 {
			t.Errorf("joint %s sags by %.3f rad while standing", r.Name, e)
		}
		if q := s.StandRad[i]; q < r.MinRad || q > r.MaxRad {
			t.Errorf("joint %s stands at %.3f rad, outside %g to %g", r.Name, q, r.MinRad, r.MaxRad)
		}
	}
	if n := len(d.Contacts(nil)); n != 8 {
		t.Errorf("%d contacts while standing; want 8 corners of two flat feet", n)
	}
}

// At the zero pose the soles lie flat at the same height and below everything else.
func TestKata20ZeroPose(t *testing.T) {
	s, d := kata20(t)
	copy(d.QPos, make([]float64, s.Model.NQ))
	d.QPos[3] = 1
	if err := d.Forward(); err != nil {
		t.Fatal(err)
	}
	for _, g := range s.Feet {
		if up := d.GeomXMat[9*g+8]; math.Abs(up-1) > 1e-9 {
			t.Errorf("%s is tilted at the zero pose (z.z = %g)", s.Model.Name(mujoco.Geom, g), up)
		}
	}
	if dz := d.GeomXPos[3*s.Feet[0]+2] - d.GeomXPos[3*s.Feet[1]+2]; math.Abs(dz) > 1e-9 {
		t.Errorf("soles differ by %g m", dz)
	}
	for _, c := range d.Contacts(nil) {
		if c.Geom1 != s.Floor && c.Geom2 != s.Floor {
			t.Errorf("%s touches %s at the zero pose", s.Model.Name(mujoco.Geom, c.Geom1), s.Model.Name(mujoco.Geom, c.Geom2))
		}
	}
}

// Limits and servo values of the MJCF and of robot.yaml are the same numbers.
func TestKata20DescriptionsAgree(t *testing.T) {
	s, _ := kata20(t)
	get := func(name string) []float64 {
		v, err := s.Model.Field(name)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	rng, gain, force, damp := get("jnt_range"), get("actuator_gainprm"), get("actuator_forcerange"), get("dof_damping")
	stride := len(gain) / s.Model.NU
	for i, j := range s.Joints {
		r, servo := s.Body.Desc.Joints[i], s.Body.Desc.ServoOf(i)
		for what, v := range map[string][2]float64{
			"lower limit": {rng[2*j.ID], r.MinRad}, "upper limit": {rng[2*j.ID+1], r.MaxRad},
			"gain": {gain[stride*j.Actuator], servo.StiffnessNmPerRad}, "stall torque": {force[2*j.Actuator+1], servo.StallTorqueNm},
			"damping": {damp[j.Dof], servo.DampingNmSPerRad},
		} {
			if math.Abs(v[0]-v[1]) > 1e-9 {
				t.Errorf("%s: %s is %g in the MJCF and %g in robot.yaml", r.Name, what, v[0], v[1])
			}
		}
	}
}
