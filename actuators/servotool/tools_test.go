package servotool_test

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

func says(t *testing.T, what string, err error, refused bool, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if errors.Is(err, servotool.ErrRefused) != refused {
		t.Errorf("%s: refused %v: %v", what, !refused, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %q does not say %q", what, err, w)
		}
	}
}

// Every register that a servo has is read by its name, written in any way, and by its
// address; the value is the count's.
func TestRead(t *testing.T) {
	b := newTable(t, nil)
	b.plant.Set(3, 0.5)
	b.world.Advance(2e6)
	d, all, err := servotool.Read(b.at(rate), 4)
	if err != nil || d.Name != "XM430-W350" || len(all) < 50 {
		t.Fatalf("%+v, %d registers, %v", d, len(all), err)
	}
	for _, h := range all {
		for _, name := range []string{h.Name, strings.ToLower(strings.ReplaceAll(h.Name, " ", "-")), strings.ToUpper(strings.ReplaceAll(h.Name, " ", "_"))} {
			if _, one, err := servotool.Read(b.at(rate), 4, name); err != nil || len(one) != 1 || one[0].Addr != h.Addr || one[0].Holds != h.Holds {
				t.Errorf("%s: %+v, %v; want register %d", name, one, err, h.Addr)
			}
		}
		for _, v := range []int64{h.Min, (h.Min + h.Max) / 2, h.Max} {
			if h.Unit != "" && h.Count(h.Value(v)) != v {
				t.Errorf("%s: %d is %g %s, which is %d", h.Name, v, h.Value(v), h.Unit, h.Count(h.Value(v)))
			}
		}
	}
	_, got, err := servotool.Read(b.at(rate), 4, "present position", "144", "baud-rate")
	if err != nil || math.Abs(got[0].Value(got[0].Holds)-0.5) > got[0].Scale || got[1].Text(got[1].Holds) != "120 (12 V)" || got[2].Text(got[2].Holds) != "5 (3000000 bits/s)" {
		t.Errorf("%+v, %v", got, err)
	}
	_, _, err = servotool.Read(b.at(rate), 4, "present positon", "7")
	says(t, "a wrong name", err, true, `"present positon"; legal: `, "Present Position (132)")
	_, _, err = servotool.Read(b.at(rate), 200)
	says(t, "the hub", err, false, "sensor hub", "xm430-w350")
}

func TestWrite(t *testing.T) {
	b := newTable(t, nil)
	for _, c := range []struct {
		name, value string
		holds       int64
	}{
		{"position p gain", "300", 300}, {"84", "0x10", 16}, {"Homing Offset", "-700", -700}, {"max-voltage-limit", "14.8V", 148},
		{"return delay time", "100 us", 50}, {"Profile Velocity", "1.5rad/s", 63}, {"min position limit", "-1.5708rad", 1024},
	} {
		w, err := servotool.Write(b.at(rate), 4, c.name, c.value, false)
		_, now, again := servotool.Read(b.at(rate), 4, c.name)
		if err != nil || again != nil || w.Holds != c.holds || now[0].Holds != c.holds {
			t.Errorf("%s = %s: %+v, %v; holds %+v, %v", c.name, c.value, w, err, now, again)
		}
	}
	before, _ := servoImage(t, b, 4)
	for _, c := range []struct {
		name, value string
		words       []string
	}{
		{"position p gain", "16384", []string{"84", "0 to 16383"}}, {"position p gain", "-1", []string{"0 to 16383"}},
		{"position p gain", "3rad", []string{"3rad", "0 to 16383"}}, {"max voltage limit", "99V", []string{"99V", "9.5 to 16 V", "95 to 160"}},
		{"max voltage limit", "NaNV", []string{"NaN"}}, {"max voltage limit", "1e300V", []string{"1e300"}}, {"profile velocity", "1.5", []string{"rad/s"}},
		{"present position", "3", []string{"can only be read"}}, {"id", "9", []string{"mitori bus set-id"}}, {"baud rate", "1", []string{"mitori bus set-baud"}},
		{"protocol type", "1", []string{"2 to 2"}}, {"torque enable", "1", []string{"--may-move"}}, {"goal position", "100", []string{"--may-move"}},
		{"mood", "1", []string{`"mood"; legal: `}},
	} {
		_, err := servotool.Write(b.at(rate), 4, c.name, c.value, false)
		says(t, c.name+" = "+c.value, err, true, c.words...)
	}
	b.torque(4, 1)
	_, err := servotool.Write(b.at(rate), 4, "homing offset", "0", false)
	says(t, "EEPROM under torque", err, true, "torque of servo 4 is on", "Homing Offset (register 20)", "mitori bus torque-off")
	if w, err := servotool.Write(b.at(rate), 4, "led", "1", false); err != nil || w.Holds != 1 {
		t.Errorf("RAM under torque: %+v, %v", w, err)
	}
	b.torque(4, 0)
	_, _ = servotool.Write(b.at(rate), 4, "led", "0", false)
	if after, _ := servoImage(t, b, 4); !slices.Equal(before, after) {
		t.Errorf("refused writes changed the servo:\n%v\n%v", before, after)
	}
}

