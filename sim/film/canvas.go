package film

import (
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

var (
	paper = color.RGBA{247, 246, 242, 255}
	ink   = color.RGBA{38, 42, 48, 255}
	red   = color.RGBA{196, 52, 40, 255}
)

// canvas is an RGB picture, top row first. It is a draw.Image, so letters can
// be drawn on it.
type canvas struct {
	w, h int
	rgb  []byte
}

func newCanvas(w, h int) *canvas { return &canvas{w, h, make([]byte, 3*w*h)} }

func (c *canvas) ColorModel() color.Model { return color.RGBAModel }
func (c *canvas) Bounds() image.Rectangle { return image.Rect(0, 0, c.w, c.h) }
func (c *canvas) At(x, y int) color.Color {
	p := c.rgb[3*(y*c.w+x):]
	return color.RGBA{p[0], p[1], p[2], 255}
}
func (c *canvas) Set(x, y int, v color.Color) {
	r, g, b, _ := v.RGBA()
	copy(c.rgb[3*(y*c.w+x):], []byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)})
}

// fill paints everything.
func (c *canvas) fill(v color.RGBA) { c.box(c.Bounds(), v, 255) }

// box blends a colour over a rectangle; share 255 covers.
func (c *canvas) box(r image.Rectangle, v color.RGBA, share int) {
	r = r.Intersect(c.Bounds())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.rgb[3*(y*c.w+r.Min.X) : 3*(y*c.w+r.Max.X)]
		for i := 0; i < len(row); i += 3 {
			for k, to := range [3]uint8{v.R, v.G, v.B} {
				row[i+k] = byte((int(row[i+k])*(255-share) + int(to)*share) / 255)
			}
		}
	}
}

// paste copies another picture, which must fit.
func (c *canvas) paste(p *canvas, x, y int) {
	for i := range p.h {
		copy(c.rgb[3*((y+i)*c.w+x):], p.rgb[3*i*p.w:3*(i+1)*p.w])
	}
}

// lettering writes words on pictures, in a size that suits the pane.
type lettering struct {
	face    font.Face
	sizePx  int
	stripPx int // height of the strip under side-by-side panes
}

func newLettering(paneHPx int) (*lettering, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("film: built-in font: %w", err)
	}
	size := max(10, paneHPx/26)
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("film: built-in font: %w", err)
	}
	return &lettering{face, size, (2*size + 1) &^ 1}, nil
}

func (l *lettering) width(s string) int { return font.MeasureString(l.face, s).Ceil() }

func (l *lettering) write(c *canvas, x, baseline int, s string, v color.Color) {
	d := font.Drawer{Dst: c, Src: image.NewUniform(v), Face: l.face, Dot: fixed.P(x, baseline)}
	d.DrawString(s)
}

// tag writes words on a light plate whose top left corner is given.
func (l *lettering) tag(c *canvas, x, y int, s string, v color.Color) {
	pad := l.sizePx / 3
	c.box(image.Rect(x, y, x+l.width(s)+2*pad, y+l.sizePx+pad+2), paper, 205)
	l.write(c, x+pad, y+l.sizePx, s, v)
}

// label names the pane whose upper left corner is given.
func (l *lettering) label(c *canvas, x0, y0 int, s string) {
	if s != "" {
		l.tag(c, x0+l.sizePx/2, y0+l.sizePx/2, s, ink)
	}
}

// corner writes a line into the upper right corner of the pane that ends before
// column x1.
func (l *lettering) corner(c *canvas, x1, line int, s string, v color.Color) {
	x := x1 - l.sizePx/2 - l.width(s) - 2*(l.sizePx/3)
	l.tag(c, x, l.sizePx/2+line*(l.sizePx*3/2+2), s, v)
}

// strip centres a note under the panes.
func (l *lettering) strip(c *canvas, s string) {
	if s != "" {
		l.write(c, max(0, (c.w-l.width(s))/2), c.h-l.stripPx/2+l.sizePx/3, s, ink)
	}
}
