package buses

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// Servos as they come from the factory are set up, or refused by name where nothing that lasts may be changed.
func TestLastingSettingsMayBeKept(t *testing.T) {
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
	server, err := busemu.NewServer(world, busemu.ServerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	defer func() { stop(); <-ended }()
	for _, keep := range []bool{true, false} {
		drv, err := Open(desc, Ports{desc.Buses[0].Name: server.Path(0)}, Options{Margin: 200 * time.Millisecond, KeepEEPROM: keep})
		if err != nil {
			t.Fatal(err)
		}
		id, err := drv.Connect(ctx)
		if keep && (!errors.Is(err, driver.ErrUnfit) || !strings.Contains(err.Error(), "EEPROM may not be changed")) {
			t.Errorf("kept: %v", err)
		}
		if !keep && (err != nil || len(id.Changed) == 0) {
			t.Errorf("set up: %v, %v", err, id.Changed)
		}
		if err := drv.Halt(); err != nil {
			t.Error(err)
		}
	}
}
