package busemu

import (
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// turnaround is how long a device takes beyond its return delay; about 50 us were
// measured on X and MX servos.
const turnaround = 50 * time.Microsecond

// Handle lets the devices act on one instruction packet and returns what appears on
// the wire, valid until the next call, and the sum of the pauses the devices make
// (return delays, injected delays) beside the time the bytes take.
func (l *Line) Handle(p *dxl.Packet) (reply []byte, pause time.Duration) {
	l.out = l.out[:0]
	if p.Instruction == dxl.InstStatus {
		return nil, 0 // an answer is nobody's instruction
	}
	l.hear(p.ID)
	switch p.Instruction {
	case dxl.InstPing:
		if p.ID == dxl.Broadcast {
			for id := dxl.ID(0); id <= dxl.MaxID; id++ {
				pause += l.ping(id)
			}
			return l.out, pause
		}
		return l.out, l.ping(p.ID)
	case dxl.InstSyncRead, dxl.InstBulkRead:
		return l.out, l.groupRead(p)
	case dxl.InstFastSyncRead, dxl.InstFastBulkRead:
		return l.out, l.fastRead(p)
	case dxl.InstSyncWrite, dxl.InstBulkWrite:
		l.groupWrite(p)
		return nil, 0
	}
	if p.ID == dxl.Broadcast {
		l.everyone(p)
		return nil, 0
	}
	d, n := l.listening(p.ID)
	if d == nil {
		return nil, 0
	}
	// The answer to a write of the id or the return level still follows the old one.
	level := byte(2)
	if s, ok := d.(*Servo); ok {
		level = s.mem[dxl.StatusReturnLevel]
	}
	code, data := l.single(d, p)
	if level == 0 || level == 1 && p.Instruction != dxl.InstRead {
		return nil, 0
	}
	return l.out, l.status(d, p.ID, n, code, data)
}

// hear resets the bus watchdogs of those addressed.
func (l *Line) hear(id dxl.ID) {
	for _, s := range l.servos {
		if (id == dxl.Broadcast || s.id() == id) && l.hears(s) && !l.silenced(s.id()) {
			s.heard(l.now)
		}
	}
}

// everyone carries out a broadcast that nobody answers.
func (l *Line) everyone(p *dxl.Packet) {
	if p.Instruction == dxl.InstRead || p.Instruction == dxl.InstFactoryReset && len(p.Params) == 1 && p.Params[0] == 0xFF {
		return
	}
	for _, s := range l.servos {
		if l.hears(s) {
			l.single(s, p)
		}
	}
	if l.hub != nil && l.hears(l.hub) {
		l.single(l.hub, p)
	}
}

// single carries out one instruction on one device.
func (l *Line) single(d device, p *dxl.Packet) (dxl.Code, []byte) {
	arg := p.Params
	switch p.Instruction {
	case dxl.InstRead:
		if len(arg) != 4 {
			return dxl.CodeDataLength, nil
		}
		n := int(getU16(arg[2:]))
		if n > len(l.data) {
			return dxl.CodeAccess, nil
		}
		if code := d.read(int(getU16(arg)), l.data[:n]); code != dxl.CodeOK {
			return code, nil
		}
		return dxl.CodeOK, l.data[:n]
	case dxl.InstWrite:
		if len(arg) < 3 {
			return dxl.CodeDataLength, nil
		}
		return d.write(int(getU16(arg)), arg[2:]), nil
	}
	s, ok := d.(*Servo)
	if !ok {
		return dxl.CodeInstruction, nil
	}
	switch p.Instruction {
	case dxl.InstRegWrite:
		if len(arg) < 3 || len(arg) > cap(s.registered) {
			return dxl.CodeDataLength, nil
		}
		if code := s.walk(int(getU16(arg)), arg[2:], false); code != dxl.CodeOK {
			return code, nil
		}
		s.registered = append(s.registered[:0], arg...)
		s.mem[dxl.Registered] = 1
		return dxl.CodeOK, nil
	case dxl.InstAction:
		if len(s.registered) == 0 {
			return dxl.CodeInstruction, nil
		}
		code := s.write(int(getU16(s.registered)), s.registered[2:])
		s.registered = s.registered[:0]
		s.mem[dxl.Registered] = 0
		return code, nil
	case dxl.InstReboot:
		s.powerUp(l.now, l.boot(), l.sense.Joints[s.cfg.Joint].PosRad)
		return dxl.CodeOK, nil
	case dxl.InstFactoryReset:
		if len(arg) != 1 {
			return dxl.CodeDataLength, nil
		}
		code := s.factoryReset(arg[0])
		if code == dxl.CodeOK {
			s.powerUp(l.now, l.boot(), l.sense.Joints[s.cfg.Joint].PosRad)
		}
		return code, nil
	case dxl.InstClear:
		if string(arg) != "\x01\x44\x58\x4C\x22" {
			return dxl.CodeDataRange, nil
		}
		return s.clearTurns(), nil
	case dxl.InstBackup:
		if len(arg) != 5 || string(arg[1:]) != "CTRL" {
			return dxl.CodeDataRange, nil
		}
		code := s.backup(arg[0])
		if code == dxl.CodeOK && arg[0] == 2 {
			s.silentTo = l.now + l.boot()
		}
		return code, nil
	}
	return dxl.CodeInstruction, nil
}

func (l *Line) ping(id dxl.ID) time.Duration {
	d, n := l.listening(id)
	if d == nil {
		return 0
	}
	var model [3]byte
	d.read(0, model[:2])
	at := int(dxl.FirmwareVersion)
	if _, hub := d.(*Hub); hub {
		at = 2
	}
	d.read(at, model[2:])
	return l.status(d, id, n, dxl.CodeOK, model[:])
}

// groupRead answers sync and bulk reads. It is a relay: a device answers when it has
// heard its predecessor, so the first silent one ends it.
func (l *Line) groupRead(p *dxl.Packet) (pause time.Duration) {
	it := newGroup(p)
	for id, addr, size, ok := it.next(); ok; id, addr, size, ok = it.next() {
		d, n := l.listening(id)
		if d == nil {
			break
		}
		if size > len(l.data) {
			pause += l.status(d, id, n, dxl.CodeAccess, nil)
			continue
		}
		code := d.read(addr, l.data[:size])
		if code != dxl.CodeOK {
			size = 0
		}
		pause += l.status(d, id, n, code, l.data[:size])
	}
	return pause
}

// fastRead answers fast sync and bulk reads: one packet to which each device adds its
// block. The hub's firmware does not know it.
func (l *Line) fastRead(p *dxl.Packet) (pause time.Duration) {
	blocks := 0
	it := newGroup(p)
	for _, _, size, ok := it.next(); ok; _, _, size, ok = it.next() {
		blocks += size + 4
	}
	if blocks == 0 || blocks > cap(l.out)-64 {
		return 0
	}
	it = newGroup(p)
	begun := false
	for id, addr, size, ok := it.next(); ok; id, addr, size, ok = it.next() {
		d, n := l.listening(id)
		s, servo := d.(*Servo)
		if d == nil || !servo || size > len(l.data) {
			break
		}
		if !begun {
			l.out = dxl.AppendFastHeader(l.out, blocks)
			begun = true
		}
		clear(l.data[:size])
		e := byte(d.read(addr, l.data[:size]))
		if d.alert() {
			e |= dxl.AlertBit
		}
		from := len(l.out)
		l.out = dxl.AppendFastBlock(l.out, 0, id, e, l.data[:size])
		if n > 1 {
			collide(l.out[from:])
		}
		pause = max(pause, s.delay())
	}
	if begun {
		pause += turnaround + l.spoil(0)
	}
	return pause
}

// groupWrite carries out sync and bulk writes.
func (l *Line) groupWrite(p *dxl.Packet) {
	arg := p.Params
	if p.Instruction == dxl.InstSyncWrite {
		if len(arg) < 4 {
			return
		}
		addr, size := int(getU16(arg)), int(getU16(arg[2:]))
		for arg = arg[4:]; size > 0 && len(arg) >= 1+size; arg = arg[1+size:] {
			if d, _ := l.listening(dxl.ID(arg[0])); d != nil {
				d.write(addr, arg[1:1+size])
			}
		}
		return
	}
	for len(arg) >= 5 {
		size := int(getU16(arg[3:]))
		if len(arg) < 5+size {
			return
		}
		if d, _ := l.listening(dxl.ID(arg[0])); d != nil {
			d.write(int(getU16(arg[1:])), arg[5:5+size])
		}
		arg = arg[5+size:]
	}
}

// group walks the devices listed in a sync or bulk read.
type group struct {
	arg        []byte
	addr, size int
	bulk       bool
}

func newGroup(p *dxl.Packet) group {
	if p.Instruction == dxl.InstBulkRead || p.Instruction == dxl.InstFastBulkRead {
		return group{arg: p.Params, bulk: true}
	}
	if len(p.Params) < 4 {
		return group{}
	}
	return group{arg: p.Params[4:], addr: int(getU16(p.Params)), size: int(getU16(p.Params[2:]))}
}

func (g *group) next() (id dxl.ID, addr, size int, ok bool) {
	switch {
	case !g.bulk && len(g.arg) >= 1:
		id, g.arg = dxl.ID(g.arg[0]), g.arg[1:]
		return id, g.addr, g.size, true
	case g.bulk && len(g.arg) >= 5:
		id, addr, size = dxl.ID(g.arg[0]), int(getU16(g.arg[1:])), int(getU16(g.arg[3:]))
		g.arg = g.arg[5:]
		return id, addr, size, true
	}
	return 0, 0, 0, false
}

// delay is a servo's return delay.
func (s *Servo) delay() time.Duration {
	return time.Duration(reg(s, dxl.ReturnDelay).Seconds() * float64(time.Second))
}

// status appends one status packet to what appears on the wire, spoilt by the faults
// of this instant; n devices share id.
func (l *Line) status(d device, id dxl.ID, n int, code dxl.Code, data []byte) time.Duration {
	e := byte(code)
	if d.alert() {
		e |= dxl.AlertBit
	}
	from := len(l.out)
	l.out = dxl.Append(l.out, &dxl.Packet{ID: id, Instruction: dxl.InstStatus, Error: e, Params: data})
	if n > 1 {
		collide(l.out[from:])
	}
	pause := turnaround
	if s, ok := d.(*Servo); ok {
		pause += s.delay()
	}
	return pause + l.spoil(from)
}

// collide makes two talkers out of one: the second is a byte late, and low wins.
func collide(b []byte) {
	for i := len(b) - 1; i > 0; i-- {
		b[i] &= b[i-1]
	}
}

// spoil applies the chance faults to what was appended from from on.
func (l *Line) spoil(from int) (pause time.Duration) {
	for i := range l.faults {
		f := &l.faults[i]
		if !f.active(l.now) {
			continue
		}
		switch f.Kind {
		case FaultDrop, FaultCRC, FaultNoise, FaultDelay:
		default:
			continue
		}
		if len(l.out) == from || l.rng.Float64() >= f.P {
			continue
		}
		switch f.Kind {
		case FaultDrop:
			l.out = l.out[:from]
		case FaultCRC:
			bit := l.rng.IntN((len(l.out) - from) * 8)
			l.out[from+bit/8] ^= 1 << (bit % 8)
		case FaultNoise:
			junk := 1 + l.rng.IntN(6)
			if len(l.out)+junk > cap(l.out) {
				continue
			}
			l.out = l.out[:len(l.out)+junk]
			copy(l.out[from+junk:], l.out[from:])
			for k := range junk {
				l.out[from+k] = byte(l.rng.Uint32())
			}
		case FaultDelay:
			pause += f.Delay
		}
	}
	return pause
}
