package servotool_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// A servo that has shut itself down is told to restart, is waited for, and both its states
// are told.
func TestReboot(t *testing.T) {
	b := newTable(t, nil)
	b.inject("heat:id=4,v=85")
	b.world.Advance(time.Second)
	b.world.ClearFaults()
	b.inject("heat:id=4,v=30")
	b.world.Advance(time.Second)
	began := b.world.Now()
	before, after, err := servotool.Reboot(b.at(rate), 4, b.wait)
	if err != nil || !strings.Contains(before.ErrorNames, "overheating") || after.Errors != 0 {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
	if took := b.world.Now() - began; took < 400*time.Millisecond || took > time.Second {
		t.Errorf("waited %v for a servo that boots in 0.4 s", took)
	}
	b.torque(5, 1)
	_, _, err = servotool.Reboot(b.at(rate), 5, b.wait)
	says(t, "under torque", err, true, "torque of servo 5 is on", "restart")
	b.inject("silence:id=6,at=50ms")
	_, _, err = servotool.Reboot(b.at(rate), 6, b.wait)
	says(t, "gone", err, false, "servo 6", "3s", "power off and on")
}

// Torque goes off on servos of all rates; who does not confirm is named.
func TestTorqueOff(t *testing.T) {
	b := newTable(t, func(c *busemu.LineConfig) { c.Servos[3].Baud = 1 })
	for id := dxl.ID(1); id <= 20; id++ {
		r := rate
		if id == 4 {
			r = 57600
		}
		if err := dxl.Write(b.raw(r), id, dxl.TorqueEnable, 1); err != nil {
			t.Fatal(err)
		}
	}
	all, err := servotool.TorqueOff(b.open, rates, nil)
	if err != nil || len(all) != 20 || b.world.TorqueOn() != 0 || b.opens != 0 {
		t.Errorf("%d confirmed, %d have torque, %d ports open, %v", len(all), b.world.TorqueOn(), b.opens, err)
	}
	if !slices.Contains(all, servotool.Relaxed{ID: 4, Baud: 57600, Off: true}) {
		t.Errorf("servo 4 is not told: %+v", all)
	}
	b.inject("silence:id=9")
	expected := []uint8{}
	for id := range uint8(20) {
		expected = append(expected, id+1)
	}
	_, err = servotool.TorqueOff(b.open, rates, expected)
	says(t, "servo 9 silent", err, false, "servo 9 does not answer", "switch the servos' power off")
	if strings.Contains(err.Error(), "servo 8") || strings.Contains(err.Error(), "servo 4 ") {
		t.Errorf("others are named too: %v", err)
	}
	b.world.ClearFaults()
	b.inject("silence")
	_, err = servotool.TorqueOff(b.open, rates, nil)
	says(t, "nobody", err, false, "torque-off was sent", "nothing answered")
}

// insistent is a bus whose servo 7 keeps its torque.
type insistent struct{ servotool.Bus }

func (i insistent) TorqueOn(id uint8) (bool, error) {
	if id == 7 {
		return true, nil
	}
	return i.Bus.TorqueOn(id)
}

func TestTorqueThatStays(t *testing.T) {
	b := newTable(t, nil)
	_, err := servotool.TorqueOff(func(baud int) (servotool.Bus, io.Closer, error) {
		bus, c, err := b.open(baud)
		return insistent{bus}, c, err
	}, rates, nil)
	says(t, "servo 7", err, false, "servo 7 still has torque")
}

func TestLook(t *testing.T) {
	b := newTable(t, nil)
	b.inject("silence:id=9")
	b.torque(8, 1)
	all := servotool.Look(b.at(rate), []uint8{8, 9, 10})
	if len(all) != 3 || all[0].Err != nil || !all[0].Torque || all[0].BusV != 12 || all[1].Err == nil || all[2].TempC != 25 || all[2].Torque {
		t.Errorf("%+v", all)
	}
}
