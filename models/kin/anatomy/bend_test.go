package anatomy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/kin"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// armJoint is one joint of a generated arm: its axis and the way from the joint before it, for an arm that hangs.
type armJoint struct {
	name, axis  string
	x, down, kg float64
}

// armed writes a robot with plain legs and the given arm on both sides. The last link is a hand of handM; bend turns
// the joint "elbow" in the standing pose.
func armed(arm []armJoint, handM, bend float64) string {
	var b strings.Builder
	b.WriteString(`<mujoco><compiler angle="radian"/><worldbody><body name="trunk" pos="0 0 1"><freejoint/><geom type="sphere" size="0.1" mass="20"/>`)
	open := func(side, name, axis string, x, y, z float64) {
		fmt.Fprintf(&b, `<body name="%s_%s" pos="%g %g %g"><joint name="%s_%s" axis="%s"/>`, side, name, x, y, z, side, name, axis)
	}
	qpos := "0 0 1 1 0 0 0"
	for s, side := range []string{"l", "r"} {
		y := 1 - 2*float64(s)
		for i, j := range arm {
			out := 0.0
			if i == 0 {
				out = 0.2 * y
			}
			open(side, j.name, j.axis, j.x, out, -j.down)
			fmt.Fprintf(&b, `<geom type="sphere" size="0.02" mass="%g"/>`, j.kg)
			angle := 0.0
			if j.name == "elbow" {
				angle = bend
			}
			qpos += fmt.Sprintf(" %g", angle)
		}
		fmt.Fprintf(&b, `<geom type="capsule" size="0.02" fromto="0 0 0 0 0 %g" mass="%g"/>%s`, -handM, arm[len(arm)-1].kg, strings.Repeat("</body>", len(arm)))
		open(side, "hip_roll", "1 0 0", 0, 0.1*y, -0.1)
		open(side, "hip_pitch", "0 1 0", 0, 0, 0)
		b.WriteString(`<geom type="capsule" size="0.04" fromto="0 0 0 0 0 -0.4" mass="3"/>`)
		open(side, "knee", "0 1 0", 0, 0, -0.4)
		b.WriteString(`<geom type="capsule" size="0.04" fromto="0 0 0 0 0 -0.4" mass="2"/>`)
		open(side, "ankle", "0 1 0", 0, 0, -0.4)
		b.WriteString(`<geom type="box" size="0.1 0.05 0.02" pos="0.04 0 -0.06" mass="0.5"/></body></body></body></body>`)
		qpos += " 0 0 0 0"
	}
	fmt.Fprintf(&b, `</body></worldbody><keyframe><key name="stand" qpos="%s"/></keyframe></mujoco>`, qpos)
	return b.String()
}

// wiggle is the other way to find an elbow: turn each joint through a full circle, with the others anywhere, and look
// which one brings the hand nearest to the shoulder and takes it farthest away.
func wiggle(m *kin.Model, ref []float64, shoulder, hand Point, dofs []int, rng *rand.Rand) int {
	d := m.NewData()
	best, most := -1, 0.0
	for _, dof := range dofs {
		for range 4 {
			q := slices.Clone(ref)
			for _, other := range dofs {
				q[other+1] = 2*rng.Float64() - 1 // positions have one number more than speeds, for the free joint
			}
			lo, hi := math.Inf(1), 0.0
			for k := range 48 {
				q[dof+1] = float64(k) * math.Pi / 24
				m.Forward(d, q)
				far := hand.At(d).Sub(shoulder.At(d)).Norm()
				lo, hi = min(lo, far), max(hi, far)
			}
			if hi-lo > most {
				best, most = dof, hi-lo
			}
		}
	}
	return best
}

