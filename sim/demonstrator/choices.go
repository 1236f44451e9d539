package demonstrator

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Choices are Options as people write them; what is empty stays as it is.
type Choices struct {
	Size                                string // as in 576x720, pixels
	Camera, Look, Second, Move, Picture map[string]string
	Props                               []string
}

// Choose takes choices and checks all options; what keys there are, see the Set methods.
func (o *Options) Choose(c Choices) error {
	for _, set := range []struct {
		take  func(map[string]string) error
		given map[string]string
	}{{o.Camera.Set, c.Camera}, {o.Look.Set, c.Look}, {o.Second.Set, c.Second}, {o.Moves.Set, c.Move}, {o.Picture.Set, c.Picture}} {
		if err := set.take(set.given); err != nil {
			return err
		}
	}
	o.Props = append(o.Props, c.Props...)
	if c.Size != "" {
		if n, err := fmt.Sscanf(c.Size, "%dx%d", &o.WidthPx, &o.HeightPx); n != 2 || err != nil {
			return fmt.Errorf("--size %q: legal: WIDTHxHEIGHT in pixels, as in 576x720", c.Size)
		}
	}
	return o.Check()
}

// setNumbers fills the named numbers from key=value pairs.
func setNumbers(flag string, given map[string]string, into map[string]*float64) error {
	for _, k := range slices.Sorted(maps.Keys(given)) {
		dst, ok := into[k]
		if !ok {
			return fmt.Errorf("%s: unknown key %q; legal: %s", flag, k, strings.Join(slices.Sorted(maps.Keys(into)), ", "))
		}
		v, err := strconv.ParseFloat(given[k], 64)
		if err != nil {
			return fmt.Errorf("%s: %s is %q; legal: a number", flag, k, given[k])
		}
		*dst = v
	}
	return nil
}

// Set takes choices as people write them: distance (m), height (m), azimuth and fov
// (degrees). An error names the key and what is legal.
func (c *Camera) Set(given map[string]string) error {
	return setNumbers("--camera", given, map[string]*float64{
		"distance": &c.DistanceM, "height": &c.HeightM, "azimuth": &c.AzimuthDeg, "fov": &c.FovDeg,
	})
}

// Set takes choices as people write them: shirt, trousers, shoes, hair, skin
// (#rrggbb), light and backlight (numbers) and background.
func (l *Look) Set(given map[string]string) error {
	return setAny("--look", given, map[string]*string{
		"shirt": &l.Shirt, "trousers": &l.Trousers, "shoes": &l.Shoes, "hair": &l.Hair, "skin": &l.Skin,
		"background": &l.Background,
	}, map[string]*float64{"light": &l.Light, "backlight": &l.Backlight})
}

// Set takes choices as people write them: does, clothes and height (m).
func (s *Second) Set(given map[string]string) error {
	return setAny("--second", given, map[string]*string{"does": &s.Does, "clothes": &s.Clothes},
		map[string]*float64{"height": &s.HeightM})
}

// Set takes choices as people write them: shake (degrees), sway (m), pan (degrees), and
// follow=1.
func (m *Moves) Set(given map[string]string) error {
	follow := 0.0
	err := setNumbers("--move", given, map[string]*float64{
		"shake": &m.ShakeDeg, "sway": &m.SwayM, "pan": &m.PanDeg, "follow": &follow,
	})
	m.Follow = m.Follow || follow != 0
	return err
}

// Set takes choices as people write them: left, top, right, bottom (shares cut away),
// rotate (degrees), aspect, noise, crf, uneven=1 and unflagged=1.
func (p *Picture) Set(given map[string]string) error {
	rotate, crf, uneven, unflagged := float64(p.RotateDeg), float64(p.CRF), 0.0, 0.0
	err := setNumbers("--picture", given, map[string]*float64{
		"left": &p.CutLeft, "top": &p.CutTop, "right": &p.CutRight, "bottom": &p.CutBottom,
		"rotate": &rotate, "aspect": &p.PixelAspect, "noise": &p.Noise, "crf": &crf,
		"uneven": &uneven, "unflagged": &unflagged,
	})
	if err != nil {
		return err
	}
	for _, v := range []float64{rotate, crf} {
		if v != math.Trunc(v) || math.Abs(v) > 1e6 {
			return fmt.Errorf("--picture: rotate or crf is %g; legal: a whole number", v)
		}
	}
	p.RotateDeg, p.CRF = int(rotate), int(crf)
	p.Uneven, p.Unflagged = p.Uneven || uneven != 0, p.Unflagged || unflagged != 0
	return nil
}

// setAny fills the named texts and numbers from key=value pairs.
func setAny(flag string, given map[string]string, texts map[string]*string, numbers map[string]*float64) error {
	rest := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		_, number := numbers[k]
		dst, text := texts[k]
		switch {
		case text:
			*dst = given[k]
		case number:
			rest[k] = given[k]
		default:
			legal := append(slices.Sorted(maps.Keys(texts)), slices.Sorted(maps.Keys(numbers))...)
			return fmt.Errorf("%s: unknown key %q; legal: %s", flag, k, strings.Join(legal, ", "))
		}
	}
	return setNumbers(flag, rest, numbers)
}
