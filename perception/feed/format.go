package feed

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/perception/video"
)

// Format says how the frames of a pipe are laid out.
type Format struct {
	WidthPx, HeightPx int
	FPS               float64
	layout            layout
}

// layout turns the bytes of a frame into blue, green, red.
type layout struct {
	name string
	// planes are those of a luma-chroma picture: by how much chroma is coarser
	// across and down; zero: not planar.
	across, down int
	// pixel is how many bytes a pixel has that is not planar; at are those of blue,
	// green and red.
	pixel int
	at    [3]int
	full  bool // luma of 0 to 255, not 16 to 235
}

var layouts = []layout{
	{name: "bgr24", pixel: 3, at: [3]int{0, 1, 2}},
	{name: "rgb24", pixel: 3, at: [3]int{2, 1, 0}},
	{name: "bgra", pixel: 4, at: [3]int{0, 1, 2}},
	{name: "rgba", pixel: 4, at: [3]int{2, 1, 0}},
	{name: "gray", pixel: 1},
	{name: "yuv420p", across: 2, down: 2},
	{name: "yuv422p", across: 2, down: 1},
	{name: "yuv444p", across: 1, down: 1},
}

// Frames a second that a pipe may claim.
const leastFPS, mostFPS = 1, 1000

var formatText = regexp.MustCompile(`^([0-9]{1,5})x([0-9]{1,5})@([0-9]{1,4}(?:\.[0-9]{1,4})?):([a-z0-9]+)$`)

// ParseFormat reads "640x480@30:bgr24".
func ParseFormat(text string) (Format, error) {
	m := formatText.FindStringSubmatch(text)
	if m == nil {
		return Format{}, nameFault("feed: raw frames %q; legal: WIDTHxHEIGHT@FPS:LAYOUT, as in 640x480@30:bgr24", text)
	}
	var f Format
	f.WidthPx, _ = strconv.Atoi(m[1])
	f.HeightPx, _ = strconv.Atoi(m[2])
	f.FPS, _ = strconv.ParseFloat(m[3], 64)
	var names []string
	for _, l := range layouts {
		names = append(names, l.name)
		if l.name == m[4] {
			f.layout = l
		}
	}
	if f.layout.name == "" {
		return Format{}, nameFault("feed: raw frames of layout %q; legal: %s", m[4], strings.Join(names, ", "))
	}
	if err := f.check(); err != nil {
		return Format{}, nameFault("%v", err)
	}
	return f, nil
}

// check refuses sizes and rates that mean nothing.
func (f *Format) check() error {
	if err := video.CheckSize(f.WidthPx, f.HeightPx); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	if !(f.FPS >= leastFPS && f.FPS <= mostFPS) {
		return fmt.Errorf("feed: %g frames a second; legal: %d to %d", f.FPS, leastFPS, mostFPS)
	}
	return nil
}

// bytes is the size of a frame.
func (f *Format) bytes() int {
	n := f.WidthPx * f.HeightPx
	if l := f.layout; l.across > 0 {
		w, h := f.chroma()
		return n + 2*w*h
	}
	return n * f.layout.pixel
}

// chroma is the size of a chroma plane.
func (f *Format) chroma() (w, h int) {
	l := f.layout
	return (f.WidthPx + l.across - 1) / l.across, (f.HeightPx + l.down - 1) / l.down
}

// convert fills dst with blue, green, red from the bytes of a frame.
func (f *Format) convert(dst, src []byte) {
	l := f.layout
	if l.across > 0 {
		f.convertPlanes(dst, src)
		return
	}
	for o := 0; len(src) >= l.pixel && o+3 <= len(dst); o += 3 {
		dst[o], dst[o+1], dst[o+2] = src[l.at[0]], src[l.at[1]], src[l.at[2]]
		src = src[l.pixel:]
	}
}

// convertPlanes applies ITU-R BT.601 in 16-bit fixed point: what is wanted are shapes,
// and the matrix of high-definition material differs by a few grey levels.
func (f *Format) convertPlanes(dst, src []byte) {
	w, h := f.WidthPx, f.HeightPx
	cw, ch := f.chroma()
	luma, u, v := src[:w*h], src[w*h:w*h+cw*ch], src[w*h+cw*ch:]
	black, gain, toR, toGU, toGV, toB := int32(16), int32(76309), int32(104597), int32(25675), int32(53279), int32(132201)
	if f.layout.full {
		black, gain, toR, toGU, toGV, toB = 0, 65536, 91881, 22554, 46802, 116130
	}
	for y := range h {
		row, out := luma[y*w:(y+1)*w], dst[3*y*w:3*(y+1)*w]
		cu, cv := u[y/f.layout.down*cw:][:cw], v[y/f.layout.down*cw:][:cw]
		for x, l := range row {
			c := x / f.layout.across
			bright, d, e := (int32(l)-black)*gain+1<<15, int32(cu[c])-128, int32(cv[c])-128
			out[3*x] = clip((bright + toB*d) >> 16)
			out[3*x+1] = clip((bright - toGU*d - toGV*e) >> 16)
			out[3*x+2] = clip((bright + toR*e) >> 16)
		}
	}
}

func clip(v int32) byte { return byte(max(0, min(255, v))) }
