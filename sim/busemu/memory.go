package busemu

import (
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// table is the control table of one type, indexed by address. It is shared by all
// servos of the type and never written.
type table struct {
	regs []dxl.Info
	at   [dxl.TableSize]int16 // index into regs of the register that holds the byte, or -1
}

func newTable(servo servos.Type) *table {
	t := &table{regs: dxl.XTable(servo)}
	for i := range t.at {
		t.at[i] = -1
	}
	for i, r := range t.regs {
		for k := range r.Size {
			t.at[int(r.Addr)+k] = int16(i)
		}
	}
	return t
}

// indirect returns the address behind an indirect data byte; ok is false elsewhere.
func (s *Servo) indirect(addr int) (target int, ok bool) {
	for _, block := range [...][2]int{{dxl.IndirectData1, dxl.IndirectAddr1}, {dxl.IndirectData29, dxl.IndirectAddr29}} {
		if i := addr - block[0]; i >= 0 && i < dxl.IndirectCount {
			return int(getU16(s.mem[block[1]+2*i:])), true
		}
	}
	return addr, false
}

// isIndirectAddr reports whether addr begins an indirect address register.
func isIndirectAddr(addr int) bool {
	for _, first := range [...]int{dxl.IndirectAddr1, dxl.IndirectAddr29} {
		if i := addr - first; i >= 0 && i < 2*dxl.IndirectCount && i%2 == 0 {
			return true
		}
	}
	return false
}

// read copies len(dst) bytes from addr.
func (s *Servo) read(addr int, dst []byte) dxl.Code {
	if len(dst) == 0 {
		return dxl.CodeDataLength
	}
	if addr+len(dst) > len(s.mem) {
		return dxl.CodeAccess
	}
	for i := range dst {
		target, _ := s.indirect(addr + i)
		dst[i] = s.mem[target]
	}
	return dxl.CodeOK
}

// write checks all of data first and stores it only if every register accepts it.
func (s *Servo) write(addr int, data []byte) dxl.Code {
	if len(data) == 0 {
		return dxl.CodeDataLength
	}
	if code := s.walk(addr, data, false); code != dxl.CodeOK {
		return code
	}
	return s.walk(addr, data, true)
}

// walk goes through the registers that data covers, and stores them if apply is set.
func (s *Servo) walk(addr int, data []byte, apply bool) dxl.Code {
	for i := 0; i < len(data); {
		a := addr + i
		if isIndirectAddr(a) {
			if len(data)-i < 2 {
				return dxl.CodeDataLength
			}
			v := getU16(data[i:])
			if v < dxl.EEPROMEnd || int(v) >= dxl.TableSize {
				return dxl.CodeDataRange
			}
			if apply {
				setU16(s.mem[a:], v)
			}
			i += 2
			continue
		}
		target, mapped := s.indirect(a)
		if mapped && target == a { // an indirect data byte that points at itself is plain memory
			if apply {
				s.mem[a] = data[i]
			}
			i++
			continue
		}
		if target >= dxl.TableSize || s.table.at[target] < 0 {
			return dxl.CodeAccess
		}
		r := &s.table.regs[s.table.at[target]]
		if int(r.Addr) != target {
			return dxl.CodeAccess
		}
		if len(data)-i < r.Size {
			return dxl.CodeDataLength
		}
		for k := 1; mapped && k < r.Size; k++ { // every byte of an item must be mapped, in order
			if t, ok := s.indirect(a + k); !ok || t != target+k {
				return dxl.CodeDataLength
			}
		}
		v := value(r, data[i:])
		if code := s.accept(r, v); code != dxl.CodeOK {
			return code
		}
		if apply {
			s.store(r, v)
		}
		i += r.Size
	}
	return dxl.CodeOK
}

// value reads a little endian number of the register's width and sign.
func value(r *dxl.Info, b []byte) int64 {
	var u int64
	for i := range r.Size {
		u |= int64(b[i]) << (8 * i)
	}
	if shift := 64 - 8*r.Size; r.Signed {
		u = u << shift >> shift
	}
	return u
}

// accept judges one register write.
func (s *Servo) accept(r *dxl.Info, v int64) dxl.Code {
	switch {
	case r.Access == dxl.ReadOnly, r.Addr < dxl.EEPROMEnd && s.torqueOn():
		return dxl.CodeAccess
	case v < r.Min || v > r.Max:
		return dxl.CodeDataRange
	}
	within := func(limit int64) dxl.Code {
		if v < -limit || v > limit {
			return dxl.CodeDataLimit
		}
		return dxl.CodeOK
	}
	tripped := reg(s, dxl.BusWatchdog) < 0
	switch r.Addr {
	case dxl.OperatingMode.Addr():
		switch dxl.OperatingModeCode(v) {
		case dxl.ModeCurrent, dxl.ModeVelocity, dxl.ModePosition, dxl.ModeExtendedPosition, dxl.ModeCurrentPosition, dxl.ModePWM:
		default:
			return dxl.CodeDataRange
		}
	case dxl.TorqueEnable.Addr():
		if v == 1 && reg(s, dxl.HardwareStatus)&reg(s, dxl.Shutdown) != 0 {
			return dxl.CodeResultFail // after a shutdown only a reboot helps
		}
	case dxl.BusWatchdog.Addr():
		// The XM430's manual names one way to clear the error, "changed to 0"; so nothing else does here.
		if v < 0 || tripped && v != 0 {
			return dxl.CodeDataRange
		}
	case dxl.GoalPWM.Addr(), dxl.GoalCurrent.Addr(), dxl.GoalVelocity.Addr(), dxl.GoalPosition.Addr():
		if tripped {
			return dxl.CodeDataRange
		}
	}
	switch r.Addr {
	case dxl.GoalPWM.Addr():
		return within(int64(reg(s, dxl.PWMLimit)))
	case dxl.GoalCurrent.Addr():
		return within(int64(reg(s, dxl.CurrentLimit)))
	case dxl.GoalVelocity.Addr():
		return within(int64(reg(s, dxl.VelocityLimit)))
	case dxl.GoalPosition.Addr():
		if reg(s, dxl.OperatingMode) != dxl.ModePosition {
			return within(1_048_575) // 256 turns
		}
		if v < int64(reg(s, dxl.MinPosition)) || v > int64(reg(s, dxl.MaxPosition)) {
			return dxl.CodeDataLimit
		}
	}
	return dxl.CodeOK
}

// store writes an accepted value and does what comes with it.
func (s *Servo) store(r *dxl.Info, v int64) {
	s.put(*r, v)
	switch r.Addr {
	case dxl.OperatingMode.Addr(): // gains, profile and goal limits go back to their defaults
		for _, x := range s.table.regs {
			if x.Addr >= dxl.VelocityIGain.Addr() && x.Addr < dxl.GoalPosition.Addr() && x.Addr != dxl.BusWatchdog.Addr() {
				s.put(x, x.Default)
			}
		}
	case dxl.TorqueEnable.Addr():
		// The profile generator starts from the shaft, not from where it last was. The
		// goal stays as written: a master that did not set it to the present position
		// first sees its robot jump, as on the bench.
		s.trajRad, s.trajRadPerS = s.rad(reg(s, dxl.PresentPosition)), 0
	}
}

// backup stores (1) or restores (2) the registers that the control table backup keeps.
func (s *Servo) backup(op byte) dxl.Code {
	if s.torqueOn() {
		return dxl.CodeResultFail
	}
	switch op {
	case 1:
		s.saved = append(s.saved[:0], s.mem[:]...)
		s.mem[dxl.BackupReady] = 1
		return dxl.CodeOK
	case 2:
		if len(s.saved) == 0 {
			return dxl.CodeResultFail
		}
		kept := func(a int) bool {
			return a < dxl.EEPROMEnd || a >= 76 && a < 92 || a >= 108 && a < 116 || isIndirectAddr(a&^1)
		}
		for a := range s.mem {
			if kept(a) {
				s.mem[a] = s.saved[a]
			}
		}
		return dxl.CodeOK
	}
	return dxl.CodeDataRange
}

// factoryReset restores EEPROM defaults: 0xFF all, 1 all but the id, 2 all but id and
// baud rate.
func (s *Servo) factoryReset(op byte) dxl.Code {
	if op != 0xFF && op != 1 && op != 2 {
		return dxl.CodeDataRange
	}
	id, baud := s.mem[dxl.DeviceID], s.mem[dxl.BaudRate]
	for _, r := range s.table.regs {
		if r.Addr < dxl.EEPROMEnd {
			s.put(r, r.Default)
		}
	}
	if op != 0xFF {
		s.mem[dxl.DeviceID] = id
	}
	if op == 2 {
		s.mem[dxl.BaudRate] = baud
	}
	return dxl.CodeOK
}
