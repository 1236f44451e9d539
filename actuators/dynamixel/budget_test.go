package dynamixel_test

import (
	"context"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// counted counts the bytes on a line.
type counted struct {
	dxl.Port
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Port.Read(p)
	c.n += n
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.Port.Write(p)
}

// The budget is what a tick really puts on the line, within a few bytes: the slow
// registers take turns, and their blocks differ.
func TestTickTimeIsWhatATickPutsOnTheLine(t *testing.T) {
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := busemu.ForRobot(desc)
	if err != nil {
		t.Fatal(err)
	}
	world, err := busemu.NewWorld(busemu.NewIdeal(desc.Servos(), 2*time.Millisecond), cfg...)
	if err != nil {
		t.Fatal(err)
	}
	world.Untimed = true
	port := &counted{Port: busemu.NewWire(world.Lines[0])}
	drv, err := dynamixel.New(desc, "body", port, dynamixel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drv.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	n := len(desc.Joints)
	s, applied := driver.NewState(n), make([]float64, n)
	const ticks, baud = 60, 1000000
	port.n = 0
	for range ticks {
		if err := drv.Read(s); err != nil {
			t.Fatal(err)
		}
		if err := drv.Write(applied, s.PosRad); err != nil {
			t.Fatal(err)
		}
		world.Advance(10 * time.Millisecond)
	}
	want := time.Duration(port.n/ticks) * 10 * time.Second / baud
	got := dynamixel.TickTime(n, true, baud)
	if got < want || got > want+want/10+time.Millisecond {
		t.Errorf("budget %v, on the line %v", got, want)
	}
}
