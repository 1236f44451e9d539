// Package robot is what robotd runs: it reads the configuration, joins bus, loop,
// policy, mission, recording and command link, and flies.
//
// The parts are in their rooms (actuators, policy, firmware-bridge); this package is
// where they meet. [Fly] belongs to one goroutine and joins what it starts.
package robot

import (
	"time"

	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/operators"
)

// Options is everything that one run was asked for: the configuration file
// overlaid by flags.
type Options struct {
	Config
	Sim     bool
	Strict  bool          // with Sim: the limits on late and lost answers that hardware has
	SimArgs []string      // for "mitori bus emulate"
	For     time.Duration // end so long after arming; 0: no end
	Stats   string        // file; "": none
	JSON    bool
	Hold    time.Duration // between arming and playing
	Release bool          // switch off the torque that servos are found with
	Anyway  bool          // run a policy that its own evaluation would not let run
	Latched bool          // begin in a fault: the servos were gone, and somebody must look
}

// forgiving says that the limits are those of an emulated bus.
func (o *Options) forgiving() bool { return o.Sim && !o.Strict }

// forBuses is what the processes that own the buses are told: nothing of brokers, files and
// secrets.
func (o *Options) forBuses() Options {
	told := *o
	told.MQTT, told.Record, told.Stats, told.Metrics, told.SimArgs = MQTTConfig{}, "", "", "", nil
	return told
}

// tolerance is how long the loop's process may show nothing of itself. An emulated bus
// shares its processors with everything else, and so does the loop beside it.
func (o *Options) tolerance() flight.Tolerance {
	t := flight.DefaultTolerance()
	if o.forgiving() {
		t.Frozen, t.Deaf = 1500*time.Millisecond, 500*time.Millisecond
	}
	return t
}

// Time between arming and playing: the gantry of the emulated robot lets go after three.
const (
	holdReal = time.Second
	holdSim  = 3 * time.Second
)

// Read takes in a configuration file, where one is named, and over it the flags that were
// given, and checks what comes of both. A simulated robot is armed unless that is denied.
func (o *Options) Read(file string, flags *Config, given func(flag string) bool) error {
	if file != "" {
		if err := o.Load(file); err != nil {
			return err
		}
	}
	o.Overlay(flags, given)
	if o.Sim && !given("arm") {
		o.Arm = true
	}
	return o.Check()
}

// Check refuses combinations that cannot work, and fills in what was left open.
func (o *Options) Check() error {
	switch {
	case o.Robot == "":
		return fault.Usage("no robot: give --robot NAME or robot: in the configuration file")
	case o.Sim && o.Port != "":
		return fault.Usage("--sim and port %s exclude each other", o.Port)
	case !o.Sim && o.Port == "":
		return fault.Usage("no bus: give --sim, --port DEVICE, or port: in the configuration file")
	case o.For < 0 || o.Hold < 0:
		return fault.Usage("--for %v, --hold %v; legal: 0 or more", o.For, o.Hold)
	case o.Follow && o.Policy != "":
		return fault.Usage("follow and policy %s exclude each other: one of them moves the robot", o.Policy)
	case o.Release && o.Arm:
		return fault.Usage("--release and arm exclude each other: whoever supports a robot that is let go does not want it to move")
	case !o.Sim && (len(o.SimArgs) > 0 || o.Strict):
		return fault.Usage("--sim-arg and --strict need --sim")
	}
	if o.MQTT.URL == "" {
		o.MQTT.URL = operators.Off
		if o.Sim {
			o.MQTT.URL = operators.Embedded
		}
	}
	if o.Hold == 0 {
		o.Hold = holdReal
		if o.Sim {
			o.Hold = holdSim
		}
	}
	return o.validate()
}
