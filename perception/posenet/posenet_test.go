package posenet

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/assets"
)

// pattern fills a picture of coloured rings and stripes by integer arithmetic,
// so that another program can make the very same one.
func pattern(dst []float32, spec Spec) {
	n := spec.SizePx
	for c := range 3 {
		for y := range n {
			for x := range n {
				t := (x*(c+2) + y*3 + ((x-n/2)*(x-n/2)+(y-n/2)*(y-n/2))/32) & 511
				if t > 255 {
					t = 511 - t
				}
				dst[(c*n+y)*n+x] = spec.Lo + (spec.Hi-spec.Lo)*float32(t)/255
			}
		}
	}
}

// runtimes lists the usable runtimes, or skips.
func runtimes(t testing.TB) []Runtime {
	t.Helper()
	if _, err := assets.File("blazepose", models[Full].file); err != nil {
		t.Skipf("no networks here: %v", err)
	}
	var rs []Runtime
	if onnxRuntimeUsable() == nil {
		rs = append(rs, ONNXRuntime)
	}
	if openCVUsable() == nil {
		rs = append(rs, OpenCV)
	}
	if len(rs) == 0 {
		t.Skip("no pose runtime in this build (tags onnxruntime, opencv)")
	}
	return rs
}

func open(t testing.TB, r Runtime, m Model) Network {
	t.Helper()
	w, err := Load(r, m)
	if err != nil {
		t.Fatal(err)
	}
	return networkOf(t, w)
}

// networkOf opens a network that is closed, with its weights, when the test ends.
func networkOf(t testing.TB, w *Weights) Network {
	t.Helper()
	n, err := w.Network()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(n.Close(), w.Close()); err != nil {
			t.Error(err)
		}
	})
	return n
}

// TestGolden compares every network on every runtime with the TensorFlow Lite
// interpreter. The tolerance is 2e-4 of each output's largest value: float32
// sums over up to 1152 products in another order, through about 100 layers;
// measured 6e-5 at most.
func TestGolden(t *testing.T) {
	var golden struct {
		Cases []struct {
			Model, Output string
			Stride        int
			Values        []float64
		}
	}
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for _, r := range runtimes(t) {
		for m := Detector; m <= Heavy; m++ {
			n := open(t, r, m)
			pattern(n.Input(), m.Spec())
			if err := n.Run(); err != nil {
				t.Fatal(err)
			}
			seen := 0
			for _, c := range golden.Cases {
				if c.Model != m.String() {
					continue
				}
				for i, o := range m.Spec().Outputs {
					if o.Name != c.Output {
						continue
					}
					seen++
					got, scale, worst := n.Output(i), 1.0, 0.0
					for _, v := range c.Values {
						scale = math.Max(scale, math.Abs(v))
					}
					for k, v := range c.Values {
						worst = math.Max(worst, math.Abs(float64(got[k*c.Stride])-v))
					}
					if !(worst <= 2e-4*scale) {
						t.Errorf("%v %v %s: differs by %.3g, largest value %.3g", r, m, o.Name, worst, scale)
					}
					t.Logf("%v %v %s: %.2g of %.3g", r, m, o.Name, worst, scale)
				}
			}
			if seen != len(m.Spec().Outputs) {
				t.Errorf("%v: golden values for %d of %d outputs", m, seen, len(m.Spec().Outputs))
			}
		}
	}
}

// TestRunIsRepeatable: the same input gives the same bits.
func TestRunIsRepeatable(t *testing.T) {
	for _, r := range runtimes(t) {
		a, b := open(t, r, Lite), open(t, r, Lite)
		pattern(a.Input(), Lite.Spec())
		pattern(b.Input(), Lite.Spec())
		for range 2 {
			if err := errors.Join(a.Run(), b.Run()); err != nil {
				t.Fatal(err)
			}
			for i := range Lite.Spec().Outputs {
				x, y := a.Output(i), b.Output(i)
				for k := range x {
					if x[k] != y[k] {
						t.Fatalf("%v: output %d value %d: %v and %v", r, i, k, x[k], y[k])
					}
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	if m, err := ParseLandmarkModel("heavy"); err != nil || m != Heavy {
		t.Errorf("heavy: %v, %v", m, err)
	}
	for _, bad := range []string{"", "detector", "FULL", "huge"} {
		if _, err := ParseLandmarkModel(bad); err == nil || !strings.Contains(err.Error(), "lite, full or heavy") {
			t.Errorf("model %q: got %v", bad, err)
		}
	}
	if _, err := ParseRuntime("cuda"); err == nil || !strings.Contains(err.Error(), "auto, onnxruntime or opencv") {
		t.Errorf("runtime cuda: got %v", err)
	}
	for _, name := range []string{"onnxruntime", "opencv", "auto"} {
		r, err := ParseRuntime(name)
		if err != nil && !errors.Is(err, ErrNotBuilt) && !strings.Contains(err.Error(), "make deps") {
			t.Errorf("%s: error %v says neither what to build nor what to install", name, err)
		}
		if err == nil && name != "auto" && r.String() != name {
			t.Errorf("%s gives %v", name, r)
		}
	}
}

// TestDamagedNetwork: a cut file is an error that names it.
func TestDamagedNetwork(t *testing.T) {
	rs := runtimes(t)
	path, _ := assets.File("blazepose", models[Lite].file)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/blazepose", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/blazepose/"+models[Lite].file, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MITORI_DEPS", dir)
	if _, err := Load(rs[0], Lite); err == nil || !strings.Contains(err.Error(), models[Lite].file) {
		t.Errorf("cut network: got %v", err)
	}
	if _, err := Load(rs[0], Full); err == nil || !strings.Contains(err.Error(), "make deps") {
		t.Errorf("missing network: got %v", err)
	}
}

func BenchmarkRun(b *testing.B) {
	for _, r := range runtimes(b) {
		for m := Detector; m <= Heavy; m++ {
			b.Run(r.String()+"/"+m.String(), func(b *testing.B) {
				n := open(b, r, m)
				pattern(n.Input(), m.Spec())
				for b.Loop() {
					if err := n.Run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
