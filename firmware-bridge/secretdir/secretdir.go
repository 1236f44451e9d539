// Package secretdir makes a folder for the secrets of one run: below a folder that
// belongs to us and is closed to everybody else, held by a lock for as long as the
// process lives, so that the next run can tell what a killed one left behind.
//
// Not here: what the secrets are. A [Dir] belongs to one goroutine; any number of
// processes may make theirs at once.
package secretdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Dir is the folder of one run.
type Dir struct {
	path string
	base string // to remove as well when it is empty, "" to keep
	lock *os.File
}

const (
	runPrefix = "run-"
	lockFile  = "lock"
)

// New makes the folder in the first of: $XDG_RUNTIME_DIR/mitori, mitori-UID
// in the folder of temporary files, a new folder there. What killed runs left in
// any of them is removed first.
func New() (*Dir, error) {
	tmp := os.TempDir()
	own := filepath.Join(tmp, fmt.Sprintf("mitori-%d", os.Getuid()))
	var bases []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		bases = append(bases, filepath.Join(dir, "mitori"))
	}
	bases = append(bases, own)
	for _, b := range bases {
		if err := os.Mkdir(b, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			continue
		}
		if ours(b) == nil {
			return in(b, "")
		}
	}
	// Somebody else was there first: their folder stays untouched, and unused.
	left, _ := filepath.Glob(own + "-*")
	for _, b := range left {
		if ours(b) == nil && clean(b) == nil {
			_ = os.Remove(b) // fails while another run is in it
		}
	}
	b, err := os.MkdirTemp(tmp, filepath.Base(own)+"-")
	if err != nil {
		return nil, err
	}
	return in(b, b)
}

// ours reports why a folder may not hold secrets: it must be a folder and no
// link, belong to us, be closed to all others, and lie where nobody else may
// rename it.
func ours(dir string) error {
	st, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	switch {
	case !st.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	case !ok || int(sys.Uid) != os.Getuid():
		return fmt.Errorf("%s belongs to somebody else", dir)
	case st.Mode().Perm() != 0o700:
		return fmt.Errorf("%s has mode %04o; legal: 0700", dir, st.Mode().Perm())
	}
	parent, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return err
	}
	if parent.Mode().Perm()&0o022 != 0 && parent.Mode()&os.ModeSticky == 0 {
		return fmt.Errorf("%s lies where others may replace it", dir)
	}
	return nil
}

// in makes the run's folder in base, under base's own lock: between the
// making of a folder and its lock no other run may take it for a dead one's.
func in(base, remove string) (*Dir, error) {
	gate, err := locked(filepath.Join(base, lockFile), true)
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	if err := clean(base); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(base, runPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := locked(filepath.Join(dir, lockFile), false)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &Dir{path: dir, base: remove, lock: lock}, nil
}

// locked opens a file and takes its lock, which the kernel gives back when the
// process ends in whatever way.
func locked(name string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	return f, nil
}

// clean removes the folders of runs that are over.
func clean(base string) error {
	entries, err := os.ReadDir(base)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), runPrefix) {
			continue
		}
		dir := filepath.Join(base, e.Name())
		lock, err := locked(filepath.Join(dir, lockFile), false)
		if err != nil {
			continue // alive
		}
		err = os.RemoveAll(dir)
		lock.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// Path is where the folder lies.
func (p *Dir) Path() string { return p.path }

// Remove ends the run's claim, and the folder with all that is in it. A nil Dir has
// none.
func (p *Dir) Remove() {
	if p == nil {
		return
	}
	_ = os.RemoveAll(p.path)
	p.lock.Close()
	if p.base != "" {
		_ = os.Remove(filepath.Join(p.base, lockFile))
		_ = os.Remove(p.base)
	}
}
