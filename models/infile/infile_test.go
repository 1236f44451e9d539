package infile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whatever is no file is refused at once: a FIFO that nobody writes to would hang
// a plain read for ever, and /dev/zero would never end.
func TestOnlyFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	fifo, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "socket")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{dir: "folder", fifo: "FIFO", link: "FIFO", socket: "socket", "/dev/zero": "device"} {
		data, err := Read(name, 1<<20)
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), kind) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %d bytes, %v; want a refusal that says %q", name, len(data), err, kind)
		}
	}
	_, err = Read(filepath.Join(dir, "none"), 1)
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrUnusable) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestSizeIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a")
	for _, size := range []int{0, 1, 1000} {
		want := strings.Repeat("x", size)
		if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(name, int64(size)); err != nil || string(got) != want {
			t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
		}
		if _, err := Read(name, int64(size-1)); !errors.Is(err, ErrUnusable) {
			t.Errorf("%d bytes with one less allowed: %v", size, err)
		}
	}
	// Sparse, so that the test costs nothing: refused before it is read.
	if err := os.Truncate(name, 1<<40); err != nil {
		t.Skip(err)
	}
	if _, err := Read(name, 1<<20); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "1048576") {
		t.Errorf("a terabyte: %v", err)
	}
	// The kernel gives such files no size; what is in them counts all the same.
	if _, err := Read("/proc/self/status", 10); err == nil {
		t.Error("more than the limit was read from a file without a size")
	}
}
