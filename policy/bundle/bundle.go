// Package bundle packs a trained policy with all that is needed to run it and
// to judge it: a zip archive (*.bundle) of
//
//	manifest.json    what it is, for which robot, and the SHA-256 of every other member
//	policy.onnx      normaliser and network, standard operators
//	motion-N.npz     the reference motions, in the format of models/motion
//	golden.npz       observations and the actions they must give, checked at load
//	eval.json        the evaluation, if there was one
//	manifest.sig     reserved for the signature over manifest.json
//
// Numbers are stored in full precision. Nothing in a bundle depends on the
// clock: the same training gives the same bytes. A Bundle is read-only after
// load and may be shared.
package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/infer"
)

// Sentinels that callers branch on.
var (
	ErrDamaged    = errors.New("damaged bundle")
	ErrOtherRobot = errors.New("bundle is for another robot")
)

// Manifest says what the bundle is.
type Manifest struct {
	Schema       int             `json:"schema"` // 1
	Name         string          `json:"name"`
	Robot        string          `json:"robot"`
	RobotHash    string          `json:"robot_hash"` // robot.Description.Hash it was trained on
	JointNames   []string        `json:"joint_names"`
	PolicyRateHz float64         `json:"policy_rate_hz"`
	Observation  json.RawMessage `json:"observation"` // specification of policy/obs
	// Terms says where each part of an observation begins, for other programs.
	Terms    json.RawMessage   `json:"observation_terms,omitempty"`
	Gains    []Gain            `json:"gains"` // of each joint's servo, as trained
	Motions  []MotionInfo      `json:"motions"`
	Training Training          `json:"training"`
	Tool     string            `json:"tool"`
	Versions map[string]string `json:"versions,omitempty"` // of physics and learning libraries
	Files    map[string]string `json:"files"`              // member -> SHA-256, hex; set by Save
}

// Gain is the servo behaviour that the policy expects of a joint.
type Gain struct {
	StiffnessNmRad float64 `json:"stiffness_nm_rad"`
	DampingNmsRad  float64 `json:"damping_nms_rad"`
	TorqueLimitNm  float64 `json:"torque_limit_nm"`
}

// MotionInfo names a reference motion of the bundle.
type MotionInfo struct {
	File    string  `json:"file"`
	Source  string  `json:"source"`
	Seconds float64 `json:"seconds"`
}

// Training says how the weights came about.
type Training struct {
	Method       string `json:"method"`
	Seed         uint64 `json:"seed"`
	ControlSteps int64  `json:"control_steps"`
}

// Bundle is a policy package in memory.
type Bundle struct {
	Manifest Manifest
	Net      *infer.Net
	Clips    []*motion.Clip
	Eval     json.RawMessage // eval.json, nil before the first evaluation
	Signed   bool            // a signature is present; verification is the caller's
}

const (
	manifestFile  = "manifest.json"
	policyFile    = "policy.onnx"
	goldenFile    = "golden.npz"
	evalFile      = "eval.json"
	signatureFile = "manifest.sig"
	goldenPairs   = 16
	// Two float32 evaluations of the same network differ by summation order and
	// by vector width; a wrong weight or a wrong operator differs by far more.
	goldenTolerance = 1e-4
)

// Save writes the bundle, completely or not at all. It fills Manifest.Files.
func (b *Bundle) Save(name string) error {
	members := map[string][]byte{policyFile: EncodeNet(b.Net)}
	b.Manifest.Schema = 1
	b.Manifest.Motions = nil
	for i, c := range b.Clips {
		a, err := c.Archive()
		if err != nil {
			return err
		}
		var buf bytes.Buffer
		if err := npz.Write(&buf, a); err != nil {
			return err
		}
		file := fmt.Sprintf("motion-%d.npz", i)
		members[file] = buf.Bytes()
		b.Manifest.Motions = append(b.Manifest.Motions, MotionInfo{File: file, Source: c.Meta.Source, Seconds: c.Seconds()})
	}
	var golden bytes.Buffer
	if err := npz.Write(&golden, makeGolden(b.Net)); err != nil {
		return err
	}
	members[goldenFile] = golden.Bytes()
	if b.Eval != nil {
		members[evalFile] = b.Eval
	}
	b.Manifest.Files = map[string]string{}
	for n, data := range members {
		b.Manifest.Files[n] = digest(data)
	}
	manifest, err := json.MarshalIndent(b.Manifest, "", "  ")
	if err != nil {
		return err
	}
	members[manifestFile] = manifest
	return atomicfile.Write(name, func(w io.Writer) error { return writeZip(w, members) })
}

