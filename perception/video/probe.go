//go:build opencv && cgo

package video

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/infile"
)

// The widest and narrowest pixels that are taken; formats in use lie within 1:2
// and 4:1. A wrong entry must not make pictures that fill the memory.
const widestPixel = 8.0

// references are the formats, by ffprobe's names, whose files hold no picture
// but name other files or addresses.
var references = []string{"hls", "concat", "dash", "imf", "sdp", "rtsp", "rtp", "webm_dash_manifest"}

// probed is what is known of a file before it is decoded.
type probed struct {
	upright
	// lensMm is the camera's focal length in 35 mm terms, 0 if the file has none.
	lensMm float64
}

// probe asks ffprobe how the first video stream of a file (an absolute path) is
// to be shown, and the file for its lens. OpenCV is not asked: versions of it turn the other way, and none
// knows mirrored pictures or pixels that are not square. path is the user's.
func probe(abs, path string) (probed, error) {
	program, err := exec.LookPath("ffprobe")
	if err != nil {
		return probed{}, ErrNoProbe
	}
	var said bytes.Buffer
	c := exec.Command(program, "-v", "error", "-protocol_whitelist", "file,crypto,data", "-select_streams", "v:0",
		"-show_entries", "format=format_name:format_tags:stream=sample_aspect_ratio:stream_tags:stream_side_data=displaymatrix", "-of", "json", "file:"+abs)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return probed{}, unreadable(path)
	}
	var found struct {
		Format struct {
			Name string            `json:"format_name"`
			Tags map[string]string `json:"tags"`
		} `json:"format"`
		Streams []struct {
			PixelAspect string            `json:"sample_aspect_ratio"`
			Tags        map[string]string `json:"tags"`
			SideData    []struct {
				DisplayMatrix string `json:"displaymatrix"`
			} `json:"side_data_list"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return probed{}, fmt.Errorf("video: %s: ffprobe's answer: %w", path, err)
	}
	for name := range strings.SplitSeq(found.Format.Name, ",") {
		if slices.Contains(references, name) {
			return probed{}, fmt.Errorf("video: %s is a playlist (%s) that names other files; give the video itself", path, name)
		}
	}
	u := probed{upright: upright{pixelAspect: 1}, lensMm: taggedMm(found.Format.Tags)}
	if len(found.Streams) == 0 {
		return u, nil // the decoder will say so
	}
	s := found.Streams[0]
	u.pixelAspect = pixelAspect(s.PixelAspect)
	if u.pixelAspect > widestPixel || u.pixelAspect < 1/widestPixel {
		return probed{}, fmt.Errorf("video: %s: pixels of width to height %s; legal: 1:%g to %g:1", path, s.PixelAspect, widestPixel, widestPixel)
	}
	u.lensMm = max(u.lensMm, taggedMm(s.Tags), fileMm(abs))
	for _, d := range s.SideData {
		if d.DisplayMatrix != "" {
			u.turn(displayMatrix(d.DisplayMatrix))
		}
	}
	return u, nil
}

// fileMm is the focal length in the boxes of a file, 0 if there is none.
func fileMm(abs string) float64 {
	f, err := infile.Open(abs, math.MaxInt64)
	if err != nil {
		return 0
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	return boxedMm(f, st.Size())
}

// unreadable is the error for a file that no decoder understands.
func unreadable(path string) error {
	return fmt.Errorf("video: %s is not a video that can be read (damaged, cut off, or an unknown format)", path)
}
