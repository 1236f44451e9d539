package rollout_test

import (
	"io"
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// puppet is one world without physics: it stands in its reference to the bit, and pose moves it away from there.
type puppet struct {
	layout rollout.Layout
	ref    *obs.Reference
	step   int
	pose   func(*rollout.Row)
}

func (p *puppet) Layout() rollout.Layout { return p.layout }

func (p *puppet) Reset(_ []rollout.Start, _ rollout.Randomization, rows []float64) error {
	p.step = 0
	p.show(rows)
	return nil
}

func (p *puppet) Step(_, rows []float64) error {
	p.step++
	p.show(rows)
	return nil
}

func (p *puppet) show(rows []float64) {
	clear(rows)
	row, f := p.layout.Row(rows, 0), p.ref.At(p.step)
	for _, pair := range [][2][]float64{{row.RootPosM, f.RootPosM[:]}, {row.RootQuat, f.RootQuat[:]}, {row.Gravity, f.Gravity[:]},
		{row.TrueJointPosRad, f.JointPosRad}, {row.JointPosRad, f.JointPosRad}} {
		copy(pair[0], pair[1])
	}
	if !p.ref.Resting(p.step) {
		copy(row.TrueJointVelRadPerS, f.JointVelRadPerS)
	}
	for k := range rollout.Feet {
		row.FootForceN[k] = 10 * f.Contacts[k]
	}
	if p.pose != nil {
		p.pose(&row)
	}
}

// judged plays a puppet by one step of the given actions.
func judged(t *testing.T, task rollout.Task, actions []float32, pose func(*rollout.Row)) rollout.Outcome {
	t.Helper()
	p := &puppet{layout: rollout.Layout{Worlds: 1, Joints: task.Spec.Joints(), PeriodS: task.Spec.PeriodS}, ref: task.Refs[0], pose: pose}
	r, err := rollout.NewRunner(p, task)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Begin([]rollout.Episode{{Seed: 1}}, rollout.Nominal()); err != nil {
		t.Fatal(err)
	}
	out := make([]rollout.Outcome, 1)
	if err := r.Step(actions, out); err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func (p *puppet) SaveState(io.Writer) error { return nil }
func (p *puppet) LoadState(io.Reader) error { return nil }

func turned(row *rollout.Row, rad float64) {
	q := spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, rad).Mul(spatial.Quat(row.RootQuat))
	copy(row.RootQuat, q[:])
}

// disturbances move one quantity each away from where the reference wants it, by x.
var disturbances = map[string]func(row *rollout.Row, x float64){
	"joint":     func(row *rollout.Row, x float64) { row.TrueJointPosRad[1] += x },
	"speed":     func(row *rollout.Row, x float64) { row.TrueJointVelRadPerS[0] += x },
	"tilt":      turned,
	"way":       func(row *rollout.Row, x float64) { row.RootPosM[0] += x },
	"height":    func(row *rollout.Row, x float64) { row.RootPosM[2] -= x },
	"torque":    func(row *rollout.Row, x float64) { row.TorqueNm[2] += x },
	"foot slip": func(row *rollout.Row, x float64) { row.FootVelMPerS[3] += x },
}

// Who stands in the reference to the bit earns all there is; whatever is off costs, and costs more the more it is off.
func TestRewardFallsWithEveryError(t *testing.T) {
	task := toyTask(t)
	task.Limits = rollout.Limits{}
	still := make([]float32, 3)
	rw := task.Reward
	most := rw.Joint + rw.Speed + rw.Tilt + rw.Root + rw.Contact
	perfect := judged(t, task, still, nil)
	if math.Abs(perfect.Reward-most) > 1e-12 || perfect.JointErrRad != 0 || perfect.RootErrM != 0 || perfect.ActionRate != 0 || perfect.TorqueNm != 0 {
		t.Fatalf("on the reference: %+v, want a reward of %g and no error", perfect, most)
	}
	for name, disturb := range disturbances {
		last := perfect.Reward
		for _, x := range []float64{0.01, 0.03, 0.1} {
			o := judged(t, task, still, func(row *rollout.Row) { disturb(row, x) })
			if !(o.Reward < last) || o.End != rollout.Running {
				t.Errorf("%s off by %g: reward %.9f after %.9f, %v", name, x, o.Reward, last, o.End)
			}
			last = o.Reward
		}
	}
	if o := judged(t, task, []float32{0, 0.5, 0}, nil); !(o.Reward < perfect.Reward) || !(o.ActionRate > 0) {
		t.Errorf("an action that changes: %+v", o)
	}
}

// What is measured is told in its own unit, whatever it is weighed with.
func TestOutcomeInUnits(t *testing.T) {
	task := toyTask(t)
	task.Reward, task.Limits = rollout.Reward{}, rollout.Limits{}
	o := judged(t, task, make([]float32, 3), func(row *rollout.Row) {
		row.TrueJointPosRad[0] += 0.03
		row.TrueJointPosRad[2] -= 0.06
		row.RootPosM[0] += 0.03
		row.RootPosM[1] -= 0.04
		copy(row.TorqueNm, []float64{1, -2, 2})
	})
	want := rollout.Outcome{JointErrRad: 0.03, RootErrM: 0.05, TorqueNm: math.Sqrt(3)}
	if math.Abs(o.JointErrRad-want.JointErrRad)+math.Abs(o.RootErrM-want.RootErrM)+math.Abs(o.TorqueNm-want.TorqueNm) > 1e-12 || o.Reward != 0 {
		t.Errorf("%+v, want %+v", o, want)
	}
}

// A foot counts as standing from its load; one that slides costs only while it stands.
func TestFeet(t *testing.T) {
	task := toyTask(t)
	task.Reward, task.Limits = rollout.Reward{Contact: 0.5, FootSlip: 1}, rollout.Limits{}
	for _, c := range []struct {
		loadN, slip, want float64
	}{
		{rollout.ContactN * 1.01, 0, 0.5}, // as the reference has it: both stand
		{rollout.ContactN, 0, 0.25},
		{0, 0, 0.25},
		{rollout.ContactN * 1.01, 0.2, 0.3},
		{0, 0.2, 0.25},
	} {
		o := judged(t, task, make([]float32, 3), func(row *rollout.Row) {
			row.FootForceN[0], row.FootVelMPerS[0] = c.loadN, c.slip
			row.FootVelMPerS[2] = 9 // upwards is no slip
		})
		if math.Abs(o.Reward-c.want) > 1e-12 {
			t.Errorf("load %g N, slip %g m/s: reward %g, want %g", c.loadN, c.slip, o.Reward, c.want)
		}
	}
}

// Each limit ends an episode on its far side and on no other's account; 0 is none.
func TestEndsByLimit(t *testing.T) {
	task := toyTask(t)
	height := task.Refs[0].At(1).RootPosM[2]
	for _, c := range []struct {
		name       string
		limits     rollout.Limits
		near, far  float64
		disturb    string
		withoutEnd bool // without the limit nothing else ends it
	}{
		{"tilt", rollout.Limits{TiltRad: 0.5}, 0.49, 0.51, "tilt", true},
		{"way", rollout.Limits{RootM: 0.1}, 0.099, 0.101, "way", true},
		{"height", rollout.Limits{HeightShare: 0.8}, 0.199 * height, 0.201 * height, "height", true},
		{"fall by height", rollout.Limits{}, 0.399 * height, 0.401 * height, "height", false},
		{"fall by tilt", rollout.Limits{}, 1.04, 1.05, "tilt", false},
	} {
		end := func(limits rollout.Limits, x float64) rollout.End {
			task.Limits = limits
			return judged(t, task, make([]float32, 3), func(row *rollout.Row) { disturbances[c.disturb](row, x) }).End
		}
		if near, far := end(c.limits, c.near), end(c.limits, c.far); near != rollout.Running || far != rollout.Failed {
			t.Errorf("%s: %v at %g, %v at %g; want running, then failed", c.name, near, c.near, far, c.far)
		}
		if c.withoutEnd && end(rollout.Limits{}, c.far) != rollout.Running {
			t.Errorf("%s: ended without the limit", c.name)
		}
	}
	o := judged(t, task, make([]float32, 3), func(row *rollout.Row) { row.Diverged[0] = 1 })
	if o != (rollout.Outcome{End: rollout.Failed}) {
		t.Errorf("a world that diverged: %+v, want failed and nothing measured", o)
	}
}

// An episode has reached its end in the period in which the reference and the hold after it are over.
func TestFinishedOnTime(t *testing.T) {
	task := toyTask(t)
	for _, hold := range []int{0, 1, 7} {
		for _, from := range []int{0, 40, len(task.Refs[0].Frames) - 1, len(task.Refs[0].Frames) + 3} {
			task.HoldSteps = hold
			want := max(len(task.Refs[0].Frames)-1+hold-from, 1)
			_, results, err := rollout.Evaluate(&puppetFrom{puppet{layout: rollout.Layout{Worlds: 1, Joints: 3, PeriodS: task.Spec.PeriodS},
				ref: task.Refs[0]}, from}, task, nil, []rollout.Episode{{Step: from}}, rollout.Nominal())
			if err != nil {
				t.Fatal(err)
			}
			if got := int(math.Round(results[0].Seconds / task.Spec.PeriodS)); got != want || !results[0].Survived {
				t.Errorf("from step %d, hold %d: %d periods, survived %v; want %d", from, hold, got, results[0].Survived, want)
			}
		}
	}
}

// puppetFrom begins at a later step.
type puppetFrom struct {
	puppet
	from int
}

func (p *puppetFrom) Reset(s []rollout.Start, r rollout.Randomization, rows []float64) error {
	_ = p.puppet.Reset(s, r, rows)
	p.step = p.from
	p.show(rows)
	return nil
}
