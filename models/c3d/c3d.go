// Package c3d reads the points of C3D files, the format of optical motion capture.
//
// A file has a header, parameters in groups, and frames of 3-D points and analog samples; numbers are those of Intel, DEC
// or MIPS machines, as whole numbers with a scale or as floats. Only points are read: analog samples and events are
// skipped, force plates are not interpreted.
//
// Source: the C3D file format, user guide (Motion Lab Systems, 2021 edition). A File is plain data.
package c3d

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// File is the points of a recording.
type File struct {
	Labels []string
	RateHz float64 // frames per second
	Units  string  // of lengths as the file says it, usually "mm"; may be empty
	// Up is the axis that the file says is vertical on the screen ("+Z", "+Y", ...); may be empty.
	Up string
	// Frames holds the points frame by frame in the order of the labels, file units; NaN where a point was not seen.
	Frames [][]spatial.Vec3
}

// Bounds against hostile files.
const (
	blockBytes = 512
	maxPoints  = 2000
	maxFrames  = 1 << 20
	maxValues  = 1 << 27 // points times frames
	magic      = 0x50
)

// Kinds of machine.
const (
	intel = 84
	dec   = 85
	mips  = 86
)

// reader is a file in memory, with the byte order and floats of its machine.
type reader struct {
	b     []byte
	kind  byte
	order binary.ByteOrder
}

// Read parses a file of at most limit bytes.
func Read(in io.Reader, limit int64) (*File, error) {
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("c3d: the file has more than %d bytes", limit)
	}
	if len(b) < 2*blockBytes || b[1] != magic {
		return nil, fmt.Errorf("c3d: not a C3D file: its second byte is not 0x%02x, or it is shorter than two blocks", magic)
	}
	r := &reader{b: b, order: binary.LittleEndian}
	params := (int(b[0]) - 1) * blockBytes
	if params < blockBytes || params+4 > len(b) {
		return nil, fmt.Errorf("c3d: the parameters begin in block %d, beyond the file", b[0])
	}
	switch r.kind = b[params+3]; r.kind {
	case intel, dec:
	case mips:
		r.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("c3d: processor type %d; legal: %d (Intel), %d (DEC), %d (MIPS)", r.kind, intel, dec, mips)
	}
	groups, err := r.parameters(params)
	if err != nil {
		return nil, err
	}
	return r.file(groups)
}

func (r *reader) u16(at int) int { return int(r.order.Uint16(r.b[at:])) }

// float is the number at a place: IEEE, or of a DEC machine, whose words are exchanged and whose exponent is 2 more.
func (r *reader) float(at int) float64 {
	if r.kind == dec {
		bits := uint32(binary.LittleEndian.Uint16(r.b[at:]))<<16 | uint32(binary.LittleEndian.Uint16(r.b[at+2:]))
		return float64(math.Float32frombits(bits)) / 4
	}
	return float64(math.Float32frombits(r.order.Uint32(r.b[at:])))
}

// layout is what header and parameters say of the frames.
type layout struct {
	points, frames int
	scale          float64
	analogs        int // samples a frame, all channels
	data           int // first byte
}

// file reads the frames.
func (r *reader) file(g groups) (*File, error) {
	l, err := r.layout(g)
	if err != nil {
		return nil, err
	}
	f := &File{Units: strings.TrimSpace(g.text("POINT", "UNITS")), Up: strings.TrimSpace(g.text("POINT", "Y_SCREEN"))}
	if f.RateHz, _ = g.number("POINT", "RATE"); f.RateHz == 0 {
		f.RateHz = r.float(20)
	}
	if !(f.RateHz >= 1 && f.RateHz <= 1000) {
		return nil, fmt.Errorf("c3d: %g frames a second; legal: 1 to 1000", f.RateHz)
	}
	f.Labels = g.labels(l.points)
	f.Frames = make([][]spatial.Vec3, l.frames)
	word := 2
	if l.scale < 0 {
		word = 4
	}
	frameBytes := word * (4*l.points + l.analogs)
	for t := range f.Frames {
		at := l.data + t*frameBytes
		row := make([]spatial.Vec3, l.points)
		for i := range row {
			row[i] = r.point(at+i*4*word, l.scale)
		}
		f.Frames[t] = row
	}
	return f, nil
}

// layout finds where the frames are and how many.
func (r *reader) layout(g groups) (l layout, err error) {
	l.points, l.scale, l.analogs = r.u16(2), r.float(12), r.u16(4)
	first, last := r.u16(6), r.u16(8)
	l.frames = last - first + 1
	// Longer recordings than 65535 frames say so in parameters.
	if n, ok := g.number("POINT", "LONG_FRAMES"); ok && n > 0 {
		l.frames = int(n)
	} else if a, b := g.whole32("TRIAL", "ACTUAL_START_FIELD"), g.whole32("TRIAL", "ACTUAL_END_FIELD"); b >= a && a > 0 {
		l.frames = b - a + 1
	}
	block, ok := g.number("POINT", "DATA_START")
	if !ok || block == 0 {
		block = float64(r.u16(16))
	}
	if n, ok := g.number("POINT", "USED"); ok {
		l.points = int(n) & 0xffff
	}
	l.data = (int(block) - 1) * blockBytes
	word := 2
	if l.scale < 0 {
		word = 4
	}
	frameBytes := word * (4*l.points + l.analogs)
	switch {
	case l.scale == 0 || math.IsNaN(l.scale) || math.IsInf(l.scale, 0):
		return l, fmt.Errorf("c3d: the scale of the points is %g", l.scale)
	case l.points < 1 || l.points > maxPoints:
		return l, fmt.Errorf("c3d: %d points; legal: 1 to %d", l.points, maxPoints)
	case l.frames < 2 || l.frames > maxFrames || l.frames*l.points > maxValues:
		return l, fmt.Errorf("c3d: %d frames of %d points; legal: 2 to %d frames, %d points in all", l.frames, l.points, maxFrames, maxValues)
	case l.data < 2*blockBytes || l.data > len(r.b):
		return l, fmt.Errorf("c3d: the frames begin at byte %d of %d", l.data, len(r.b))
	case l.data+l.frames*frameBytes > len(r.b):
		return l, fmt.Errorf("c3d: the file is cut off: %d frames are promised, %d are there", l.frames, (len(r.b)-l.data)/frameBytes)
	}
	return l, nil
}

// point reads one point: three coordinates and a word whose negative sign says that it was not seen.
func (r *reader) point(at int, scale float64) (p spatial.Vec3) {
	var unseen bool
	if scale < 0 {
		for k := range p {
			p[k] = r.float(at + 4*k)
		}
		unseen = r.float(at+12) < 0
	} else {
		for k := range p {
			p[k] = scale * float64(int16(r.u16(at+2*k)))
		}
		unseen = int16(r.u16(at+6)) < 0
	}
	for k := range p {
		unseen = unseen || math.IsNaN(p[k]) || math.IsInf(p[k], 0)
	}
	if unseen {
		return spatial.Vec3{math.NaN(), math.NaN(), math.NaN()}
	}
	return p
}
