package video

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// box is one box of the file format.
func box(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), []byte(kind), body)
}

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// items is a metadata box of QuickTime: names by number, and one value each.
func items(names []string, kind uint32, values [][]byte) []byte {
	keys, list := slices.Concat(u32(0), u32(uint32(len(names)))), []byte{}
	for k, name := range names {
		keys = append(keys, box("mdta", []byte(name))...)
		list = append(list, box(string(u32(uint32(k+1))), box("data", u32(kind), u32(0), values[k]))...)
	}
	return box("meta", box("hdlr", make([]byte, 24)), box("keys", keys), box("ilst", list))
}

const appleKey = "com.apple.quicktime.camera.focal_length.35mm_equivalent"

// Phones write the lens into the metadata of the video track, as a number or a
// text; it is found wherever boxes are nested, and sizes may be 64 bits wide.
func TestLensOfAFile(t *testing.T) {
	names := []string{"com.apple.quicktime.camera.lens_model", appleKey}
	other := []byte("iPhone 13 back camera 5.1mm f/1.6")
	for what, c := range map[string]struct {
		kind  uint32
		value []byte
		want  float64
	}{
		"an integer":      {21, u32(26), 26},
		"a short integer": {21, []byte{13}, 13},
		"a text":          {1, []byte("26.0 mm"), 26},
		"a float":         {23, u32(math.Float32bits(24.5)), 24.5},
		"a double":        {24, binary.BigEndian.AppendUint64(nil, math.Float64bits(77)), 77},
		"nonsense":        {1, []byte("wide"), 0},
		"an unknown type": {99, u32(26), 0},
		"an empty value":  {21, nil, 0},
	} {
		meta := items(names, c.kind, [][]byte{other, c.value})
		track := box("trak", box("tkhd", make([]byte, 84)), meta)
		wide := slices.Concat(u32(1), []byte("moov"), binary.BigEndian.AppendUint64(nil, uint64(16+len(track))), track)
		for where, file := range map[string][]byte{
			"track": slices.Concat(box("ftyp", []byte("qt  ")), box("mdat", make([]byte, 999)), box("moov", box("mvhd", make([]byte, 100)), track)),
			"file":  slices.Concat(box("ftyp", []byte("qt  ")), box("moov", meta)),
			"ISO":   box("moov", box("udta", box("meta", u32(0), meta[8:]))),
			"wide":  wide,
		} {
			if got := boxedMm(bytes.NewReader(file), int64(len(file))); got != c.want {
				t.Errorf("%s in the %s: %g mm, want %g", what, where, got, c.want)
			}
		}
	}
}

// Damage never makes a fault, nor reading without end.
func FuzzLensOfAFile(f *testing.F) {
	f.Add(box("moov", box("trak", items([]string{appleKey}, 21, [][]byte{u32(26)}))))
	f.Add(box("meta", box("keys", u32(0), u32(9)), box("ilst", []byte{0, 0, 0, 1})))
	f.Fuzz(func(t *testing.T, file []byte) {
		mm := boxedMm(bytes.NewReader(file), int64(len(file)))
		if px := equivalentFocalPx(mm, 1920, 1080); px < 0 || px > 1e6 || math.IsNaN(px) {
			t.Errorf("%g mm make %g pixels", mm, px)
		}
	})
}

// The equivalent is by the diagonal: 43.27 mm see as much as the picture's own
// diagonal, upright or not.
func TestEquivalentFocalLength(t *testing.T) {
	for _, size := range [][2]int{{1920, 1080}, {1080, 1920}, {640, 480}} {
		w, h := float64(size[0]), float64(size[1])
		px := equivalentFocalPx(26, size[0], size[1])
		if deg := 2 * math.Atan(math.Hypot(w, h)/2/px) * 180 / math.Pi; math.Abs(deg-79.5) > 0.1 { // a 26 mm lens, by its makers: 79.5 degrees
			t.Errorf("%v: 26 mm see %.1f degrees across", size, deg)
		}
	}
	for _, mm := range []float64{0, -26, 3, 5000, math.NaN(), math.Inf(1)} {
		if px := equivalentFocalPx(mm, 1920, 1080); px != 0 {
			t.Errorf("%g mm make %g pixels, want none", mm, px)
		}
	}
}

func TestLensTags(t *testing.T) {
	for name, want := range map[string]bool{
		appleKey: true, "COM.APPLE.QUICKTIME.CAMERA.FOCAL_LENGTH.35MM_EQUIVALENT": true,
		"FocalLengthIn35mmFilm": true, "exif:FocalLengthIn35mmFormat": true,
		"focal_length": false, "com.apple.quicktime.camera.lens_model": false, "": false,
	} {
		if saysEquivalent(name) != want {
			t.Errorf("%q: taken %v", name, !want)
		}
	}
	if mm := taggedMm(map[string]string{"encoder": "99", "FocalLengthIn35mmFilm": "28"}); mm != 28 {
		t.Errorf("%g mm", mm)
	}
}
