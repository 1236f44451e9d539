package bvh

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// rig is what a capture is about, apart from any file: where every joint is and how it is turned, frame by frame.
type rig struct {
	names   []string
	parents []int
	dt      float64
	pos     [][]spatial.Vec3
	rot     [][]spatial.Quat
}

// style is one way in which programs write a rig.
type style struct {
	name    string
	world   spatial.Quat                 // turns the world: another axis is up or ahead
	local   func(joint int) spatial.Quat // turns a joint's own axes
	six     func(joint int) bool         // position channels also here
	flat    bool                         // offsets are zero where there are position channels
	shifts  bool                         // position channels hold what is to be added to the offsets
	order   string                       // of the rotations
	scale   float64                      // file units per unit of the rig
	rename  func(name string) string     // names
	text    func(whole string) string    // anything else
	options Options
}

func plainStyle(name string) style {
	return style{name: name, world: spatial.Identity(), local: func(int) spatial.Quat { return spatial.Identity() },
		six: func(int) bool { return false }, order: "ZYX", scale: 1, rename: func(n string) string { return n }, text: func(s string) string { return s }}
}

// euler takes q apart into three turns about the file's axes, in degrees.
func euler(q spatial.Quat, order string) [3]float64 {
	var m [3][3]float64
	for k := range 3 {
		var e spatial.Vec3
		e[k] = 1
		for i, v := range q.Rotate(e) {
			m[i][k] = v
		}
	}
	a, b, c := int(order[0]-'X'), int(order[1]-'X'), int(order[2]-'X')
	s := 1.0
	if (a+1)%3 != b {
		s = -1
	}
	var out [3]float64
	sin := math.Max(-1, math.Min(1, s*m[a][c]))
	out[1] = math.Asin(sin)
	if math.Abs(sin) > 1-1e-10 {
		out[0] = math.Atan2(s*m[c][b], m[b][b])
	} else {
		out[0], out[2] = math.Atan2(-s*m[b][c], m[c][c]), math.Atan2(-s*m[a][b], m[a][a])
	}
	for k := range out {
		out[k] *= 180 / math.Pi
	}
	return out
}

// write writes the rig in a style.
func (r *rig) write(st style) string {
	turned := func(t, j int) spatial.Quat { return st.world.Mul(r.rot[t][j]).Mul(st.local(j)) }
	local := func(t, j int) (spatial.Vec3, spatial.Quat) {
		p, q := st.world.Rotate(r.pos[t][j]).Scale(st.scale), turned(t, j)
		if m := r.parents[j]; m >= 0 {
			inv := turned(t, m).Inv()
			p = inv.Rotate(p.Sub(st.world.Rotate(r.pos[t][m]).Scale(st.scale)))
			q = inv.Mul(q)
		}
		return p, q
	}
	end := func(j int) bool { return strings.HasSuffix(r.names[j], "/end") }
	moves := func(j int) bool { return r.parents[j] < 0 || st.six(j) && !end(j) }
	var b strings.Builder
	var joint func(j int)
	joint = func(j int) {
		offset, _ := local(0, j)
		if r.parents[j] < 0 || moves(j) && st.flat {
			offset = spatial.Vec3{}
		}
		switch {
		case end(j):
			fmt.Fprintf(&b, "End Site\n{\nOFFSET %.9g %.9g %.9g\n}\n", offset[0], offset[1], offset[2])
			return
		case r.parents[j] < 0:
			fmt.Fprintf(&b, "ROOT %s\n", st.rename(r.names[j]))
		default:
			fmt.Fprintf(&b, "JOINT %s\n", st.rename(r.names[j]))
		}
		fmt.Fprintf(&b, "{\nOFFSET %.9g %.9g %.9g\nCHANNELS ", offset[0], offset[1], offset[2])
		if moves(j) {
			b.WriteString("6 Xposition Yposition Zposition")
		} else {
			b.WriteString("3")
		}
		for _, o := range st.order {
			fmt.Fprintf(&b, " %crotation", o)
		}
		b.WriteString("\n")
		for k := range r.parents {
			if r.parents[k] == j {
				joint(k)
			}
		}
		b.WriteString("}\n")
	}
	b.WriteString("HIERARCHY\n")
	joint(0)
	fmt.Fprintf(&b, "MOTION\nFrames: %d\nFrame Time: %.7f\n", len(r.pos), r.dt)
	var values func(t, j int)
	values = func(t, j int) {
		p, q := local(t, j)
		if end(j) {
			return
		}
		if st.shifts && r.parents[j] >= 0 {
			rest, _ := local(0, j)
			p = p.Sub(rest)
		}
		if moves(j) {
			fmt.Fprintf(&b, "%.9g %.9g %.9g ", p[0], p[1], p[2])
		}
		e := euler(q, st.order)
		fmt.Fprintf(&b, "%.9g %.9g %.9g ", e[0], e[1], e[2])
		for k := range r.parents {
			if r.parents[k] == j {
				values(t, k)
			}
		}
	}
	for t := range r.pos {
		values(t, 0)
		b.WriteString("\n")
	}
	return st.text(b.String())
}

