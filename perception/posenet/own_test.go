package posenet

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/onnx"
)

const ownW, ownH = 96, 128

// brightest is a network that finds a bright place: key point k has for bins the largest
// value of the red plane in each column and row, as simcc networks answer; every key
// point is the same. The points and places in space are constants.
func brightest(keypoints int64) *onnx.Model {
	reduce := func(name, in, out string, axes ...int64) onnx.Node {
		return onnx.Node{OpType: "ReduceMax", Name: name, Inputs: []string{in}, Outputs: []string{out},
			Attributes: []onnx.Attribute{onnx.Ints("axes", axes...), onnx.Int("keepdims", 0)}}
	}
	g := onnx.Graph{Name: "brightest", Inputs: []onnx.ValueInfo{onnx.Value("image", onnx.Float32, 1, 3, ownH, ownW)}}
	points, world := make([]float32, 3*keypoints), make([]float32, 3*keypoints)
	for k := range points {
		points[k], world[k] = float32(k)/float32(len(points)), 100*float32(k)
	}
	g.Initialisers = []onnx.Tensor{
		onnx.Int64Tensor("begin", []int64{1}, []int64{0}), onnx.Int64Tensor("end", []int64{1}, []int64{1}), onnx.Int64Tensor("axis", []int64{1}, []int64{1}),
		onnx.Int64Tensor("many", []int64{3}, []int64{1, keypoints, 1}),
		onnx.FloatTensor("points_value", []int64{1, keypoints, 3}, points), onnx.FloatTensor("world_value", []int64{1, keypoints, 3}, world),
	}
	g.Nodes = []onnx.Node{
		{OpType: "Slice", Name: "red", Inputs: []string{"image", "begin", "end", "axis"}, Outputs: []string{"red"}},
		reduce("rx", "red", "one_x", 2), reduce("ry", "red", "one_y", 3),
		{OpType: "Tile", Name: "tx", Inputs: []string{"one_x", "many"}, Outputs: []string{"simcc_x"}},
		{OpType: "Tile", Name: "ty", Inputs: []string{"one_y", "many"}, Outputs: []string{"simcc_y"}},
		{OpType: "Identity", Name: "ip", Inputs: []string{"points_value"}, Outputs: []string{"points"}},
		{OpType: "Identity", Name: "iw", Inputs: []string{"world_value"}, Outputs: []string{"world"}},
	}
	g.Outputs = []onnx.ValueInfo{onnx.Value("simcc_x", onnx.Float32, 1, keypoints, ownW), onnx.Value("simcc_y", onnx.Float32, 1, keypoints, ownH),
		onnx.Value("points", onnx.Float32, 1, keypoints, 3), onnx.Value("world", onnx.Float32, 1, keypoints, 3)}
	return &onnx.Model{IRVersion: 8, ProducerName: "test", Graph: g, Opsets: []onnx.Opset{{Version: 13}}}
}

