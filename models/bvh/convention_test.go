package bvh

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func imported(t *testing.T, text string, o Options) (*human.Motion, []string) {
	t.Helper()
	f, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	m, notes, err := f.Motion("x.bvh", o)
	if err != nil {
		t.Fatal(err)
	}
	return m, notes
}

// differs returns the largest distance between two motions in m and in rad, and where it is.
func differs(a, b *human.Motion) (m, rad float64, where string) {
	if len(a.Frames) != len(b.Frames) {
		return math.Inf(1), math.Inf(1), fmt.Sprintf("%d and %d frames", len(a.Frames), len(b.Frames))
	}
	for t := range a.Frames {
		for j := range a.Frames[t].Positions {
			if d := a.Frames[t].Positions[j].Sub(b.Frames[t].Positions[j]).Norm(); d > m {
				m, where = d, fmt.Sprintf("%v in frame %d", human.Joint(j), t)
			}
			q := a.Frames[t].Rotations[j].Inv().Mul(b.Frames[t].Rotations[j])
			rad = math.Max(rad, 2*math.Asin(math.Min(1, math.Sqrt(q[1]*q[1]+q[2]*q[2]+q[3]*q[3]))))
		}
	}
	return m, rad, where
}

// along returns a frame whose axis k lies along v.
func along(v spatial.Vec3, k int) spatial.Quat {
	var axis spatial.Vec3
	axis[k] = 1
	return spatial.Between(axis, v)
}

// styles lists the ways in which the field's files are written.
func styles(r *rig, rng *rand.Rand) []style {
	var out []style
	add := func(name string, change func(*style)) {
		s := plainStyle(name)
		change(&s)
		out = append(out, s)
	}
	all := func(int) bool { return true }
	zUp, xAhead := spatial.FromAxisAngle(spatial.Vec3{1, 0, 0}, math.Pi/2), spatial.FromAxisAngle(spatial.Vec3{0, 1, 0}, math.Pi/2)
	inOffsets := func(q spatial.Quat) func(*style) {
		return func(s *style) { s.world, s.local = q, func(int) spatial.Quat { return q.Inv() } }
	}
	add("six channels", func(s *style) { s.six = all })
	add("six channels, no offsets", func(s *style) { s.six, s.flat = all, true })
	add("six channels, shifts", func(s *style) { s.six, s.shifts = all, true })
	add("six channels on some", func(s *style) { s.six = func(j int) bool { return strings.Contains(r.names[j], "Arm") } })
	add("z up in the offsets", inOffsets(zUp))
	add("z up in the root", func(s *style) { s.world = zUp })
	add("z up, x ahead", inOffsets(zUp.Mul(xAhead)))
	add("x ahead", inOffsets(xAhead))
	add("-z ahead", inOffsets(xAhead.Mul(xAhead)))
	add("x up", inOffsets(spatial.FromAxisAngle(spatial.Vec3{0, 0, 1}, -math.Pi/2)))
	add("-y up", inOffsets(spatial.FromAxisAngle(spatial.Vec3{0, 0, 1}, math.Pi)))
	for k, name := range []string{"x along the bone (LAFAN1)", "y along the bone (Blender)"} {
		axes := make([]spatial.Quat, len(r.names))
		for j := range r.names {
			axes[j] = spatial.Identity()
			for c := len(r.names) - 1; c > j; c-- {
				if r.parents[c] == j {
					axes[j] = along(r.rot[0][j].Inv().Rotate(r.pos[0][c].Sub(r.pos[0][j])), k)
				}
			}
		}
		add(name, func(s *style) { s.local = func(j int) spatial.Quat { return axes[j] } })
		add(name+", z up, six channels", func(s *style) {
			s.world, s.six, s.local = zUp, all, func(j int) spatial.Quat { return axes[j] }
		})
	}
	for n := range 6 {
		axes := make([]spatial.Quat, len(r.names))
		for j := range axes {
			axes[j] = spatial.Quat{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}.Normalize()
		}
		six := rng.Uint64()
		add(fmt.Sprintf("any axes %d", n), func(s *style) {
			s.local = func(j int) spatial.Quat { return axes[j] }
			s.six = func(j int) bool { return six>>(j%64)&1 == 1 }
			s.order = []string{"XYZ", "YZX", "ZXY", "XZY", "ZYX", "YXZ"}[n]
			s.scale = math.Exp(6*rng.Float64() - 2)
			s.world = []spatial.Quat{spatial.Identity(), zUp}[n%2]
		})
	}
	add("inches", func(s *style) { s.scale = 39.37 })
	add("byte order mark", func(s *style) { s.text = func(w string) string { return "\ufeff" + w } })
	add("no space behind the colon", func(s *style) {
		s.text = func(w string) string { return strings.NewReplacer("Frames: ", "Frames:", "Time: ", "Time:").Replace(w) }
	})
	add("a space before the colon", func(s *style) {
		s.text = func(w string) string { return strings.NewReplacer("Frames:", "Frames :", "Time:", "TIME :").Replace(w) }
	})
	add("braces behind names, CRLF", func(s *style) {
		s.text = func(w string) string { return strings.ReplaceAll(strings.ReplaceAll(w, "\n{\n", "{\n"), "\n", "\r\n") }
	})
	return out
}

