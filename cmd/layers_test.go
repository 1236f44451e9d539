// Package cmd_test proves the house rules on the import graph that the Go tool
// reports, so that a rule cannot be broken by accident.
package cmd_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/mitori-robotics/mitori/"

// mayImport lists, for each top folder, the top folders its packages may import.
var mayImport = map[string][]string{
	"models":          {"models"},
	"firmware-bridge": {"models", "firmware-bridge"},
	"perception":      {"models", "perception"},
	"policy":          {"models", "policy"},
	"actuators":       {"models", "actuators", "firmware-bridge"},
	"sim":             {"models", "perception", "policy", "actuators", "firmware-bridge", "sim"},
	"cmd":             {"models", "perception", "policy", "actuators", "firmware-bridge", "sim", "cmd"},
}

// onlyIn lists third-party modules and the only packages that may import them.
var onlyIn = map[string][]string{
	"gorgonia.org/":                   {"policy/train/network"},
	"gonum.org/v1/":                   {"policy/train", "sim/expert"}, // linear algebra
	"gocv.io/":                        {"perception/video", "perception/posenet", "perception/board"},
	"github.com/yalue/onnxruntime_go": {"perception/posenet"},
	"go.bug.st/serial":                {"firmware-bridge/serialport"},
	"github.com/eclipse/paho":         {"firmware-bridge/mqttlink"},
	"github.com/nats-io/":             {"firmware-bridge/mqttlink"},
	"github.com/warthog618/":          {"firmware-bridge/gpioline"},
	"github.com/foxglove/mcap":        {"actuators/recorder"},
	"github.com/spf13/cobra":          {"cmd/"},
	"gopkg.in/yaml":                   {"models/strictyaml"},
	"google.golang.org/protobuf":      {"models/onnx", "actuators/recorder"},
}

// cgoLeaves are the only packages that may import C.
var cgoLeaves = []string{"perception/video", "perception/posenet", "sim/mujoco", "sim/render", "policy/train/blas"}

type pkg struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
	Standard   bool
}

func list(t *testing.T, env []string, args ...string) []pkg {
	t.Helper()
	c := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,CgoFiles,Standard"}, args...)...)
	c.Dir = ".."
	c.Env = append(os.Environ(), env...)
	out, err := c.Output()
	if err != nil {
		var ee *exec.ExitError
		if errors.As(err, &ee) {
			t.Fatalf("go list: %s", ee.Stderr)
		}
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func top(path string) string {
	path, _, _ = strings.Cut(path, "/")
	return path
}

func under(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") {
			return true
		}
	}
	return false
}

// faults returns every import that breaks a rule.
func faults(pkgs []pkg) []string {
	var bad []string
	for _, p := range pkgs {
		rel, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		if len(p.CgoFiles) > 0 && !under(rel, cgoLeaves) {
			bad = append(bad, rel+" imports C")
		}
		for _, imp := range p.Imports {
			if to, ours := strings.CutPrefix(imp, module); ours {
				if !under(to, mayImport[top(rel)]) {
					bad = append(bad, rel+" imports "+to)
				}
				continue
			}
			for third, places := range onlyIn {
				if strings.HasPrefix(imp, third) && !under(rel, places) {
					bad = append(bad, rel+" imports "+imp)
				}
			}
		}
	}
	return bad
}

func TestLayers(t *testing.T) {
	for _, tags := range []string{"", "opencv mujoco openblas onnxruntime"} {
		pkgs := list(t, nil, "-tags", tags, "./...")
		if len(pkgs) < 20 {
			t.Fatalf("only %d packages found", len(pkgs))
		}
		for _, f := range faults(pkgs) {
			t.Errorf("tags %q: %s", tags, f)
		}
	}
}

// The rule check itself must be able to fail.
func TestLayerRulesCatchViolations(t *testing.T) {
	for _, p := range []pkg{
		{ImportPath: module + "models/x", Imports: []string{module + "policy/y"}},
		{ImportPath: module + "policy/x", Imports: []string{module + "sim/y"}},
		{ImportPath: module + "actuators/x", Imports: []string{module + "policy/y"}},
		{ImportPath: module + "sim/x", Imports: []string{module + "cmd/y"}},
		{ImportPath: module + "policy/infer", Imports: []string{"gorgonia.org/tensor"}},
		{ImportPath: module + "cmd/robotd", CgoFiles: []string{"a.go"}},
	} {
		if len(faults([]pkg{p})) != 1 {
			t.Errorf("%+v is not caught", p)
		}
	}
}

// The stages and the path serve commands, servers and workers alike: no command line, no terminal.
func TestThePathNeedsNoCommandLine(t *testing.T) {
	for _, p := range list(t, nil, "-deps", "./cmd/internal/learn", "./cmd/internal/pipeline/...") {
		for _, word := range []string{"spf13", "x/term", "cmd/internal/cli", "cmd/internal/show"} {
			if strings.Contains(p.ImportPath, word) {
				t.Errorf("the path depends on %s", p.ImportPath)
			}
		}
	}
}

// robotd runs on the robot: pure Go, no learning, no vision, no physics.
func TestRobotdIsPureGo(t *testing.T) {
	for _, p := range list(t, []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64"}, "-deps", "./cmd/robotd") {
		for _, word := range []string{"gorgonia", "gocv", "netlib", "onnxruntime", "/sim/mujoco", "/sim/render", "/policy/train"} {
			if strings.Contains(p.ImportPath, word) {
				t.Errorf("robotd depends on %s", p.ImportPath)
			}
		}
	}
}
