package busemu

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

func (b *bench) inject(t testing.TB, text string) {
	t.Helper()
	f, err := ParseFault(text)
	must(t, err)
	b.line.Inject(f)
}

func (b *bench) reader(t testing.TB, mode dxl.ReadMode) (*dxl.StateReader, []dxl.State) {
	t.Helper()
	r, err := dxl.NewStateReader(b.bus, b.ids, mode)
	must(t, err)
	return r, make([]dxl.State, len(b.ids))
}

// TestSilentServo: in either mode one dead servo costs its successors one cycle, not
// more, because the reader moves it to the end.
func TestSilentServo(t *testing.T) {
	for _, mode := range []dxl.ReadMode{dxl.Fast, dxl.Plain} {
		b := newBench(t, 8, nil)
		r, states := b.reader(t, mode)
		must(t, r.ReadInto(states))
		b.inject(t, "silence:id=3")
		if err := r.ReadInto(states); !errors.Is(err, dxl.ErrLinkLost) {
			t.Errorf("mode %d: %v, want ErrLinkLost", mode, err)
		}
		for i, s := range states {
			if want := map[bool]dxl.Outcome{true: dxl.Answered, false: dxl.Silent}[i < 2]; s.Outcome != want {
				t.Errorf("mode %d, first cycle: servo %d %v, want %v", mode, i+1, s.Outcome, want)
			}
		}
		for range 3 {
			_ = r.ReadInto(states)
			for i, s := range states {
				if (s.Outcome == dxl.Answered) == (i == 2) {
					t.Errorf("mode %d, later: servo %d %v", mode, i+1, s.Outcome)
				}
			}
		}
		b.line.ClearFaults()
		must(t, r.ReadInto(states))
	}
}

func TestDamagedAnswers(t *testing.T) {
	for _, mode := range []dxl.ReadMode{dxl.Fast, dxl.Plain} {
		b := newBench(t, 8, nil)
		for i := range 8 {
			b.plant.Set(i, 0.1*float64(i))
		}
		b.line.Advance(time.Millisecond)
		r, states := b.reader(t, mode)
		must(t, r.ReadInto(states))
		good := append([]dxl.State(nil), states...)
		b.inject(t, "crc:p=0.2")
		b.inject(t, "noise:p=0.2")
		b.inject(t, "drop:p=0.02")
		bad := 0
		for range 500 {
			if r.ReadInto(states) != nil {
				bad++
			}
			for i, s := range states {
				if s.Position != good[i].Position || s.Velocity != 0 {
					t.Fatalf("mode %d: believed a damaged answer: servo %d %+v", mode, i+1, s)
				}
			}
		}
		var total uint64
		for _, id := range b.ids {
			total += b.bus.Counters(id).Errors()
		}
		if bad == 0 || total == 0 {
			t.Errorf("mode %d: %d bad cycles, %d errors counted", mode, bad, total)
		}
	}
}

// TestRetries: with retries a noisy line still gives every value, and no refusal is
// repeated.
func TestRetries(t *testing.T) {
	b := newBench(t, 2, nil)
	b.bus = dxl.NewBus(NewWire(b.line), dxl.Config{Retries: 20})
	b.inject(t, "crc:p=0.3")
	b.inject(t, "drop:p=0.2")
	for range 200 {
		if v := get(t, b, 1, dxl.ModelNumber); v != xm430().ModelNumber {
			t.Fatalf("model %d", v)
		}
	}
	if c := b.bus.Counters(1); c.Damaged == 0 || c.Silent == 0 || c.Answered != 200 {
		t.Errorf("counters %+v", c)
	}
	b.line.ClearFaults()
	if dxl.Write(b.bus, 1, dxl.ModelNumber, 1) == nil {
		t.Error("a read-only register was written")
	}
	if c := b.bus.Counters(1); c.Refused != 1 {
		t.Errorf("a refusal was repeated %d times", c.Refused)
	}
}

// The hub's firmware does not know fast reads, like older servos: silence, not damage.
func TestHubKnowsNoFastRead(t *testing.T) {
	b := newBench(t, 1, nil)
	for mode, want := range map[dxl.ReadMode]error{dxl.Fast: dxl.ErrLinkLost, dxl.Plain: nil} {
		r, err := dxl.NewSyncReader(b.bus, []dxl.ID{dxl.HubID}, dxl.HubBlockAddr, dxl.HubBlockSize, mode)
		must(t, err)
		if err := r.Read(); !errors.Is(err, want) {
			t.Errorf("mode %d: %v, want %v", mode, err, want)
		}
	}
}

func TestGroupRefusal(t *testing.T) {
	for _, mode := range []dxl.ReadMode{dxl.Fast, dxl.Plain} {
		b := newBench(t, 2, nil)
		r, err := dxl.NewSyncReader(b.bus, b.ids, 660, 4, mode) // beyond the table
		must(t, err)
		if err := r.Read(); !errors.Is(err, dxl.ErrBadData) || r.Outcome(0) != dxl.Refused || r.Outcome(1) != dxl.Refused {
			t.Errorf("mode %d: %v, %v %v", mode, err, r.Outcome(0), r.Outcome(1))
		}
	}
}