// TestConventions writes the same motion anew in each convention: the person must come out the same.
func TestConventions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	rigs := map[string]*rig{"walker": walker(rng), "another walker": walker(rng)}
	if r := captured(t); r != nil {
		rigs["recording"] = r
	} else {
		t.Log("no recording: shared/data/mocap is not here")
	}
	for _, name := range []string{"walker", "another walker", "recording"} {
		r := rigs[name]
		if r == nil {
			continue
		}
		want, _ := imported(t, r.write(plainStyle("")), Options{})
		for _, st := range styles(r, rng) {
			t.Run(name+"/"+st.name, func(t *testing.T) {
				got, notes := imported(t, r.write(st), st.options)
				m, rad, where := differs(want, got)
				if m > 0.005 || rad > 0.06 {
					t.Errorf("%.1f mm and %.2f degrees away, %s", 1000*m, rad*180/math.Pi, where)
				}
				t.Logf("%.2f mm, %.2f degrees; %q", 1000*m, rad*180/math.Pi, notes)
				for k := range want.Frames {
					if want.Frames[k].Contacts != got.Frames[k].Contacts {
						t.Fatalf("frame %d: contacts %v, want %v", k, got.Frames[k].Contacts, want.Frames[k].Contacts)
					}
				}
			})
		}
	}
}

var camel = regexp.MustCompile(`^(Left|Right)?(.+)$`)

// scheme makes a renamer from a table of parts; side formats a side ("Left", "Right" or "") and a part.
func scheme(side func(side, part string) string, parts map[string]string) func(string) string {
	return func(name string) string {
		m := camel.FindStringSubmatch(name)
		part := m[2]
		if p, ok := parts[part]; ok {
			part = p
		}
		return side(m[1], part)
	}
}

