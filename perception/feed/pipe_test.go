package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/infile"
)

func piped(t *testing.T, b []byte, raw string) (Source, error) {
	t.Helper()
	var f *Format
	if raw != "" {
		parsed, err := ParseFormat(raw)
		if err != nil {
			t.Fatal(err)
		}
		f = &parsed
	}
	return NewPipe(io.NopCloser(bytes.NewReader(b)), f)
}

// all reads every picture of a source.
func all(t *testing.T, s Source) (pictures [][]byte, timesS []float64) {
	t.Helper()
	for {
		f, err := s.Next()
		if errors.Is(err, io.EOF) {
			return pictures, timesS
		}
		if err != nil {
			t.Fatal(err)
		}
		pictures, timesS = append(pictures, bytes.Clone(f.Pix)), append(timesS, f.TimeS)
		f.Release()
	}
}

// The same picture in every layout without chroma is the same picture here.
func TestRawLayouts(t *testing.T) {
	const n = 3 * 2
	bgr := make([]byte, 3*n)
	for i := range bgr {
		bgr[i] = byte(11*i + 5)
	}
	lay := func(pixel int, at [3]int) (b []byte) {
		for p := range n {
			q := make([]byte, pixel)
			for k := range 3 {
				q[at[k]] = bgr[3*p+k]
			}
			b = append(b, q...)
		}
		return b
	}
	for name, b := range map[string][]byte{"bgr24": bgr, "rgb24": lay(3, [3]int{2, 1, 0}), "bgra": lay(4, [3]int{0, 1, 2}), "rgba": lay(4, [3]int{2, 1, 0})} {
		// A third frame is cut off: the stream ended before it.
		two := append(append(bytes.Clone(b), b...), b[:4]...)
		s, err := piped(t, two, "3x2@25:"+name)
		if err != nil {
			t.Fatal(err)
		}
		got, times := all(t, s)
		if len(got) != 2 || !bytes.Equal(got[0], bgr) || !bytes.Equal(got[1], bgr) || times[1] != 0.04 {
			t.Errorf("%s: %d pictures at %v, %v", name, len(got), times, got)
		}
	}
}

// ffmpeg's own conversion is the judge of ours. It interpolates chroma, so the source
// is smooth; odd sizes have half chroma samples at the edge.
func TestLumaChromaAgainstFFmpeg(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not here")
	}
	make := func(format, pix, size string) []byte {
		out, err := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size="+size+":duration=0.12:rate=25",
			"-vf", "format=gbrp,gblur=sigma=20,format=gbrp", "-strict", "-1", "-pix_fmt", pix, "-f", format, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, size := range []string{"64x48", "65x37"} {
		s, err := piped(t, make("rawvideo", "bgr24", size), size+"@25:bgr24")
		if err != nil {
			t.Fatal(err)
		}
		want, _ := all(t, s)
		for _, pix := range []string{"yuv420p", "yuv422p", "yuv444p"} {
			for format, raw := range map[string]string{"yuv4mpegpipe": "", "rawvideo": size + "@25:" + pix} {
				s, err := piped(t, make(format, pix, size), raw)
				if err != nil {
					t.Fatal(err)
				}
				got, times := all(t, s)
				if len(got) != 3 || len(want) != 3 || math.Abs(times[2]-0.08) > 1e-9 {
					t.Fatalf("%s %s: %d pictures at %v", pix, format, len(got), times)
				}
				for k := range want {
					sum := 0.0
					for i := range want[k] {
						sum += math.Abs(float64(want[k][i]) - float64(got[k][i]))
					}
					if mean := sum / float64(len(want[k])); mean > 2.5 {
						t.Errorf("%s %s %s: picture %d differs by %.2f levels", size, pix, format, k, mean)
					}
				}
			}
		}
	}
}

func TestBadPipes(t *testing.T) {
	frame := "FRAME\n" + strings.Repeat("x", 6)
	for _, c := range []struct {
		name, stream string
		refused      bool
		says         string
	}{
		{"empty", "", false, "empty"},
		{"noise", "\x00\x01\x02 and so on", true, "no YUV4MPEG2"},
		{"8K and more", "YUV4MPEG2 W16000 H9000 F30:1 C420\n", true, "8K"},
		{"no size", "YUV4MPEG2 F30:1\n", true, "8K"},
		{"ten bits", "YUV4MPEG2 W2 H2 F30:1 C420p10\n", true, "chroma"},
		{"wide pixels", "YUV4MPEG2 W2 H2 F30:1 A16:11\n", true, "16:11"},
		{"no rate", "YUV4MPEG2 W2 H2 F0:0\n", true, "frames a second"},
		{"no end", "YUV4MPEG2 " + strings.Repeat("X", 5000), false, "header"},
	} {
		s, err := piped(t, []byte(c.stream), "")
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, infile.ErrUnusable) != c.refused {
			t.Errorf("%s: %v, %v", c.name, s, err)
		}
	}
	s, err := piped(t, []byte("YUV4MPEG2 W2 H2 F30:1\n"+frame+"GARBAGE\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(); err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "picture 1") {
		t.Errorf("damaged in the middle: %v", err)
	}
}

// Largest pictures: what is kept does not grow with their number.
func TestPicturesAreUsedAgain(t *testing.T) {
	s, err := NewPipe(io.NopCloser(io.LimitReader(zeros{}, 20*64*48)), &Format{WidthPx: 64, HeightPx: 48, FPS: 30, layout: layouts[4]})
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]bool{}
	for range 20 {
		f, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		places[fmt.Sprintf("%p", f.Pix)] = true
		f.Release()
	}
	if len(places) != 1 {
		t.Errorf("%d buffers for pictures that were given back one by one", len(places))
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
