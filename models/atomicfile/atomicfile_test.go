package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "sub", "a.bin")
	boom := errors.New("boom")
	err := Write(name, func(w io.Writer) error { _, err := w.Write([]byte("half")); return errors.Join(err, boom) })
	if !errors.Is(err, boom) {
		t.Fatalf("error %v does not wrap the cause", err)
	}
	left, _ := os.ReadDir(filepath.Join(dir, "sub"))
	if len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestFailedWriteKeepsTheOldFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.bin")
	if err := WriteBytes(name, []byte("old")); err != nil {
		t.Fatal(err)
	}
	_ = Write(name, func(w io.Writer) error { _, err := w.Write([]byte("new")); return errors.Join(err, errors.New("no")) })
	if got, _ := os.ReadFile(name); string(got) != "old" {
		t.Fatalf("file now holds %q", got)
	}
	if err := WriteBytes(name, []byte("newer")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(name); string(got) != "newer" {
		t.Fatalf("file now holds %q", got)
	}
}

// Whoever reads the name sees the old content or the new, never a mixture: the
// new file takes the name over, and the old one stays what it was.
func TestTheOldFileIsReplacedNotRewritten(t *testing.T) {
	dir := t.TempDir()
	name, kept := filepath.Join(dir, "a.bin"), filepath.Join(dir, "kept.bin")
	if err := WriteBytes(name, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(name, kept); err != nil {
		t.Skipf("no hard links here: %v", err)
	}
	content := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	err := Write(name, func(w io.Writer) error {
		for range 3 {
			if _, err := w.Write([]byte("new")); err != nil {
				return err
			}
			if got := content(name); got != "old" {
				t.Errorf("half way, the name holds %q", got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := content(name); got != "newnewnew" {
		t.Errorf("the name holds %q", got)
	}
	if got := content(kept); got != "old" {
		t.Errorf("the old file was written to: %q", got)
	}
	st, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if p := st.Mode().Perm(); p != 0o644 {
		t.Errorf("permissions %o, want 644: others may read what is published", p)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d files left, want 2 (%v)", len(left), err)
	}
}