// TestNames renames the joints as the field does.
func TestNames(t *testing.T) {
	before := func(l, r string) func(side, part string) string {
		return func(side, part string) string { return map[string]string{"Left": l, "Right": r, "": ""}[side] + part }
	}
	after := func(l, r string) func(side, part string) string {
		return func(side, part string) string { return part + map[string]string{"Left": l, "Right": r, "": ""}[side] }
	}
	prefix := func(p string) func(string) string { return func(n string) string { return p + n } }
	biovision := map[string]string{"UpLeg": "Hip", "Leg": "Knee", "Foot": "Ankle", "ToeBase": "Toe", "Shoulder": "Collar", "Arm": "Shoulder", "ForeArm": "Elbow", "Hand": "Wrist"}
	smpl := map[string]string{"Hips": "Pelvis", "UpLeg": "Hip", "Leg": "Knee", "Foot": "Ankle", "ToeBase": "Foot", "Shoulder": "Collar", "Arm": "Shoulder", "ForeArm": "Elbow", "Hand": "Wrist"}
	smplx := map[string]string{}
	for k, v := range smpl {
		smplx[k] = strings.ToLower(v)
	}
	smplx["Head"] = "head"
	biped := map[string]string{"Hips": "Pelvis", "UpLeg": "Thigh", "Leg": "Calf", "ToeBase": "Toe0", "Shoulder": "Clavicle", "Arm": "UpperArm", "ForeArm": "Forearm"}
	daz := map[string]string{"Hips": "hip", "UpLeg": "Thigh", "Leg": "Shin", "ToeBase": "Toe", "Shoulder": "Collar", "Arm": "Shldr", "Head": "head"}
	blender := map[string]string{"UpLeg": "thigh", "Leg": "shin", "Foot": "foot", "ToeBase": "toe", "Shoulder": "shoulder", "Arm": "upper_arm", "ForeArm": "forearm", "Hand": "hand", "Head": "head"}
	unreal := map[string]string{"UpLeg": "thigh", "Leg": "calf", "Foot": "foot", "ToeBase": "ball", "Shoulder": "clavicle", "Arm": "upperarm", "ForeArm": "lowerarm", "Hand": "hand", "Head": "head"}
	vrm := map[string]string{"UpLeg": "UpperLeg", "Leg": "LowerLeg", "Arm": "UpperArm", "ForeArm": "LowerArm"}
	asf := map[string]string{"UpLeg": "femur", "Leg": "tibia", "Foot": "foot", "ToeBase": "toes", "Shoulder": "clavicle", "Arm": "humerus", "ForeArm": "radius", "Hand": "wrist", "Head": "head"}
	schemes := map[string]func(string) string{
		"Xsens, Biovision, Poser": scheme(before("Left", "Right"), biovision),
		"SMPL":                    scheme(before("L_", "R_"), smpl),
		"SMPL-X":                  scheme(before("left_", "right_"), smplx),
		"Biped with spaces":       scheme(before("L ", "R "), biped),
		"Biped":                   func(n string) string { return "Bip01 " + scheme(before("L ", "R "), biped)(n) },
		"Biped, underscores":      func(n string) string { return "Bip001_" + scheme(before("L_", "R_"), biped)(n) },
		"DAZ":                     scheme(before("l", "r"), daz),
		"Blender":                 scheme(after(".L", ".R"), blender),
		"Bandai-Namco":            scheme(after("_L", "_R"), vrm),
		"Unreal":                  scheme(after("_l", "_r"), unreal),
		"VRM": func(n string) string {
			return "J_Bip_" + strings.Replace("C_"+scheme(before("L_", "R_"), vrm)(n), "C_L_", "L_", 1)
		},
		"ASF":           scheme(before("l", "r"), asf),
		"small letters": strings.ToLower,
		"Mixamo _":      prefix("mixamorig_"), "Mixamo": prefix("mixamorig"), "Mixamo :": prefix("mixamorig:"), "Mixamo 7:": prefix("mixamorig7:"),
		"Skeleton.": prefix("Skeleton."), "Character1_": prefix("Character1_"), "Char|": prefix("Char|"), "Take 001|Subject_2:": prefix("Take 001|Subject_2:"),
	}
	r := walker(rand.New(rand.NewPCG(1, 1)))
	want, _ := imported(t, r.write(plainStyle("")), Options{})
	for name, rename := range schemes {
		t.Run(name, func(t *testing.T) {
			st := plainStyle(name)
			st.rename = func(n string) string { return strings.Replace(rename(n), "C_R_", "R_", 1) }
			got, _ := imported(t, r.write(st), Options{})
			if m, rad, where := differs(want, got); m > 1e-6 || rad > 1e-5 {
				t.Errorf("%g m, %g rad, %s", m, rad, where)
			}
		})
	}
	st := plainStyle("strange")
	strange := map[string]string{"LeftForeArm": "Tentacle", "Head": "spine.006", "RightUpLeg": "Stilt 2"}
	st.rename = func(n string) string {
		if s, ok := strange[n]; ok {
			return s
		}
		return n
	}
	got, _ := imported(t, r.write(st), Options{Map: map[string]string{"l_elbow": "Tentacle", "head": "Spine.006", "r_hip": "Stilt 2"}})
	if m, _, where := differs(want, got); m > 1e-6 {
		t.Errorf("with a map: %g m, %s", m, where)
	}
}

