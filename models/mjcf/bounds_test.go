package mjcf

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func world(inside string) string {
	return "<mujoco><worldbody>" + inside + "</worldbody></mujoco>"
}

func nested(n int) string {
	return world(strings.Repeat(`<body name="b">`, n) + strings.Repeat("</body>", n))
}

// What would take more memory or time than any robot needs is refused by both
// readers, with the place and what is legal, and without taking it first.
func TestBeyondAllBounds(t *testing.T) {
	for what, c := range map[string]struct{ text, want string }{
		"100000 deep":       {nested(100_000), "500"},
		"2M elements":       {world(strings.Repeat("<site/>", 2_000_000)), "100000 elements"},
		"replicated":        {world(`<replicate count="100"><replicate count="100"><replicate count="100"><geom/></replicate></replicate></replicate>`), "100000 elements"},
		"a composite":       {world(`<composite count="1000 1000 1"/>`), "100000 elements"},
		"a height field":    {`<mujoco><asset><hfield nrow="60000" ncol="60000"/></asset></mujoco>`, "4096"},
		"a texture":         {`<mujoco><asset><texture builtin="flat" width="60000" height="60000"/></asset></mujoco>`, "4096"},
		"in hexadecimal":    {`<mujoco><asset><hfield nrow="0xffff" ncol="2"/></asset></mujoco>`, "0xffff"},
		"no time":           {`<mujoco><option timestep="0"/></mujoco>`, "above 0, at most 0.1"},
		"time back":         {`<mujoco><option timestep="-1"/></mujoco>`, "above 0, at most 0.1"},
		"a century":         {`<mujoco><option timestep="1e9"/></mujoco>`, "above 0, at most 0.1"},
		"NaN":               {`<mujoco><option timestep="nan"/></mujoco>`, "above 0, at most 0.1"},
		"a terabyte arena":  {`<mujoco><size memory="1000G"/></mujoco>`, "1G"},
		"a petabyte arena":  {`<mujoco><size memory="1P"/></mujoco>`, "1G"},
		"endless iteration": {`<mujoco><option iterations="2000000000"/></mujoco>`, "10000"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse("a.xml", []byte(c.text))
		runtime.ReadMemStats(&after)
		other := CheckBounds("a.xml", []byte(c.text))
		for _, err := range []error{err, other} {
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "a.xml:1") {
				t.Errorf("%s: %v; want %q and the place", what, err, c.want)
			}
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 200<<20 {
			t.Errorf("%s: %d MB were allocated", what, grown>>20)
		}
	}
}

func TestWithinBounds(t *testing.T) {
	for what, text := range map[string]string{
		"deep":  nested(maxDepth - 2),
		"times": `<mujoco><option timestep="0.1"/><size memory="1G"/></mujoco>`,
		"field": `<mujoco><asset><hfield nrow="4096" ncol="4096"/></asset></mujoco>`,
	} {
		if err := CheckBounds("a.xml", []byte(text)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := CheckBounds("a.xml", []byte(nested(maxDepth-1))); err == nil || !strings.Contains(err.Error(), fmt.Sprint(maxDepth)) {
		t.Errorf("one too deep: %v", err)
	}
}
