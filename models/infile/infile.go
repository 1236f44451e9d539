// Package infile opens the files that commands are given to read. What is no
// regular file (a folder, a device, a FIFO, a socket) or larger than its kind can
// be is refused before a byte is read, so that no name can make a program hang or
// fill its memory.
//
// Errors are of two kinds, and commands end with different codes on them: a file
// that cannot be had (errors.Is(err, fs.ErrNotExist), no permission) and a file
// that is there and of no use (errors.Is(err, ErrUnusable)). Readers of formats
// mark what they refuse with Refuse.
//
// It holds no state and is safe for concurrent use.
package infile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrUnusable is wrapped by errors about files that exist and are refused: of the
// wrong kind, too large, damaged, or with content that nobody should act on.
var ErrUnusable = errors.New("unusable file")

// unusable is an error that is ErrUnusable without saying so.
type unusable struct{ err error }

func (u *unusable) Error() string        { return u.err.Error() }
func (u *unusable) Unwrap() error        { return u.err }
func (u *unusable) Is(target error) bool { return target == ErrUnusable }

// Refuse marks err as a refusal of the file and puts its name before it; nil stays
// nil.
func Refuse(name string, err error) error {
	if err == nil {
		return nil
	}
	return &unusable{fmt.Errorf("%s: %w", name, err)}
}

// Open opens a regular file of at most limit bytes for reading. It never blocks.
func Open(name string, limit int64) (*os.File, error) {
	// Looking first: opening a device can already do something to it.
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := check(name, st, limit); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// And again, for the name may stand for something else by now.
	if st, err = f.Stat(); err == nil {
		err = check(name, st, limit)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Read returns the content of a regular file of at most limit bytes.
func Read(name string, limit int64) ([]byte, error) {
	f, err := Open(name, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// One byte of room beyond the size finds out that the file grew.
	data := make([]byte, 0, st.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case int64(len(data)) > limit:
			return nil, tooLarge(name, int64(len(data)), limit)
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
}

func check(name string, st fs.FileInfo, limit int64) error {
	if !st.Mode().IsRegular() {
		return Refuse(name, fmt.Errorf("it is %s; a file is needed", Kind(st.Mode())))
	}
	if st.Size() > limit {
		return tooLarge(name, st.Size(), limit)
	}
	return nil
}

func tooLarge(name string, size, limit int64) error {
	return Refuse(name, fmt.Errorf("it has %d bytes; legal for this kind of file: at most %d", size, limit))
}

// Kind says in words what a name that is no regular file stands for.
func Kind(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "a file"
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeCharDevice != 0:
		return "a device"
	case m&fs.ModeDevice != 0:
		return "a block device"
	}
	return "neither file nor folder"
}