// TestWhatCannotBeToldIsRefused also asks for the same words every time, naming everything.
func TestWhatCannotBeToldIsRefused(t *testing.T) {
	r := walker(rand.New(rand.NewPCG(1, 1)))
	plain := r.write(plainStyle(""))
	lying := plainStyle("")
	lying.world = spatial.FromAxisAngle(spatial.Vec3{0, 0, 1}, 1.4)
	swapped := plainStyle("")
	swapped.rename = func(n string) string {
		return strings.NewReplacer("Left", "Right", "Right", "Left").Replace(n)
	}
	strange := plainStyle("")
	strange.rename = func(n string) string {
		return strings.NewReplacer("LeftForeArm", "A", "Head", "B", "RightFoot", "C").Replace(n)
	}
	hierarchy, motion, _ := strings.Cut(plain, "MOTION")
	second := strings.NewReplacer("ROOT ", "ROOT Other_", "JOINT ", "JOINT Other_").Replace(strings.TrimPrefix(hierarchy, "HIERARCHY"))
	head, frames, _ := strings.Cut(motion, "Frame Time: 0.0333333\n")
	if frames == "" {
		t.Fatal("the frames were not found")
	}
	twice := func(line string) string { return regexp.MustCompile(`(?m)^(.+)$`).ReplaceAllString(frames, line) }
	firstFrame := fmt.Sprintf("line %d:", strings.Count(plain[:strings.Index(plain, frames)], "\n")+1)
	for _, c := range []struct {
		name, text string
		o          Options
		want       []string
	}{
		{"lies all the time", r.write(lying), Options{}, []string{"--up", "built along y"}},
		{"sides exchanged", r.write(swapped), Options{}, []string{"feet point backwards", "--map"}},
		{"unknown names", r.write(strange), Options{}, []string{"head", "l_elbow", "r_ankle", "--map", "LeftArm, A,"}},
		{"two people", hierarchy + second + "MOTION" + head + "Frame Time: 0.0333333\n" + twice("$1 $1"), Options{}, []string{"2 people", "Hips, Other_Hips"}},
		{"a column too many", hierarchy + "MOTION" + head + "Frame Time: 0.0333333\n" + twice("$1 0"), Options{}, []string{firstFrame, "channels", "numbers"}},
		{"a column too few", regexp.MustCompile(`(?m) \S+ $`).ReplaceAllString(plain, ""), Options{}, []string{"line ", "channels", "numbers"}},
		{"words behind the frames", plain + "MOTION\n", Options{}, []string{"MOTION"}},
		{"no name", strings.Replace(plain, "JOINT Spine\n", "JOINT\n", 1), Options{}, []string{"without a name"}},
		{"up", plain, Options{Up: "w"}, []string{`"w"`, "legal: x, y, z"}},
		{"map of nobody", plain, Options{Map: map[string]string{"tail": "Spine", "l_knee": "Nowhere"}}, []string{`"tail"`, "legal: head", `no joint "Nowhere"`}},
		{"map that is no chain", plain, Options{Map: map[string]string{"l_knee": "Neck"}}, []string{"l_knee", `"Neck"`, "do not hang on each other"}},
	} {
		said := ""
		for range 5 {
			f, err := Read(strings.NewReader(c.text))
			if err == nil {
				_, _, err = f.Motion("x", c.o)
			}
			if err == nil {
				t.Errorf("%s: accepted", c.name)
				break
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%s: %v lacks %q", c.name, err, w)
				}
			}
			if said != "" && said != err.Error() {
				t.Errorf("%s: said %q and %q", c.name, said, err)
			}
			said = err.Error()
		}
	}
	if m, _ := imported(t, r.write(lying), Options{Up: "y"}); m.Frames[9].Positions[human.Head][2] > 0.9 {
		t.Error("the person does not lie")
	}
	// A prop beside the person is not in the way.
	prop := "ROOT Ball\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n"
	got, _ := imported(t, hierarchy+prop+"MOTION"+head+"Frame Time: 0.0333333\n"+twice("$1 1 2 3"), Options{})
	want, _ := imported(t, plain, Options{})
	if m, _, where := differs(want, got); m > 1e-9 {
		t.Errorf("with a prop: %g m, %s", m, where)
	}
}