// servoImage is what a servo holds in the registers that only a write changes.
func servoImage(t *testing.T, b *table, id uint8) (held []int64, names []string) {
	t.Helper()
	_, all, err := servotool.Read(b.at(rate), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if h.Writable {
			held, names = append(held, h.Holds), append(names, h.Name)
		}
	}
	return held, names
}

// A servo that answers no writes is asked what it holds.
func TestWriteSaysWhatIsTrue(t *testing.T) {
	b := newTable(t, nil)
	_ = dxl.Write(b.raw(rate), 5, dxl.StatusReturnLevel, 1)
	if w, err := servotool.Write(b.at(rate), 5, "position p gain", "77", false); err != nil || w.Holds != 77 || w.Was != 800 {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestSetRate(t *testing.T) {
	b := newTable(t, func(c *busemu.LineConfig) { c.Servos[3].Baud = 1 }) // the factory's
	if _, err := b.at(rate).Ping(4); err == nil {
		t.Fatal("servo 4 hears two rates; nothing is tested")
	}
	from, err := servotool.SetRate(b.open, rates, 4, rate)
	if _, e := b.at(rate).Ping(4); err != nil || e != nil || from != 57600 {
		t.Errorf("from %d: %v, %v", from, err, e)
	}
	if from, err := servotool.SetRate(b.open, rates, 4, rate); err != nil || from != rate {
		t.Errorf("again: from %d, %v", from, err)
	}
	_, err = servotool.SetRate(b.open, rates, 4, 250_000)
	says(t, "a rate that no servo knows", err, true, "250000 bits/s; legal: [9600 57600")
	_, err = servotool.SetRate(b.open, rates, 99, 1_000_000)
	says(t, "nobody", err, false, "device 99", "57600")
	_ = dxl.Write(b.raw(rate), 4, dxl.TorqueEnable, 1)
	_, err = servotool.SetRate(b.open, rates, 4, 1_000_000)
	says(t, "torque", err, true, "torque of servo 4 is on")
	if b.opens != 0 {
		t.Errorf("%d ports are open", b.opens)
	}
	_ = dxl.Write(b.raw(rate), 5, dxl.StatusReturnLevel, 0)
	if from, err := servotool.SetRate(b.open, rates, 6, 1_000_000); err != nil || from != rate {
		t.Errorf("a servo that answers: from %d, %v", from, err)
	}
}

// Two servos of one id at two rates are noticed; nothing is written.
func TestSetRateSeesTwoServos(t *testing.T) {
	b := newTable(t, func(c *busemu.LineConfig) { c.Servos[3].ID, c.Servos[3].Baud = 5, 1 })
	_, err := servotool.SetRate(b.open, rates, 5, 1_000_000)
	says(t, "two of id 5", err, true, "id 5 answers at [57600 3000000]")
	if v, err := dxl.Read(b.raw(57600), 5, dxl.BaudRate); err != nil || v != 1 {
		t.Errorf("%d, %v", v, err)
	}
}

// deaf is a bus whose servo takes no new rate, or is lost by it.
type deaf struct {
	servotool.Bus
	lose func()
}

func (d deaf) SetRate(uint8, int) error {
	if d.lose != nil {
		d.lose()
	}
	return servotool.ErrSilent
}

func TestSetRateSaysWhatIsTrue(t *testing.T) {
	b := newTable(t, nil)
	for what, c := range map[string]struct {
		lose func()
		want string
	}{
		"not taken": {nil, "servo 4 still answers at 3000000 bits/s"},
		"lost":      {func() { b.inject("silence:id=4") }, "neither at 1000000 bits/s nor at any other"},
		"elsewhere": {func() { _ = dxl.Write(b.raw(rate), 4, dxl.BaudRate, 4) }, "answers at 2000000 bits/s after the change, not at 1000000"},
	} {
		_, err := servotool.SetRate(func(baud int) (servotool.Bus, io.Closer, error) {
			bus, c2, err := b.open(baud)
			return deaf{bus, c.lose}, c2, err
		}, rates, 4, 1_000_000)
		says(t, what, err, false, c.want)
		b.world.ClearFaults()
		_ = dxl.Write(b.raw(2_000_000), 4, dxl.BaudRate, 5)
	}
}

// idle is a bus whose servo takes no writes and says nothing of it.
type idle struct{ servotool.Bus }

func (idle) WriteRegister(uint8, servotool.Register, int64) error { return nil }

func TestAWriteThatIsNotTaken(t *testing.T) {
	b := newTable(t, nil)
	_, err := servotool.Write(idle{b.at(rate)}, 5, "position p gain", "77", false)
	says(t, "not taken", err, false, "Position P Gain (register 84) of servo 5 holds 800 after 77 was written")
}