// TestElbowIsTheJointThatBendsTheArm makes arms with rolls of the forearm, long and heavy hands, and shoulders in any
// order, as KUAVO, Apollo and the G1 have them.
func TestElbowIsTheJointThatBendsTheArm(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	for n := range 80 {
		upper, fore := between(0.2, 0.32), between(0.18, 0.3)
		hand := between(0.1, 0.7) * upper
		roll := between(0.03, 0.95) * fore
		gap := between(0, 0.04) // between the axes of the shoulder
		shoulder := []armJoint{{"pitch", "0 1 0", 0, 0, 0.3}, {"lift", "1 0 0", 0, gap, 0.3}}
		if rng.IntN(2) == 0 {
			shoulder[0].axis, shoulder[1].axis = shoulder[1].axis, shoulder[0].axis
		}
		yaw := between(0.05, 0.9) * upper
		shift := between(-0.02, 0.02) // elbows often lie a little before or behind the upper arm
		arm := append(shoulder, armJoint{"yaw", "0 0 1", 0, yaw, 0.5}, armJoint{"elbow", "0 1 0", shift, upper - yaw, between(0.1, 1)})
		wrist := []armJoint{{"roll", "0 0 1", -shift, roll, between(0.1, 1)}, {"bow", "0 1 0", 0, fore - roll, 0.1}, {"wave", "1 0 0", 0, between(0, 0.04), between(0.05, 3)}}
		arm = append(arm, wrist[:rng.IntN(4)]...)
		end := hand
		if last := arm[len(arm)-1].name; last == "elbow" || last == "roll" {
			end = fore - between(0, 0.3)*fore
		}
		a, m := derive(t, armed(arm, end, between(-1.7, 0)))
		for s := range a.Arms {
			side := [...]string{"l_", "r_"}[s]
			dof := func(name string) int { return m.Tree.Joints[m.Tree.JointIndex(side+name)].QVel }
			body := func(name string) int { return m.Tree.Joints[m.Tree.JointIndex(side+name)].Body }
			tip := Point{body(arm[len(arm)-1].name), spatial.Vec3{0, 0, -end}}
			at := Point{body("lift"), spatial.Vec3{}} // does not move when lift turns
			if got := wiggle(m, a.Ref, at, tip, a.Arms[s].Dofs, rng); got != dof("elbow") {
				t.Fatalf("arm %d: %+v: the generator made an arm that joint %d bends most", n, arm, got)
			}
			if got := a.Arms[s].Elbow.Body; !a.Arms[s].HasElbow || got != body("elbow") {
				t.Errorf("arm %d: hand %.2f m, %+v: the elbow is %q", n, end, arm, m.Tree.Bodies[got].Name)
			}
			if got := a.Legs[s].Knee.Body; got != body("knee") {
				t.Errorf("arm %d: the knee is %q", n, m.Tree.Bodies[got].Name)
			}
		}
	}
}

// TestAnArmThatCannotBendHasNoElbow: a shoulder and a roll of the forearm do not bring the hand nearer.
func TestAnArmThatCannotBendHasNoElbow(t *testing.T) {
	a, m := derive(t, armed([]armJoint{{"pitch", "0 1 0", 0, 0, 0.3}, {"lift", "1 0 0", 0, 0.02, 0.3}, {"roll", "0 0 1", 0, 0.25, 2}}, 0.25, 0))
	for s := range a.Arms {
		if a.Arms[s].HasElbow {
			t.Errorf("%v elbow is %q", Side(s), m.Tree.Bodies[a.Arms[s].Elbow.Body].Name)
		}
	}
}

