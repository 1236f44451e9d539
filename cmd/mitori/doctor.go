package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/policy/train/blas"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// finding is one line of the doctor's report.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

func newDoctorCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is there, what is missing, and the command that fixes it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			found := examine()
			missing := 0
			for _, f := range found {
				if !f.OK {
					missing++
				}
			}
			out := c.OutOrStdout()
			if asJSON {
				enc := json.NewEncoder(out)
				enc.SetIndent("", "  ")
				if err := enc.Encode(found); err != nil {
					return err
				}
			} else {
				for _, f := range found {
					mark := "ok     "
					if !f.OK {
						mark = "MISSING"
					}
					fmt.Fprintf(out, "%s  %-22s %s\n", mark, f.Name, f.Detail)
				}
			}
			if missing > 0 {
				return fmt.Errorf("%d of %d checks failed; run: make deps build", missing, len(found))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}

// examine looks at everything that the commands need. It changes nothing.
func examine() []finding {
	const build, deps = "make build", "make deps"
	tagged := func(name, version, tag string) finding {
		f := finding{Name: name, OK: version != "", Detail: version, Fix: build}
		if !f.OK {
			f.Detail = fmt.Sprintf("this program was built without the tag %q", tag)
		}
		return f
	}
	out := []finding{
		{Name: "processor", OK: true, Detail: fmt.Sprintf("%s, %d cores, %s", cpuName(), runtime.NumCPU(), runtime.GOARCH)},
		tagged("physics (MuJoCo)", mujoco.Version(), "mujoco"),
	}
	out = append(out, poseFindings()...)
	blasLine := finding{Name: "BLAS kernels", OK: blas.Built(), Detail: blas.CoreName(), Fix: build}
	if !blas.Built() {
		blasLine.Detail += "; training is several times slower; built without the tag \"openblas\""
	}
	if advice := blas.Advice(); advice != "" {
		blasLine.Detail += "; " + advice
	}
	out = append(out, blasLine)
	for _, net := range []string{"pose_detection", "pose_landmark_lite", "pose_landmark_full", "pose_landmark_heavy"} {
		out = append(out, fileFinding("network "+net, deps, "blazepose", net+".tflite"))
	}
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		path, err := exec.LookPath(program)
		f := finding{Name: program, OK: err == nil, Detail: path, Fix: deps}
		if err != nil {
			f.Detail = "not found in PATH; videos can be neither read nor written"
		}
		out = append(out, f)
	}
	return append(out, daemonFinding())
}

func fileFinding(name, fix string, elem ...string) finding {
	p, err := assets.File(elem...)
	f := finding{Name: name, OK: err == nil, Detail: p, Fix: fix}
	if err != nil {
		f.Detail = err.Error()
	}
	return f
}

func daemonFinding() finding {
	p, err := siblingProgram("robotd")
	f := finding{Name: "robotd", OK: err == nil, Detail: p, Fix: "make build"}
	if err != nil {
		f.Detail = err.Error()
	}
	return f
}

// siblingProgram finds another program of this project: beside this one, else
// in PATH.
func siblingProgram(name string) (string, error) {
	if exe, err := os.Executable(); err == nil {
		if p := filepath.Join(filepath.Dir(exe), name); isProgram(p) {
			return p, nil
		}
	}
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	return "", fmt.Errorf("%s is neither beside this program nor in PATH; run: make build", name)
}

func isProgram(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// cpuName returns the processor's name, or "unknown processor".
func cpuName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for _, line := range strings.Split(string(text), "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown processor"
}

// poseFindings tries both pose runtimes and says which one "auto" takes. One
// of the two is enough.
func poseFindings() []finding {
	auto, autoErr := posenet.ParseRuntime("auto")
	var out []finding
	for _, r := range []posenet.Runtime{posenet.ONNXRuntime, posenet.OpenCV} {
		_, err := posenet.ParseRuntime(r.String())
		f := finding{Name: "pose runtime " + r.String(), OK: err == nil || autoErr == nil, Detail: "usable", Fix: "make deps build"}
		switch {
		case err != nil:
			f.Detail = err.Error()
		case r == auto && autoErr == nil:
			f.Detail = "usable; chosen by --runtime auto"
		}
		out = append(out, f)
	}
	return out
}
