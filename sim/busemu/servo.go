package busemu

import (
	"math"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/servos"
)

// ServoConfig is one emulated servo and the joint it drives.
type ServoConfig struct {
	ID          dxl.ID
	Joint       int     // index of the plant's joint
	Sign        float64 // +1 or -1: joint angle = Sign * servo angle + OffsetRad
	OffsetRad   float64
	Type        servos.Type    // of the catalogue
	ReturnDelay dxl.DelayCount // as commissioned; the factory's is 250 (500 us)
	Baud        dxl.BaudCode
}

const (
	bootTime        = 400 * time.Millisecond // after a reboot or power-up nobody answers
	brownOutShare   = 0.6                    // of the least supply voltage; below, the controller loses its RAM
	overloadDuty    = 0.95                   // saturated and standing for overloadAfter is an overload
	overloadAfter   = 2.0                    // s
	standingRadPerS = 0.05
	ambientC        = 25.0
	// A stalled servo at full torque would settle 120 degrees above ambient with a
	// time constant of four minutes: the order of small geared servos.
	heatRiseC        = 120.0
	heatTimeConstant = 240.0 // s
)

// Servo is one emulated servo. Its memory is its control table.
type Servo struct {
	cfg   ServoConfig
	table *table
	mem   [dxl.TableSize]byte
	saved []byte // control table backup

	registered []byte // pending reg write: address and data
	powered    bool
	silentTo   time.Duration // booting until
	bootAt     time.Duration
	heardAt    time.Duration // last instruction from the master, for the bus watchdog

	trajRad, trajRadPerS float64 // profile generator, servo angle
	tempC                float64
	stallS               float64
	stuck                bool // encoder fault: position stays as it is
	stuckRad             float64
	motor                motor
	seenRad              float64 // what the encoder shows, servo angle
}

// newServo returns a powered servo whose joint stands at jointRad.
func newServo(cfg ServoConfig, t *table, jointRad float64) *Servo {
	s := &Servo{cfg: cfg, table: t, tempC: ambientC, motor: motor{joint: cfg.Joint}}
	for _, r := range t.regs {
		s.put(r, r.Default)
	}
	for i := range dxl.IndirectCount {
		setU16(s.mem[dxl.IndirectAddr1+2*i:], uint16(dxl.IndirectData1+i))
		setU16(s.mem[dxl.IndirectAddr29+2*i:], uint16(dxl.IndirectData29+i))
	}
	s.mem[dxl.DeviceID] = byte(cfg.ID)
	s.mem[dxl.ReturnDelay] = byte(cfg.ReturnDelay)
	s.mem[dxl.BaudRate] = byte(cfg.Baud)
	s.powerUp(0, 0, jointRad)
	return s
}

func setU16(b []byte, v uint16) { b[0], b[1] = byte(v), byte(v>>8) }
func getU16(b []byte) uint16    { return uint16(b[0]) | uint16(b[1])<<8 }

// reg reads a register from the table.
func reg[T dxl.Count](s *Servo, r dxl.Reg[T]) T { return r.Get(s.mem[r:]) }

// set writes a register of the table, without any rule.
func set[T dxl.Count](s *Servo, r dxl.Reg[T], v T) { r.Put(s.mem[r:], v) }

func (s *Servo) put(r dxl.Info, v int64) {
	for i := range r.Size {
		s.mem[int(r.Addr)+i] = byte(v >> (8 * i))
	}
}

// id is the servo's present id.
func (s *Servo) id() dxl.ID { return dxl.ID(s.mem[dxl.DeviceID]) }

// answers reports whether the servo is powered and has booted.
func (s *Servo) answers(now time.Duration) bool { return s.powered && now >= s.silentTo }

func (s *Servo) rate() int { return reg(s, dxl.BaudRate).Rate() }

func (s *Servo) alert() bool { return s.mem[dxl.HardwareStatus] != 0 }

func (s *Servo) torqueOn() bool { return s.mem[dxl.TorqueEnable] == 1 }

// sign is the direction of the servo's counts against the joint.
func (s *Servo) sign() float64 {
	if s.mem[dxl.DriveMode]&1 != 0 {
		return -s.cfg.Sign
	}
	return s.cfg.Sign
}

func (s *Servo) servoRad(joint float64) float64 { return s.sign() * (joint - s.cfg.OffsetRad) }
func (s *Servo) jointRad(servo float64) float64 { return s.sign()*servo + s.cfg.OffsetRad }

