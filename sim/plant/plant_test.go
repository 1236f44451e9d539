//go:build mujoco && cgo

package plant

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
	"github.com/mitori-robotics/mitori/sim/busemu"
	"github.com/mitori-robotics/mitori/sim/mujoco"
	"github.com/mitori-robotics/mitori/sim/scene"
)

var _ busemu.Plant = (*Plant)(nil)

func open(t *testing.T, c Config) *Plant {
	t.Helper()
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(b, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// dutyPerRad is the position loop of the shipped servo: 18.9 N m/rad of 4.1 N m.
const dutyPerRad = 18.9 / 4.1

func off(p *Plant) []busemu.Drive { return make([]busemu.Drive, len(p.scene.Joints)) }

func stand(p *Plant) []busemu.Drive {
	d := off(p)
	for i := range d {
		d[i] = busemu.Drive{On: true, GoalRad: p.scene.StandRad[i], DutyPerRad: dutyPerRad, MaxDuty: 1}
	}
	return d
}

func seconds(p *Plant, s float64) int { return int(math.Round(s / p.step.Seconds())) }

func truth(p *Plant) busemu.Truth {
	var t busemu.Truth
	p.Truth(&t)
	return t
}

func sense(p *Plant) busemu.Sense {
	s := busemu.Sense{Joints: make([]busemu.Joint, len(p.scene.Joints))}
	p.Sense(&s)
	return s
}

func TestHeldWithoutTorqueStaysUp(t *testing.T) {
	p := open(t, Config{})
	start := truth(p)
	p.Advance(seconds(p, 5), off(p))
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	end := truth(p)
	if d := math.Abs(end.TrunkHeightM - start.TrunkHeightM); d > 0.02 || end.TiltRad > 0.1 {
		t.Errorf("held robot moved by %.3f m and tilts by %.3f rad", d, end.TiltRad)
	}
	if math.Abs(end.SimS-5) > 1e-9 {
		t.Errorf("%.6f s have passed; want 5", end.SimS)
	}
}

func TestLooseWithoutTorqueCollapses(t *testing.T) {
	p := open(t, Config{Loose: true})
	p.Advance(seconds(p, 2), off(p))
	if end := truth(p); end.TrunkHeightM > 0.2 {
		t.Errorf("unpowered robot stands at %.3f m", end.TrunkHeightM)
	}
}

// The way a robot is started: held and unpowered, then powered, then let down.
func TestArmAndRelease(t *testing.T) {
	p := open(t, Config{})
	p.Advance(seconds(p, 1), off(p))
	p.Advance(seconds(p, 2), stand(p))
	p.Hold(false)
	if p.release != 1 {
		t.Errorf("the gantry vanishes at once (%.2f left)", p.release)
	}
	p.Advance(seconds(p, 0.5), stand(p))
	if h := p.release; math.Abs(h-0.5) > 0.01 {
		t.Errorf("half way through the release %.2f of the gantry is left", h)
	}
	p.Advance(seconds(p, 4.5), stand(p))
	if p.release != 0 {
		t.Errorf("%.2f of the gantry is left after its release", p.release)
	}
	end := truth(p)
	if math.Abs(end.TrunkHeightM-p.scene.StandQPos[2]) > 0.01 || end.TiltRad > 0.1 {
		t.Errorf("released robot at %.3f m, tilt %.3f rad; want %.3f, upright", end.TrunkHeightM, end.TiltRad, p.scene.StandQPos[2])
	}
	s := sense(p)
	if a := s.IMU.AccelMPerS2; math.Abs(a[2]-9.81) > 0.1 {
		t.Errorf("accelerometer at rest %v; want 9.81 upward", a)
	}
	for i, j := range s.Joints {
		if math.Abs(j.PosRad-p.scene.StandRad[i]) > 0.05 {
			t.Errorf("joint %d stands at %.3f; want %.3f", i, j.PosRad, p.scene.StandRad[i])
		}
	}
}

// The plant and the worlds that policies are trained in are the same robot: the
// model's own servos and the bridges with the same gain go the same way.
func TestBridgesEqualTrainedServos(t *testing.T) {
	// A battery without resistance that makes up for nothing keeps the voltage nominal.
	p := open(t, Config{Loose: true, StepS: 0.004, Battery: Battery{ResistanceOhm: 1e-12}})
	s, err := scene.Compile(p.scene.Body, 0.004)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d, err := mujoco.NewData(s.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Reset(s.StandKey); err != nil {
		t.Fatal(err)
	}
	drives := stand(p)
	for k := range 150 {
		for i, at := range s.Joints {
			goal := p.scene.StandRad[i] + 0.3*math.Sin(0.05*float64(k)+float64(i))
			drives[i].GoalRad = goal
			d.Ctrl[at.Actuator] = goal
		}
		p.Advance(1, drives)
		if err := d.Step(1); err != nil {
			t.Fatal(err)
		}
		for i := range d.QPos {
			// Both integrate the same law; the engine adds its forces in another order.
			if e := math.Abs(d.QPos[i] - p.data.QPos[i]); e > 1e-6 {
				t.Fatalf("step %d: qpos[%d] is %.9f behind the bridges, %.9f behind the servos", k, i, p.data.QPos[i], d.QPos[i])
			}
		}
	}
}

func TestSupplySagsUnderLoad(t *testing.T) {
	p := open(t, Config{})
	p.Advance(1, off(p))
	idle := sense(p).BusV
	d := stand(p)
	for i := range d {
		d[i].GoalRad += 0.5
	}
	p.Advance(3, d)
	if load := sense(p).BusV; load > idle-0.1 || load < 8 {
		t.Errorf("supply %.2f V idle, %.2f V with all servos pulling", idle, load)
	}
	flat := open(t, Config{Battery: Battery{CapacityAh: 0.0005}})
	flat.Advance(seconds(flat, 20), stand(flat))
	if v := sense(flat).BusV; v > 10 {
		t.Errorf("an empty battery gives %.2f V", v)
	}
}

func TestWeakSupplyMeansWeakMotor(t *testing.T) {
	torque := func(c Config) float64 {
		p := open(t, c)
		d := stand(p)
		d[12].GoalRad += 2
		p.Advance(1, d)
		return sense(p).Joints[12].TorqueNm
	}
	full := torque(Config{Battery: Battery{OpenV: 12}})
	if weak := torque(Config{Battery: Battery{OpenV: 10}}); math.Abs(weak/full-10.0/12) > 0.02 {
		t.Errorf("stall torque at 10 V is %.3f of that at 12 V; want 0.833", weak/full)
	}
	if weak := torque(Config{TorqueScale: 0.8}); math.Abs(weak/full-0.8) > 0.01 {
		t.Errorf("scaled torque is %.3f; want 0.8", weak/full)
	}
}

// Motors are those of the description: another type behaves like itself.
func TestMotorsAreOfTheirType(t *testing.T) {
	const joint = 3
	stalled := func(change func(*servos.Type)) (torqueNm, dropV float64) {
		d, err := robot.Load("kata20")
		if err != nil {
			t.Fatal(err)
		}
		s := d.ServoOf(joint)
		was := s.Entry.StallTorqueNm
		change(&s.Entry)
		s.StallTorqueNm *= s.Entry.StallTorqueNm / was
		d.ServoTypes = map[string]robot.ServoType{d.Joints[joint].Servo: s}
		b, err := body.New(d)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(b, Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.data.QVel[p.scene.Joints[joint].Dof] = 0
		drives := off(p)
		drives[joint] = busemu.Drive{On: true, Duty: 0.5, MaxDuty: 1}
		p.Advance(1, drives)
		return sense(p).Joints[joint].TorqueNm, 12 - p.busV
	}
	torque, drop := stalled(func(*servos.Type) {})
	double, doubleDrop := stalled(func(s *servos.Type) { s.StallTorqueNm, s.StallCurrentA = 2*s.StallTorqueNm, 3*s.StallCurrentA })
	if math.Abs(torque-0.5*4.1) > 0.01 || math.Abs(double-2*torque) > 0.02 {
		t.Errorf("half duty gives %g N m, of a motor twice as strong %g", torque, double)
	}
	idle := idleA * 0.06
	if got, want := doubleDrop-idle, 3*(drop-idle); !(want > 0) || math.Abs(got-want) > 0.02*want {
		t.Errorf("the supply drops by %g V, with three times the current by %g", drop, doubleDrop)
	}
}

func TestOpenBridgeDoesNotBrake(t *testing.T) {
	spin := func(on bool) float64 {
		p := open(t, Config{})
		d := stand(p)
		at := p.scene.Joints[12]
		d[12] = busemu.Drive{On: on} // no duty: short-circuited when on
		p.data.QVel[at.Dof] = 3
		p.Advance(1, d)
		want := 0.0
		if on {
			want = -0.85 * 3 // back-EMF of the shorted motor
		}
		if got := sense(p).Joints[12].TorqueNm; math.Abs(got-want) > 1e-9 {
			t.Errorf("bridge on %v: torque %.3f N m at 3 rad/s; want %.3f", on, got, want)
		}
		p.Advance(9, d)
		return p.data.QVel[at.Dof]
	}
	if braked, free := spin(true), spin(false); braked > 0.8*free {
		t.Errorf("after 20 ms a shorted motor turns at %.2f rad/s, an open one at %.2f", braked, free)
	}
}

func TestPushAndGyro(t *testing.T) {
	p := open(t, Config{Loose: true})
	d := stand(p)
	p.Advance(seconds(p, 0.5), d)
	p.data.QVel[p.scene.RootDof] += 0.8 // a push forward, m/s
	p.Advance(seconds(p, 0.05), d)
	if g := sense(p).IMU.GyroRadPerS; g[1] < 0.2 {
		t.Errorf("pushed forward, the gyro says %v; want a positive pitch rate", g)
	}
}

func TestBreakdownIsReported(t *testing.T) {
	p := open(t, Config{})
	d := stand(p)
	d[3].GoalRad = math.NaN()
	p.Advance(5, d)
	if p.Err() == nil || !strings.Contains(p.Err().Error(), "broke down") {
		t.Errorf("error %v; want one that says that the simulation broke down", p.Err())
	}
}

func TestAdvanceDoesNotAllocate(t *testing.T) {
	p := open(t, Config{})
	d, s := stand(p), sense(p)
	if n := testing.AllocsPerRun(50, func() { p.Advance(1, d); p.Sense(&s) }); n > 0 {
		t.Errorf("%g allocations a step", n)
	}
}

func bind(t *testing.T, d *robot.Description) *body.Body {
	t.Helper()
	b, err := body.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRefusesBadConfig(t *testing.T) {
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	b := bind(t, d)
	for want, c := range map[string]Config{"StepS": {StepS: 1}, "Friction": {Friction: -1}, "OpenV": {Battery: Battery{OpenV: math.NaN()}}} {
		if _, err := New(b, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	d.MJCF = strings.Replace(d.MJCF, `<gyro name="gyro" site="imu"/>`, "", 1)
	if _, err := New(bind(t, d), Config{}); err == nil || !strings.Contains(err.Error(), "<gyro") {
		t.Errorf("no gyro: error %v", err)
	}
}
