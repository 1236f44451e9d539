package busemu

import (
	"math/rand/v2"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// LineConfig says what hangs on one bus.
type LineConfig struct {
	Name     string // of the bus
	WireBaud int    // bits/s at which a Server paces it; 0: at once
	Servos   []ServoConfig
	HubID    dxl.ID // 0: no hub
	HubBaud  dxl.BaudCode
	// PowerOff starts with the hub's servo switch open; servos answer only after
	// register 24 is written 1.
	PowerOff bool
	Seed     uint64 // of the faults' chances
}

// Line is one emulated bus of a world. It belongs to the world's goroutine.
type Line struct {
	*World
	name   string
	baud   int
	servos []*Servo
	hub    *Hub
	faults []Fault
	broken bool // faults were in force at the last look
	rng    *rand.Rand
	out    []byte
	data   []byte
	turn   turn // of lockstep
	// Rate is the master's bit rate; a device set to another one hears only noise.
	// 0: all devices understand.
	Rate int
}

// device is a servo or the hub.
type device interface {
	id() dxl.ID
	answers(now time.Duration) bool
	rate() int // bits/s it is set to
	alert() bool
	read(addr int, dst []byte) dxl.Code
	write(addr int, data []byte) dxl.Code
}

// newLine builds one bus of w. Lockstep's first read is preceded by a period.
func newLine(w *World, c LineConfig) *Line {
	l := &Line{
		World: w, name: c.Name, baud: c.WireBaud, turn: turn{read: true},
		rng: rand.New(rand.NewPCG(c.Seed, 0x6d69746f7269)), out: make([]byte, 0, 8192), data: make([]byte, 2048),
	}
	tables := map[string]*table{}
	for _, s := range c.Servos {
		if tables[s.Type.Name] == nil {
			tables[s.Type.Name] = newTable(s.Type)
		}
		servo := newServo(s, tables[s.Type.Name], w.sense.Joints[s.Joint].PosRad)
		servo.registered = make([]byte, 0, 256)
		l.servos = append(l.servos, servo)
	}
	if c.HubID != 0 {
		l.hub = newHub(c.HubID, c.HubBaud, !c.PowerOff)
		l.hub.onPower = w.power
	}
	return l
}

// Inject adds a fault to this line alone; its times are on the world's clock.
func (l *Line) Inject(f Fault) { l.faults = append(l.faults, f) }

// measure lets the line's devices sense; fed says that no hub has cut them off.
func (l *Line) measure(dt float64, fed bool) {
	busV := l.sense.BusV
	for i := range l.faults {
		if f := &l.faults[i]; f.Kind == FaultBrownOut && f.active(l.now) {
			busV = min(busV, f.V)
		}
	}
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

// apply makes the state faults of this instant true.
func (l *Line) apply() {
	if len(l.faults) == 0 && !l.broken {
		return
	}
	l.broken = len(l.faults) > 0 // what was cleared is mended once
	for _, s := range l.servos {
		s.stuck, s.motor = false, motor{joint: s.cfg.Joint}
	}
	if l.hub != nil {
		l.hub.frozen, l.hub.mem[dxl.HubButtons] = false, 0
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
		case FaultButton:
			if l.hub != nil {
				l.hub.mem[dxl.HubButtons] |= byte(f.V)
			}
			continue
		case FaultStuck, FaultReboot, FaultHeat:
		default:
			l.breakMotors(f)
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

// find returns the device that hears the master and answers to id, and how many do.
func (l *Line) find(id dxl.ID) (d device, n int) {
	if l.hub != nil && l.hub.id() == id && l.hears(l.hub) {
		d, n = l.hub, 1
	}
	for _, s := range l.servos {
		if s.id() == id && l.hears(s) {
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
	if d == nil || !l.hears(d) || l.silenced(id) {
		return nil, 0
	}
	return d, n
}

// silenced reports whether the device at id is cut off: it neither hears nor answers.
func (l *Line) silenced(id dxl.ID) bool {
	for i := range l.faults {
		f := &l.faults[i]
		if f.Kind == FaultSilence && (f.ID == id || f.ID == 0) && f.active(l.now) && (f.P >= 1 || l.rng.Float64() < f.P) {
			return true
		}
	}
	return false
}

// Memory copies everything that the line's devices hold, byte for byte: the servos in their
// order, then the hub. It is for tests of what must change nothing.
func (l *Line) Memory() (all [][]byte) {
	for _, s := range l.servos {
		all = append(all, append([]byte(nil), s.mem[:]...))
	}
	if l.hub != nil {
		all = append(all, append([]byte(nil), l.hub.mem[:]...))
	}
	return all
}
