package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// quarterTurns are all display matrices that turn by quarters or mirror, as the
// four numbers m0, m1, m3, m4 of the file format.
var quarterTurns = map[string][4]int32{
	"upright": {1, 0, 0, 1}, "half turn": {-1, 0, 0, -1},
	"clockwise": {0, 1, -1, 0}, "anticlockwise": {0, -1, 1, 0},
	"mirrored": {-1, 0, 0, 1}, "upside down in a mirror": {1, 0, 0, -1},
	"transposed": {0, 1, 1, 0}, "transposed, half turn": {0, -1, -1, 0},
}

// withMatrix writes a copy of an mp4 file with another display matrix in the
// header of its (only) track, where phones put it. Versions of ffmpeg write
// only some matrices, each in its own way.
func withMatrix(t *testing.T, clip string, m [4]int32) string {
	t.Helper()
	b, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte("tkhd"))
	if at < 0 || b[at+4] != 0 {
		t.Fatal("no track header of version 0")
	}
	matrix := b[at+44 : at+80]
	for k, v := range [9]int32{m[0] << 16, m[1] << 16, 0, m[2] << 16, m[3] << 16, 0, 0, 0, 1 << 30} {
		binary.BigEndian.PutUint32(matrix[4*k:], uint32(v))
	}
	out := filepath.Join(t.TempDir(), "turned.mp4")
	if err := os.WriteFile(out, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

// shown is what ffmpeg shows of a clip's first picture with square pixels.
func shown(t *testing.T, clip string) (widthPx, heightPx int, bgr []byte) {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-loglevel", "error", "-i", clip, "-frames:v", "1",
		"-vf", "scale='round(if(gt(sar,1),iw*sar,iw))':'round(if(gt(sar,1)+not(sar),ih,ih/sar))',setsar=1", "-f", "image2pipe", "-c:v", "ppm", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	var w, h, top int
	if _, err := fmt.Sscanf(string(out[:20]), "P6\n%d %d\n%d", &w, &h, &top); err != nil {
		t.Fatal(err)
	}
	bgr = out[len(out)-3*w*h:]
	for i := 0; i < len(bgr); i += 3 {
		bgr[i], bgr[i+2] = bgr[i+2], bgr[i]
	}
	return w, h, bgr
}

// away is the mean difference of two pictures' bytes; turned compares with the
// second one turned by half.
func away(a, b []byte, turned bool) float64 {
	sum := 0.0
	for i := range a {
		k := i
		if turned {
			k = 3*(len(b)/3-1-i/3) + i%3
		}
		sum += math.Abs(float64(a[i]) - float64(b[k]))
	}
	return sum / float64(len(a))
}

// TestUprightAsAPlayer: for every quarter turn and mirror, and pixels of any
// width, pictures are those that ffmpeg shows, first one and after a jump.
func TestUprightAsAPlayer(t *testing.T) {
	for aspect, turns := range map[string]map[string][4]int32{
		// How wide pixels are asks only which way they lie.
		"1/1": quarterTurns, "1/2": {"upright": quarterTurns["upright"], "clockwise": quarterTurns["clockwise"]}, "16/11": {"transposed": quarterTurns["transposed"]},
	} {
		flat := makeClip(t, "flat.mp4", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=1", "-vf",
			"boxblur=3,setsar="+aspect, "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p")
		for name, m := range turns {
			clip := withMatrix(t, flat, m)
			w, h, want := shown(t, clip)
			r := mustOpen(t, clip)
			if i := r.Info(); i.WidthPx != w || i.HeightPx != h {
				t.Errorf("pixels %s, %s: the film is %dx%d, ffmpeg shows %dx%d", aspect, name, i.WidthPx, i.HeightPx, w, h)
				continue
			}
			for _, jump := range []bool{false, true} {
				if jump {
					stamps(t, r)
					if err := r.SeekS(0); err != nil {
						t.Fatal(err)
					}
				}
				f, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				// 3 of 255: the two scale and convert colours each in its way.
				near, far := away(f.Pix, want, false), away(f.Pix, want, true)
				if near > 3 || far < 20 {
					t.Errorf("pixels %s, %s, after a jump %v: %.1f from what ffmpeg shows (%.1f turned by half)", aspect, name, jump, near, far)
				}
				f.Release()
			}
		}
	}
}

// TestPhoneFlags: the flag as ffmpeg writes it.
func TestPhoneFlags(t *testing.T) {
	flat := makeClip(t, "flat.mp4", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=1", "-vf", "boxblur=3", "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p")
	for _, angle := range []string{"90", "180", "-90"} {
		// The flag is written in one way by ffmpeg before version 6, in another since.
		turned := filepath.Join(t.TempDir(), "turned.mp4")
		if exec.Command("ffmpeg", "-loglevel", "error", "-display_rotation", angle, "-i", flat, "-c", "copy", turned).Run() != nil {
			turned = makeClip(t, "turned.mp4", "-i", flat, "-c", "copy", "-metadata:s:v:0", "rotate="+angle)
		}
		w, h, want := shown(t, turned)
		r := mustOpen(t, turned)
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.WidthPx != w || f.HeightPx != h {
			t.Errorf("flag %s: %dx%d, ffmpeg shows %dx%d", angle, f.WidthPx, f.HeightPx, w, h)
		} else if d := away(f.Pix, want, false); d > 3 {
			t.Errorf("flag %s: %.1f from what ffmpeg shows", angle, d)
		}
		f.Release()
	}
}

// TestTurnsThatAreNoQuarter go to the nearest one; nonsense turns nothing.
func TestTurnsThatAreNoQuarter(t *testing.T) {
	for degrees, want := range map[float64]upright{
		0: {}, 30: {}, 60: {transpose: true, mirrorX: true}, 89: {transpose: true, mirrorX: true}, 170: {mirrorX: true, mirrorY: true}, 271: {transpose: true, mirrorY: true}, 350: {},
	} {
		var u upright
		s, c := math.Sincos(degrees * math.Pi / 180)
		if u.turn([9]float64{c, s, 0, -s, c}); u != want {
			t.Errorf("%g degrees clockwise: %+v, want %+v", degrees, u, want)
		}
	}
	var u upright
	if u.turn(displayMatrix("nonsense: 1 2\n00: 3 x 4")); u != (upright{}) {
		t.Errorf("an unreadable matrix turns: %+v", u)
	}
}

// TestOddPixels: absurd shapes are refused before memory is asked for; missing
// and unknown ones are square.
func TestOddPixels(t *testing.T) {
	for ratio, want := range map[string]float64{"": 1, "0:1": 1, "1:0": 1, "N/A": 1, "16:11": 16.0 / 11, "-1:1": 1, "nan:1": 1} {
		if got := pixelAspect(ratio); got != want {
			t.Errorf("%q: %g, want %g", ratio, got, want)
		}
	}
	wide := makeClip(t, "wide.mp4", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=0.5", "-vf", "setsar=200/1", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	_, err := Open(wide)
	if errors.Is(err, ErrNotBuilt) {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "pixels of width") {
		t.Errorf("pixels 200 wide: %v", err)
	}
}

// TestPlaylists: a file that names other files is refused, whatever its name.
func TestPlaylists(t *testing.T) {
	dir := t.TempDir()
	other := makeClip(t, "other.ts", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=1", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	for name, text := range map[string]string{
		"a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + other + "\n#EXT-X-ENDLIST\n",
		"b.mp4":  "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + other + "\n#EXT-X-ENDLIST\n",
		"c.mp4":  "ffconcat version 1.0\nfile " + filepath.Base(other) + "\n",
	} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Open(p)
		if errors.Is(err, ErrNotBuilt) {
			t.Skip(err)
		}
		if err == nil {
			r.Close()
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("PATH", "")
	if _, err := Open(other); !errors.Is(err, ErrNoProbe) && !errors.Is(err, ErrNotBuilt) {
		t.Errorf("without ffprobe: %v", err)
	}
}

// Pixels become square without losing any of the picture, and twice as wide is twice as many.
func TestSquarePixels(t *testing.T) {
	for _, c := range []struct {
		ratio         string
		width, height int
	}{{"1:1", 640, 480}, {"2:1", 1280, 480}, {"1:2", 640, 960}, {"16:15", 683, 480}, {"0:1", 640, 480}, {"nonsense", 640, 480}} {
		w, h := upright{pixelAspect: pixelAspect(c.ratio)}.square(640, 480)
		if w != c.width || h != c.height {
			t.Errorf("%s: %dx%d, want %dx%d", c.ratio, w, h, c.width, c.height)
		}
	}
}
