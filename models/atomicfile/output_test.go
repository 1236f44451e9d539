package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lstat fails the test unless name is there, not followed.
func lstat(t *testing.T, name string) fs.FileInfo {
	t.Helper()
	st, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A device node stays what it is: as root, replacing /dev/null breaks the machine.
// The test makes nodes of its own and never names the real ones.
func TestDevicesAreWrittenThrough(t *testing.T) {
	dir := t.TempDir()
	null, full := filepath.Join(dir, "null"), filepath.Join(dir, "full")
	if err := errors.Join(syscall.Mknod(null, syscall.S_IFCHR|0o666, 1<<8|3), syscall.Mknod(full, syscall.S_IFCHR|0o666, 1<<8|7)); err != nil {
		t.Skipf("only root makes device nodes: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("null", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{null, link} {
		if err := WriteBytes(name, []byte("gone")); err != nil && !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := WriteBytes(full, []byte("x")); !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a full device: %v", err)
	}
	if _, err := Create(null); err == nil || !strings.Contains(err.Error(), "device") {
		t.Errorf("a device for a writer that needs a file: %v", err)
	}
	for _, name := range []string{null, full} {
		if m := lstat(t, name).Mode(); m&fs.ModeCharDevice == 0 {
			t.Errorf("%s became %v", name, m)
		}
	}
	if lstat(t, link).Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
}

func TestFIFOsAreWrittenThrough(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	if err := WriteBytes(name, []byte("x")); err == nil || !strings.Contains(err.Error(), "nobody reads") {
		t.Errorf("without a reader: %v", err)
	}
	r, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := WriteBytes(name, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != "hello" {
		t.Errorf("the reader got %q, %v", got, err)
	}
	if lstat(t, name).Mode()&fs.ModeNamedPipe == 0 {
		t.Error("the FIFO was replaced")
	}
}

// A program's standard output can be named: a pipe is written through.
func TestOpenPipesCanBeNamed(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := filepath.Join("/proc/self/fd", itoa(w.Fd()))
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	if err := WriteBytes(name, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func itoa(n uintptr) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestLinksAreFollowed(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(sub, "target")
	for _, l := range [][2]string{{"sub/target", "relative"}, {target, "absolute"}, {"relative", "second"}, {"sub/made", "dangling"}, {"loop", "loop"}, {"sub", "folder"}} {
		if err := os.Symlink(l[0], filepath.Join(dir, l[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(target) // held open, so that no later file can have its inode
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for name, to := range map[string]string{"relative": "target", "absolute": "target", "second": "target", "dangling": "made"} {
		link := filepath.Join(dir, name)
		if err := WriteBytes(link, []byte(name)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if lstat(t, link).Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is a link no more", name)
		}
		if got := content(t, filepath.Join(sub, to)); got != name {
			t.Errorf("%s: the target holds %q", name, got)
		}
	}
	if held, err := io.ReadAll(old); err != nil || string(held) != "old" {
		t.Errorf("the target was written to in place: %q (%v)", held, err)
	}
	if err := WriteBytes(filepath.Join(dir, "loop"), nil); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a loop of links: %v", err)
	}
	if err := WriteBytes(filepath.Join(dir, "folder"), nil); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a link to a folder: %v", err)
	}
}

func TestOthersAreRefused(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	for name, word := range map[string]string{dir: "folder", socket: "neither"} {
		if err := WriteBytes(name, []byte("x")); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if lstat(t, socket).Mode()&fs.ModeSocket == 0 {
		t.Error("the socket was replaced")
	}
}

func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	for _, mask := range []int{0o077, 0o022, 0o002, 0} {
		name := filepath.Join(dir, "new", itoa(uintptr(mask)), "a")
		old := syscall.Umask(mask)
		err := WriteBytes(name, []byte("x"))
		f, createErr := Create(name + "2")
		if createErr == nil {
			createErr = f.Commit()
		}
		syscall.Umask(old)
		if err := errors.Join(err, createErr); err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{name, name + "2"} {
			if got, want := lstat(t, n).Mode().Perm(), fs.FileMode(0o666&^mask); got != want {
				t.Errorf("umask %03o: a new file has %03o, want %03o", mask, got, want)
			}
		}
	}
	name := filepath.Join(dir, "kept")
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o664, 0o755, 0o444} {
		if err := errors.Join(os.RemoveAll(name), os.WriteFile(name, nil, 0o600), os.Chmod(name, mode)); err != nil {
			t.Fatal(err)
		}
		err := Write(name, func(w io.Writer) error {
			left, _ := filepath.Glob(filepath.Join(dir, ".kept.*.part"))
			if len(left) != 1 || lstat(t, left[0]).Mode().Perm()&^(mode|0o200) != 0 {
				t.Errorf("mode %03o: while it is written: %v", mode, left)
			}
			return nil
		})
		if got := lstat(t, name).Mode().Perm(); err != nil || got != mode {
			t.Errorf("a file of mode %03o was replaced by one of %03o (%v)", mode, got, err)
		}
	}
}

// What a killed program left is removed by the next write into that folder; what is
// somebody else's is not.
func TestLeftoversAreSwept(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-time.Hour)
	put := func(name string, at time.Time) string {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(name, []byte("x"), 0o600), os.Chtimes(name, at, at)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	dead := put(".film.mp4.0123456789abcdef.part", long)
	young := put(".film.mp4.0123456789abcdee.part", time.Now())
	users := []string{put(".notes.part", long), put("film.mp4.0123456789abcdef.part", long), put(".a.12.part", long)}
	f, err := Create(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	if err := os.Chtimes(f.Path(), long, long); err != nil {
		t.Fatal(err)
	}
	if err := WriteBytes(filepath.Join(dir, "a"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the leftover stays")
	}
	for _, name := range append(users, young, f.Path()) {
		lstat(t, name)
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
}

func TestLongNames(t *testing.T) {
	name := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	if err := WriteBytes(name, []byte("x")); err != nil || content(t, name) != "x" {
		t.Error(err)
	}
}
