package refsocket

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func good() Frame {
	return Frame{Seq: 1 << 40, TimeUs: 1_800_000_000_000_000, PosRad: []float64{0.5, -0.25, float64(float32(1.1))}}
}

// The layout is the documented one, byte for byte.
func TestLayout(t *testing.T) {
	got := Append(nil, Frame{Seq: 0x0807060504030201, TimeUs: 0x1817161514131211, PosRad: []float64{1}})
	want := []byte{'M', 'R', 'F', '1', 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 0, 0x80, 0x3f}
	if !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}

func TestFramesComeBack(t *testing.T) {
	f := good()
	b := Append(Append(nil, f), f)
	for _, chunk := range []int{1, 7, len(b)} {
		r := NewReader(iotest(b, chunk))
		for range 2 {
			g, err := r.Next()
			if err != nil || g.Seq != f.Seq || g.TimeUs != f.TimeUs || !slices.Equal(g.PosRad, f.PosRad) {
				t.Fatalf("%+v, %v", g, err)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
	}
}

// slow gives a few bytes at a time.
type slow struct {
	b []byte
	n int
}

func iotest(b []byte, n int) io.Reader { return &slow{b, n} }
func (s *slow) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(s.n, len(p))], s.b)
	s.b = s.b[n:]
	return n, nil
}

func TestWhatIsNoFrame(t *testing.T) {
	edit := func(at int, v byte) []byte { b := Append(nil, good()); b[at] = v; return b }
	for want, b := range map[string][]byte{
		"begins with":    edit(0, 'X'),
		"0 joints":       edit(4, 0),
		"65283 joints":   append(edit(5, 255), make([]byte, 100)...),
		"bytes 6 and 7":  edit(7, 1),
		"ends too early": Append(nil, good())[:30],
	} {
		if _, err := NewReader(bytes.NewReader(b)).Next(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(Append(nil, good()))
	f.Add([]byte(Magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for at := 0; ; {
			g, err := r.Next()
			if err != nil {
				return
			}
			again := Append(nil, g)
			same := bytes.Equal(again, b[at:at+len(again)])
			for _, q := range g.PosRad {
				same = same || math.IsNaN(q) // its bits may differ
			}
			if !same {
				t.Fatalf("% x reads as %+v", b[at:at+len(again)], g)
			}
			at += len(again)
		}
	})
}

// One client at a time, whose frames come in order; the next one when he has left; nobody
// but the owner may connect; and nothing is left behind.
func TestServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if _, err := Listen(path); err == nil {
		t.Error("a second server at the same place")
	}
	frames, gone, ended := make(chan uint64, 16), make(chan error, 4), make(chan bool)
	go func() {
		defer close(ended)
		s.Serve(func(f Frame) { frames <- f.Seq }, func(err error) { gone <- err })
	}()
	dial := func() net.Conn {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	send := func(c net.Conn, seq uint64) { _, _ = c.Write(Append(nil, Frame{Seq: seq, PosRad: []float64{1}})) }
	a := dial()
	send(a, 1)
	if n := <-frames; n != 1 {
		t.Errorf("frame %d", n)
	}
	b := dial() // turned away
	_ = b.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the second client: %v", err)
	}
	send(a, 2)
	if n := <-frames; n != 2 {
		t.Errorf("frame %d", n)
	}
	_ = a.Close()
	if err := <-gone; err != nil {
		t.Errorf("the first client left: %v", err)
	}
	c := dial()
	_, _ = c.Write(bytes.Repeat([]byte("x"), 100))
	if err := <-gone; err == nil {
		t.Error("rubbish is no reason to throw somebody out")
	}
	d := dial()
	send(d, 4)
	if n := <-frames; n != 4 {
		t.Errorf("frame %d", n)
	}
	s.Close()
	s.Close()
	<-ended
	if err := <-gone; err != nil {
		t.Errorf("at the end: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
}
