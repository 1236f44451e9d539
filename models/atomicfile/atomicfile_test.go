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
