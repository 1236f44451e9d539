// Package buses opens the servo buses of a robot: it knows which constructor speaks
// which protocol, for everything that drives servos (robotd) or looks at them (mitori
// bus), and makes one driver of all buses.
//
// What is not here: what is done with them. Nothing here runs beside the caller.
package buses

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/dynamixel"
	"github.com/mitori-robotics/mitori/actuators/imu"
	"github.com/mitori-robotics/mitori/actuators/multi"
	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/servos"
)

// protocol is how the buses of one protocol are driven and looked at.
type protocol struct {
	drive func(d *robot.Description, bus string, p *serialport.Port, o Options) (driver.Driver, imu.Source, error)
	look  func(p *serialport.Port, baud int) servotool.Bus
	rates []int // to try where none is told, likeliest first
}

// protocols lists every protocol that the servos of the catalogue speak.
func protocols() map[string]protocol {
	return map[string]protocol{
		servos.Dynamixel2: {
			drive: func(d *robot.Description, bus string, p *serialport.Port, o Options) (driver.Driver, imu.Source, error) {
				drv, err := dynamixel.New(d, bus, p, dynamixel.Options{
					Margin: o.Margin, Release: o.Release, KeepPower: o.KeepPower, LookOnly: o.LookOnly,
					Watchdog: o.Watchdog, KeepEEPROM: o.KeepEEPROM,
				})
				if err != nil {
					return nil, nil, err
				}
				return drv, drv.IMU(), nil
			},
			look:  func(p *serialport.Port, baud int) servotool.Bus { return dynamixel.NewBench(p, baud) },
			rates: []int{57600, 1e6, 2e6, 3e6, 4e6, 115200},
		},
	}
}

// Options are choices that do not belong to the robot.
type Options struct {
	Margin    time.Duration // of every exchange, beyond its time on the wire; 0: the driver's
	Watchdog  time.Duration // after which servos that hear nothing stop by themselves; 0: the driver's
	Release   bool          // switch off the torque that servos are found with; somebody supports the robot
	KeepPower bool          // do not feed servos that a hub has cut off
	LookOnly  bool          // change nothing: see driver.Surveyor
	// KeepEEPROM refuses servos whose lasting settings do not fit, instead of changing them.
	KeepEEPROM bool
	Deadline   time.Duration         // see multi.Config
	Prepare    func() (leave func()) // see multi.Config
	Note       func(text string)     // hears what could not be set on a port; nil: nobody
}

// Ports are serial devices by the name of the bus.
type Ports map[string]string

// String is what ParsePorts reads.
func (p Ports) String() string {
	var s []string
	for _, bus := range sortedNames(p) {
		s = append(s, bus+"="+p[bus])
	}
	return strings.Join(s, ",")
}

// ParsePorts reads the devices of d's buses: one device where d has one bus, else
// NAME=DEVICE,... with every bus once.
func ParsePorts(d *robot.Description, text string) (Ports, error) {
	var names []string
	for _, b := range d.Buses {
		names = append(names, b.Name)
	}
	legal := strings.Join(names, "=DEVICE,") + "=DEVICE"
	if len(names) == 1 && !strings.HasPrefix(text, names[0]+"=") {
		return Ports{names[0]: text}, nil
	}
	ports := Ports{}
	for _, item := range strings.Split(text, ",") {
		name, device, ok := strings.Cut(item, "=")
		if _, twice := ports[name]; !ok || twice || device == "" || d.BusNamed(name).Name == "" {
			return nil, fmt.Errorf("port %q: %s has %d buses; legal: %s", text, d.Name, len(names), legal)
		}
		ports[name] = device
	}
	if len(ports) != len(names) {
		return nil, fmt.Errorf("port %q: %s has %d buses; legal: %s", text, d.Name, len(names), legal)
	}
	return ports, nil
}

// Open opens every bus of d and returns their one driver. It speaks to no servo yet; its
// Halt releases the ports.
func Open(d *robot.Description, ports Ports, o Options) (*multi.Driver, error) {
	cfg := multi.Config{Joints: len(d.Joints), Prepare: o.Prepare, Deadline: o.Deadline}
	var opened []driver.Driver
	fail := func(err error) (*multi.Driver, error) {
		for _, drv := range opened {
			err = errors.Join(err, drv.Halt())
		}
		return nil, err
	}
	for _, b := range d.Buses {
		make, ok := protocols()[b.Protocol]
		if !ok {
			return fail(fmt.Errorf("bus %q: no driver speaks %q", b.Name, b.Protocol))
		}
		p, err := serialport.Open(ports[b.Name], b.Baud)
		if err != nil {
			return fail(err)
		}
		for _, n := range p.Notes() {
			o.note(n)
		}
		drv, sensor, err := make.drive(d, b.Name, p, o)
		if err != nil {
			return fail(errors.Join(err, p.Close()))
		}
		opened = append(opened, drv)
		cfg.Buses = append(cfg.Buses, multi.Bus{Name: b.Name, Driver: drv, Joints: d.JointsOn(b.Name), IMU: sensor})
	}
	all, err := multi.New(cfg)
	if err != nil {
		return fail(err)
	}
	return all, nil
}

func (o *Options) note(text string) {
	if o.Note != nil {
		o.Note(text)
	}
}
