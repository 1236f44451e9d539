package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/infer"
)

func sample(t testing.TB) (*Bundle, *robot.Description) {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	const in, hidden = 7, 5
	out := len(d.Joints)
	fill := func(n int, scale float32) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = scale * float32(i%11-5)
		}
		return v
	}
	inv := fill(in, 0.1)
	for i := range inv {
		inv[i] += 1
	}
	net, err := infer.New(infer.Normalizer{Mean: fill(in, 0.2), InvStd: inv, Clip: 10}, []infer.Layer{
		{In: in, Out: hidden, W: fill(in*hidden, 0.1), B: fill(hidden, 0.03), Tanh: true},
		{In: hidden, Out: out, W: fill(hidden*out, 0.2), B: fill(out, 0.01)},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &motion.Clip{FPS: 50, JointNames: d.JointNames(), BodyNames: []string{"torso"}, Meta: motion.Meta{Schema: 1, Source: "a.mp4"}}
	for range 3 {
		f := motion.NewFrame(out, 1)
		f.BodyQuat[0] = spatial.Identity()
		f.JointPosRad[2] = 1.0 / 3
		c.Frames = append(c.Frames, f)
	}
	b := &Bundle{Net: net, Clips: []*motion.Clip{c}, Eval: json.RawMessage(`{"survival_rate":1}`)}
	b.Manifest = Manifest{
		Name: "sample", Robot: d.Name, RobotHash: d.Hash, JointNames: d.JointNames(), PolicyRateHz: 50,
		Observation: json.RawMessage(`{"version":1}`), Training: Training{Method: "ppo", Seed: 7},
	}
	for range d.Joints {
		b.Manifest.Gains = append(b.Manifest.Gains, Gain{StiffnessNmPerRad: 20, DampingNmSPerRad: 0.5, TorqueLimitNm: 4})
	}
	return b, d
}

func save(t testing.TB, b *Bundle) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.bundle")
	if err := b.Save(name); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRoundTripAndSameBytes(t *testing.T) {
	b, d := sample(t)
	name := save(t, b)
	got, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.CheckRobot(d); err != nil {
		t.Error(err)
	}
	if got.Clips[0].Frames[1].JointPosRad[2] != 1.0/3 || string(got.Eval) != `{"survival_rate":1}` || got.Manifest.Training.Seed != 7 || got.Signed {
		t.Errorf("came back changed: %+v", got.Manifest)
	}
	if !bytes.Equal(EncodeNet(got.Net), EncodeNet(b.Net)) {
		t.Error("the network's bytes changed")
	}
	again := save(t, got)
	x, _ := os.ReadFile(name)
	y, _ := os.ReadFile(again)
	if !bytes.Equal(x, y) {
		t.Error("the same bundle has other bytes the second time")
	}
}

func TestTruncationAnywhereIsRefused(t *testing.T) {
	b, _ := sample(t)
	name := save(t, b)
	whole, _ := os.ReadFile(name)
	for _, n := range []int{0, 1, 100, len(whole) / 3, len(whole) / 2, len(whole) - 1} {
		cut := filepath.Join(t.TempDir(), "cut.bundle")
		if err := os.WriteFile(cut, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Load(cut)
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "cut.bundle") {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func membersOf(t *testing.T, name string) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	members := map[string][]byte{}
	for _, f := range z.File {
		if members[f.Name], err = fs.ReadFile(z, f.Name); err != nil {
			t.Fatal(err)
		}
	}
	return members
}

// rewrite edits the members of a bundle and its manifest.
func rewrite(t *testing.T, name string, edit func(m *Manifest, members map[string][]byte)) string {
	t.Helper()
	members := membersOf(t, name)
	var m Manifest
	if err := json.Unmarshal(members[manifestFile], &m); err != nil {
		t.Fatal(err)
	}
	edit(&m, members)
	var err error
	if members[manifestFile], err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return pack(t, members)
}

func pack(t *testing.T, members map[string][]byte) string {
	t.Helper()
	var buf bytes.Buffer
	if err := writeZip(&buf, members); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "changed.bundle")
	if err := os.WriteFile(out, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

// replace puts other content into a member and mends its digest.
func replace(member string, content []byte) func(*Manifest, map[string][]byte) {
	return func(m *Manifest, members map[string][]byte) {
		members[member], m.Files[member] = content, digest(content)
	}
}

// change rewrites one member and leaves the manifest as it is.
func change(t *testing.T, name, member string, edit func([]byte) []byte) string {
	t.Helper()
	members := membersOf(t, name)
	members[member] = edit(members[member])
	return pack(t, members)
}

func TestTamperingIsFound(t *testing.T) {
	b, _ := sample(t)
	name := save(t, b)
	flip := func(at int) func([]byte) []byte {
		return func(x []byte) []byte { y := append([]byte(nil), x...); y[len(y)+at] ^= 0x41; return y }
	}
	other, _ := sample(t)
	layers := append([]infer.Layer(nil), other.Net.Layers()...)
	w := append([]float32(nil), layers[1].W...)
	w[3] += 0.5
	layers[1].W = w
	net, err := infer.New(other.Net.Normalizer(), layers)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]string{
		"SHA-256":               change(t, name, policyFile, flip(-9)),
		"is not in the":         change(t, name, "extra.bin", func([]byte) []byte { return []byte("x") }),
		"golden.npz: pair":      rewrite(t, name, replace(policyFile, EncodeNet(net))),
		"manifest.json: schema": change(t, name, manifestFile, func(x []byte) []byte { return bytes.Replace(x, []byte(`"schema": 1`), []byte(`"schema": 8`), 1) }),
		"surprise": change(t, name, manifestFile, func(x []byte) []byte {
			return bytes.Replace(x, []byte(`"schema": 1`), []byte(`"schema": 1, "surprise": 2`), 1)
		}),
	} {
		if _, err := Load(c); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whole and well signed by its digests, but not a policy: what does not fit
// together is refused too.
func TestWhatDoesNotFitTogetherIsRefused(t *testing.T) {
	b, _ := sample(t)
	name := save(t, b)
	archive := func(a npz.Archive) []byte {
		t.Helper()
		var buf bytes.Buffer
		if err := npz.Write(&buf, a); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	in, out := b.Net.In(), b.Net.Out()
	layers := append([]infer.Layer(nil), b.Net.Layers()...)
	last := &layers[len(layers)-1]
	last.Out, last.W, last.B = 2, last.W[:2*last.In], last.B[:2]
	narrow, err := infer.New(b.Net.Normalizer(), layers)
	if err != nil {
		t.Fatal(err)
	}
	const member = "motion-0.npz"
	for what, edit := range map[string]func(*Manifest, map[string][]byte){
		"golden.npz is empty": replace(goldenFile, archive(npz.Archive{
			"observation": npz.Floats32(nil, 0, in), "action": npz.Floats32(nil, 0, out)})),
		"lists no golden.npz": func(m *Manifest, members map[string][]byte) {
			delete(m.Files, goldenFile)
			delete(members, goldenFile)
		},
		"no digest for motion-0.npz":    func(m *Manifest, _ map[string][]byte) { delete(m.Files, member) },
		`member "motion-0.npz" is miss`: func(_ *Manifest, members map[string][]byte) { delete(members, member) },
		"names no motion": func(m *Manifest, members map[string][]byte) {
			m.Motions = nil
			delete(m.Files, member)
			delete(members, member)
		},
		"differ from the manifest's": func(m *Manifest, _ map[string][]byte) {
			m.JointNames[0], m.JointNames[1] = m.JointNames[1], m.JointNames[0]
		},
		"2 outputs for 20 joints": func(m *Manifest, members map[string][]byte) {
			replace(policyFile, EncodeNet(narrow))(m, members)
			replace(goldenFile, archive(makeGolden(narrow)))(m, members)
		},
		"policy_rate_hz is -50":    func(m *Manifest, _ map[string][]byte) { m.PolicyRateHz = -50 },
		"policy_rate_hz is 1e+308": func(m *Manifest, _ map[string][]byte) { m.PolicyRateHz = 1e308 },
		"0 gains for 20 joints":    func(m *Manifest, _ map[string][]byte) { m.Gains = nil },
		"stiffness 1e+300":         func(m *Manifest, _ map[string][]byte) { m.Gains[3].StiffnessNmPerRad = 1e300 },
		"torque limit 0":           func(m *Manifest, _ map[string][]byte) { m.Gains[19].TorqueLimitNm = 0 },
		"control characters":       func(m *Manifest, _ map[string][]byte) { m.Name = "a\x1b[2J" },
		"motion-0.npz more than":   func(m *Manifest, _ map[string][]byte) { m.Motions = append(m.Motions, m.Motions[0]) },
		"golden.npz more than": func(m *Manifest, _ map[string][]byte) {
			m.Motions = append(m.Motions, MotionInfo{File: goldenFile})
		},
		`"observation" holds text`: replace(goldenFile, archive(npz.Archive{
			"observation": {Shape: []int{1, in}, Text: make([]string, in), Dtype: "U"}, "action": npz.Floats32(make([]float64, out), 1, out)})),
		`"action" holds text`: replace(goldenFile, archive(npz.Archive{
			"observation": npz.Floats32(make([]float64, in), 1, in), "action": {Shape: []int{1, out}, Text: make([]string, out), Dtype: "U"}})),
		"pairs; legal": replace(goldenFile, archive(npz.Archive{
			"observation": npz.Floats32(make([]float64, 5000*in), 5000, in), "action": npz.Floats32(make([]float64, 5000*out), 5000, out)})),
		"fps is 1e-07": func(m *Manifest, members map[string][]byte) {
			a, err := npz.Read(members[member])
			if err != nil {
				t.Fatal(err)
			}
			a["fps"].Data[0] = 1e-7
			replace(member, archive(a))(m, members)
		},
	} {
		if _, err := Load(rewrite(t, name, edit)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Load(rewrite(t, name, func(*Manifest, map[string][]byte) {})); err != nil {
		t.Errorf("rewritten without a change: %v", err)
	}
}

func TestOtherRobotIsRefused(t *testing.T) {
	b, d := sample(t)
	for what, edit := range map[string]func(*robot.Description){
		"trained for":         func(d *robot.Description) { d.Name = "other" },
		"runs at 50 Hz":       func(d *robot.Description) { d.PolicyRateHz = 25 },
		"its joints are":      func(d *robot.Description) { d.Joints = d.Joints[1:] },
		"description of":      func(d *robot.Description) { d.Hash = strings.Repeat("0", 64) },
		"bundle is for anoth": func(d *robot.Description) { d.Name = "x" },
	} {
		e := *d
		edit(&e)
		if err := b.CheckRobot(&e); !errors.Is(err, ErrOtherRobot) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := sample(f)
	whole, _ := os.ReadFile(save(f, b))
	f.Add(whole)
	var small bytes.Buffer
	z := zip.NewWriter(&small)
	w, _ := z.Create(manifestFile)
	if _, err := io.WriteString(w, `{"schema":1}`); err != nil {
		f.Fatal(err)
	}
	z.Close()
	f.Add(small.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := Decode(data); err == nil && (b.Net == nil || len(b.Clips) == 0) {
			t.Fatal("accepted a bundle without network or motion")
		}
	})
}
