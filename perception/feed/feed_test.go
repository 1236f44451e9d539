package feed

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mitori-robotics/mitori/models/infile"
)

func TestParse(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "a.mp4"), filepath.Join(dir, "fifo")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), syscall.Mkfifo(fifo, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, raw string
		kind      Kind
		fault     error  // nil: none
		says      string // part of the error
	}{
		{name: "-", kind: Pipe},
		{name: "-", raw: "640x480@29.97:bgr24", kind: Pipe},
		{name: file, kind: File},
		{name: "rtsp://user:secret@cam.example:554/a?b=c", kind: Stream},
		{name: "HTTP://cam.example/a.mjpg", kind: Stream},
		{name: "-", raw: "640x480:bgr24", fault: ErrName, says: "WIDTHxHEIGHT@FPS:LAYOUT"},
		{name: "-", raw: "640x480@30:nv12", fault: ErrName, says: "bgr24, rgb24"},
		{name: "-", raw: "90000x90000@30:bgr24", fault: ErrName, says: "8K"},
		{name: "-", raw: "64x48@0:bgr24", fault: ErrName, says: "frames a second"},
		{name: file, raw: "64x48@30:bgr24", fault: ErrName, says: "the source -"},
		{name: "file:///etc/passwd", fault: ErrName, says: "http, https, rtsp, rtsps"},
		{name: "concat://a", fault: ErrName, says: "legal"},
		{name: "http://", fault: ErrName, says: "no address"},
		{name: fifo, fault: infile.ErrUnusable, says: "--live - <"},
		{name: "/dev/null", fault: infile.ErrUnusable, says: "no camera"},
		{name: dir, fault: infile.ErrUnusable, says: "folder"},
		{name: "987", fault: errAny, says: "no camera /dev/video987"},
		{name: filepath.Join(dir, "none.mp4"), fault: os.ErrNotExist, says: "none.mp4"},
	} {
		p, err := Parse(c.name, c.raw)
		switch {
		case c.fault == nil && (err != nil || p.Kind != c.kind):
			t.Errorf("%s %s: %+v, %v; want kind %d", c.name, c.raw, p, err, c.kind)
		case c.fault == nil:
		case err == nil || !errors.Is(c.fault, errAny) && !errors.Is(err, c.fault) || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s %s: %v; want it to say %q", c.name, c.raw, err, c.says)
		}
		if strings.Contains(p.String(), "secret") || strings.Contains(p.String(), "b=c") {
			t.Errorf("%v tells secrets", p)
		}
	}
}

var errAny = errors.New("any")