// captured reads the public recording, every fourth frame.
func captured(t *testing.T) *rig {
	t.Helper()
	in, err := os.Open("../../../shared/data/mocap/01_01.bvh")
	if err != nil {
		return nil
	}
	defer in.Close()
	f, err := Read(in)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{dt: 4 * f.FrameS}
	for i := range f.Joints {
		r.names, r.parents = append(r.names, f.Joints[i].Name), append(r.parents, f.Joints[i].Parent)
	}
	for k := 0; k < len(f.Values); k += 4 {
		pos, rot := make([]spatial.Vec3, len(r.names)), make([]spatial.Quat, len(r.names))
		f.Pose(k, pos, rot)
		r.pos, r.rot = append(r.pos, pos), append(r.rot, rot)
	}
	return r
}

// walkerBody holds the joints of a walker, limbs from the trunk outwards: hip, knee, ankle, toes; shoulder, elbow, hand.
type walkerBody struct {
	offsets           []spatial.Vec3
	hips, spine, head int
	legs, arms        [2][4]int
}

// build lays out a person of 1.75 m in a T pose: y up, z ahead, metres.
func (r *rig) build() (w walkerBody) {
	add := func(name string, parent int, x, y, z float64) int {
		r.names, r.parents, w.offsets = append(r.names, name), append(r.parents, parent), append(w.offsets, spatial.Vec3{x, y, z})
		return len(r.names) - 1
	}
	w.hips = add("Hips", -1, 0, 0, 0)
	for s, side := range []string{"Left", "Right"} {
		x := 1 - 2*float64(s)
		leg := &w.legs[s]
		leg[0] = add(side+"UpLeg", w.hips, 0.09*x, -0.05, 0)
		leg[1] = add(side+"Leg", leg[0], 0, -0.43, 0)
		leg[2] = add(side+"Foot", leg[1], 0, -0.43, 0)
		leg[3] = add(side+"ToeBase", leg[2], 0.01*x, -0.06, 0.12)
		add(side+"ToeBase/end", leg[3], 0, -0.01, 0.06)
	}
	w.spine = add("Spine", w.hips, 0, 0.1, 0)
	chest := add("Spine1", w.spine, 0, 0.2, 0)
	neck := add("Neck", chest, 0, 0.22, 0)
	w.head = add("Head", neck, 0, 0.08, 0.01)
	add("Head/end", w.head, 0, 0.2, 0)
	for s, side := range []string{"Left", "Right"} {
		x := 1 - 2*float64(s)
		arm := &w.arms[s]
		collar := add(side+"Shoulder", chest, 0.03*x, 0.15, 0)
		arm[0] = add(side+"Arm", collar, 0.14*x, 0, 0)
		arm[1] = add(side+"ForeArm", arm[0], 0.3*x, 0, 0)
		arm[2] = add(side+"Hand", arm[1], 0.25*x, 0, 0)
		add(side+"Hand/end", arm[2], 0.09*x, 0, 0)
	}
	return w
}

// walker makes a person who walks in a curve and swings the arms: y up, z ahead, metres, 1.75 m tall. In every frame
// one foot stands flat and still.
func walker(rng *rand.Rand) *rig {
	r := &rig{dt: 1.0 / 30}
	w := r.build()
	turn := func(axis int, angle float64) spatial.Quat {
		var v spatial.Vec3
		v[axis] = 1
		return spatial.FromAxisAngle(v, angle)
	}
	phase, curve, nod := rng.Float64(), rng.Float64()-0.5, 0.2*rng.Float64()
	const frames = 180 // six strides of one second
	for t := range frames {
		a := 2 * math.Pi * (float64(t)/30 + phase)
		own := make([]spatial.Quat, len(r.names))
		for i := range own {
			own[i] = spatial.Identity()
		}
		yaw := turn(1, curve*float64(t)/float64(frames))
		own[w.hips] = yaw
		own[w.spine], own[w.head] = turn(1, 0.1*math.Sin(a)), turn(1, 0.3*math.Sin(a/2)).Mul(turn(0, nod*math.Sin(a/3)))
		var lift [2]float64
		for s := range w.legs {
			b := a + math.Pi*float64(s)
			lift[s] = math.Max(0, math.Sin(b)) // half of the time in the air
			swing, knee := 0.5*lift[s], 0.9*lift[s]
			own[w.legs[s][0]], own[w.legs[s][1]], own[w.legs[s][2]] = turn(0, -swing), turn(0, knee), turn(0, swing-knee+0.3*lift[s])
			x := 1 - 2*float64(s)
			own[w.arms[s][0]] = turn(0, 0.4*math.Sin(b)).Mul(turn(2, -1.3*x))
			own[w.arms[s][1]] = turn(1, -x*(0.4+0.2*math.Sin(b)))
		}
		r.pos, r.rot = append(r.pos, make([]spatial.Vec3, len(own))), append(r.rot, make([]spatial.Quat, len(own)))
		pos, rot := r.pos[t], r.rot[t]
		for i, p := range r.parents {
			if rot[i] = own[i]; p >= 0 {
				pos[i], rot[i] = pos[p].Add(rot[p].Rotate(w.offsets[i])), rot[p].Mul(own[i])
			}
		}
		stand := 0
		if lift[0] > lift[1] {
			stand = 1
		}
		// The standing foot stays where it is; at a change of feet the other one takes over.
		foot := w.legs[stand][2]
		want := spatial.Vec3{pos[foot][0], 0.08, pos[foot][2]}
		if t > 0 {
			want = r.pos[t-1][foot]
			want[1] = 0.08
		}
		shift := want.Sub(pos[foot])
		for i := range pos {
			pos[i] = pos[i].Add(shift)
		}
	}
	return r
}
