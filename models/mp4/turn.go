package mp4

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// matrix is the display matrix of a track: a, b, u, c, d, v, x, y, w (ISO/IEC 14496-12, 8.3.2),
// numbers of 16.16 bits but for the last column.
type matrix [9]int32

// one is 1 in 16.16 bits.
const one = 1 << 16

// turned shows stored pictures of that size turned clockwise.
func turned(deg, width, height int) (matrix, bool) {
	w, h := int32(width)*one, int32(height)*one
	m := matrix{8: 1 << 30}
	switch deg {
	case 0:
		m[0], m[4] = one, one
	case 90:
		m[1], m[3], m[6] = one, -one, h
	case 180:
		m[0], m[4], m[6], m[7] = -one, -one, w, h
	case 270:
		m[1], m[3], m[7] = -one, one, w
	default:
		return m, false
	}
	return m, true
}

// errNoTrack says that what ffmpeg wrote is not what this package knows.
var errNoTrack = errors.New("the file has no header of a track")

// turn writes a display matrix into the track of a file: ffmpeg's own way to ask for one
// differs between its versions.
func turn(file string, deg int) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	at, err := header(f)
	if err != nil {
		return err
	}
	// Version and flags, four times and numbers, layer and volume come before the matrix.
	const matrixAt, long = 40, 84
	head := make([]byte, long)
	if _, err := f.ReadAt(head, at); err != nil {
		return err
	}
	if head[0] != 0 { // times of 64 bits
		return errNoTrack
	}
	width, height := binary.BigEndian.Uint32(head[76:])/one, binary.BigEndian.Uint32(head[80:])/one
	m, _ := turned(deg, int(width), int(height))
	for i, v := range m {
		binary.BigEndian.PutUint32(head[4*i:], uint32(v))
	}
	_, err = f.WriteAt(head[:4*len(m)], at+matrixAt)
	return err
}

// header finds the content of moov/trak/tkhd.
func header(f io.ReaderAt) (int64, error) {
	at, end := int64(0), int64(1)<<62
	for _, name := range [...]string{"moov", "trak", "tkhd"} {
		for {
			var b [8]byte
			if _, err := f.ReadAt(b[:], at); err != nil || at >= end {
				return 0, errNoTrack
			}
			size := int64(binary.BigEndian.Uint32(b[:4]))
			if string(b[4:]) == name {
				at, end = at+8, at+size
				break
			}
			if size < 8 {
				return 0, errNoTrack
			}
			at += size
		}
	}
	return at, nil
}
