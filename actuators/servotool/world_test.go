package servotool_test

import (
	"io"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// table is kata20's servos on a bench: an emulated bus whose servos hear nothing but their
// own bit rate.
type table struct {
	t     *testing.T
	desc  *robot.Description
	plant *busemu.Ideal
	world *busemu.World
	opens int
}

// newTable lays out the bus; change says what is not as a person would have commissioned it.
func newTable(t *testing.T, change func(c *busemu.LineConfig)) *table {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := busemu.ForRobot(d)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&lines[0])
	}
	b := &table{t: t, desc: d, plant: busemu.NewIdeal(d.Servos(), time.Millisecond)}
	if b.world, err = busemu.NewWorld(b.plant, lines...); err != nil {
		t.Fatal(err)
	}
	return b
}

// open is a servotool.Opener.
func (b *table) open(baud int) (servotool.Bus, io.Closer, error) {
	b.opens++
	b.world.Lines[0].Rate = baud
	return dynamixel.NewBench(busemu.NewWire(b.world.Lines[0]), baud), closing{b}, nil
}

type closing struct{ b *table }

func (c closing) Close() error { c.b.opens--; return nil }

// at is the bus at the robot's rate.
func (b *table) at(baud int) servotool.Bus {
	bus, _, _ := b.open(baud)
	b.opens--
	return bus
}

// wait lets time pass on the bus, which nobody else does.
func (b *table) wait(d time.Duration) { b.world.Advance(d) }

func (b *table) inject(text string) {
	b.t.Helper()
	f, err := busemu.ParseFault(text)
	if err == nil {
		f.At += b.world.Now()
		err = b.world.Inject(f)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.world.Advance(2 * time.Millisecond)
}

// raw is the bus past the tools.
func (b *table) raw(baud int) *dxl.Bus {
	b.world.Lines[0].Rate = baud
	return dxl.NewBus(busemu.NewWire(b.world.Lines[0]), dxl.Config{Baud: baud, Margin: time.Second})
}

func (b *table) torque(id dxl.ID, on uint8) {
	b.t.Helper()
	if err := dxl.Write(b.raw(rate), id, dxl.TorqueEnable, on); err != nil {
		b.t.Fatal(err)
	}
}

// rate is kata20's.
const rate = 3_000_000

var rates = []int{57600, 1_000_000, 2_000_000, rate, 4_000_000}
