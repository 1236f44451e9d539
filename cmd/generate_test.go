package cmd_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What is generated is what the generator makes of its source. It needs protoc, which nothing else here does:
// without it the test is skipped.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the generator")
	}
	for folder, sources := range map[string][]string{
		"models/onnx/internal/pb":            {"onnx.proto"},
		"actuators/recorder/internal/schema": {"foxglove.proto", "tick.proto"},
	} {
		out := t.TempDir()
		for _, s := range append([]string{".ci/protoc"}, in(folder, sources)...) {
			if _, err := os.ReadFile(filepath.Join("..", s)); err != nil { // the test's cache sees what the test reads
				t.Fatal(err)
			}
		}
		c := exec.Command(".ci/protoc", append([]string{folder}, sources...)...)
		c.Dir = ".."
		c.Env = append(os.Environ(), "OUT="+out)
		if text, err := c.CombinedOutput(); err != nil {
			var ee *exec.ExitError
			if errors.As(err, &ee) && ee.ExitCode() == 3 {
				t.Skipf("%s", bytes.TrimSpace(text))
			}
			t.Fatalf("%v: %s", err, text)
		}
		for _, s := range sources {
			name := s[:len(s)-len("proto")] + "pb.go"
			want, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join("..", folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s/%s is not what %s gives; run go generate ./%s", folder, name, s, folder)
			}
		}
	}
}

func in(folder string, names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, filepath.Join(folder, n))
	}
	return out
}
