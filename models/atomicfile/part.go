package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// partName is what temporary files are called; the digits are random.
var partName = regexp.MustCompile(`^\..+\.[0-9a-f]{16}\.part$`)

// stale is the age from which a temporary file without an owner is a leftover.
const stale = time.Minute

// openPart makes the temporary file for target. It is locked as long as it is open,
// which tells it from leftovers of programs that were killed.
func openPart(target string, mode fs.FileMode) (*os.File, error) {
	base := filepath.Base(target)
	if len(base) > 200 { // names have at most 255 bytes
		base = base[:200]
	}
	for {
		name := filepath.Join(filepath.Dir(target), fmt.Sprintf(".%s.%016x.part", base, rand.Uint64()))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode|0o200)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// On a file system without locks, leftovers stay.
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		return f, nil
	}
}

// sweep removes what killed programs left in a folder: temporary files that are not
// new and that nobody holds.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !partName.MatchString(e.Name()) {
			continue
		}
		if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < stale {
			continue
		}
		name := filepath.Join(dir, e.Name())
		f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			os.Remove(name)
		}
		f.Close()
	}
}
