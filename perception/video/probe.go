package video

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// ErrNoProbe says that the program ffprobe is not on this machine.
var ErrNoProbe = errors.New("video: ffprobe is not installed: run make deps, or apt-get install ffmpeg")

// upright says how a stored picture becomes the one that a player shows: first
// its pixels are made square, then it is turned or mirrored.
type upright struct {
	// pixelAspect is the width of a stored pixel over its height.
	pixelAspect float64
	// transpose exchanges rows and columns (before the mirrors).
	transpose bool
	// mirrorX and mirrorY then mirror left-right and top-bottom.
	mirrorX, mirrorY bool
}

// The widest and narrowest pixels that are taken; formats in use lie within 1:2
// and 4:1. A wrong entry must not make pictures that fill the memory.
const widestPixel = 8.0

// references are the formats, by ffprobe's names, whose files hold no picture
// but name other files or addresses.
var references = []string{"hls", "concat", "dash", "imf", "sdp", "rtsp", "rtp", "webm_dash_manifest"}

// probe asks ffprobe how the first video stream of a file (an absolute path) is
// to be shown. OpenCV is not asked: versions of it turn the other way, and none
// knows mirrored pictures or pixels that are not square. path is the user's.
func probe(abs, path string) (upright, error) {
	program, err := exec.LookPath("ffprobe")
	if err != nil {
		return upright{}, ErrNoProbe
	}
	var said bytes.Buffer
	c := exec.Command(program, "-v", "error", "-protocol_whitelist", "file,crypto,data", "-select_streams", "v:0",
		"-show_entries", "format=format_name:stream=sample_aspect_ratio:stream_side_data=displaymatrix", "-of", "json", "file:"+abs)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return upright{}, unreadable(path)
	}
	var found struct {
		Format struct {
			Name string `json:"format_name"`
		} `json:"format"`
		Streams []struct {
			PixelAspect string `json:"sample_aspect_ratio"`
			SideData    []struct {
				DisplayMatrix string `json:"displaymatrix"`
			} `json:"side_data_list"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return upright{}, fmt.Errorf("video: %s: ffprobe's answer: %w", path, err)
	}
	for name := range strings.SplitSeq(found.Format.Name, ",") {
		if slices.Contains(references, name) {
			return upright{}, fmt.Errorf("video: %s is a playlist (%s) that names other files; give the video itself", path, name)
		}
	}
	u := upright{pixelAspect: 1}
	if len(found.Streams) == 0 {
		return u, nil // the decoder will say so
	}
	s := found.Streams[0]
	u.pixelAspect = pixelAspect(s.PixelAspect)
	if u.pixelAspect > widestPixel || u.pixelAspect < 1/widestPixel {
		return upright{}, fmt.Errorf("video: %s: pixels of width to height %s; legal: 1:%g to %g:1", path, s.PixelAspect, widestPixel, widestPixel)
	}
	for _, d := range s.SideData {
		if d.DisplayMatrix != "" {
			u.turn(displayMatrix(d.DisplayMatrix))
		}
	}
	return u, nil
}

// unreadable is the error for a file that no decoder understands.
func unreadable(path string) error {
	return fmt.Errorf("video: %s is not a video that can be read (damaged, cut off, or an unknown format)", path)
}

// pixelAspect reads "16:11"; what is missing or unknown ("0:1") is square.
func pixelAspect(ratio string) float64 {
	a, b, _ := strings.Cut(ratio, ":")
	w, errW := strconv.ParseFloat(a, 64)
	h, errH := strconv.ParseFloat(b, 64)
	if errW != nil || errH != nil || !(w > 0) || !(h > 0) {
		return 1
	}
	return w / h
}

// displayMatrix reads ffprobe's print of a display matrix: lines of an offset
// and three numbers. Fewer than nine numbers give zeros, which turn nothing.
func displayMatrix(text string) (m [9]float64) {
	k := 0
	for line := range strings.SplitSeq(text, "\n") {
		_, numbers, _ := strings.Cut(line, ":")
		for _, word := range strings.Fields(numbers) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil || k == len(m) {
				return [9]float64{}
			}
			m[k] = v
			k++
		}
	}
	return m
}

// turn sets the turn and mirrors from a display matrix of the QuickTime file
// format: x' = m0 x + m3 y, y' = m1 x + m4 y. Turns that are no quarter turns
// are rounded to the nearest one, as players do.
func (u *upright) turn(m [9]float64) {
	along, across := math.Abs(m[0])+math.Abs(m[4]), math.Abs(m[1])+math.Abs(m[3])
	u.transpose = across > along
	if u.transpose {
		u.mirrorX, u.mirrorY = m[3] < 0, m[1] < 0
	} else {
		u.mirrorX, u.mirrorY = m[0] < 0, m[4] < 0
	}
}

// square is the size of a stored picture once its pixels are square. The longer
// side of a pixel is kept, so that nothing that was filmed is lost.
func (u upright) square(widthPx, heightPx int) (int, int) {
	if u.pixelAspect > 1 {
		return int(math.Round(float64(widthPx) * u.pixelAspect)), heightPx
	}
	return widthPx, int(math.Round(float64(heightPx) / u.pixelAspect))
}
