package poserecord

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
)

// sample is a record whose numbers are all different and exact in 32 bits.
func sample(seed uint64, signs Signs) Record {
	rng := rand.New(rand.NewPCG(seed, 0))
	next := func() float64 { return float64(float32(rng.Float64()*4 - 2)) }
	r := Record{Seq: seed, TimeS: rng.Float64() * 100, AgeS: rng.Float64(), Signs: signs}
	for j := range human.NumJoints {
		for k := range 3 {
			r.Pose.Positions[j][k] = next()
		}
		for k := range 4 {
			r.Pose.Rotations[j][k] = next()
		}
		r.Pose.Confidence[j] = next()
	}
	for k := range r.Pose.Contacts {
		r.Pose.Contacts[k] = next()
	}
	return r
}

func TestBinaryRoundTrip(t *testing.T) {
	r := sample(7, Posed|LegsUnseen)
	b := AppendBinary([]byte("before"), &r)[6:]
	if len(b) != Size {
		t.Fatalf("%d bytes, Size is %d", len(b), Size)
	}
	got, err := ReadBinary(b)
	if err != nil || got != r {
		t.Errorf("%v\n%+v\n%+v", err, got, r)
	}
	for i := range b { // every byte counts
		b[i] ^= 0x10
		if _, err := ReadBinary(b); err == nil {
			t.Errorf("byte %d changed and nothing said", i)
		}
		b[i] ^= 0x10
	}
	if _, err := ReadBinary(b[:Size-1]); err == nil {
		t.Error("cut short and nothing said")
	}
}

func TestJSON(t *testing.T) {
	r := sample(3, Posed|CameraMoves|Doubtful)
	b, err := AppendJSON(nil, &r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Seq       uint64
		TimeS     float64 `json:"time_s"`
		Signs     []string
		Positions [][]float64
		Rotations [][]float64
		Contacts  []float64
	}
	if err := json.Unmarshal(b, &got); err != nil || b[len(b)-1] != '\n' || bytes.Count(b, []byte("\n")) != 1 {
		t.Fatalf("%v: %s", err, b)
	}
	if got.Seq != 3 || math.Abs(got.TimeS-r.TimeS) > 1e-5 || strings.Join(got.Signs, ";") != "camera moves;doubtful" || len(got.Positions) != human.NumJoints {
		t.Errorf("%+v", got)
	}
	for j := range human.NumJoints {
		for k := range 3 {
			if math.Abs(got.Positions[j][k]-r.Pose.Positions[j][k]) > 1e-5 {
				t.Errorf("joint %d: %v, want %v", j, got.Positions[j], r.Pose.Positions[j])
			}
		}
	}
	r.Signs = PersonLost
	if b, err = AppendJSON(nil, &r); err != nil || bytes.Contains(b, []byte("positions")) || !bytes.Contains(b, []byte(`"signs":["person lost"]`)) {
		t.Errorf("without a pose: %s, %v", b, err)
	}
}

// The readers in the documentation read what is written.
func TestDocumentedReaders(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here")
	}
	page, err := os.ReadFile("../../docs/formats/live.md")
	if err != nil {
		t.Fatal(err)
	}
	readers := regexp.MustCompile("(?s)```python\n(.*?)```").FindAllSubmatch(page, -1)
	if len(readers) != 2 {
		t.Fatalf("%d readers in the page", len(readers))
	}
	var lines, blocks []byte
	for i, signs := range []Signs{Settling, Posed, Posed | LegsUnseen} {
		r := sample(uint64(i), signs)
		r.Pose.Positions[human.LHand] = [3]float64{0.25, -0.5, float64(i)}
		if lines, err = AppendJSON(lines, &r); err != nil {
			t.Fatal(err)
		}
		blocks = AppendBinary(blocks, &r)
	}
	for k, input := range [][]byte{lines, blocks} {
		name := filepath.Join(t.TempDir(), "reader.py")
		if err := os.WriteFile(name, readers[k][1], 0o600); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(python, name)
		c.Stdin = bytes.NewReader(input)
		out, err := c.CombinedOutput()
		if err != nil || strings.Count(string(out), "\n") != 2 || !strings.Contains(string(out), "0.25 -0.50 2.00") {
			t.Errorf("reader %d: %v\n%s", k, err, out)
		}
	}
}

func FuzzReadBinary(f *testing.F) {
	r := sample(1, Posed)
	f.Add(AppendBinary(nil, &r))
	f.Add([]byte(Magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadBinary(b)
		if err != nil {
			return
		}
		if again := AppendBinary(nil, &r); !bytes.Equal(again[:36], b[:36]) {
			t.Errorf("the head of a record changes: %x, %x", b[:36], again[:36])
		}
	})
}
