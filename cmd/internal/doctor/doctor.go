// Package doctor says what of all that mitori needs is there, what is missing, and the
// command that fixes it; and what machine this is.
//
// It looks and changes nothing. What is not here: installing anything (make deps).
package doctor

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/sibling"
	"github.com/mitori-robotics/mitori/models/assets"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/policy/train/blas"
	"github.com/mitori-robotics/mitori/sim/mujoco"
)

// Finding is one line of the doctor's report.
type Finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// Examine looks at everything that the commands need. It changes nothing.
func Examine() []Finding {
	const build, deps = "make build", "make deps"
	tagged := func(name, version, tag string) Finding {
		f := Finding{Name: name, OK: version != "", Detail: version, Fix: build}
		if !f.OK {
			f.Detail = fmt.Sprintf("this program was built without the tag %q", tag)
		}
		return f
	}
	out := []Finding{
		{Name: "processor", OK: true, Detail: fmt.Sprintf("%s, %d cores, %s", cpuName(), runtime.NumCPU(), runtime.GOARCH)},
		tagged("physics (MuJoCo)", mujoco.Version(), "mujoco"),
	}
	out = append(out, poseFindings()...)
	blasLine := Finding{Name: "BLAS kernels", OK: blas.Built(), Detail: blas.CoreName(), Fix: build}
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
		f := Finding{Name: program, OK: err == nil, Detail: path, Fix: deps}
		if err != nil {
			f.Detail = "not found in PATH; videos can be neither read nor written"
		}
		out = append(out, f)
	}
	return append(out, daemonFinding())
}

func fileFinding(name, fix string, elem ...string) Finding {
	p, err := assets.File(elem...)
	f := Finding{Name: name, OK: err == nil, Detail: p, Fix: fix}
	if err != nil {
		f.Detail = err.Error()
	}
	return f
}

func daemonFinding() Finding {
	p, err := sibling.Find("robotd")
	f := Finding{Name: "robotd", OK: err == nil, Detail: p, Fix: "make build"}
	if err != nil {
		f.Detail = err.Error()
	}
	return f
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
func poseFindings() []Finding {
	auto, autoErr := posenet.ParseRuntime("auto")
	var out []Finding
	for _, r := range []posenet.Runtime{posenet.ONNXRuntime, posenet.OpenCV} {
		_, err := posenet.ParseRuntime(r.String())
		f := Finding{Name: "pose runtime " + r.String(), OK: err == nil || autoErr == nil, Detail: "usable", Fix: "make deps build"}
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

// Machine describes where the figures of a report come from.
func Machine() record.Machine {
	return record.Machine{
		Cores: runtime.NumCPU(), CPU: cpuName(), OS: osName(), BLASCore: blas.CoreName(),
		Versions: map[string]string{"go": runtime.Version(), "mujoco": mujoco.Version(), "gorgonia": "0.9.18"},
	}
}

// osName returns the distribution's name, or the kernel's kind.
func osName() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return runtime.GOOS
	}
	for _, line := range strings.Split(string(text), "\n") {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(v, `"`)
		}
	}
	return runtime.GOOS
}

// Missing counts what is not there.
func Missing(found []Finding) (n int) {
	for _, f := range found {
		if !f.OK {
			n++
		}
	}
	return n
}
