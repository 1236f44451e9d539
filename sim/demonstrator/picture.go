package demonstrator

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/mp4"
)

// Picture is what becomes of the drawn pictures on their way into the file; the zero
// value is nothing. The truth knows of it all.
type Picture struct {
	// Shares of the picture that are cut away.
	CutLeft, CutTop, CutRight, CutBottom float64
	// RotateDeg is the phone's flag: the file holds the pictures turned, and its
	// display matrix turns them clockwise by this much to be upright.
	RotateDeg   int     // 0, 90, 180, 270
	Unflagged   bool    // turned like that, but no matrix tells
	PixelAspect float64 // width of a pixel over its height; default 1
	Noise       float64 // of each colour, of 255
	Uneven      bool    // time stamps with gaps, as of a phone that saves light
	CRF         int     // of the encoder: 20 (default) is good, 40 poor
}

func (p Picture) check() error {
	for _, c := range []struct {
		what      string
		v, lo, hi float64
	}{
		{"cut at the left", p.CutLeft, 0, 0.9}, {"cut at the right", p.CutRight, 0, 0.9},
		{"cut at the top", p.CutTop, 0, 0.9}, {"cut at the bottom", p.CutBottom, 0, 0.9},
		{"cut across", p.CutLeft + p.CutRight, 0, 0.9}, {"cut from top and bottom", p.CutTop + p.CutBottom, 0, 0.9},
		{"pixel aspect (0: 1)", p.PixelAspect, 0, 4},
		{"noise", p.Noise, 0, 100},
		{"crf (0: 20)", float64(p.CRF), 0, 51},
	} {
		if math.IsNaN(c.v) || c.v < c.lo || c.v > c.hi {
			return fmt.Errorf("picture: %s is %g; legal: %g to %g", c.what, c.v, c.lo, c.hi)
		}
	}
	if p.PixelAspect != 0 && p.PixelAspect < 0.25 {
		return fmt.Errorf("picture: pixel aspect is %g; legal: 0.25 to 4", p.PixelAspect)
	}
	switch p.RotateDeg {
	case 0, 90, 180, 270:
		return nil
	}
	return fmt.Errorf("picture: rotate is %d; legal: 0, 90, 180, 270", p.RotateDeg)
}

// window is the part of the drawn picture that is kept, in pixels; its sides are even.
type window struct{ x, y, width, height int }

func (p Picture) window(width, height int) window {
	even := func(v float64) int { return 2 * int(math.Round(v/2)) }
	w, h := float64(width), float64(height)
	out := window{x: even(p.CutLeft * w), y: even(p.CutTop * h)}
	out.width = max(16, width-out.x-even(p.CutRight*w))
	out.height = max(16, height-out.y-even(p.CutBottom*h))
	out.x, out.y = min(out.x, width-out.width), min(out.y, height-out.height)
	return out
}

// keeps tells whether the frame has a picture in the file.
func (p Picture) keeps(frame int) bool {
	k := frame % unevenOf
	return !p.Uneven || k < unevenFrom || k > unevenTo
}

// Of each 11 frames those from the fourth to the sixth are left out.
const unevenOf, unevenFrom, unevenTo = 11, 3, 5

// encoding is the same as filters for ffmpeg.
func (p Picture) encoding(width, height int) mp4.Options {
	o := mp4.Options{CRF: p.CRF, TurnDeg: p.RotateDeg}
	if p.Unflagged {
		o.TurnDeg = 0
	}
	add := func(format string, args ...any) { o.Filters = append(o.Filters, fmt.Sprintf(format, args...)) }
	w := p.window(width, height)
	if w.width != width || w.height != height {
		add("crop=%d:%d:%d:%d", w.width, w.height, w.x, w.y)
	}
	if a := p.PixelAspect; a != 0 && a != 1 {
		// Squeezed, never stretched: what is lost is lost on the sensor.
		if narrow := 2 * int(math.Round(float64(w.width)/a/2)); a > 1 {
			add("scale=%d:%d:flags=bicubic+accurate_rnd+bitexact,setsar=%d/%d", narrow, w.height, w.width, narrow)
		} else {
			low := 2 * int(math.Round(float64(w.height)*a/2))
			add("scale=%d:%d:flags=bicubic+accurate_rnd+bitexact,setsar=%d/%d", w.width, low, low, w.height)
		}
	}
	if p.Noise > 0 {
		add("noise=all_seed=1:alls=%.0f:allf=t", p.Noise)
	}
	// The way into the file is the other way round than the matrix shows it.
	switch p.RotateDeg {
	case 90:
		add("transpose=2")
	case 180:
		add("hflip,vflip")
	case 270:
		add("transpose=1")
	}
	if p.Uneven {
		o.OwnTimes = true
		add("select='lt(mod(n,%[1]d),%[2]d)+gt(mod(n,%[1]d),%[3]d)'", unevenOf, unevenFrom, unevenTo)
	}
	return o
}
