package busemu

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// LineConfig says what hangs on the bus.
type LineConfig struct {
	Plant   Plant
	Servos  []ServoConfig
	HubID   dxl.ID // 0: no hub
	HubBaud dxl.BaudCode
	// PowerOff starts with the hub's servo switch open; servos answer only after
	// register 24 is written 1.
	PowerOff bool
	Seed     uint64 // of the faults' chances
}

// Line is one emulated bus. It belongs to one goroutine.
type Line struct {
	plant  Plant
	servos []*Servo
	hub    *Hub
	drives []Drive
	sense  Sense
	now    time.Duration // since the line was made, on the plant's clock
	owed   time.Duration // less than one plant step
	faults []Fault
	rng    *rand.Rand
	out    []byte
	data   []byte
	// Rate is the master's bit rate; a device set to another one hears only noise.
	// 0: all devices understand.
	Rate int
	// Untimed makes reboots and power-ups instant, for masters that do not let time
	// pass while they wait (lockstep).
	Untimed bool
}

// device is a servo or the hub.
type device interface {
	id() dxl.ID
	answers(now time.Duration) bool
	rate() int // bits/s it is set to
	alert() bool
	heard(now time.Duration)
	read(addr int, dst []byte) dxl.Code
	write(addr int, data []byte) dxl.Code
}

// NewLine builds the bus. All servos are powered and have booted, unless PowerOff.
func NewLine(c LineConfig) (*Line, error) {
	if c.Plant == nil {
		return nil, errors.New("busemu: a line needs a plant")
	}
	joints := 0
	for _, s := range c.Servos {
		if s.Joint < 0 || s.ID > dxl.MaxID || s.Sign != 1 && s.Sign != -1 {
			return nil, fmt.Errorf("busemu: servo %d: joint %d, sign %g; legal: id 0..%d, joint >= 0, sign +-1", s.ID, s.Joint, s.Sign, dxl.MaxID)
		}
		if s.Type.Protocol != servos.Dynamixel2 {
			return nil, fmt.Errorf("busemu: servo %d: type %q speaks %q; this line speaks %s", s.ID, s.Type.Name, s.Type.Protocol, servos.Dynamixel2)
		}
		joints = max(joints, s.Joint+1)
	}
	l := &Line{
		plant: c.Plant, drives: make([]Drive, joints), sense: Sense{Joints: make([]Joint, joints)},
		rng: rand.New(rand.NewPCG(c.Seed, 0x6d69746f7269)), out: make([]byte, 0, 8192), data: make([]byte, 2048),
	}
	l.plant.Sense(&l.sense)
	tables := map[string]*table{}
	for _, s := range c.Servos {
		if tables[s.Type.Name] == nil {
			tables[s.Type.Name] = newTable(s.Type)
		}
		servo := newServo(s, tables[s.Type.Name], l.sense.Joints[s.Joint].PosRad)
		servo.registered = make([]byte, 0, 256)
		l.servos = append(l.servos, servo)
	}
	if c.HubID != 0 {
		l.hub = newHub(c.HubID, c.HubBaud, !c.PowerOff)
		l.hub.onPower = l.power
		if c.PowerOff {
			l.power(false)
		}
	}
	l.measure(0)
	return l, nil
}

// Now is the line's clock: how much time the plant has lived.
func (l *Line) Now() time.Duration { return l.now }

// Inject adds a fault; its times are on the line's clock.
func (l *Line) Inject(f Fault) { l.faults = append(l.faults, f) }

// ClearFaults ends all faults.
func (l *Line) ClearFaults() { l.faults = l.faults[:0] }

// Hold fixes the trunk (true) or lets go of it.
func (l *Line) Hold(on bool) { l.plant.Hold(on) }

// Truth reports the state of the world.
func (l *Line) Truth(dst *Truth) { l.plant.Truth(dst) }

// TorqueOn counts the servos whose torque is on.
func (l *Line) TorqueOn() int {
	n := 0
	for _, s := range l.servos {
		if s.powered && s.torqueOn() {
			n++
		}
	}
	return n
}

// Servo returns servo i in the order of LineConfig.
func (l *Line) Servo(i int) *Servo { return l.servos[i] }

// Register reads a register of the servo's control table, past the bus.
func (s *Servo) Register(r dxl.Info) int64 { return value(&r, s.mem[r.Addr:]) }