// TestWalkerIsMeasured compares with what the walker is built of.
func TestWalkerIsMeasured(t *testing.T) {
	r := walker(rand.New(rand.NewPCG(2, 2)))
	index := func(name string) int {
		for i, n := range r.names {
			if n == name {
				return i
			}
		}
		t.Fatal(name)
		return -1
	}
	for _, random := range []bool{false, true} {
		st := plainStyle("")
		if random {
			st = styles(r, rand.New(rand.NewPCG(4, 4)))[15]
		}
		m, _ := imported(t, r.write(st), Options{HeightM: 0.86 / LegShare})
		for k := range m.Frames {
			p := &m.Frames[k]
			// The head looks where its joint looks, once the first frame's turn is taken out.
			trueHead := r.rot[0][index("Hips")].Inv().Mul(r.rot[k][index("Head")])
			look := upright(1).Rotate(trueHead.Rotate(spatial.Vec3{0, 0, 1}))
			if a := math.Acos(math.Min(1, look.Dot(p.Rotations[human.Head].Rotate(spatial.Vec3{1, 0, 0})))); a > 0.09 {
				t.Fatalf("%s: frame %d: the head looks %.1f degrees away from where it should", st.name, k, a*180/math.Pi)
			}
			for s, foot := range []string{"LeftFoot", "RightFoot"} {
				ankle := human.LAnkle + human.Joint(5*s)
				back := r.rot[k][index(foot)].Rotate(spatial.Vec3{0, -ankleShare, -heelShare}).Scale(0.86 / LegShare)
				want := upright(1).Rotate(r.rot[0][index("Hips")].Inv().Rotate(back))
				if d := p.Positions[ankle+1].Sub(p.Positions[ankle]).Sub(want).Norm(); d > 0.012 {
					t.Fatalf("%s: frame %d: heel %d is %.0f mm away", st.name, k, s, 1000*d)
				}
			}
		}
	}
}

func TestFirstFrameOutOfPlaceIsLeftOut(t *testing.T) {
	r := walker(rand.New(rand.NewPCG(1, 1)))
	plain := r.write(plainStyle(""))
	want, notes := imported(t, plain, Options{})
	if len(notes) != 0 {
		t.Errorf("notes of a clean file: %q", notes)
	}
	head, frames, _ := strings.Cut(plain, "Frame Time: 0.0333333\n")
	line, _, _ := strings.Cut(frames, "\n")
	head = strings.Replace(head, "Frames: 180", "Frames: 181", 1)
	zeros := strings.TrimSpace(strings.Repeat("0 ", len(strings.Fields(line))))
	got, notes := imported(t, head+"Frame Time: 0.0333333\n"+zeros+"\n"+frames, Options{})
	if len(notes) != 1 || !strings.Contains(notes[0], "first frame") || got.Meta.StartS == 0 {
		t.Errorf("notes %q, start %g", notes, got.Meta.StartS)
	}
	if m, _, where := differs(want, got); m > 1e-9 {
		t.Errorf("%g m, %s", m, where)
	}
	// Frames that the header does not count are named.
	if _, notes = imported(t, plain+line+"\n"+line+"\n", Options{}); len(notes) != 1 || !strings.Contains(notes[0], "2 lines") {
		t.Errorf("notes %q", notes)
	}
}