func TestStateFaults(t *testing.T) {
	b := newBench(t, 3, nil)
	for _, id := range b.ids {
		must(t, dxl.Write(b.bus, id, dxl.TorqueEnable, 1))
	}
	b.inject(t, "stuck:id=2")
	b.inject(t, "imu:at=100ms")
	was := get(t, b, 2, dxl.PresentPosition)
	must(t, dxl.Write(b.bus, 2, dxl.GoalPosition, 2300))
	b.line.Advance(time.Second)
	if got := get(t, b, 2, dxl.PresentPosition); got != was || b.plant.joints[1].PosRad == 0 {
		t.Errorf("stuck encoder reads %d (was %d), joint at %g", got, was, b.plant.joints[1].PosRad)
	}
	one := get(t, b, dxl.HubID, dxl.HubSample)
	b.line.Advance(time.Second)
	if two := get(t, b, dxl.HubID, dxl.HubSample); two != one {
		t.Errorf("frozen hub counts on: %d, %d", one, two)
	}
	b.line.ClearFaults()
	b.inject(t, "reboot:id=1")
	b.line.Advance(10 * time.Millisecond)
	if _, err := b.bus.Ping(1); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("rebooting servo answers: %v", err)
	}
	b.line.Advance(time.Second)
	if get(t, b, 1, dxl.TorqueEnable) != 0 || get(t, b, 3, dxl.TorqueEnable) != 1 {
		t.Error("a reboot takes the torque of that servo, and of no other")
	}
}

func TestBrownOut(t *testing.T) {
	b := newBench(t, 2, nil)
	must(t, dxl.Write(b.bus, 1, dxl.TorqueEnable, 1))
	must(t, dxl.Write(b.bus, 1, dxl.PositionPGain, 400))
	b.inject(t, "brownout:v=9.0,for=50ms")
	b.line.Advance(10 * time.Millisecond)
	if e := get(t, b, 1, dxl.HardwareStatus); e != dxl.HardwareVoltage {
		t.Errorf("9 V: status %v", e)
	}
	if get(t, b, 1, dxl.TorqueEnable) != 1 {
		t.Error("9 V takes the torque, though Shutdown does not select voltage")
	}
	b.line.ClearFaults()
	b.line.Inject(Fault{Kind: FaultBrownOut, V: 4, At: b.line.Now(), For: 20 * time.Millisecond})
	b.line.Advance(10 * time.Millisecond)
	if _, err := b.bus.Ping(1); !errors.Is(err, dxl.ErrLinkLost) {
		t.Errorf("4 V: %v", err)
	}
	b.line.Advance(time.Second)
	if get(t, b, 1, dxl.TorqueEnable) != 0 || get(t, b, 1, dxl.PositionPGain) != 800 {
		t.Error("RAM survives a brown-out")
	}
}

func TestClash(t *testing.T) {
	b := newBench(t, 3, nil)
	b.inject(t, "clash:id=2")
	if _, err := b.bus.Ping(2); !errors.Is(err, dxl.ErrBadData) {
		t.Errorf("ping of a shared id: %v, want ErrBadData", err)
	}
	if _, err := b.bus.Ping(3); err != nil {
		t.Error(err)
	}
}

func TestParseFault(t *testing.T) {
	f, err := ParseFault("silence:id=7,at=2s,for=500ms")
	if err != nil || f != (Fault{Kind: FaultSilence, ID: 7, P: 1, At: 2 * time.Second, For: 500 * time.Millisecond}) {
		t.Errorf("%+v, %v", f, err)
	}
	for text, word := range map[string]string{
		"melt": "melt", "crc:p=2": "p", "silence:id=300": "300", "silence:id": "key=value",
		"drop:p=0.1,p=0.2": "once", "clash": "needs id", "delay:at=1s": "needs ms", "crc:q=1": "q", "drop:at=-1s": "-1s",
		"crc:p=NaN": "NaN", "brownout:v=NaN": "NaN",
	} {
		if _, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v, want an error that says %q", text, err, word)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("silence:id=7,at=2s,for=500ms")
	f.Add("brownout:v=9")
	f.Fuzz(func(t *testing.T, text string) {
		if f, err := ParseFault(text); err == nil && (f.P < 0 || f.P > 1 || f.ID > dxl.MaxID || f.At < 0) {
			t.Errorf("%q gives %+v", text, f)
		}
	})
}

// FuzzLine throws bytes at the bus: it must never panic, and all it says must be
// well-formed, as long as every device has an id of its own: a write may give two
// the same one, and then they talk at once, as on a real bus.
func FuzzLine(f *testing.F) {
	add := func(p dxl.Packet) { f.Add(dxl.Append(nil, &p)[7:]) }
	add(dxl.Packet{ID: 1, Instruction: dxl.InstRead, Params: []byte{132, 0, 4, 0}})
	add(dxl.Packet{ID: 1, Instruction: dxl.InstWrite, Params: []byte{168, 0, 224, 0}})
	add(dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstFastSyncRead, Params: []byte{132, 0, 4, 0, 1, 2}})
	add(dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstBulkWrite, Params: []byte{1, 64, 0, 1, 0, 1}})
	f.Add([]byte{byte(dxl.InstWrite), 7, 0, 2}) // servo 1 takes the id of servo 2
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 3 || len(body) > 600 {
			return
		}
		b := newBench(t, 3, nil)
		for _, id := range []dxl.ID{1, 2, dxl.HubID, dxl.Broadcast} {
			p := dxl.Packet{ID: id, Instruction: dxl.Instruction(body[0]), Params: body[1:]}
			reply, _ := b.line.Handle(&p)
			d := dxl.NewDecoder(8192)
			d.Feed(reply)
			var q dxl.Packet
			alone := everyIDOnce(b.line)
			for ev := d.Next(&q); ev != dxl.NeedMore; ev = d.Next(&q) {
				if ev != dxl.Got && alone && p.Instruction != dxl.InstFastSyncRead && p.Instruction != dxl.InstFastBulkRead {
					t.Fatalf("instruction %v answers % X", p, reply)
				}
			}
			b.line.Advance(5 * time.Millisecond)
		}
	})
}

// everyIDOnce reports whether all devices on the line have different ids.
func everyIDOnce(l *Line) bool {
	for _, s := range l.servos {
		if _, n := l.find(s.id()); n > 1 {
			return false
		}
	}
	return true
}
