package buses

import (
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

func TestParsePorts(t *testing.T) {
	one := &robot.Description{Name: "one", Buses: []robot.Bus{{Name: "body"}}}
	two := &robot.Description{Name: "two", Buses: []robot.Bus{{Name: "left"}, {Name: "right"}}}
	for _, c := range []struct {
		d    *robot.Description
		text string
		want string // what String makes of it; empty: refused
	}{
		{one, "/dev/ttyUSB0", "body=/dev/ttyUSB0"},
		{one, "/dev/serial/by-id/usb=odd,name", "body=/dev/serial/by-id/usb=odd,name"},
		{one, "body=/dev/a", "body=/dev/a"},
		{two, "right=/dev/b,left=/dev/a", "left=/dev/a,right=/dev/b"},
		{two, "/dev/a", ""},
		{two, "left=/dev/a", ""},
		{two, "left=/dev/a,left=/dev/b", ""},
		{two, "left=/dev/a,right=", ""},
		{two, "left=/dev/a,right=/dev/b,tail=/dev/c", ""},
	} {
		got, err := ParsePorts(c.d, c.text)
		if c.want == "" {
			if err == nil || c.d == two && !strings.Contains(err.Error(), "left=DEVICE,right=DEVICE") {
				t.Errorf("%s: %v, %v", c.text, got, err)
			}
		} else if err != nil || got.String() != c.want {
			t.Errorf("%s: %v, %v; want %s", c.text, got, err, c.want)
		}
	}
}

// Whatever the catalogue speaks can be driven and looked at, and what cannot is refused
// with what can.
func TestEveryProtocolOfTheCatalogueIsSpoken(t *testing.T) {
	speaks := servos.Shipped().Protocols()
	slices.Sort(speaks)
	if got := Protocols(); !slices.Equal(got, speaks) {
		t.Errorf("drivers for %v, servos that speak %v", got, speaks)
	}
	if _, _, err := Look("morse", "/dev/null", nil); err == nil || !strings.Contains(err.Error(), servos.Dynamixel2) {
		t.Errorf("morse: %v", err)
	}
	d := &robot.Description{Name: "x", Buses: []robot.Bus{{Name: "b", Protocol: "morse"}}}
	if _, err := Open(d, Ports{"b": "/dev/null"}, Options{}); err == nil || !strings.Contains(err.Error(), "morse") {
		t.Errorf("open: %v", err)
	}
}