func writeZip(w io.Writer, members map[string][]byte) error {
	names := make([]string, 0, len(members))
	for n := range members {
		names = append(names, n)
	}
	sort.Strings(names)
	z := zip.NewWriter(w)
	for _, n := range names {
		f, err := z.CreateHeader(&zip.FileHeader{Name: n, Method: zip.Deflate})
		if err != nil {
			return err
		}
		if _, err := f.Write(members[n]); err != nil {
			return err
		}
	}
	return z.Close()
}

// makeGolden draws observations around the normaliser's mean and records the
// actions they give.
func makeGolden(n *infer.Net) npz.Archive {
	norm, in, out := n.Normalizer(), n.In(), n.Out()
	x, y := make([]float32, goldenPairs*in), make([]float32, goldenPairs*out)
	state := uint64(1)
	for i := range x {
		// 64-bit linear congruential generator (Knuth's MMIX constants): spread, not secrecy.
		state = state*6364136223846793005 + 1442695040888963407
		u := float64(state>>40)/(1<<23) - 1
		k := i % in
		std := 1.0
		if norm.InvStd[k] > 0 {
			std = 1 / float64(norm.InvStd[k])
		}
		x[i] = float32(float64(norm.Mean[k]) + 2*u*std)
	}
	n.NewRunner(goldenPairs).Forward(y, x, goldenPairs)
	return npz.Archive{
		"observation": npz.Floats32(widen(x), goldenPairs, in),
		"action":      npz.Floats32(widen(y), goldenPairs, out),
	}
}

// Load reads a bundle and proves it: digests of all members, the network's
// golden pairs, and that network, motions and joint names fit together. Errors
// name the file; a broken file gives ErrDamaged.
func Load(name string) (*Bundle, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	b, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("bundle: %s: %w: %w", name, ErrDamaged, err)
	}
	return b, nil
}

// Decode is Load for bytes in memory.
func Decode(data []byte) (*Bundle, error) {
	members, err := readZip(data)
	if err != nil {
		return nil, err
	}
	b := &Bundle{}
	dec := json.NewDecoder(bytes.NewReader(members[manifestFile]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, err)
	}
	if b.Manifest.Schema != 1 {
		return nil, fmt.Errorf("%s: schema %d is unknown; legal: 1", manifestFile, b.Manifest.Schema)
	}
	if err := verifyDigests(&b.Manifest, members); err != nil {
		return nil, err
	}
	_, b.Signed = members[signatureFile]
	if b.Net, err = DecodeNet(members[policyFile]); err != nil {
		return nil, err
	}
	if err := checkGolden(b.Net, members[goldenFile]); err != nil {
		return nil, err
	}
	for _, mi := range b.Manifest.Motions {
		a, err := npz.Read(members[mi.File])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", mi.File, err)
		}
		c, err := motion.FromArchive(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", mi.File, err)
		}
		if !sameNames(c.JointNames, b.Manifest.JointNames) {
			return nil, fmt.Errorf("%s: joints %v differ from the manifest's %v", mi.File, c.JointNames, b.Manifest.JointNames)
		}
		b.Clips = append(b.Clips, c)
	}
	if len(b.Clips) == 0 {
		return nil, fmt.Errorf("%s names no motion; at least one is needed", manifestFile)
	}
	if b.Net.Out() != len(b.Manifest.JointNames) {
		return nil, fmt.Errorf("%s has %d outputs for %d joints", policyFile, b.Net.Out(), len(b.Manifest.JointNames))
	}
	if e, ok := members[evalFile]; ok {
		b.Eval = e
	}
	return b, nil
}

