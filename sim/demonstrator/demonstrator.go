// Package demonstrator is a person made of simple shapes who performs known
// motions before a camera: a video for the real pose network, and the exact
// truth beside it.
//
// A motion is authored as joint angles and foot places over time (motions.go);
// the pelvis follows from balance and the legs from the feet (balance.go,
// stance.go), so feet on the floor do not slide and the weight is over the
// stance foot before the other one lifts. Or it is any human motion, done by this
// body with its own bones ([Mimic]). [Perform] gives the truth without
// drawing and needs no C library; [Film] draws it and needs build tag mujoco.
//
// What makes real clips hard is part of the scene or of the file, and part of the
// truth ([Take]): a second person, things that hide the body, a camera that moves
// (drawn, so that parallax is real), a picture that is cut, turned, squeezed, noisy
// or uneven in time (by ffmpeg, after drawing). Not here: judging what becomes of
// such clips.
//
// Everything is a pure function of its options: the same options give the same
// bytes. Nothing is shared between calls.
package demonstrator

import (
	"errors"
	"fmt"
	"math"
)

// Options of a performance; the zero value of a field means its default.
type Options struct {
	HeightM  float64 // of the person; default 1.72
	FPS      float64 // default 30
	WidthPx  int     // default 576
	HeightPx int     // default 720
	Seed     uint64  // small natural variation; 0: exactly as authored
	Camera   Camera
	Look     Look
	Shadows  bool // real shadows; several times slower

	// StageM is the place on the floor (world x, y) that room and camera are built
	// around; default: under the person's first frame.
	StageM  [2]float64
	Second  Second   // another person; the zero value is nobody
	Props   []string // things that stand about, see Props
	Moves   Moves    // of the camera
	Picture Picture  // what becomes of the pictures on their way into the file
}

// Camera looks at the middle (0.54 of the height) of a person standing in the
// middle of the stage.
type Camera struct {
	DistanceM  float64 // from the person; default 3.6
	HeightM    float64 // over the floor; default 0.95
	AzimuthDeg float64 // to the person's left; default 0: straight ahead
	FovDeg     float64 // vertical; default 38
}

// Look is how person and room look. Colours are "#rrggbb".
type Look struct {
	Shirt, Trousers, Shoes, Hair, Skin string
	Light                              float64 // 1 is a bright room
	Backlight                          float64 // 0 to 1: light comes from behind instead
	Background                         string  // one of Backgrounds
}

// Backgrounds lists the places the demonstrator can stand in.
func Backgrounds() []string { return []string{"room", "studio", "garden"} }

func (o Options) withDefaults() (Options, error) {
	or := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	or(&o.HeightM, referenceHeightM)
	or(&o.FPS, 30)
	or(&o.Camera.DistanceM, 3.6)
	or(&o.Camera.HeightM, 0.95)
	or(&o.Camera.FovDeg, 38)
	or(&o.Look.Light, 1)
	if o.WidthPx == 0 && o.HeightPx == 0 {
		o.WidthPx, o.HeightPx = 576, 720
	}
	text := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	text(&o.Look.Shirt, "#2f7f86")
	text(&o.Look.Trousers, "#3a4258")
	text(&o.Look.Shoes, "#e9e4da")
	text(&o.Look.Hair, "#4a3226")
	text(&o.Look.Skin, "#d9a582")
	text(&o.Look.Background, "room")
	o.Second = o.Second.withDefaults(o.HeightM)
	return o, o.check()
}

// Check reports the first option that is out of range, naming the legal values.
func (o Options) Check() error {
	_, err := o.withDefaults()
	return err
}

func (o Options) check() error {
	for _, c := range []struct {
		what      string
		v, lo, hi float64
	}{
		{"height in metres", o.HeightM, 0.8, 2.3},
		{"frames per second", o.FPS, 5, 240},
		{"camera distance in metres", o.Camera.DistanceM, 1, 12},
		{"camera height in metres", o.Camera.HeightM, 0.05, 4},
		{"camera azimuth in degrees", o.Camera.AzimuthDeg, -180, 180},
		{"camera field of view in degrees", o.Camera.FovDeg, 10, 110},
		{"light", o.Look.Light, 0.1, 2},
		{"backlight", o.Look.Backlight, 0, 1},
		{"stage in metres", o.StageM[0], -500, 500},
		{"stage in metres", o.StageM[1], -500, 500},
		{"picture width in pixels", float64(o.WidthPx), 64, 4096},
		{"picture height in pixels", float64(o.HeightPx), 64, 4096},
	} {
		if math.IsNaN(c.v) || c.v < c.lo || c.v > c.hi {
			return fmt.Errorf("demonstrator: %s is %g; legal: %g to %g", c.what, c.v, c.lo, c.hi)
		}
	}
	if o.WidthPx%2 != 0 || o.HeightPx%2 != 0 {
		return fmt.Errorf("demonstrator: picture of %d x %d pixels; legal: even numbers, which video needs", o.WidthPx, o.HeightPx)
	}
	if err := errors.Join(o.Second.check(), checkProps(o.Props), o.Moves.check(), o.Picture.check()); err != nil {
		return fmt.Errorf("demonstrator: %w", err)
	}
	return o.Look.check()
}

func (l Look) check() error {
	for _, c := range []struct{ what, text string }{
		{"shirt", l.Shirt}, {"trousers", l.Trousers}, {"shoes", l.Shoes}, {"hair", l.Hair}, {"skin", l.Skin},
	} {
		if _, err := parseColour(c.text); err != nil {
			return fmt.Errorf("demonstrator: colour of %s: %w", c.what, err)
		}
	}
	for _, b := range Backgrounds() {
		if l.Background == b {
			return nil
		}
	}
	return fmt.Errorf("demonstrator: background %q; legal: %v", l.Background, Backgrounds())
}

// colour is red, green and blue from 0 to 1.
type colour [3]float64

func parseColour(s string) (colour, error) {
	var r, g, b uint8
	if n, err := fmt.Sscanf(s, "#%02x%02x%02x", &r, &g, &b); n != 3 || err != nil || len(s) != 7 {
		return colour{}, fmt.Errorf("%q is no colour; legal: #rrggbb, as in #2f7f86", s)
	}
	return colour{float64(r) / 255, float64(g) / 255, float64(b) / 255}, nil
}

// times makes a colour lighter or darker.
func (c colour) times(f float64) colour {
	for i := range c {
		c[i] = math.Min(1, c[i]*f)
	}
	return c
}
