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
	StiffnessNmPerRad float64 `json:"stiffness_nm_rad"`
	DampingNmSPerRad  float64 `json:"damping_nms_rad"`
	TorqueLimitNm     float64 `json:"torque_limit_nm"`
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
	SHA256   string          // of the file it was loaded from, hex
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

// CheckRobot reports whether the bundle may drive that robot: same name, rate and
// joints in the same order. A changed description gives ErrOtherRobot too,
// since limits, gains and geometry are what the policy was trained on.
func (b *Bundle) CheckRobot(d *robot.Description) error {
	m := &b.Manifest
	switch {
	case m.Robot != d.Name:
		return fmt.Errorf("%w: it was trained for %q, this is %q", ErrOtherRobot, m.Robot, d.Name)
	case !sameNames(m.JointNames, d.JointNames()):
		return fmt.Errorf("%w: its joints are %v, this robot's are %v", ErrOtherRobot, m.JointNames, d.JointNames())
	case m.PolicyRateHz != d.PolicyRateHz:
		return fmt.Errorf("%w: it runs at %g Hz, this robot's policies at %g Hz", ErrOtherRobot, m.PolicyRateHz, d.PolicyRateHz)
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
