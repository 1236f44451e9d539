package soak

import (
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// Cases of docs/trials.md that need a whole flight and have no test elsewhere.

// read asks a servo for a register, past robotd.
func read[T dxl.Count](t *testing.T, f *flight, id dxl.ID, r dxl.Reg[T]) T {
	t.Helper()
	v, err := dxl.Read(dxl.NewBus(f.wire, dxl.Config{Baud: f.wire.Baud, Now: f.wire.Now, Retries: 3}), id, r)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A servo restarts in flight, the robot is let go; reset, and armed anew, it flies with the
// gains of the description, not with the factory's.
func TestTrialRestartedServoFliesWithItsGains(t *testing.T) {
	b := *kata20(t)
	desc := *b.Desc
	desc.ServoTypes = map[string]robot.ServoType{}
	for name, s := range b.Desc.ServoTypes {
		s.PositionPGain = 300
		desc.ServoTypes[name] = s
	}
	b.Desc = &desc
	p := ordinary
	p.stay, p.length = true, 20*time.Second
	f, err := newFlight(&b, fixedChance(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := begin(f, []fault{at(both(row{may: anything, free: true}, busemu.Fault{Kind: busemu.FaultReboot, ID: 9}), whilePlaying)})
	f.after(f.began+6*time.Second, func(f *flight) { f.loop.Request(mode.Reset) })
	f.after(f.began+6200*time.Millisecond, func(f *flight) { f.loop.Request(mode.Arm) })
	gain := dxl.GainCount(0)
	f.after(f.began+9*time.Second, func(f *flight) {
		if f.loop.Mode() != mode.Hold && f.loop.Mode() != mode.Active {
			t.Errorf("in %v after it was armed anew", f.loop.Mode())
		}
		gain = read(t, f, 9, dxl.PositionPGain)
	})
	f.fly()
	s := rows()
	for _, w := range judge(&s, &f.claim, f.see, p.length) {
		t.Error(w)
	}
	if r := f.loop.Result(); r.Armed != 2 || gain != 300 {
		t.Errorf("armed %d times, gain of servo 9 %d, want 2 and 300", r.Armed, gain)
	}
}

// A servo that shut itself down, and still says so when robotd is started: it is named, with
// its error and what to do; rebooted, it flies.
func TestTrialLatchedErrorAtStart(t *testing.T) {
	for _, reboot := range []bool{false, true} {
		f, err := newFlight(kata20(t), fixedChance(), ordinary, func(f *flight) error {
			hot := busemu.Fault{Kind: busemu.FaultHeat, ID: 11, V: 82, P: 1, For: 50 * time.Millisecond}
			if err := f.world.Inject(hot); err != nil {
				return err
			}
			f.wire.PassUntil(f.wire.Now().Add(15 * time.Second)) // it cools down, and its error stays
			if !reboot {
				return nil
			}
			defer func() { f.wire.PassUntil(f.wire.Now().Add(time.Second)) }()
			return dxl.NewBus(f.wire, dxl.Config{Baud: f.wire.Baud, Now: f.wire.Now}).Reboot(11)
		})
		switch {
		case err != nil:
			t.Fatal(err)
		case reboot && f.claim.refused:
			t.Errorf("refused after its reboot: %v", f.refusal)
		case reboot:
		case !f.claim.refused:
			t.Error("a servo with an error is taken")
		default:
			for _, want := range []string{"servo 11 (r_ankle_pitch)", "overheating", "reboot"} {
				if !strings.Contains(f.refusal.Error(), want) {
					t.Errorf("%q is not said: %v", want, f.refusal)
				}
			}
		}
	}
}

// spoilt lets every write of the master pass through a hand.
func spoilt(t *testing.T, hand func(p *port, b []byte) (int, error)) {
	t.Helper()
	f, err := newFlightOn(kata20(t), fixedChance(), ordinary, nil, func(p *port) { p.hand = hand })
	if err != nil {
		t.Fatal(err)
	}
	rows := begin(f, []fault{none(nil, nil)})
	f.fly()
	s := rows()
	for _, w := range judge(&s, &f.claim, f.see, ordinary.length) {
		t.Error(w)
	}
}

// Servos whose firmware does not know fast sync reads are read plainly.
func TestTrialWithoutFastReads(t *testing.T) {
	dec, swallowed := dxl.NewDecoder(4096), 0
	spoilt(t, func(p *port, b []byte) (int, error) {
		dec.Feed(b)
		var q dxl.Packet
		for dec.Next(&q) == dxl.Got {
			if q.Instruction == dxl.InstFastSyncRead {
				swallowed++
				return len(b), nil
			}
		}
		return p.TimedWire.Write(b)
	})
	if swallowed == 0 {
		t.Error("nobody asked for a fast read: nothing was tried")
	}
}

// An adapter that sends back all that is written to it is no obstacle.
func TestTrialAdapterThatEchoes(t *testing.T) {
	spoilt(t, func(p *port, b []byte) (int, error) {
		p.Echo(b)
		return p.TimedWire.Write(b)
	})
}
