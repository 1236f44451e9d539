package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/policy/infer"
)

// Limits on a bundle. A policy of a servo robot takes a few megabytes; real
// weights and motions hardly compress, so what grows a hundredfold holds none.
const (
	maxFileBytes     = 256 << 20
	maxMemberBytes   = 256 << 20 // of all members together
	freeMemberBytes  = 32 << 20  // allowed without a look at the ratio
	maxRatio         = 100
	maxMembers       = 200
	maxManifestBytes = 4 << 20
	maxGoldenPairs   = 4096
)

// Load reads a bundle and proves it: digests of all members, the network's
// golden pairs, and that network, motions and joint names fit together. Errors
// name the file; a broken file gives ErrDamaged, and like any file that is no
// bundle it is infile.ErrUnusable.
func Load(name string) (*Bundle, error) {
	data, err := infile.Read(name, maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	b, err := Decode(data)
	if err != nil {
		return nil, infile.Refuse("bundle: "+name, fmt.Errorf("%w: %w", ErrDamaged, err))
	}
	b.SHA256 = digest(data)
	return b, nil
}

// Decode is Load for bytes in memory.
func Decode(data []byte) (*Bundle, error) {
	z, err := openZip(data)
	if err != nil {
		return nil, err
	}
	b := &Bundle{}
	if err := z.manifest(&b.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, err)
	}
	members, err := z.members(&b.Manifest)
	if err != nil {
		return nil, err
	}
	_, b.Signed = z.file[signatureFile]
	if b.Net, err = DecodeNet(members[policyFile]); err != nil {
		return nil, err
	}
	if got, want := b.Net.Out(), len(b.Manifest.JointNames); got != want {
		return nil, fmt.Errorf("%s has %d outputs for %d joints", policyFile, got, want)
	}
	if err := checkGolden(b.Net, members[goldenFile]); err != nil {
		return nil, err
	}
	for _, mi := range b.Manifest.Motions {
		c, err := motion.Read(members[mi.File])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", mi.File, err)
		}
		if !sameNames(c.JointNames, b.Manifest.JointNames) {
			return nil, fmt.Errorf("%s: joints %.400q differ from the manifest's %.400q", mi.File, c.JointNames, b.Manifest.JointNames)
		}
		b.Clips = append(b.Clips, c)
	}
	if e, ok := members[evalFile]; ok {
		b.Eval = e
	}
	return b, nil
}

// check reports what no policy can have in its manifest.
func (m *Manifest) check() error {
	if m.Schema != 1 {
		return fmt.Errorf("schema %d is unknown; legal: 1", m.Schema)
	}
	if !(m.PolicyRateHz >= 10 && m.PolicyRateHz <= 500) {
		return fmt.Errorf("policy_rate_hz is %g; legal: 10 to 500", m.PolicyRateHz)
	}
	texts := append([]string{m.Name, m.Robot, m.Tool, m.Training.Method}, m.JointNames...)
	for _, mi := range m.Motions {
		texts = append(texts, mi.File, mi.Source)
	}
	for _, s := range texts {
		// They are printed on terminals.
		if strings.ContainsFunc(s, unicode.IsControl) {
			return fmt.Errorf("%.80q holds control characters", s)
		}
	}
	if len(m.Gains) != len(m.JointNames) {
		return fmt.Errorf("%d gains for %d joints; each joint needs one", len(m.Gains), len(m.JointNames))
	}
	for i, g := range m.Gains {
		if !(g.StiffnessNmPerRad > 0 && g.StiffnessNmPerRad <= 1e4 && g.DampingNmSPerRad >= 0 && g.DampingNmSPerRad <= 1e3 && g.TorqueLimitNm > 0 && g.TorqueLimitNm <= 1e3) {
			return fmt.Errorf("gains of joint %q: stiffness %g N m/rad, damping %g N m s/rad, torque limit %g N m; legal: above 0 to 10000, 0 to 1000, above 0 to 1000",
				m.JointNames[i], g.StiffnessNmPerRad, g.DampingNmSPerRad, g.TorqueLimitNm)
		}
	}
	return m.checkFiles()
}

