//go:build onnxruntime && cgo

package main

import (
	"archive/zip"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/obs"
)

// foreignRuntime loads ONNX Runtime, or skips the test where it is not unpacked.
func foreignRuntime(t *testing.T) {
	t.Helper()
	if ort.IsInitialized() {
		return
	}
	lib, err := assets.File("onnxruntime", "lib", "libonnxruntime.so.1.31.1")
	if err != nil {
		t.Skipf("no ONNX Runtime to compare with: %v", err)
	}
	ort.SetSharedLibraryPath(lib)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		t.Fatalf("%s: %v", lib, err)
	}
}

// randomNet has the shape of a trained policy for the robot, with observations
// that never varied in training (InvStd 0) and layers that fill no whole block.
func randomNet(t *testing.T, spec obs.Spec) *infer.Net {
	t.Helper()
	rng := rand.New(rand.NewPCG(20, 26))
	draw := func(n int, mean, sigma float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(mean + sigma*rng.NormFloat64())
		}
		return v
	}
	in, out := spec.Dim(), spec.Joints()
	norm := infer.Normalizer{Mean: draw(in, 0, 0.5), InvStd: draw(in, 4, 1), Clip: 5}
	norm.InvStd[3], norm.InvStd[in-1] = 0, 0
	dense := func(in, out int, tanh bool) infer.Layer {
		return infer.Layer{In: in, Out: out, W: draw(in*out, 0, 1/math.Sqrt(float64(in))), B: draw(out, 0, 0.2), Tanh: tanh}
	}
	net, err := infer.New(norm, []infer.Layer{dense(in, 96, true), dense(96, 41, true), dense(41, out, false)})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// member reads one file of a bundle as any zip program does.
func member(t *testing.T, name, file string) []byte {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// runForeign evaluates count observations with ONNX Runtime.
func runForeign(t *testing.T, model []byte, x []float32, count, out int) []float32 {
	t.Helper()
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(model, []string{"observation"}, []string{"action"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Destroy()
	a, err := ort.NewTensor(ort.NewShape(int64(count), int64(len(x)/count)), x)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Destroy()
	b, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(count), int64(out)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Destroy()
	if err := s.Run([]ort.Value{a}, []ort.Value{b}); err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), b.GetData()...)
}

// farthest is the largest difference, relative where the value is above 1.
func farthest(t *testing.T, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	worst := 0.0
	for i, v := range want {
		if d := math.Abs(float64(got[i])-float64(v)) / math.Max(1, math.Abs(float64(v))); !(d <= worst) {
			worst = d
		}
	}
	return worst
}

// The network inside a bundle computes the same in a program that knows nothing
// of mitori, on the golden pairs and far outside of what training saw.
func TestPolicyRunsInAForeignRuntime(t *testing.T) {
	foreignRuntime(t)
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	spec := obs.DefaultSpec(d)
	net := randomNet(t, spec)
	name := standingBundle(t, func(b *bundle.Bundle) { b.Net = net })
	model := member(t, name, "policy.onnx")
	in, out := net.In(), net.Out()

	ins, outs, err := ort.GetInputOutputInfoWithONNXData(model)
	if err != nil {
		t.Fatal(err)
	}
	if len(ins) != 1 || ins[0].Name != "observation" || !ins[0].Dimensions.Equals(ort.NewShape(-1, int64(in))) ||
		len(outs) != 1 || outs[0].Name != "action" || !outs[0].Dimensions.Equals(ort.NewShape(-1, int64(out))) {
		t.Errorf("the graph maps %v to %v", ins, outs)
	}

	// What bundle.Load allows between machines: order of summation and width of vectors.
	const tolerance = 1e-4
	golden, err := npz.Read(member(t, name, "golden.npz"))
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := golden.Get("observation", -1, in)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := golden.Get("action", pairs.Shape[0], out)
	if err != nil {
		t.Fatal(err)
	}
	narrow := func(v []float64) []float32 {
		n := make([]float32, len(v))
		for i := range v {
			n[i] = float32(v[i])
		}
		return n
	}
	if worst := farthest(t, runForeign(t, model, narrow(pairs.Data), pairs.Shape[0], out), narrow(answers.Data)); worst > tolerance {
		t.Errorf("golden pairs: ONNX Runtime is off by %.2g", worst)
	}

	rng := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{1, 3, 64} { // the batch is free
		x, want := make([]float32, count*in), make([]float32, count*out)
		for i := range x {
			x[i] = float32(rng.NormFloat64() * math.Pow(10, 4*rng.Float64()-2)) // most of them beyond the clip
		}
		net.NewRunner(count).Forward(want, x, count)
		if worst := farthest(t, runForeign(t, model, x, count, out), want); worst > tolerance {
			t.Errorf("%d observations: ONNX Runtime is off by %.2g", count, worst)
		}
	}
}
