package flight

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// abandoned is kata20 with torque on every servo, and half a packet on its line, as a
// process leaves it that was killed while it wrote.
func abandoned(t *testing.T, faults ...string) (*busemu.World, func() (driver.Driver, error)) {
	t.Helper()
	desc, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := busemu.ForRobot(desc)
	if err != nil {
		t.Fatal(err)
	}
	line, err := busemu.NewWorld(busemu.NewIdeal(desc.Servos(), 2*time.Millisecond), cfg...)
	if err != nil {
		t.Fatal(err)
	}
	line.Untimed = true
	wire := busemu.NewWire(line.Lines[0])
	on := []byte{byte(dxl.TorqueEnable), 0, 1}
	whole := dxl.Append(nil, &dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstWrite, Params: on})
	for _, b := range [][]byte{whole, whole[:len(whole)-3]} {
		if _, err := wire.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	line.Advance(10 * time.Millisecond)
	if n := line.TorqueOn(); n != len(desc.Joints) {
		t.Fatalf("%d servos have torque: the test shows nothing", n)
	}
	for _, text := range faults {
		f, err := busemu.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := line.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	return line, func() (driver.Driver, error) {
		servos, err := dynamixel.New(desc, "body", wire, dynamixel.Options{Release: true, KeepPower: true})
		if err != nil {
			return nil, err
		}
		return multi.New(multi.Config{Joints: len(desc.Joints),
			Buses: []multi.Bus{{Name: "body", Driver: servos, Joints: desc.JointsOn("body"), IMU: servos.IMU()}}})
	}
}

// A robot that nobody drives any more is without torque in the end, and usable; also where
// the port is not free at once. A servo that does not confirm is named.
func TestRescue(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []string
		busy   int    // times that the port does not open
		says   string // "": confirmed
	}{
		{"as it was left", nil, 0, ""},
		{"port busy", nil, 3, ""},
		{"damaged answers", []string{"crc:p=0.05"}, 0, ""},
		{"a servo is mute", []string{"silence:id=7"}, 0, "servo 7 (r_hip_yaw) does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				line, open := abandoned(t, c.faults...)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				opened := 0
				err := Rescue(ctx, func() (driver.Driver, error) {
					if opened++; opened <= c.busy {
						return nil, errors.New("port is taken")
					}
					return open()
				})
				if got := line.TorqueOn(); got != 0 || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
					t.Errorf("%d servos have torque; %v, want %q", got, err, c.says)
				}
			})
		})
	}
}

// Servos that somebody has cut off from power stay so: they have no torque, and the rescue
// gives them none.
func TestRescueFeedsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, open := abandoned(t)
		hub := dxl.NewBus(busemu.NewWire(line.Lines[0]), dxl.Config{Baud: 3_000_000})
		if err := dxl.Write(hub, dxl.HubID, dxl.HubServoPower, 0); err != nil {
			t.Fatal(err)
		}
		line.Advance(50 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := Rescue(ctx, open); err != nil {
			t.Error(err)
		}
		if power, err := dxl.Read(hub, dxl.HubID, dxl.HubServoPower); err != nil || power != 0 {
			t.Errorf("servo power %d, %v", power, err)
		}
	})
}