// powerUp clears RAM to its defaults and stays silent until boot has passed.
func (s *Servo) powerUp(now, boot time.Duration, joint float64) {
	for _, r := range s.table.regs {
		if r.Addr >= dxl.EEPROMEnd {
			s.put(r, r.Default)
		}
	}
	set(s, dxl.GoalPWM, reg(s, dxl.PWMLimit))
	set(s, dxl.GoalCurrent, reg(s, dxl.CurrentLimit))
	set(s, dxl.GoalVelocity, reg(s, dxl.VelocityLimit))
	s.powered, s.silentTo, s.bootAt, s.heardAt = true, now+boot, now, now
	s.registered = s.registered[:0]
	s.stallS = 0
	s.seenRad = s.servoRad(joint)
	s.restart(joint)
}

// restart makes the present position the goal.
func (s *Servo) restart(joint float64) {
	s.trajRad, s.trajRadPerS = s.servoRad(joint), 0
	set(s, dxl.GoalPosition, s.counts(s.trajRad))
}

// powerDown ends all activity; EEPROM stays.
func (s *Servo) powerDown() {
	s.powered = false
	s.mem[dxl.TorqueEnable] = 0
}

// counts is the register value of a servo angle.
func (s *Servo) counts(rad float64) dxl.PositionCount {
	return dxl.PositionCount(s.cfg.Type.PositionCount(rad)) + dxl.PositionCount(reg(s, dxl.HomingOffset))
}

// rad is the servo angle of a register value.
func (s *Servo) rad(c dxl.PositionCount) float64 {
	return s.cfg.Type.Rad(int32(c) - reg(s, dxl.HomingOffset))
}

// heard notes that the master spoke to this servo.
func (s *Servo) heard(now time.Duration) { s.heardAt = now }

// watch trips the bus watchdog: the servo stops where it is and refuses goals until
// the register is written 0. The manual does not say that torque goes off, so it
// stays on.
func (s *Servo) watch(now time.Duration, joint float64) {
	w := reg(s, dxl.BusWatchdog)
	if w <= 0 || !s.torqueOn() || now-s.heardAt < time.Duration(w)*20*time.Millisecond {
		return
	}
	set(s, dxl.BusWatchdog, -1)
	set(s, dxl.GoalVelocity, 0)
	s.restart(joint)
}

// plan advances the profile generator by dt and says what the bridge does.
func (s *Servo) plan(d *Drive, dt float64) {
	*d = Drive{}
	if !s.powered || !s.torqueOn() {
		return
	}
	d.On = true
	t := &s.cfg.Type
	limit, goal := t.Duty(int16(reg(s, dxl.PWMLimit))), t.Duty(int16(reg(s, dxl.GoalPWM)))
	current := t.Ampere(int16(reg(s, dxl.GoalCurrent))) / t.StallCurrentA // share of the motor's torque
	d.MaxDuty = min(limit, math.Abs(goal))
	mode := reg(s, dxl.OperatingMode)
	switch mode {
	case dxl.ModePWM:
		d.Duty, d.MaxDuty = s.sign()*goal, limit
		return
	case dxl.ModeCurrent:
		d.Duty = s.sign() * current
		return
	case dxl.ModeVelocity:
		s.trajRadPerS = t.RadPerS(int32(reg(s, dxl.GoalVelocity)))
		s.trajRad += s.trajRadPerS * dt
	default:
		s.profile(s.rad(reg(s, dxl.GoalPosition)), dt)
		if mode == dxl.ModeCurrentPosition {
			d.MaxDuty = min(d.MaxDuty, math.Abs(current))
		}
	}
	d.GoalRad = s.jointRad(s.trajRad)
	d.DutyPerRad = t.DutyPerRad(int(reg(s, dxl.PositionPGain)))
	d.DutyPerRadPerS = t.DutyPerRadPerS(int(reg(s, dxl.PositionDGain)))
}

// profile moves the trajectory towards goal within Profile Velocity and Acceleration;
// 0 means without limit.
func (s *Servo) profile(goal, dt float64) {
	speed := s.cfg.Type.RadPerS(int32(reg(s, dxl.ProfileVelocity)))
	if speed == 0 {
		s.trajRad, s.trajRadPerS = goal, 0
		return
	}
	gap := goal - s.trajRad
	want := math.Copysign(speed, gap)
	// 214.577 rev/min2 a count.
	if accel := float64(reg(s, dxl.ProfileAccel)) * 214.577 * 2 * math.Pi / 3600; accel > 0 {
		want = math.Copysign(min(speed, math.Sqrt(2*accel*math.Abs(gap))), gap)
		want = max(s.trajRadPerS-accel*dt, min(s.trajRadPerS+accel*dt, want))
	}
	if math.Abs(want*dt) >= math.Abs(gap) {
		s.trajRad, s.trajRadPerS = goal, 0
		return
	}
	s.trajRadPerS = want
	s.trajRad += want * dt
}

