package demonstrator

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Choose takes choices as people write them and checks all options: size as in
// 576x720 (pixels), empty for the default; for camera and look see their Set.
func (o *Options) Choose(size string, camera, look map[string]string) error {
	if err := o.Camera.Set(camera); err != nil {
		return err
	}
	if err := o.Look.Set(look); err != nil {
		return err
	}
	if size != "" {
		if n, err := fmt.Sscanf(size, "%dx%d", &o.WidthPx, &o.HeightPx); n != 2 || err != nil {
			return fmt.Errorf("--size %q: legal: WIDTHxHEIGHT in pixels, as in 576x720", size)
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
// (#rrggbb), light (a number) and background.
func (l *Look) Set(given map[string]string) error {
	texts := map[string]*string{
		"shirt": &l.Shirt, "trousers": &l.Trousers, "shoes": &l.Shoes, "hair": &l.Hair, "skin": &l.Skin,
		"background": &l.Background,
	}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		switch dst, ok := texts[k]; {
		case ok:
			*dst = given[k]
		case k == "light":
			v, err := strconv.ParseFloat(given[k], 64)
			if err != nil {
				return fmt.Errorf("--look: light is %q; legal: a number, as in light=0.8", given[k])
			}
			l.Light = v
		default:
			legal := append(slices.Sorted(maps.Keys(texts)), "light")
			return fmt.Errorf("--look: unknown key %q; legal: %s", k, strings.Join(legal, ", "))
		}
	}
	return nil
}
