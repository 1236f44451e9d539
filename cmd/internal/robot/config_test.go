package robot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGoodConfigs(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.good.yaml")
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