// TestAntennasAreNoArms puts two small feelers on a head with a neck.
func TestAntennasAreNoArms(t *testing.T) {
	bare := regexp.MustCompile(`(?s) <body name="(a|b)1".*?</body></body></body>`).ReplaceAllString(waisted, "")
	feeler := func(y string) string {
		return `<body name="f` + y + `" pos="0 ` + y + ` 0.1"><joint axis="0 1 0"/><geom type="capsule" size="0.004" fromto="0 0 0 0 0 0.3" mass="0.01"/></body>`
	}
	eared := strings.Replace(bare, `mass="2"/></body>`, `mass="2"/>`+feeler("0.1")+feeler("-0.1")+`</body>`, 1)
	if bare == waisted || eared == bare {
		t.Fatal("the robot was not changed")
	}
	a, m := derive(t, eared)
	if a.HasArms || a.Chest != a.Root || a.Head < 0 || m.Tree.Bodies[a.Head].Name != "n" || len(a.Waist) != 0 {
		t.Errorf("arms %v, chest %d, head %d, waist %v, notes %v", a.HasArms, a.Chest, a.Head, a.Waist, a.Notes)
	}
	armedToo := strings.Replace(waisted, `mass="2"/></body>`, `mass="2"/>`+feeler("0.1")+feeler("-0.1")+`</body>`, 1)
	if a, m = derive(t, armedToo); !a.HasArms || m.Tree.Bodies[a.Chest].Name != "w" || a.Head < 0 || m.Tree.Bodies[a.Head].Name != "n" || len(a.Neck) != 1 || len(a.Waist) != 1 {
		t.Errorf("with arms: arms %v, chest %d, head %d, neck %v, waist %v", a.HasArms, a.Chest, a.Head, a.Neck, a.Waist)
	}
}

// publicRobots are makers' files; elbow and knee are the makers' joint names, with ? for the side.
var publicRobots = []struct {
	file, change, with string // change is a pattern replaced once on each side before reading
	left, right        string
	knee, elbow        string
}{
	{file: "unitree_g1/g1_mocap_29dof.xml", left: "left", right: "right", knee: "?_knee_joint", elbow: "?_elbow_joint"},
	// The same robot with its real hands' weight: mass comes from a mesh in the file.
	{file: "unitree_g1/g1_mocap_29dof.xml", change: `(<body name="(?:left|right)_rubber_hand"[^>]*>)`,
		with: `$1<inertial pos="0.1 0 0" mass="0.6" diaginertia="0.001 0.001 0.001"/>`,
		left: "left", right: "right", knee: "?_knee_joint", elbow: "?_elbow_joint"},
	{file: "booster_t1/T1_serial.xml", left: "Left", right: "Right", knee: "?_Knee_Pitch", elbow: "?_Elbow_Yaw"},
	{file: "robotis_op3/op3_mjx_feetonly.xml", left: "l", right: "r", knee: "?_knee", elbow: "?_el"},
	{file: "open_duck_mini/robot.xml", left: "left", right: "right", knee: "?_knee"},
}

func TestPublicRobots(t *testing.T) {
	const folder = "../../../../shared/data/robots"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("no public robots here: ", err)
	}
	for _, r := range publicRobots {
		text, err := os.ReadFile(filepath.Join(folder, r.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if r.change != "" {
			before := string(text)
			if text = regexp.MustCompile(r.change).ReplaceAll(text, []byte(r.with)); string(text) == before {
				t.Errorf("%s: nothing to change", r.file)
			}
		}
		a, m := derive(t, string(text))
		for s, side := range []string{r.left, r.right} {
			joint := func(body int) string { return m.Tree.Joints[m.Tree.Bodies[body].Joints[0]].Name }
			if got, want := joint(a.Legs[s].Knee.Body), strings.Replace(r.knee, "?", side, 1); got != want {
				t.Errorf("%s: the %v knee is %q, want %q", r.file, Side(s), got, want)
			}
			if a.HasArms != (r.elbow != "") {
				t.Errorf("%s: arms %v", r.file, a.HasArms)
			} else if a.HasArms {
				if got, want := joint(a.Arms[s].Elbow.Body), strings.Replace(r.elbow, "?", side, 1); got != want {
					t.Errorf("%s: the %v elbow is %q, want %q", r.file, Side(s), got, want)
				}
			}
		}
	}
	// Without ankles the robot is refused, in words that are true.
	text, err := os.ReadFile(filepath.Join(folder, "gym_humanoid/humanoid.xml"))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := mjcf.Parse("humanoid", text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := kin.New(tree)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Derive(m, tree.ZeroQPos()); !errors.Is(err, ErrNotHumanoid) || !strings.Contains(err.Error(), "no ankle") {
		t.Errorf("gym humanoid: %v", err)
	}
}
