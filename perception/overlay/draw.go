package overlay

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/sight"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// bones lists what is joined by lines, with the side it belongs to: the
// person's left is orange, the right blue, the middle white.
var bones = [...]struct{ a, b, side int }{
	{landmark.LShoulder, landmark.RShoulder, 0}, {landmark.LHip, landmark.RHip, 0},
	{landmark.LShoulder, landmark.LHip, 1}, {landmark.RShoulder, landmark.RHip, 2},
	{landmark.LShoulder, landmark.LElbow, 1}, {landmark.LElbow, landmark.LWrist, 1},
	{landmark.LWrist, landmark.LIndex, 1}, {landmark.LWrist, landmark.LPinky, 1}, {landmark.LWrist, landmark.LThumb, 1},
	{landmark.RShoulder, landmark.RElbow, 2}, {landmark.RElbow, landmark.RWrist, 2},
	{landmark.RWrist, landmark.RIndex, 2}, {landmark.RWrist, landmark.RPinky, 2}, {landmark.RWrist, landmark.RThumb, 2},
	{landmark.LHip, landmark.LKnee, 1}, {landmark.LKnee, landmark.LAnkle, 1},
	{landmark.LAnkle, landmark.LHeel, 1}, {landmark.LHeel, landmark.LToe, 1}, {landmark.LAnkle, landmark.LToe, 1},
	{landmark.RHip, landmark.RKnee, 2}, {landmark.RKnee, landmark.RAnkle, 2},
	{landmark.RAnkle, landmark.RHeel, 2}, {landmark.RHeel, landmark.RToe, 2}, {landmark.RAnkle, landmark.RToe, 2},
	{landmark.LEar, landmark.Nose, 1}, {landmark.REar, landmark.Nose, 2},
}

var sideColours = [...][3]float64{{245, 245, 245}, {255, 140, 0}, {40, 140, 255}}

// canvas is a picture to draw on, red first.
type canvas struct {
	rgb  []byte
	w, h int
}

// unseenAlpha is how strongly bones to guessed points are drawn: a trace of where the
// network thinks they are. The points themselves are not drawn.
const unseenAlpha = 0.1

// skeleton draws a person; sx and sy scale landmarks to the canvas. What was not seen
// is hardly drawn.
func (c *canvas) skeleton(f *track.Frame, sx, sy float64) {
	width := math.Max(1.5, f.ROI.SidePx*sy/220)
	w, h := int(math.Round(float64(c.w)/sx)), int(math.Round(float64(c.h)/sy))
	alpha := func(base, more float64, marks ...landmark.Index) float64 {
		least := 1.0
		for _, i := range marks {
			if !sight.Seen(&f.Frame, i, w, h) {
				return unseenAlpha
			}
			least = math.Min(least, f.Landmarks[i].Visibility)
		}
		return base + more*least
	}
	at := func(i int) (x, y float64) { return f.Landmarks[i].XPx * sx, f.Landmarks[i].YPx * sy }
	for _, b := range bones {
		x0, y0 := at(b.a)
		x1, y1 := at(b.b)
		c.line(x0, y0, x1, y1, width, sideColours[b.side], alpha(0.25, 0.65, b.a, b.b))
	}
	for i := landmark.LShoulder; i < landmark.Num; i++ {
		if !sight.Seen(&f.Frame, i, w, h) {
			continue
		}
		x, y := at(i)
		c.line(x, y, x, y, 2.2*width, sideColours[1+(i+1)%2], alpha(0.25, 0.75, i))
	}
}

// line draws a stroke with round ends and soft edges: every pixel near it is
// blended by its distance. A stroke of no length is a disc.
func (c *canvas) line(x0, y0, x1, y1, width float64, colour [3]float64, alpha float64) {
	for _, v := range [...]float64{x0, y0, x1, y1} {
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return
		}
	}
	r := width/2 + 1
	left, right := max(0, int(math.Min(x0, x1)-r)), min(c.w-1, int(math.Max(x0, x1)+r))
	top, bottom := max(0, int(math.Min(y0, y1)-r)), min(c.h-1, int(math.Max(y0, y1)+r))
	for y := top; y <= bottom; y++ {
		for x := left; x <= right; x++ {
			away := toLine(float64(x)+0.5, float64(y)+0.5, x0, y0, x1-x0, y1-y0)
			cover := alpha * math.Min(1, math.Max(0, width/2+0.5-away))
			if cover <= 0 {
				continue
			}
			p := c.rgb[3*(y*c.w+x):]
			for k := range colour {
				p[k] = byte(float64(p[k]) + cover*(colour[k]-float64(p[k])) + 0.5)
			}
		}
	}
}

// scale resamples a picture to w x h by averaging the covered pixels and swaps
// blue and red. With equal sizes, or one row or column less, it copies.
func scale(out []byte, w, h int, f *video.Frame) {
	if f.WidthPx-w < 2 && f.HeightPx-h < 2 {
		for y := range h {
			src, dst := f.Pix[3*y*f.WidthPx:][:3*w], out[3*y*w:][:3*w]
			for i := 0; i < len(dst); i += 3 {
				dst[i], dst[i+1], dst[i+2] = src[i+2], src[i+1], src[i]
			}
		}
		return
	}
	for y := range h {
		y0, y1 := y*f.HeightPx/h, max((y+1)*f.HeightPx/h, y*f.HeightPx/h+1)
		for x := range w {
			x0, x1 := x*f.WidthPx/w, max((x+1)*f.WidthPx/w, x*f.WidthPx/w+1)
			at := 3 * (y*w + x)
			out[at+2], out[at+1], out[at] = mean(f, x0, y0, x1, y1)
		}
	}
}

// mean is the mean colour of a rectangle that is not empty.
func mean(f *video.Frame, x0, y0, x1, y1 int) (b, g, r byte) {
	var sum [3]int
	for y := y0; y < y1; y++ {
		row := f.Pix[3*(y*f.WidthPx+x0) : 3*(y*f.WidthPx+x1)]
		for i := 0; i < len(row); i += 3 {
			sum[0] += int(row[i])
			sum[1] += int(row[i+1])
			sum[2] += int(row[i+2])
		}
	}
	n := (x1 - x0) * (y1 - y0)
	return byte(sum[0] / n), byte(sum[1] / n), byte(sum[2] / n)
}
