package trace

import (
	"encoding/binary"
	"math"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
)

// A record is a sample as bytes: every field in the order of [Sample.lay], numbers
// little-endian in 8 bytes, truths in 1, words in a field of fixed length. Its size
// depends on the number of joints alone, so that a record has a place that is known
// before the first tick.

// maxWord is how long a word in a record may be, in bytes; what is longer is cut.
// Descriptions have no longer names of joints, and settings none either.
const maxWord = 64

// recordBytes is the size of a record of a robot of that many joints.
func recordBytes(joints int) int {
	s, c := newSample(joints), cursor{}
	s.lay(&c)
	return c.at
}

// cursor goes over a record: it measures where it has no bytes, else writes or reads.
type cursor struct {
	b     []byte
	write bool
	at    int
}

// next is the place of the next n bytes; nil while measuring.
func (c *cursor) next(n int) []byte {
	c.at += n
	if c.b == nil {
		return nil
	}
	return c.b[c.at-n : c.at]
}

// integer is any of the numbers in a sample that are not fractions.
type integer interface {
	~int | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func number[T integer](c *cursor, v *T) {
	switch b := c.next(8); {
	case b == nil:
	case c.write:
		binary.LittleEndian.PutUint64(b, uint64(*v))
	default:
		*v = T(binary.LittleEndian.Uint64(b))
	}
}

func (c *cursor) real(v *float64) {
	bits := math.Float64bits(*v)
	number(c, &bits)
	*v = math.Float64frombits(bits)
}

func (c *cursor) truth(v *bool) {
	switch b := c.next(1); {
	case b == nil:
	case c.write:
		b[0] = 0
		if *v {
			b[0] = 1
		}
	default:
		*v = b[0] != 0
	}
}

// word carries up to maxWord bytes of text. Reading one that has not changed allocates
// nothing.
func (c *cursor) word(v *string) {
	switch b := c.next(1 + maxWord); {
	case b == nil:
	case c.write:
		b[0] = byte(copy(b[1:], *v))
		clear(b[1+b[0]:])
	default:
		text := b[1 : 1+min(int(b[0]), maxWord)]
		if string(text) != *v {
			*v = string(text)
		}
	}
}

func (c *cursor) reals(v []float64) {
	for i := range v {
		c.real(&v[i])
	}
}

func (c *cursor) truths(v []bool) {
	for i := range v {
		c.truth(&v[i])
	}
}

// lay goes over every field of a sample, once for measuring, writing and reading: a
// field that is missing here does not survive, which a test notices.
func (s *Sample) lay(c *cursor) {
	number(c, &s.MonoNs)
	number(c, &s.WallNs)
	number(c, &s.Tick)
	number(c, &s.LateNs)
	number(c, &s.BusNs)
	number(c, &s.ActNs)
	number(c, &s.Skipped)
	number(c, &s.Mode)
	number(c, &s.From)
	number(c, &s.Why)
	number(c, &s.Request)
	c.truth(&s.Refused)
	number(c, &s.Failing)
	number(c, &s.Conditions)
	c.reals(s.WantRad)
	c.reals(s.GoalRad)
	layReport(c, &s.Guard)
	layState(c, &s.Robot)
	c.reals(s.WindingC)
	c.reals(s.Torque)
	c.reals(s.Pace)
	c.real(&s.TiltRad)
	c.real(&s.SupplyV)
	c.real(&s.ChargeLow)
	c.real(&s.ChargeHigh)
	c.real(&s.SupplyA)
	c.truth(&s.TorqueOff)
	c.real(&s.Phase)
	c.truth(&s.Playing)
	number(c, &s.Asked.Link)
	number(c, &s.Asked.Program)
	number(c, &s.Outside)
	layCalls(c, &s.Calls)
	c.truth(&s.Act.Asked)
	c.truth(&s.Act.Failed)
	c.truth(&s.Act.Usable)
	c.truth(&s.Act.Standing)
	layMachine(c, &s.Machine)
	c.reals(s.SentRad)
	c.reals(s.TakeUpRad)
	c.truth(&s.CatchUp)
}

func layCalls(c *cursor, k *Calls) {
	for _, a := range [...]*Answer{&k.Read, &k.TakeUp, &k.TorqueOff, &k.Write, &k.Prepare, &k.TorqueOn} {
		number(c, a)
	}
}

func layMachine(c *cursor, m *mode.Machine) {
	number(c, &m.State)
	number(c, &m.Torque)
	number(c, &m.Control)
	number(c, &m.Stop)
	number(c, &m.Ticks)
	number(c, &m.Tries)
	c.truth(&m.Fit)
	c.truth(&m.Asked)
	number(c, &m.Wait)
	c.truth(&m.Bad)
}

func layReport(c *cursor, r *guard.Report) {
	number(c, &r.NotFinite)
	number(c, &r.Range)
	number(c, &r.Speed)
	number(c, &r.Accel)
	c.real(&r.LargestRad)
}

func layState(c *cursor, s *driver.State) {
	c.reals(s.PosRad)
	c.reals(s.VelRadPerS)
	c.reals(s.CurrentA)
	c.truths(s.Fresh)
	c.reals(s.AgeS)
	c.reals(s.GyroRadPerS[:])
	c.reals(s.GravityDir[:])
	c.truth(&s.IMUFresh)
	number(c, &s.IMUSample)
	number(c, &s.Buttons)
	c.truth(&s.PowerCut)
	c.reals(s.TempC)
	c.reals(s.BusV)
	for i := range s.Alert {
		number(c, &s.Alert[i])
	}
	c.truths(s.TorqueOn)
	c.truths(s.Stopped)
	c.reals(s.SlowAgeS)
	c.word(&s.Unfit.Joint)
	number(c, &s.Unfit.ID)
	c.word(&s.Unfit.Setting)
	number(c, &s.Unfit.Got)
	number(c, &s.Unfit.Want)
	number(c, &s.Transactions)
	number(c, &s.Failures)
	number(c, &s.Asides)
	number(c, &s.AsideFailures)
}