// Advance lets d pass: whole plant steps, the rest is owed.
func (l *Line) Advance(d time.Duration) {
	l.owed += d
	step := l.plant.Step()
	for l.owed >= step {
		l.owed -= step
		l.step(step)
	}
}

func (l *Line) step(step time.Duration) {
	dt := step.Seconds()
	l.apply()
	clear(l.drives)
	for _, s := range l.servos {
		s.watch(l.now, l.sense.Joints[s.cfg.Joint].PosRad)
		s.plan(&l.drives[s.cfg.Joint], dt)
	}
	l.plant.Advance(1, l.drives)
	l.now += step
	l.plant.Sense(&l.sense)
	l.measure(dt)
}

func (l *Line) measure(dt float64) {
	busV := l.sense.BusV
	for i := range l.faults {
		if f := &l.faults[i]; f.Kind == FaultBrownOut && f.active(l.now) {
			busV = min(busV, f.V)
		}
	}
	fed := l.hub == nil || l.hub.mem[dxl.HubServoPower] == 1
	for _, s := range l.servos {
		j := l.sense.Joints[s.cfg.Joint]
		brownOut := brownOutShare * s.cfg.Type.MinV
		switch {
		case s.powered && (busV < brownOut || !fed):
			s.powerDown()
		case !s.powered && busV >= brownOut && fed:
			s.powerUp(l.now, l.boot(), j.PosRad)
		}
		d := &l.drives[s.cfg.Joint]
		s.measure(l.now, j, d.Motor(j.PosRad, j.VelRadPerS), busV, dt)
	}
	if l.hub != nil {
		l.hub.measure(&l.sense.IMU, busV)
	}
}

func (l *Line) boot() time.Duration {
	if l.Untimed {
		return 0
	}
	return bootTime
}

// power is the hub's switch.
func (l *Line) power(on bool) {
	for _, s := range l.servos {
		if on && !s.powered {
			s.powerUp(l.now, l.boot(), l.sense.Joints[s.cfg.Joint].PosRad)
		} else if !on {
			s.powerDown()
		}
	}
}

// apply makes the state faults of this instant true.
func (l *Line) apply() {
	if len(l.faults) == 0 {
		return
	}
	for _, s := range l.servos {
		s.stuck = false
	}
	if l.hub != nil {
		l.hub.frozen = false
	}
	for i := range l.faults {
		f := &l.faults[i]
		if !f.active(l.now) {
			continue
		}
		switch f.Kind {
		case FaultIMU:
			if l.hub != nil {
				l.hub.frozen = true
			}
			continue
		case FaultStuck, FaultReboot, FaultHeat:
		default:
			continue
		}
		for _, s := range l.servos {
			if s.id() != f.ID && f.ID != 0 {
				continue
			}
			switch f.Kind {
			case FaultStuck:
				s.stuck = true
			case FaultHeat:
				s.tempC = f.V
			case FaultReboot:
				if !f.done {
					s.powerUp(l.now, l.boot(), l.sense.Joints[s.cfg.Joint].PosRad)
				}
			}
		}
		f.done = true
	}
}

// find returns the device that answers to id, and how many do.
func (l *Line) find(id dxl.ID) (d device, n int) {
	if l.hub != nil && l.hub.id() == id {
		d, n = l.hub, 1
	}
	for _, s := range l.servos {
		if s.id() == id {
			if n++; d == nil {
				d = s
			}
		}
	}
	for i := range l.faults {
		if f := &l.faults[i]; f.Kind == FaultClash && f.ID == id && f.active(l.now) && n > 0 {
			n++
		}
	}
	return d, n
}

// hears reports whether d is awake and set to the master's rate.
func (l *Line) hears(d device) bool {
	return d.answers(l.now) && (l.Rate == 0 || d.rate() == l.Rate)
}

// listening returns the device at id if it is there, awake and not silenced.
func (l *Line) listening(id dxl.ID) (d device, n int) {
	d, n = l.find(id)
	if d == nil || !l.hears(d) {
		return nil, 0
	}
	for i := range l.faults {
		if f := &l.faults[i]; f.Kind == FaultSilence && (f.ID == id || f.ID == 0) && f.active(l.now) {
			return nil, 0
		}
	}
	return d, n
}
