package robot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

func TestGoodConfigs(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.good.yaml")
	files = append(files, "../../../packaging/robotd.yaml")
	if len(files) < 2 {
		t.Fatalf("%d files", len(files))
	}
	for _, f := range files {
		c := Config{}
		if err := c.Load(f); err != nil {
			t.Error(err)
		}
		if c.Robot != "kata20" {
			t.Errorf("%s: robot %q", f, c.Robot)
		}
	}
}

// Each bad file says in "# want:" lines what the error must contain.
func TestBadConfigs(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.bad.yaml")
	if len(files) < 4 {
		t.Fatalf("%d files", len(files))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c := Config{}
		err = c.Load(f)
		if err == nil {
			t.Errorf("%s: accepted", f)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: a secret or a control character is printed: %q", f, err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			want, ok := strings.CutPrefix(line, "# want: ")
			if ok && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %q:\n%v", f, want, err)
			}
		}
	}
}

func TestFlagsOverlayTheFile(t *testing.T) {
	c := Config{Robot: "a", Port: "p", RateHz: 100, Arm: true}
	given := map[string]bool{"robot": true, "arm": true}
	c.Overlay(&Config{Robot: "b", Port: "q", RateHz: 50}, func(f string) bool { return given[f] })
	if c.Robot != "b" || c.Port != "p" || c.RateHz != 100 || c.Arm {
		t.Errorf("%+v", c)
	}
}

// What is chosen reaches the loop and the record; what does not suit the robot is told with its line.
func TestFailsafesOfTheFile(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{"robot: kata20\nfailsafes:\n  tilt_rad: 0.8\n  bus_watchdog_s: 0.3\n", ""},
		{"robot: kata20\nfailsafes:\n  ramp_s: 2\n\n  tilt_rad: 0.45\n", "line 5: failsafes.tilt_rad: tilt_rad is 0.45 rad and arm_tilt_rad is 0.5 rad"},
	} {
		o := Options{Sim: true, Strict: true}
		if err := o.parse([]byte(c.text)); err != nil {
			t.Fatal(err)
		}
		r, _, err := loaded(t, o)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || fault.Code(err) != fault.ExitUsage {
				t.Errorf("%v, exit %d", err, fault.Code(err))
			}
			continue
		}
		if err != nil || r.cfg.Thresholds.TiltRad != 0.8 || r.stats.Failsafes["tilt_rad"] != 0.8 || r.stats.Failsafes["bus_watchdog_s"] != 0.3 {
			t.Errorf("%v, %+v, told %v", err, r.cfg.Thresholds, r.stats.Failsafes)
		}
	}
}
