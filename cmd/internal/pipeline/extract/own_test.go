package extract

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/onnx"
)

// A network without depth is refused for one camera, with what is missing.
func TestFlatNetworksAreRefused(t *testing.T) {
	g := onnx.Graph{Name: "flat", Inputs: []onnx.ValueInfo{onnx.Value("image", onnx.Float32, 1, 3, 64, 48)},
		Outputs: []onnx.ValueInfo{onnx.Value("points", onnx.Float32, 1, 17, 3)}}
	m := onnx.Model{IRVersion: 8, Graph: g, Opsets: []onnx.Opset{{Version: 13}}}
	text := `schema: 1
name: flat
network: flat.onnx
input: {name: image, width: 48, height: 64, order: rgb, mean: [0, 0, 0], std: [1, 1, 1]}
points: {name: points, unit: pixel}
keypoints: {nose: 0, left shoulder: 5, right shoulder: 6, left elbow: 7, right elbow: 8, left wrist: 9, right wrist: 10,
  left hip: 11, right hip: 12, left knee: 13, right knee: 14, left ankle: 15, right ankle: 16}
`
	dir := t.TempDir()
	path := filepath.Join(dir, "flat.yaml")
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.WriteFile(filepath.Join(dir, "flat.onnx"), m.Marshal(), 0o600)); err != nil {
		t.Fatal(err)
	}
	c := Choices{Model: "full", Runtime: "auto", Person: "best", ModelFile: path}
	_, err := c.Options("x.mp4")
	if fault.Code(err) != fault.ExitRefused || !strings.Contains(err.Error(), "world:") {
		t.Errorf("code %d: %v", fault.Code(err), err)
	}
	c.ModelFile = path + ".none"
	if _, err := c.Options("x.mp4"); fault.Code(err) != fault.ExitFailed {
		t.Errorf("a description that is not there: code %d, %v", fault.Code(err), err)
	}
}