// measure refreshes the present registers after the plant advanced by dt seconds.
func (s *Servo) measure(now time.Duration, j Joint, duty, busV, dt float64) {
	if !s.powered {
		return
	}
	angle, speed := s.servoRad(j.PosRad), s.sign()*j.VelRadPerS
	if shown := s.motor.felt(angle, s.seenRad); shown != angle {
		if shown == s.seenRad {
			speed = 0
		}
		angle = shown
	}
	s.seenRad = angle
	if s.stuck {
		angle, speed = s.stuckRad, 0
	} else {
		s.stuckRad = angle
	}
	torque, t := s.sign()*j.TorqueNm, &s.cfg.Type
	set(s, dxl.PresentPosition, s.counts(angle))
	velocity := dxl.VelocityCount(t.VelocityCount(speed))
	set(s, dxl.PresentVelocity, velocity)
	set(s, dxl.PresentCurrent, dxl.CurrentCount(t.CurrentCount(torque/t.NmPerA())))
	set(s, dxl.PresentPWM, dxl.PWMCount(t.DutyCount(s.sign()*duty)))
	set(s, dxl.InputVoltage, dxl.VoltageFromV(busV))
	set(s, dxl.RealtimeTick, dxl.TickCount((now-s.bootAt).Milliseconds()&0x7FFF))
	set(s, dxl.PositionTraject, s.counts(s.trajRad))
	set(s, dxl.VelocityTraject, dxl.VelocityCount(t.VelocityCount(s.trajRadPerS)))
	s.mem[dxl.Moving] = 0
	if uint32(max(velocity, -velocity)) > reg(s, dxl.MovingThreshold) {
		s.mem[dxl.Moving] = 1
	}
	s.health(j, duty, busV, dt)
}

// health watches voltage, heat and overload, and shuts down as configured.
func (s *Servo) health(j Joint, duty, busV, dt float64) {
	share := j.TorqueNm / s.cfg.Type.StallTorqueNm
	s.tempC += dt / heatTimeConstant * (ambientC + heatRiseC*share*share - s.tempC)
	s.mem[dxl.Temperature] = byte(max(0, min(255, math.Round(s.tempC))))
	var e dxl.HardwareError
	if v := dxl.VoltageFromV(busV); v > reg(s, dxl.MaxVoltage) || v < reg(s, dxl.MinVoltage) {
		e |= dxl.HardwareVoltage
	}
	if s.tempC > float64(reg(s, dxl.TemperatureLimit)) {
		e |= dxl.HardwareHeat
	}
	if s.torqueOn() && math.Abs(duty) >= overloadDuty && math.Abs(j.VelRadPerS) < standingRadPerS {
		if s.stallS += dt; s.stallS >= overloadAfter {
			e |= dxl.HardwareOverload
		}
	} else {
		s.stallS = 0
	}
	s.fail(e)
}

// fail latches hardware errors; those selected by Shutdown take the torque off, and
// only a reboot gives it back.
func (s *Servo) fail(e dxl.HardwareError) {
	all := reg(s, dxl.HardwareStatus) | e
	set(s, dxl.HardwareStatus, all)
	if all&reg(s, dxl.Shutdown) != 0 {
		s.mem[dxl.TorqueEnable] = 0
	}
}

// clearTurns folds a multi-turn position into one turn by moving the homing offset.
func (s *Servo) clearTurns() dxl.Code {
	if s.mem[dxl.Moving] != 0 {
		return dxl.CodeResultFail
	}
	turn := s.cfg.Type.CountsPerTurn
	counts := int32(math.Floor(float64(reg(s, dxl.PresentPosition))/float64(turn))) * int32(turn)
	set(s, dxl.HomingOffset, reg(s, dxl.HomingOffset)-counts)
	set(s, dxl.GoalPosition, reg(s, dxl.GoalPosition)-dxl.PositionCount(counts))
	set(s, dxl.PresentPosition, reg(s, dxl.PresentPosition)-dxl.PositionCount(counts))
	return dxl.CodeOK
}
