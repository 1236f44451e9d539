// Package atomicfile writes files that are either complete or absent: content
// goes to a temporary file in the same folder, is synced, and is renamed over
// the final name. A crash or a full disk never leaves half a file under the
// final name.
//
// Only regular files are replaced. A symbolic link stays and the file it leads to
// is replaced; a device or a FIFO that somebody reads is written through; anything
// else is refused. A new file gets the permissions that the umask leaves, a
// replaced one keeps its own.
//
// It holds no state and is safe for concurrent use on different names.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write calls fill with a writer and publishes the result as name. When fill or
// any file operation fails, the temporary file is removed and an existing file
// of that name is left as it was. Missing parent folders are created.
func Write(name string, fill func(io.Writer) error) error {
	target, special, err := resolve(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if special {
		if err := writeThrough(name, fill); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		return nil
	}
	f, err := create(target)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer f.Abort()
	if err := fill(f.tmp); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// WriteBytes publishes data as name.
func WriteBytes(name string, data []byte) error {
	return Write(name, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// File is a file that is being written, by this program or another one that is
// told its Path. It belongs to one goroutine.
type File struct {
	tmp      *os.File
	target   string
	replaces bool
	mode     fs.FileMode // to have in the end, where it replaces a file
	done     bool
}

// Create begins a file that Commit will publish as name, for writers that need a
// file and not a stream: devices and FIFOs are refused. Missing parent folders are
// created.
func Create(name string) (*File, error) {
	target, special, err := resolve(name)
	if err == nil && special {
		err = errors.New("it is a device or a FIFO; this kind of file cannot be written to one, name a file")
	}
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	f, err := create(target)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return f, nil
}

// create makes the temporary file beside target, which is no link.
func create(target string) (*File, error) {
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	sweep(dir)
	// The kernel takes the umask off; what is replaced may be more closed than that.
	mode, replaces := fs.FileMode(0o666), false
	if st, err := os.Lstat(target); err == nil {
		mode, replaces = st.Mode().Perm(), true
	}
	tmp, err := openPart(target, mode)
	if err != nil {
		return nil, err
	}
	return &File{tmp: tmp, target: target, replaces: replaces, mode: mode}, nil
}

// Path is where the content goes until Commit.
func (f *File) Path() string { return f.tmp.Name() }

// Commit publishes what was written; on an error nothing is left.
func (f *File) Commit() error {
	err := f.tmp.Sync()
	if err == nil && f.replaces {
		err = f.tmp.Chmod(f.mode)
	}
	if err == nil {
		err = os.Rename(f.tmp.Name(), f.target)
	}
	if err != nil {
		f.Abort()
		return err
	}
	f.done = true
	return f.tmp.Close()
}

// Abort throws away what was written. After Commit it does nothing, so it can be
// deferred.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	os.Remove(f.tmp.Name()) // before it is closed, while it is locked
	f.tmp.Close()
}

// resolve follows symbolic links from name to the file that shall be replaced or
// made. special is true where name stands for a device or a FIFO.
func resolve(name string) (target string, special bool, err error) {
	st, statErr := os.Stat(name)
	if statErr == nil {
		switch m := st.Mode(); {
		case m.IsDir():
			return "", false, errors.New("it is a folder; name a file")
		case m&fs.ModeNamedPipe != 0, m&fs.ModeCharDevice != 0:
			return name, true, nil
		case !m.IsRegular():
			return "", false, fmt.Errorf("it is neither a file nor a device to write to (%v); name a file", m.Type())
		}
	}
	target = name
	for range 40 { // as many links as the kernel follows
		to, err := os.Readlink(target)
		if err != nil {
			// The links of /proc lead to open files, whatever they say.
			if statErr == nil && !isAt(st, target) {
				return name, true, nil
			}
			return target, false, nil
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(target), to)
		}
		target = to
	}
	return "", false, syscall.ELOOP
}

// isAt reports whether the file of st lies under a name, links not followed.
func isAt(st fs.FileInfo, name string) bool {
	got, err := os.Lstat(name)
	return err == nil && os.SameFile(st, got)
}

// writeThrough writes to a device or a FIFO as it is. It does not wait for a reader
// to come.
func writeThrough(name string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if errors.Is(err, syscall.ENXIO) {
		return errors.New("it is a FIFO that nobody reads")
	}
	if err != nil {
		return err
	}
	return errors.Join(fill(f), f.Close())
}
