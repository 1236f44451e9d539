package watch

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func record(i byte) []byte { return bytes.Repeat([]byte{i}, 8) }

func TestRecordsIntoAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	o, err := OpenOutlet(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(o.Put(record(1)), o.Put(record(2)), o.Close()); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); err != nil || !bytes.Equal(b, append(record(1), record(2)...)) {
		t.Errorf("%v, %v", b, err)
	}
	if _, err := OpenOutlet(filepath.Join(name, "below"), nil); err == nil {
		t.Error("a file below a file")
	}
}

// A reader who does not read costs records, not time; once he reads, whole records come.
func TestSlowReadersMissTheOldest(t *testing.T) {
	r, w := io.Pipe()
	o, err := OpenOutlet("-", w)
	if err != nil {
		t.Fatal(err)
	}
	const n = 100
	for i := range n {
		if err := o.Put(record(byte(i))); err != nil {
			t.Fatal(err)
		}
	}
	if d := o.Dropped(); d < n-waiting-1 || d > n-waiting {
		t.Errorf("%d of %d records dropped, %d may wait", d, n, waiting)
	}
	closed := make(chan error)
	go func() { closed <- errors.Join(o.Close(), w.Close()) }()
	b, err := io.ReadAll(r)
	if err := errors.Join(err, <-closed); err != nil {
		t.Fatal(err)
	}
	if uint64(len(b)/8)+o.Dropped() != n || b[len(b)-1] != n-1 {
		t.Errorf("%d bytes, the last %d, %d dropped", len(b), b[len(b)-1], o.Dropped())
	}
}

// A reader who goes away is told apart from a disk that is full.
func TestReadersWhoGoAway(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	o := newStream(w, w.Close)
	put := func(o Outlet) (err error) {
		for err == nil {
			err = o.Put(record(1))
		}
		return err
	}
	if err := put(o); !errors.Is(err, errReaderGone) {
		t.Errorf("a pipe without a reader: %v", err)
	}
	if err := o.Close(); err != nil {
		t.Errorf("closing after that: %v", err)
	}
	full, err := OpenOutlet("/dev/full", nil)
	if err != nil {
		t.Skip(err)
	}
	if err := put(full); errors.Is(err, errReaderGone) || !strings.Contains(err.Error(), "no space") {
		t.Errorf("a full disk: %v", err)
	}
	if err := full.Close(); err == nil {
		t.Error("closing a full disk says nothing")
	}
}

// Readers of a socket come and go; each gets whole records from then on.
func TestSocketReaders(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	stale, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false) // as a killed process leaves it
	if _, err := OpenOutlet("unix:"+name, nil); err == nil || !strings.Contains(err.Error(), "listens") {
		t.Errorf("a socket in use: %v", err)
	}
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	o, err := OpenOutlet("unix:"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	for round := range 3 {
		c, err := net.Dial("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan []byte)
		go func() {
			b := make([]byte, 8)
			if _, err := io.ReadFull(c, b); err != nil {
				b = nil
			}
			got <- b
		}()
		for b := []byte(nil); b == nil; { // until the reader has been let in
			select {
			case b = <-got:
				if !bytes.Equal(b, record(byte(round))) {
					t.Errorf("reader %d got %v", round, b)
				}
			default:
				if err := o.Put(record(byte(round))); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOutlet("unix:"+name, nil); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: %v", err)
	}
}
