package dynamixel_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// goalPWM reads the register that limits a servo's torque, of every servo.
func (b *bench) goalPWM(t *testing.T) (counts []int) {
	t.Helper()
	bus := dxl.NewBus(b.wire, dxl.Config{Baud: b.desc.Buses[0].Baud, Margin: time.Second})
	for _, j := range b.desc.Joints {
		v, err := dxl.Read(bus, dxl.ID(j.ID), dxl.GoalPWM)
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, int(v))
	}
	return counts
}

// A limit reaches its servo and no other, what is no share takes nothing away, and who
// switches the torque off gives it back whole.
func TestLimit(t *testing.T) {
	b := newBench(t, nil, dynamixel.Options{Watchdog: 60 * time.Millisecond})
	share := make([]float64, len(b.desc.Joints))
	if err := b.drv.Limit(share); !errors.Is(err, driver.ErrLinkLost) {
		t.Errorf("before it is connected: %v", err)
	}
	s, applied := b.energise(t)
	for j := range share {
		share[j] = 1
	}
	share[4], share[5], share[6] = 0.5, math.NaN(), 7
	check := func(what string, fifth int) {
		t.Helper()
		for j, c := range b.goalPWM(t) {
			if want := map[bool]int{true: fifth, false: 885}[j == 4]; c != want { // 885 is all, by the manual
				t.Errorf("%s: servo %d has a goal PWM of %d, want %d", what, j+1, c, want)
			}
		}
	}
	check("at first", 885)
	if err := b.drv.Limit(share); err != nil {
		t.Fatal(err)
	}
	check("limited", 443)
	if n := testing.AllocsPerRun(20, func() { _ = b.drv.Limit(share) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
	// A limit that was lost is no sign that a servo was reset.
	bus := dxl.NewBus(b.wire, dxl.Config{Baud: b.desc.Buses[0].Baud, Margin: time.Second})
	if err := dxl.Write(bus, dxl.ID(b.desc.Joints[4].ID), dxl.GoalPWM, 885); err != nil {
		t.Fatal(err)
	}
	b.line.Advance(100 * time.Millisecond)
	_ = b.drv.Read(s)
	if err := b.drv.TakeUp(applied, s.PosRad); err != nil {
		t.Fatalf("it cannot be taken up: %v", err)
	}
	check("taken up", 443)
	if err := b.drv.Torque(false); err != nil {
		t.Fatal(err)
	}
	check("without torque", 885)
	if err := b.drv.Cut(); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Limit(share); !errors.Is(err, driver.ErrCut) {
		t.Errorf("after a cut: %v", err)
	}
}
