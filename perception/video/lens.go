package video

import (
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"strings"
)

// Cameras write the focal length of a lens as that of a full-frame camera (36 mm
// by 24 mm) which would see as much across the diagonal. The key is Apple's
// (com.apple.quicktime.camera.focal_length.35mm_equivalent, in the metadata of
// the video track, which ffprobe does not show) or that of EXIF
// (FocalLengthIn35mmFilm), which converters carry over into the file's tags.
const fullFrameDiagonalMm = 43.267

// Lenses are between fish eyes and the longest zooms.
const shortestMm, longestMm = 8.0, 1000.0

// Bounds of what is read of a file's boxes.
const (
	maxBoxes     = 4096
	maxMetaBytes = 1 << 20
	maxBoxDepth  = 6
)

// equivalentFocalPx is the focal length in pixels of a picture of that size, 0 if
// mm is no focal length.
func equivalentFocalPx(mm float64, widthPx, heightPx int) float64 {
	if !(mm >= shortestMm && mm <= longestMm) {
		return 0
	}
	return mm / fullFrameDiagonalMm * math.Hypot(float64(widthPx), float64(heightPx))
}

// saysEquivalent tells whether a tag of that name is a focal length in 35 mm terms.
func saysEquivalent(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	for _, end := range [...]string{"focallength35mmequivalent", "focallengthin35mmfilm", "focallengthin35mmformat"} {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	return false
}

// millimetres reads "26", "26.0 mm"; 0 if it is no number.
func millimetres(text string) float64 {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "mm"))
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return v
}

// taggedMm is the equivalent focal length among tags, 0 if there is none.
func taggedMm(tags map[string]string) float64 {
	best := 0.0
	for name, text := range tags {
		if mm := millimetres(text); saysEquivalent(name) && mm > best {
			best = mm
		}
	}
	return best
}

// boxes walks the boxes of a QuickTime file or MP4 (ISO/IEC 14496-12) for the
// equivalent focal length. Damaged files end the walk, and are no error here.
type boxes struct {
	r       io.ReaderAt
	seen    int
	foundMm float64
}

// boxedMm is the equivalent focal length that a file of that size holds in its
// metadata boxes, 0 if none.
func boxedMm(r io.ReaderAt, size int64) float64 {
	b := &boxes{r: r}
	b.walk(0, size, 0)
	return b.foundMm
}

// walk visits the boxes in [from, to).
func (b *boxes) walk(from, to int64, depth int) {
	for from+8 <= to && b.seen < maxBoxes && b.foundMm == 0 {
		b.seen++
		var head [16]byte
		n, _ := b.r.ReadAt(head[:], from)
		if n < 8 {
			return
		}
		size, body := int64(binary.BigEndian.Uint32(head[:])), from+8
		switch {
		case size == 0:
			size = to - from
		case size == 1 && n == len(head):
			size, body = int64(binary.BigEndian.Uint64(head[8:])), from+16
		}
		if size < body-from || size > to-from {
			return
		}
		switch kind := string(head[4:8]); kind {
		case "moov", "trak", "udta":
			if depth < maxBoxDepth {
				b.walk(body, from+size, depth+1)
			}
		case "meta":
			if size <= maxMetaBytes {
				data := make([]byte, from+size-body)
				if n, _ := b.r.ReadAt(data, body); n == len(data) {
					b.foundMm = metaMm(data)
				}
			}
		}
		from += size
	}
}

// metaMm reads a metadata box: the names in keys, the values in ilst by the
// number of their name.
func metaMm(data []byte) float64 {
	if len(data) >= 8 && string(data[4:8]) != "hdlr" && string(data[4:8]) != "keys" {
		data = data[4:] // ISO files have a version before the boxes, QuickTime's have not
	}
	var wanted []uint32
	mm := 0.0
	eachBox(data, func(kind string, body []byte) {
		switch kind {
		case "keys":
			wanted = wantedKeys(body)
		case "ilst":
			eachBox(body, func(number string, item []byte) {
				for _, k := range wanted {
					if binary.BigEndian.Uint32([]byte(number)) == k {
						eachBox(item, func(kind string, value []byte) {
							if kind == "data" && mm == 0 {
								mm = dataValue(value)
							}
						})
					}
				}
			})
		}
	})
	return mm
}

// eachBox calls visit for every box in data.
func eachBox(data []byte, visit func(kind string, body []byte)) {
	for len(data) >= 8 {
		size := binary.BigEndian.Uint32(data)
		if size < 8 || uint64(size) > uint64(len(data)) {
			return
		}
		visit(string(data[4:8]), data[8:size])
		data = data[size:]
	}
}

// wantedKeys are the numbers, from 1, of the keys that say a focal length.
func wantedKeys(body []byte) (wanted []uint32) {
	if len(body) < 8 {
		return nil
	}
	number := uint32(0)
	eachBox(body[8:], func(_ string, name []byte) { // a key is a box: size, name space, name
		if number++; saysEquivalent(string(name)) {
			wanted = append(wanted, number)
		}
	})
	return wanted
}

// dataValue is the number in a data box: its type, its place, the value.
func dataValue(b []byte) float64 {
	if len(b) < 8 {
		return 0
	}
	kind, v := binary.BigEndian.Uint32(b)&0xffffff, b[8:]
	switch {
	case kind == 1: // UTF-8
		return millimetres(string(v))
	case kind == 23 && len(v) == 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v)))
	case kind == 24 && len(v) == 8:
		return math.Float64frombits(binary.BigEndian.Uint64(v))
	case (kind == 21 || kind == 22) && len(v) >= 1 && len(v) <= 8: // an integer of any size
		n := uint64(0)
		for _, c := range v {
			n = n<<8 | uint64(c)
		}
		return float64(n)
	}
	return 0
}
