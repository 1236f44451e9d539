package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/models/infile"
)

// MaxPixels is the largest picture that is decoded: 8192 x 4320, the most that
// levels of H.264 and HEVC allow, with room for turned and padded ones. A file of
// a few kilobytes can claim pictures that fill any memory.
const MaxPixels = 8192 * 4608

// headBytes is how much of a file is looked at to tell what it is.
const headBytes = 512

// checkContainer reads the beginning of a file and refuses what is no container of
// video. Decoders would take much else: pictures of any size, and playlists, which
// make them open other files. What is known for something else, or too large, is
// refused (infile.ErrUnusable); what nobody knows cannot be read.
func checkContainer(path string, r io.Reader) error {
	head := make([]byte, headBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	for _, kind := range otherKinds {
		if bytes.HasPrefix(head, []byte(kind.magic)) {
			return infile.Refuse("video: "+path, fmt.Errorf("it is %s, not a video; legal: %s", kind.name, legalKinds))
		}
	}
	if bytes.HasPrefix(head, []byte("GIF8")) && len(head) >= 10 {
		return infile.Refuse("video: "+path, CheckSize(int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))))
	}
	for _, is := range containers {
		if is(head) {
			return nil
		}
	}
	return fmt.Errorf("video: %s: it is not a video that can be read (damaged, or an unknown format); legal: %s", path, legalKinds)
}

// CheckSize refuses pictures that are too large, or none.
func CheckSize(widthPx, heightPx int) error {
	if widthPx < 1 || heightPx < 1 || widthPx > MaxPixels/heightPx {
		return fmt.Errorf("pictures of %d x %d pixels; legal: 1 to %d in all (8K)", widthPx, heightPx, MaxPixels)
	}
	return nil
}

const legalKinds = "MP4, MOV, Matroska, WebM, AVI, MPEG, Ogg, FLV, WMV, GIF"

// otherKinds are those of which can be said what they are.
var otherKinds = []struct{ magic, name string }{
	{"\x89PNG", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"BM", "a picture"}, {"II*\x00", "a picture"}, {"MM\x00*", "a picture"},
	{"#EXTM3U", "a playlist"}, {"ffconcat", "a playlist"}, {"<?xml", "a text"}, {"v=0", "a description of a stream"},
	{"PK\x03\x04", "an archive"}, {"%PDF", "a document"},
}

// containers tell the kinds of file that are taken by their first bytes.
var containers = []func(head []byte) bool{
	isQuickTime, isTransportStream,
	magic("\x1aE\xdf\xa3"), // Matroska, WebM
	func(b []byte) bool { return magic("RIFF")(b) && at(b, 8, "AVI ") }, // AVI
	magic("OggS"),
	magic("FLV\x01"),
	magic("\x30\x26\xb2\x75\x8e\x66\xcf\x11"),            // ASF, WMV
	magic("\x00\x00\x01\xba"), magic("\x00\x00\x01\xb3"), // MPEG program and video streams
	magic("\x00\x00\x00\x01"), magic("\x00\x00\x01\x09"), // bare H.264 and HEVC
	magic("DKIF"), // bare VP8, VP9, AV1
}

func magic(m string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(m)) }
}

func at(b []byte, i int, m string) bool {
	return len(b) >= i+len(m) && string(b[i:i+len(m)]) == m
}

// isQuickTime knows MP4, MOV, M4V and 3GP by the name of the first box (ISO/IEC
// 14496-12), which is ftyp in all but old QuickTime files.
func isQuickTime(b []byte) bool {
	for _, box := range []string{"ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp"} {
		if at(b, 4, box) {
			return true
		}
	}
	return false
}

// isTransportStream knows MPEG-TS by the byte that begins each packet of 188, or
// of 192 with a time stamp before it.
func isTransportStream(b []byte) bool {
	return len(b) > 192+4 && (b[0] == 0x47 && b[188] == 0x47 || b[4] == 0x47 && b[192+4] == 0x47)
}