func readZip(data []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("not a complete zip archive (truncated?): %w", err)
	}
	const limit = 256 << 20 // a policy of a servo robot takes a few megabytes
	members := map[string][]byte{}
	for _, f := range z.File {
		if f.UncompressedSize64 > limit {
			return nil, fmt.Errorf("member %q claims %d bytes; legal: up to %d", f.Name, f.UncompressedSize64, limit)
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", f.Name, err)
		}
		members[f.Name], err = io.ReadAll(io.LimitReader(r, limit))
		r.Close()
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", f.Name, err)
		}
	}
	if members[manifestFile] == nil {
		return nil, fmt.Errorf("no %s inside; this is not a policy bundle", manifestFile)
	}
	return members, nil
}

func verifyDigests(m *Manifest, members map[string][]byte) error {
	for _, need := range []string{policyFile, goldenFile} {
		if m.Files[need] == "" {
			return fmt.Errorf("%s lists no %s", manifestFile, need)
		}
	}
	for _, mi := range m.Motions {
		if m.Files[mi.File] == "" {
			return fmt.Errorf("%s gives no digest for %s", manifestFile, mi.File)
		}
	}
	for n, want := range m.Files {
		data, ok := members[n]
		if !ok {
			return fmt.Errorf("member %q is missing", n)
		}
		if got := digest(data); got != want {
			return fmt.Errorf("member %q has SHA-256 %s, the manifest says %s", n, got, want)
		}
	}
	for n := range members {
		if _, ok := m.Files[n]; !ok && n != manifestFile && n != signatureFile {
			return fmt.Errorf("member %q is not in the manifest", n)
		}
	}
	return nil
}

func checkGolden(n *infer.Net, data []byte) error {
	a, err := npz.Read(data)
	if err != nil {
		return fmt.Errorf("%s: %w", goldenFile, err)
	}
	x, err := a.Get("observation", -1, n.In())
	if err != nil {
		return fmt.Errorf("%s: %w", goldenFile, err)
	}
	count := x.Shape[0]
	want, err := a.Get("action", count, n.Out())
	if err != nil {
		return fmt.Errorf("%s: %w", goldenFile, err)
	}
	if count == 0 {
		return fmt.Errorf("%s is empty", goldenFile)
	}
	xs, ys := make([]float32, len(x.Data)), make([]float32, len(want.Data))
	for i, v := range x.Data {
		xs[i] = float32(v)
	}
	n.NewRunner(count).Forward(ys, xs, count)
	for i, y := range ys {
		if d := math.Abs(float64(y) - want.Data[i]); !(d <= goldenTolerance*math.Max(1, math.Abs(want.Data[i]))) {
			return fmt.Errorf("%s: pair %d, output %d is %g on this machine, %g was recorded; the network does not compute what it did when trained", goldenFile, i/n.Out(), i%n.Out(), y, want.Data[i])
		}
	}
	return nil
}

// CheckRobot reports whether the bundle may drive that robot: same name and
// joints in the same order. A changed description gives ErrOtherRobot too,
// since limits, gains and geometry are what the policy was trained on.
func (b *Bundle) CheckRobot(d *robot.Description) error {
	m := &b.Manifest
	switch {
	case m.Robot != d.Name:
		return fmt.Errorf("%w: it was trained for %q, this is %q", ErrOtherRobot, m.Robot, d.Name)
	case !sameNames(m.JointNames, d.JointNames()):
		return fmt.Errorf("%w: its joints are %v, this robot's are %v", ErrOtherRobot, m.JointNames, d.JointNames())
	case m.RobotHash != d.Hash:
		return fmt.Errorf("%w: the description of %q changed since training (hash %.12s, now %.12s from %s); train again", ErrOtherRobot, d.Name, m.RobotHash, d.Hash, d.Source)
	}
	return nil
}

func sameNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