// checkFiles reports members that are needed and not listed.
func (m *Manifest) checkFiles() error {
	for _, need := range []string{policyFile, goldenFile} {
		if m.Files[need] == "" {
			return fmt.Errorf("it lists no %s", need)
		}
	}
	if len(m.Motions) == 0 {
		return fmt.Errorf("it names no motion; at least one is needed")
	}
	named := map[string]bool{policyFile: true, goldenFile: true, evalFile: true, manifestFile: true, signatureFile: true}
	for _, mi := range m.Motions {
		if m.Files[mi.File] == "" {
			return fmt.Errorf("it gives no digest for %s", mi.File)
		}
		if named[mi.File] {
			return fmt.Errorf("it names %s more than once, or for something else than a motion", mi.File)
		}
		named[mi.File] = true
	}
	return nil
}

// zipFile is the directory of a bundle.
type zipFile struct {
	file map[string]*zip.File
	left int64 // bytes that members may still take in memory
}

// openZip reads the directory only.
func openZip(data []byte) (*zipFile, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("not a complete zip archive (truncated?): %w", err)
	}
	if len(r.File) > maxMembers {
		return nil, fmt.Errorf("%d members; legal: at most %d", len(r.File), maxMembers)
	}
	z := &zipFile{file: map[string]*zip.File{}, left: min(maxMemberBytes, max(freeMemberBytes, maxRatio*int64(len(data))))}
	for _, f := range r.File {
		// Programs differ in which of two they show: there must be one.
		if z.file[f.Name] != nil {
			return nil, fmt.Errorf("member %.80q is there twice", f.Name)
		}
		z.file[f.Name] = f
	}
	if z.file[manifestFile] == nil {
		return nil, fmt.Errorf("no %s inside; this is not a policy bundle", manifestFile)
	}
	return z, nil
}

// read unpacks one member of at most limit bytes.
func (z *zipFile) read(name string, limit int64) ([]byte, error) {
	limit = min(limit, z.left)
	r, err := z.file[name].Open()
	if err != nil {
		return nil, fmt.Errorf("member %q: %w", name, err)
	}
	defer r.Close()
	// The directory's sizes may lie: one byte beyond the limit finds out.
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("member %q: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("member %q has more than the %d bytes that it may have in this file", name, limit)
	}
	z.left -= int64(len(data))
	return data, nil
}

// manifest reads and checks the manifest, before anything else is unpacked.
func (z *zipFile) manifest(m *Manifest) error {
	data, err := z.read(manifestFile, maxManifestBytes)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(m); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows behind the manifest's end")
	}
	return m.check()
}

// members unpacks what the manifest lists, and nothing else may be there.
func (z *zipFile) members(m *Manifest) (map[string][]byte, error) {
	for n := range m.Files {
		if z.file[n] == nil {
			return nil, fmt.Errorf("member %q is missing", n)
		}
	}
	for n := range z.file {
		if _, ok := m.Files[n]; !ok && n != manifestFile && n != signatureFile {
			return nil, fmt.Errorf("member %q is not in the manifest", n)
		}
	}
	members := map[string][]byte{}
	for n, want := range m.Files {
		data, err := z.read(n, maxMemberBytes)
		if err != nil {
			return nil, err
		}
		if got := digest(data); got != want {
			return nil, fmt.Errorf("member %q has SHA-256 %s, the manifest says %.80s", n, got, want)
		}
		members[n] = data
	}
	return members, nil
}

func checkGolden(n *infer.Net, data []byte) error {
	a, err := npz.Read(data, "observation", "action")
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
	if count > maxGoldenPairs {
		return fmt.Errorf("%s has %d pairs; legal: 1 to %d", goldenFile, count, maxGoldenPairs)
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