// describe writes a network of COCO's 17 key points and its description; edit changes
// the text.
func describe(t *testing.T, kind string, edit func(string) string) string {
	t.Helper()
	dir := t.TempDir()
	text := "schema: 1\nname: brightest\nnetwork: b.onnx\n" +
		fmt.Sprintf("input: {name: image, width: %d, height: %d, order: rgb, mean: [0, 0, 0], std: [255, 255, 255]}\n", ownW, ownH) + kind +
		"world: {name: world, unit: mm}\nkeypoints: {nose: 0, left ear: 3, right ear: 4, left shoulder: 5, right shoulder: 6, left elbow: 7, right elbow: 8,\n" +
		"  left wrist: 9, right wrist: 10, left hip: 11, right hip: 12, left knee: 13, right knee: 14, left ankle: 15, right ankle: 16}\n"
	if edit != nil {
		text = edit(text)
	}
	path := filepath.Join(dir, "b.yaml")
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.WriteFile(filepath.Join(dir, "b.onnx"), brightest(17).Marshal(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	asSimCC  = "simcc: {x: simcc_x, y: simcc_y, split: 1}\n"
	asPoints = "points: {name: points, unit: share}\n"
)

func ownNet(t *testing.T, path string) Network {
	t.Helper()
	o, err := ReadOwn(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := LoadOwn(ONNXRuntime, o)
	if err != nil {
		t.Skip(err)
	}
	return networkOf(t, w)
}

// A bright place of the picture is found where it is, though the network sees a smaller
// and narrower one.
func TestOwnSimCCFindsThePlace(t *testing.T) {
	n := ownNet(t, describe(t, asSimCC, nil))
	for _, at := range [][2]int{{128, 128}, {60, 201}, {180, 40}} {
		clear(n.Input())
		for y := range 256 {
			for x := range 256 {
				d := math.Hypot(float64(x-at[0]), float64(y-at[1]))
				n.Input()[y*256+x] = float32(math.Exp(-d * d / 200))
			}
		}
		if err := n.Run(); err != nil {
			t.Fatal(err)
		}
		p := n.Output(LandmarkPoints)[5*landmark.LWrist:]
		if math.Hypot(float64(p[0])-float64(at[0]), float64(p[1])-float64(at[1])) > 2 {
			t.Errorf("found at %v, it is at %v", p[:2], at)
		}
		toe, ankle := n.Output(LandmarkPoints)[5*landmark.LToe:], n.Output(LandmarkPoints)[5*landmark.LAnkle:]
		if toe[0] != ankle[0] || toe[3] > -5 || ankle[3] < 2 {
			t.Errorf("a toe that it does not have: %v, its ankle: %v", toe[:5], ankle[:5])
		}
		if n.Output(LandmarkPresence)[0] < 0.8 {
			t.Errorf("presence %g", n.Output(LandmarkPresence)[0])
		}
	}
}

// Numbers go where the description says, and space has its origin between the hips.
func TestOwnPoints(t *testing.T) {
	n := ownNet(t, describe(t, asPoints, nil))
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
	const k = 9.0 // left wrist
	p, w := n.Output(LandmarkPoints)[5*landmark.LWrist:], n.Output(LandmarkWorld)
	// 96 x 128 shows the middle three quarters of the square, at half the size.
	wantX, wantY := 32+2*ownW*3*k/51, 2*ownH*(3*k+1)/51
	if math.Abs(float64(p[0])-wantX) > 1e-3 || math.Abs(float64(p[1])-wantY) > 1e-3 {
		t.Errorf("left wrist at %v, want %g %g", p[:2], wantX, wantY)
	}
	score := 1 / (1 + math.Exp(-float64(p[3])))
	if want := (3*k + 2) / 51; math.Abs(score-want) > 1e-3 {
		t.Errorf("score %g, want %g", score, want)
	}
	for c := range 3 {
		if got, want := w[3*landmark.LWrist+c], 0.3*(k-11.5); math.Abs(float64(got)-want) > 1e-4 {
			t.Errorf("left wrist in space: %g, want %g", got, want)
		}
	}
}

// Every fault is told with what is legal, and none runs.
func TestOwnRefusals(t *testing.T) {
	swap := func(a, b string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, a) {
				t.Fatalf("%q is not in the description", a)
			}
			return strings.Replace(s, a, b, 1)
		}
	}
	for _, c := range []struct {
		edit func(string) string
		says string
	}{
		{swap("schema: 1", "schema: 2"), "legal: 1"},
		{swap("network: b.onnx", "network: ../b.onnx"), "beside this one"},
		{swap("order: rgb", "order: gray"), "rgb, bgr"},
		{swap("std: [255, 255, 255]", "std: [255, 0, 255]"), "std above 0"},
		{swap("name: image", "name: picture"), `no input "picture"; it has: image`},
		{swap("width: 96", "width: 192"), "shape"},
		{swap("y: simcc_y", "y: simcc_z"), `no output "simcc_z"`},
		{swap(asSimCC, ""), "one of the two"},
		{swap(asSimCC, asSimCC+asPoints), "one of the two"},
		{swap("unit: mm", "unit: feet"), "m or mm"},
		{swap("left wrist: 9, ", ""), "missing: left wrist"},
		{swap("left wrist: 9", "left claw: 9"), "left claw"},
		{swap("schema: 1", "schema: 1\nanswer: 42"), "answer"},
	} {
		o, err := ReadOwn(describe(t, asSimCC, c.edit))
		if !errors.Is(err, infile.ErrUnusable) || o != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %q: %v", c.says, err)
		}
	}
	o, err := ReadOwn(describe(t, asSimCC, swap("world: {name: world, unit: mm}\n", "")))
	if err != nil || !o.Flat() {
		t.Errorf("without places in space: %v", err)
	}
	if _, err := LoadOwn(OpenCV, o); err == nil || !strings.Contains(err.Error(), "legal: onnxruntime") {
		t.Errorf("on OpenCV: %v", err)
	}
	if err := os.WriteFile(o.Path, []byte("no network"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadOwn(strings.TrimSuffix(o.Path, ".onnx") + ".yaml"); !errors.Is(err, infile.ErrUnusable) {
		t.Errorf("a damaged network: %v", err)
	}
	// A key point that the network does not have is only seen when it runs.
	n := ownNet(t, describe(t, asSimCC, swap("left wrist: 9", "left wrist: 17")))
	if err := n.Run(); err == nil || !strings.Contains(err.Error(), "17 key points") {
		t.Errorf("number 17 of 17: %v", err)
	}
}
